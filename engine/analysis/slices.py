"""The same comparison per drive, stratum, region, distance and label class. A win on the mean can hide a loss.

Drives and strata are parts of the windows, whose sums are those of the whole sample. Distances and classes are parts of
every frame: the depth metrics that are means over points have sums of their own there
(:func:`engine.results.slices.slice_sums`). A slice by distance is of the metric's own region; classes stand beside the
regions, whatever region the metric is of. All are averaged alike: the mean over frames of a frame's mean over points;
frames with too few points of the slice are left out, and ``frames`` counts the others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.analysis.deltas import Verdict
from engine.analysis.differences import DIFFERENCES, with_verdicts
from engine.analysis.paired import Compared, against, difference_columns, frame_of
from engine.analysis.resampling.sample import Bools, WindowSample, tabulate
from engine.analysis.resampling.statistics import Statistics
from engine.catalogue import Catalogue
from engine.schema import OF_REGION, SliceKind, empty

_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "by": pl.String,  # drive, stratum, region, distance or class
    "slice": pl.String,
    "of": pl.String,  # the metric that was asked for; where slices are no parts of windows `metric` is the slice's own
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


def by_distance(sample: WindowSample, key: str) -> dict[str, str]:
    """Slice by distance -> the key of the same metric there, within its own region, nearest first.

    Args:
        sample: of sums over slices by distance.
        key: of a region, such as ``depth.building.abs_rel``.
    """
    group, region, name = _split(key)
    found = {}
    for other in sample.metrics:
        family, whole, own = _split(other)
        of, of_slice, part = whole.rpartition(OF_REGION)
        if of_slice and (family, of, own) == (group, region, name):
            found[part] = other
    return dict(sorted(found.items(), key=lambda item: nearest(item[0])))


def slice_statistics(whole: Statistics, sums: pl.DataFrame, catalogue: Catalogue) -> Statistics | None:
    """Statistics of slices by distance or class over the resamples of the whole sample.

    Args:
        whole: of the sample.
        sums: of one kind of slices of the same run, schema :data:`engine.schema.WINDOW_SUMS`.
        catalogue: directions.

    Returns:
        ``None`` where there are no such slices.

    Raises:
        DataError: they hold windows that the sample does not.
    """
    if sums.is_empty():
        return None
    return Statistics(tabulate(sums, windows_of=whole.sample), whole.blocks, catalogue=catalogue)


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
    return _keyed_differences(statistics, overall, by_region, "region", baseline, checkpoints, catalogue)


def part_differences(
    statistics: Statistics,
    overall: pl.DataFrame,
    *,
    by: SliceKind,
    baseline: str,
    checkpoints: Iterable[str],
    catalogue: Catalogue,
) -> pl.DataFrame:
    """Every checkpoint against one other in every slice by distance, or in every label class, of each depth metric.

    Args:
        statistics: of the slices of that kind, see :func:`slice_statistics`.
        overall, baseline, checkpoints, catalogue: as of :func:`sliced_differences`.
        by: the kind.

    Returns:
        As of :func:`sliced_differences`; metrics that have no slices have no rows, and nothing has where the baseline
        has none. For every metric, all checkpoints and slices are one family.
    """
    if baseline not in statistics.sample:
        return empty(SLICES)
    return _keyed_differences(statistics, overall, _SLICES_OF[by], by.value, baseline, checkpoints, catalogue)


def _keyed_differences(
    statistics: Statistics,
    overall: pl.DataFrame,
    slices_of: Callable[[WindowSample, str], Mapping[str, str]],
    by: str,
    baseline: str,
    checkpoints: Iterable[str],
    catalogue: Catalogue,
) -> pl.DataFrame:
    """The comparison in slices that are metrics of their own."""
    names = _known(statistics, checkpoints, baseline)
    blocks = []
    compared: dict[str, Compared] = {}  # every region is one of those of its siblings, too
    for key in overall.get_column("metric").unique(maintain_order=True) if names else ():
        slices = slices_of(statistics.sample, key)
        for other in slices.values():
            if other not in compared:
                compared[other] = against(statistics, other, baseline, names)
        if slices:
            found = [compared[other] for other in slices.values()]
            blocks.append(_block(found, list(slices), names, key, by))
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


def nearest(part: str) -> float:
    """Where a slice by distance begins, metres, by its name; infinity where that says nothing."""
    number = re.match(r"\d+(?:\.\d+)?", part)
    return float(number[0]) if number else math.inf


_SLICES_OF: Mapping[SliceKind, Callable[[WindowSample, str], Mapping[str, str]]] = {
    SliceKind.DISTANCE: by_distance,
    SliceKind.CLASS: by_region,  # in sums over classes, every region is one
}
