"""Scores of windows as rows of the store."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.catalogue import Group
from engine.dataset.model import Window
from engine.geometry.alignment import ALIGNMENTS
from engine.schema import CURVES, FRAME_SLICES, FRAMES, SLICED
from engine.scoring.protocol import V1
from engine.scoring.scores import CLAMPED, DEGENERATE, PIXELS, WindowScores
from engine.scoring.slices import Slice

INLIER_CURVE = "photometric_inlier"

_COUNTS = (PIXELS, CLAMPED)
_MEASURED = tuple(name for name, dtype in FRAMES.items() if dtype == pl.Float64)


def rows(scores: WindowScores, checkpoint: str) -> pl.DataFrame:
    """The scores as rows of schema ``FRAMES``: one per alignment, frame and region, and one with the window's pose.

    Metrics that no alignment changes (``scale.*``, ``photometric.*``) stand in the rows of every alignment. The pose
    row has neither frame nor alignment, and its region is empty. What was not measured is null, ``pixels`` included
    where a region has none.
    """
    same = _same_for_all(scores.window, scores.regions)
    height = len(next(iter(same.values())))
    values = scores.values
    measured = {name: values[name].ravel() for name in _MEASURED if name in values}
    pose = {f"{Group.POSE}.{name}": value for name, value in scores.pose.metrics.items()}
    empty = values[PIXELS].ravel() == 0
    flags = np.append(values[DEGENERATE].ravel() > 0, scores.pose.degenerate)
    found: dict[str, pl.Series] = {
        "checkpoint": pl.Series("checkpoint", [checkpoint], pl.String).new_from_index(0, height),
        DEGENERATE: pl.Series(DEGENERATE, flags),
        **same,
    }
    for name in _COUNTS:
        counts = _column(np.where(empty, np.nan, values[name].ravel()), np.nan)
        found[name] = pl.Series(name, counts, nan_to_null=True).cast(pl.Int64)
    nothing = np.full(height - 1, np.nan)
    for name in _MEASURED:
        column = _column(measured.get(name, nothing), pose.get(name, np.nan))
        found[name] = pl.Series(name, column, nan_to_null=True)
    return pl.DataFrame([found[name] for name in FRAMES])


def slice_rows(scores: WindowScores, checkpoint: str) -> pl.DataFrame:
    """The depth of every slice as rows of schema ``FRAME_SLICES``; none where slices were not asked for."""
    found = {
        "checkpoint": pl.Series("checkpoint", [checkpoint], pl.String).new_from_index(0, len(scores.slices)),
        **_same_for_slices(scores.window, scores.slices, scores.align),
    }
    for name, values in zip(SLICED, scores.sliced.astype(np.float32), strict=True):
        key = f"{Group.DEPTH}.{name}"
        found[key] = pl.Series(key, values)
    return pl.DataFrame([found[name] for name in FRAME_SLICES])


def curve_rows(scores: WindowScores, checkpoint: str) -> pl.DataFrame:
    """The photometric inlier curve of one window as rows of schema ``CURVES``.

    ``y`` is the mean over the window's frames of the share of inliers below the threshold ``x``, and ``count`` the
    number of those frames, as in the mean of ``photometric.inlier_ratio``. Regions that were not measured have no rows.
    """
    found: list[tuple[str, str, str, float, float, int]] = []
    for index, region in enumerate(scores.regions):
        values = scores.curve[:, :, index]
        values = values[:, np.isfinite(values).all(0)]
        if values.shape[1]:
            means = values.mean(1)
            found += [
                (checkpoint, INLIER_CURVE, region, x, float(y), values.shape[1])
                for x, y in zip(V1.photometric_thresholds, means, strict=True)
            ]
    return pl.DataFrame(found, schema=CURVES, orient="row")


def merge_curves(curves: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Curves of many windows as one per checkpoint and region: means weighted by their counts, schema ``CURVES``."""
    if not curves:
        return pl.DataFrame(schema=CURVES)
    keys = ["checkpoint", "curve", "region", "x"]
    return (
        pl.concat(curves)
        .group_by(keys, maintain_order=True)
        .agg((pl.col("y") * pl.col("count")).sum() / pl.col("count").sum(), pl.col("count").sum())
        .select(list(CURVES))
    )


@lru_cache(maxsize=16)
def _same_for_all(window: Window, regions: tuple[str, ...]) -> dict[str, pl.Series]:
    """The columns that every checkpoint's rows of a window share; the pose row is the last one."""
    shape = (len(ALIGNMENTS), len(window.frames), len(regions))
    alignment, frame, region = (index.ravel().tolist() for index in np.indices(shape))
    height = len(frame) + 1
    return {
        "window": pl.Series("window", [window.id], pl.Int64).new_from_index(0, height),
        "drive": pl.Series("drive", [window.drive], pl.String).new_from_index(0, height),
        "frame": pl.Series("frame", [*(window.frames[index] for index in frame), None], pl.Int64),
        "region": pl.Series("region", [*(regions[index] for index in region), ""], pl.String),
        "align": pl.Series("align", [*(ALIGNMENTS[index] for index in alignment), None], pl.String),
    }


@lru_cache(maxsize=16)
def _same_for_slices(window: Window, slices: tuple[Slice, ...], align: str) -> dict[str, pl.Series]:
    """The columns that every checkpoint's slices of a window share."""
    height = len(slices)
    return {
        "window": pl.Series("window", [window.id], pl.Int64).new_from_index(0, height),
        "drive": pl.Series("drive", [window.drive], pl.String).new_from_index(0, height),
        "frame": pl.Series("frame", [window.frames[one.frame] for one in slices], pl.Int64),
        "region": pl.Series("region", [one.region for one in slices], pl.String),
        "align": pl.Series("align", [align], pl.String).new_from_index(0, height),
        "by": pl.Series("by", [one.by.value for one in slices], pl.String),
        "slice": pl.Series("slice", [one.name for one in slices], pl.String),
        PIXELS: pl.Series(PIXELS, [one.points for one in slices], pl.Int64),
    }


def _column(values: NDArray[np.float64], last: float) -> NDArray[np.float64]:
    column = np.empty(len(values) + 1)
    column[:-1] = values
    column[-1] = last
    return column
