"""All parts of a sample at once, and in which of them a checkpoint that is better as a whole is worse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from engine.analysis.deltas import Verdict
from engine.analysis.differences import Kind
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.slices import (
    SLICES,
    by_drive,
    by_stratum,
    part_differences,
    region_differences,
    sliced_differences,
)
from engine.catalogue import Catalogue
from engine.schema import SliceKind, empty


@dataclass(frozen=True, slots=True)
class Loss:
    """A part of the sample in which a checkpoint is worse than the baseline, though better as a whole.

    Attributes:
        by: what the part is one of: drive, stratum, region and so on.
        slice: its name.
        metric: the metric's key there: that of the region, in parts by region.
        delta: the change there, in the metric's unit.
        delta_pct: in percent of the baseline's value there.
        joint95: the interval of ``delta`` that holds for all checkpoints and parts at once.
    """

    by: str
    slice: str
    metric: str
    delta: float
    delta_pct: float | None
    joint95: tuple[float, float] | None


def every_slice(
    statistics: Statistics,
    overall: pl.DataFrame,
    windows: pl.DataFrame,
    *,
    baseline: str,
    checkpoints: Iterable[str],
    catalogue: Catalogue,
    points: Mapping[SliceKind, Statistics] = MappingProxyType({}),
) -> pl.DataFrame:
    """Every checkpoint against one other in every part of the sample.

    Args:
        statistics: of the whole sample, with resamples.
        overall: the differences over the whole sample (schema ``DIFFERENCES``) of metrics that the sample has.
        windows: frame of schema :data:`engine.schema.WINDOWS`, for the strata; may be empty.
        baseline: what the others are compared with.
        checkpoints: all that are looked at.
        catalogue: directions.
        points: of parts that divide the points of a frame, see :func:`engine.analysis.slices.slice_statistics`.

    Returns:
        Frame of schema :data:`engine.analysis.slices.SLICES`. A kind of parts of which there is but one is left out: it
        is the whole.
    """
    names = list(checkpoints)
    sample = statistics.sample
    tables = [
        sliced_differences(statistics, overall, parts, by=by, baseline=baseline, checkpoints=names, catalogue=catalogue)
        for by, parts in (("drive", by_drive(sample)), ("stratum", by_stratum(sample, windows)))
    ]
    tables.append(region_differences(statistics, overall, baseline=baseline, checkpoints=names, catalogue=catalogue))
    tables += [
        part_differences(own, overall, by=by, baseline=baseline, checkpoints=names, catalogue=catalogue)
        for by, own in points.items()
    ]
    rows = pl.concat([empty(SLICES), *tables])
    return rows.filter(pl.col("slice").n_unique().over("of", "by") > 1)


def winning(differences: pl.DataFrame) -> list[str]:
    """The metrics in which some checkpoint is better, by per-frame rows: only there can a win hide a loss.

    Args:
        differences: over the whole sample, schema ``DIFFERENCES``.
    """
    wins = differences.filter(pl.col("verdict") == Verdict.BETTER, pl.col("kind") == Kind.PAIRED)
    return [str(key) for key in wins.get_column("metric").unique(maintain_order=True)]


def losses(slices: pl.DataFrame, checkpoint: str) -> dict[str, tuple[Loss, ...]]:
    """The parts that a checkpoint loses, by the metric that was asked for; metrics without any are left out.

    Args:
        slices: frame of schema :data:`engine.analysis.slices.SLICES`.
        checkpoint: its name.
    """
    found: dict[str, list[Loss]] = {}
    for row in slices.filter(pl.col("loses") & (pl.col("checkpoint") == checkpoint)).iter_rows(named=True):
        low, high = row["joint_low"], row["joint_high"]
        joint = None if low is None or high is None else (low, high)
        loss = Loss(row["by"], row["slice"], row["metric"], row["delta"], row["delta_pct"], joint)
        found.setdefault(row["of"], []).append(loss)
    return {key: tuple(rows) for key, rows in found.items()}
