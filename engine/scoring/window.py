"""All scores of one prediction of one window, in one pass; and as rows of the store after one transfer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue import Group, frame_metric_names
from engine.dataset.model import Window
from engine.geometry.alignment import ALIGNMENTS, apply, fit
from engine.geometry.sampling import inverse_depth, sample_depth
from engine.inference.contract import Prediction
from engine.schema import CURVES, FRAMES
from engine.scoring.depth import depth_metrics, scale_metrics
from engine.scoring.normals import normal_metrics
from engine.scoring.photometric import photometric_metrics
from engine.scoring.planarity import planarity_metrics
from engine.scoring.pose import PoseScores, pose_metrics
from engine.scoring.protocol import V1
from engine.scoring.truth import WindowTruth

INLIER_CURVE = "photometric_inlier"
AlignScope = Literal["window", "frame"]

_CLAMPED = "clamped"
_DEGENERATE = "degenerate"
_PIXELS = "pixels"
_MEDIAN = ALIGNMENTS.index("median")
_SCALE_SHIFT = ALIGNMENTS.index("scale_shift")


@dataclass(frozen=True, eq=False)
class WindowScores:
    """Scores of one window, still where they were computed; the first look at a number fetches all of them at once.

    Attributes:
        window: which one.
        regions: their names.
        names: of the values of ``packed``: metrics (``depth.abs_rel``) and flags.
        packed: all numbers in one vector, float64: [names, alignments, frames, regions], the inlier curve [thresholds,
            frames, regions], and the predicted extrinsics [frames, 3, 4].
        camera_to_world: true poses, on the CPU.
    """

    window: Window
    regions: tuple[str, ...]
    names: tuple[str, ...]
    packed: Tensor
    camera_to_world: Tensor

    @cached_property
    def values(self) -> dict[str, NDArray[np.float64]]:
        """Name -> [alignments, frames, regions]; NaN where nothing was measured."""
        end = len(self.names) * self._each
        shape = (len(self.names), len(ALIGNMENTS), len(self.window.frames), len(self.regions))
        return dict(zip(self.names, self._host[:end].reshape(shape), strict=True))

    @cached_property
    def curve(self) -> NDArray[np.float64]:
        """Share of photometric inliers, [thresholds, frames, regions]."""
        start = len(self.names) * self._each
        shape = (len(V1.photometric_thresholds), len(self.window.frames), len(self.regions))
        return self._host[start : start + int(np.prod(shape))].reshape(shape)

    @cached_property
    def pose(self) -> PoseScores:
        """Pose metrics of the window."""
        extrinsics = torch.from_numpy(self._host[-12 * len(self.window.frames) :].reshape(-1, 3, 4))
        return pose_metrics(extrinsics, self.camera_to_world)

    @property
    def _each(self) -> int:
        return len(ALIGNMENTS) * len(self.window.frames) * len(self.regions)

    @cached_property
    def _host(self) -> NDArray[np.float64]:
        """The one transfer."""
        return self.packed.cpu().numpy()


def score_window(
    prediction: Prediction,
    truth: WindowTruth,
    *,
    align_scope: AlignScope = "window",
    at_points: Tensor | None = None,
) -> WindowScores:
    """Score a prediction in every alignment, region and frame. Nothing here waits for the device.

    A predicted depth that is not a positive finite number takes no part in the fits, and is clamped to the least depth
    and counted as such: it counts against the model, and against nothing else. Normals do not depend on a common scale:
    ``none`` and ``scale`` share those of ``median``.

    Args:
        prediction: of one window (B = 1), on the truth's device; depth maps of the size of the prepared images.
        truth: the window.
        align_scope: one fit for the window, or one for every frame.
        at_points: depth at the truth's points, [N], where it is known better than the depth maps tell (the ground truth
            as its own prediction); the maps then only say what hides what.

    Raises:
        ValueError: the prediction does not have the window's shape.
    """
    frames = truth.groups.frames
    if prediction.depth.shape != (1, frames, *truth.size):
        raise ValueError(f"depth has the shape {tuple(prediction.depth.shape)}, not {(1, frames, *truth.size)}")
    inverse = inverse_depth(prediction.depth[0].float())
    if at_points is None:
        predicted, valid = sample_depth(inverse.flatten(), truth.taps)
    else:
        valid = (at_points > 0) & (at_points < torch.inf)
        predicted = torch.where(valid, at_points.float(), 0.0)
    sizes = truth.groups.frame_sizes if align_scope == "frame" else (len(predicted),)
    alignment = fit(predicted, truth.depth, valid, sizes)
    aligned, clamped = apply(alignment, predicted, valid, sizes, V1.least_depth)
    photometric = photometric_metrics(prediction, inverse, predicted, truth)
    normals = normal_metrics(torch.stack([aligned[_MEDIAN], aligned[_SCALE_SHIFT]]), truth)
    found = {
        **_named(Group.DEPTH, depth_metrics(aligned, truth.depth, truth.log_depth, truth.groups)),
        **_named(Group.SCALE, scale_metrics(predicted, truth.median_depth, truth.groups)),
        **_named(Group.NORMALS, {name: _of_two(values) for name, values in normals.items()}),
        **_named(Group.PLANARITY, planarity_metrics(aligned, truth)),
        **_named(Group.PHOTOMETRIC, photometric.metrics),
        _PIXELS: truth.groups.counts,
        _CLAMPED: truth.groups.sums(clamped),
        _DEGENERATE: alignment.degenerate[..., None].double(),
    }
    shape = (len(ALIGNMENTS), frames, len(truth.regions))
    packed = torch.cat(
        [
            torch.stack([values.expand(shape) for values in found.values()]).flatten(),
            photometric.curve.flatten(),
            prediction.world_to_camera.double().flatten(),
        ]
    )
    return WindowScores(truth.window, truth.regions, tuple(found), packed, truth.camera_to_world)


def rows(scores: WindowScores, checkpoint: str) -> pl.DataFrame:
    """The scores as rows of schema ``FRAMES``: one per alignment, frame and region, and one with the window's pose.

    Metrics that no alignment changes (``scale.*``, ``photometric.*``) stand in the rows of every alignment. The pose
    row has neither frame nor alignment, and its region is empty. What was not measured is null, ``pixels`` included
    where a region has none.
    """
    shape = (len(ALIGNMENTS), len(scores.window.frames), len(scores.regions))
    alignment, frame, region = (index.ravel() for index in np.indices(shape))
    columns: dict[str, object] = {
        "frame": np.asarray(scores.window.frames, dtype=np.int64)[frame],
        "region": np.asarray(scores.regions, dtype=object)[region],
        "align": np.asarray(ALIGNMENTS, dtype=object)[alignment],
        **{name: values.ravel() for name, values in scores.values.items()},
    }
    empty = pl.col(_PIXELS) == 0
    by_frame = pl.DataFrame(columns).with_columns(
        pl.col(scores.names).fill_nan(None),
    )
    by_frame = by_frame.with_columns(
        *(pl.when(~empty).then(pl.col(name)).cast(pl.Int64).alias(name) for name in (_PIXELS, _CLAMPED)),
        pl.col(_DEGENERATE) > 0,
    )
    pose: dict[str, object] = {"region": "", _DEGENERATE: scores.pose.degenerate}
    pose |= {f"{Group.POSE}.{name}": value for name, value in scores.pose.metrics.items()}
    of_window = pl.DataFrame([pose]).with_columns(pl.selectors.float().fill_nan(None))
    return (
        pl.concat([by_frame, of_window], how="diagonal_relaxed")
        .with_columns(checkpoint=pl.lit(checkpoint), window=pl.lit(scores.window.id), drive=pl.lit(scores.window.drive))
        .select(pl.col(name).cast(dtype) for name, dtype in FRAMES.items())
    )


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


def expected_metrics() -> frozenset[str]:
    """The columns that rows hold values of, by the catalogue: every per-frame metric except ``pixels``."""
    return frozenset(
        f"{group}.{name}" for group, names in frame_metric_names().items() for name in names if name != _PIXELS
    )


def _named(group: Group, metrics: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{group}.{name}": values for name, values in metrics.items()}


def _of_two(values: Tensor) -> Tensor:
    """[2, S, R] of ``median`` and ``scale_shift`` -> [4, S, R] of every alignment."""
    return torch.stack([values[int(index == _SCALE_SHIFT)] for index in range(len(ALIGNMENTS))])
