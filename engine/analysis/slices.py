"""The same comparison in parts of the sample: per drive, per stratum, per region. A win on the mean can hide a loss.

Distances are not among the parts: per-frame rows hold means over all points of a region. Slices by distance need one
row per (window, frame, region, align, distance bin) with the bin's edges and its points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.analysis.deltas import Verdict
from engine.analysis.differences import DIFFERENCES, with_verdicts
from engine.analysis.paired import Compared, against, difference_columns, frame_of
from engine.analysis.resampling.sample import Bools, WindowSample
from engine.analysis.resampling.statistics import Statistics
from engine.catalogue import Catalogue
from engine.schema import empty

_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "by": pl.String,  # drive, stratum or region
    "slice": pl.String,
    "of": pl.String,  # the metric that was asked for; in slices by region `metric` is that region's
    **DIFFERENCES,
    # Better as a whole, and significantly worse here: the verdicts of both are corrected for their looks.
    "loses": pl.Boolean,
}
SLICES = pl.Schema(_COLUMNS)


def by_drive(sample: WindowSample) -> dict[str, Bools]:
    """Drive -> which windows are its own."""
    drives = np.array(sample.drives, dtype=object)
    return {name: drives == name for name in dict.fromkeys(sample.drives)}


def by_stratum(sample: WindowSample, windows: pl.DataFrame) -> dict[str, Bools]:
    """Stratum -> which windows are in it; windows without one are in none.

    Args:
        sample: the windows of the sums.
        windows: frame of schema :data:`engine.schema.WINDOWS`.
    """
    known = {(drive, window): name for drive, window, name in windows.select("drive", "window", "stratum").iter_rows()}
    places = zip(sample.drives, sample.windows.tolist(), strict=True)
    strata = np.array([known.get(place) for place in places], dtype=object)
    return {name: strata == name for name in sorted({name for name in strata if name is not None})}


def by_region(sample: WindowSample, key: str) -> dict[str, str]:
    """Region (or label class) -> the key of the same metric there; empty for a metric that has no regions."""
    group, _, rest = key.partition(".")
    _, dot, name = rest.rpartition(".")
    if not dot:
        return {}
    parts = [(other, *_split(other)) for other in sample.metrics]
    return {region: other for other, family, region, own in parts if region and (family, own) == (group, name)}


def sliced_differences(
    statistics: Statistics,
    overall: pl.DataFrame,
    slices: Mapping[str, Bools],
    *,
    by: str,
    baseline: str,
    checkpoints: Iterable[str],
    catalogue: Catalogue,
) -> pl.DataFrame:
    """Every checkpoint against one other in every slice of windows.

    A slice is a part of the same resamples, so that its verdict can be corrected together with the others: for every
    metric, all checkpoints and slices are one family (max-T, see :func:`engine.analysis.paired.paired_differences`).

    Args:
        statistics: of the whole sample, with resamples.
        overall: the differences over the whole sample (schema ``DIFFERENCES``): they name the metrics, and what is
            better there.
        slices: name -> which windows it holds, [windows]; see :func:`by_drive`, :func:`by_stratum`.
        by: what the slices are.
        baseline: what the others are compared with.
        checkpoints: all that are looked at; those without per-frame rows are left out.
        catalogue: directions.

    Returns:
        Frame of schema :data:`SLICES`, by metric, slice, checkpoint. In slices with fewer than 4 windows nothing can be
        said, and intervals and verdicts are null.
    """
    names = _known(statistics, checkpoints, baseline)
    if not names or not slices:
        return empty(SLICES)
    blocks = []
    for key in overall.get_column("metric").unique(maintain_order=True):
        found = [against(statistics, key, baseline, names, windows=windows) for windows in slices.values()]
        blocks.append(_block(found, list(slices), names, key, by))
    return _table(blocks, overall, catalogue)


def region_differences(
    statistics: Statistics,
    overall: pl.DataFrame,
    *,
    baseline: str,
    checkpoints: Iterable[str],
    catalogue: Catalogue,
) -> pl.DataFrame:
    """Every checkpoint against one other in every region (or label class) of each metric that has regions.

    Arguments and frame as of :func:`sliced_differences`; the region that was asked for is among its slices.
    """
    names = _known(statistics, checkpoints, baseline)
    blocks = []
    compared: dict[str, Compared] = {}  # every region is one of those of its siblings, too
    for key in overall.get_column("metric").unique(maintain_order=True) if names else ():
        regions = by_region(statistics.sample, key)
        for other in regions.values():
            if other not in compared:
                compared[other] = against(statistics, other, baseline, names)
        if regions:
            found = [compared[other] for other in regions.values()]
            blocks.append(_block(found, list(regions), names, key, "region"))
    return _table(blocks, overall, catalogue)


def _known(statistics: Statistics, checkpoints: Iterable[str], baseline: str) -> list[str]:
    return [name for name in dict.fromkeys(checkpoints) if name != baseline and name in statistics.sample]


def _block(
    found: Sequence[Compared], slices: Sequence[str], names: Sequence[str], key: str, by: str
) -> dict[str, npt.NDArray[Any]]:
    """One metric in the slices of one kind: columns of a part of the table."""
    columns = difference_columns(found, names)
    rows = len(names) * len(slices)
    return {
        **columns,
        "by": np.full(rows, by, dtype=object),
        "of": np.full(rows, key, dtype=object),
        "slice": np.repeat(np.array(slices, dtype=object), len(names)),
    }


def _table(
    blocks: Sequence[Mapping[str, npt.NDArray[Any]]], overall: pl.DataFrame, catalogue: Catalogue
) -> pl.DataFrame:
    if not blocks:
        return empty(SLICES)
    frame = frame_of(blocks)
    rows = pl.concat([frame.select("by", "of", "slice"), with_verdicts(frame, catalogue)], how="horizontal")
    whole = overall.select("checkpoint", pl.col("metric").alias("of"), pl.col("verdict").alias("whole"))
    loses = (pl.col("whole") == Verdict.BETTER) & (pl.col("verdict") == Verdict.WORSE)
    return (
        rows.join(whole, on=["checkpoint", "of"], how="left", maintain_order="left")
        .with_columns(loses=loses.fill_null(False))
        .select(pl.col(name).cast(dtype) for name, dtype in SLICES.items())
    )


def _split(key: str) -> tuple[str, str, str]:
    """Group, region and name of a key; the region is empty where it has none."""
    group, _, rest = key.partition(".")
    region, _, name = rest.rpartition(".")
    return group, region, name
