"""How certain the Pareto front is: how often each checkpoint is on it over the resamples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from engine.analysis.paired import resamples_of
from engine.analysis.pareto import pareto_front
from engine.analysis.resampling.sample import Bools, Floats
from engine.analysis.resampling.statistics import Statistics
from engine.catalogue import Catalogue
from engine.schema import empty

FRONT = pl.Schema(
    {
        "checkpoint": pl.String,
        "on_front": pl.Boolean,  # by the values as they are
        "front_share": pl.Float64,  # share of the resamples in which it is on the front
    }
)

# Booleans of one comparison (resamples x checkpoints x checkpoints) held at a time.
_BUDGET = 16_000_000


def front_frequency(
    statistics: Statistics, table: pl.DataFrame, keys: Sequence[str], *, catalogue: Catalogue
) -> pl.DataFrame:
    """How often each checkpoint is on the Pareto front.

    Metrics of the sample (and the score) take their resampled values, the same windows for all; the others (speed,
    memory) are constants: they were measured once.

    Args:
        statistics: of the sample, with resamples.
        table: one row per checkpoint that stands for choice, its name in ``checkpoint``, one column per metric, as
            :attr:`engine.analysis.overview.RunAnalysis.table` has.
        keys: at least one metric, each with a direction.
        catalogue: directions.

    Returns:
        Frame of schema :data:`FRONT`, in the order of ``table``. A checkpoint that lacks one of the metrics is not on
        the front, and its share is null.

    Raises:
        UsageError: no metric was given, one has no direction, or ``statistics`` have no resamples.
        UnknownNameError: a metric is not in the table.
    """
    on_front = pareto_front(table, keys, catalogue)
    resamples = resamples_of(statistics).resamples
    names = table.get_column("checkpoint").to_list()
    known = np.ones(len(names), dtype=bool)
    points = []
    for key in keys:
        drawn = _drawn(statistics, table, key, resamples)
        known &= np.isfinite(drawn).any(axis=1)
        points.append(catalogue.get(key).direction.sign * drawn)
    if not names:
        return empty(FRONT)
    shares = np.full(len(names), np.nan)
    if known.any():
        shares[known] = _share_on_front(np.stack([values[known] for values in points]))
    return pl.DataFrame({"checkpoint": names, "on_front": on_front, "front_share": shares}, schema=FRONT).with_columns(
        pl.col("front_share").fill_nan(None)
    )


def _drawn(statistics: Statistics, table: pl.DataFrame, key: str, resamples: int) -> Floats:
    """[checkpoints, resamples]; NaN where a checkpoint has no value."""
    constant = table.get_column(key).cast(pl.Float64).fill_null(float("nan")).to_numpy()
    drawn: Floats = np.repeat(constant[:, None], resamples, axis=1)
    if key not in statistics.keys:
        return drawn
    names = table.get_column("checkpoint").to_list()
    places = [place for place, name in enumerate(names) if name in statistics.sample]
    level = statistics.level(key, statistics.sample.rows([names[place] for place in places]))
    drawn[places] = level.value[:, None] + level.deviations
    return drawn


def _share_on_front(points: Floats) -> Floats:
    """[metrics, checkpoints, resamples], more is better, to [checkpoints]; a resample without a value is no front."""
    _, checkpoints, resamples = points.shape
    step = max(1, _BUDGET // checkpoints**2)
    times = np.zeros(checkpoints)
    for start in range(0, resamples, step):
        some = points[:, :, start : start + step]
        least: Bools = np.ones((checkpoints, checkpoints, some.shape[2]), dtype=bool)
        more = np.zeros_like(least)
        for values in some:
            least &= values[:, None] >= values[None]
            more |= values[:, None] > values[None]
        dominated = (least & more).any(axis=0)
        times += (~dominated & np.isfinite(some).all(axis=0)).sum(axis=1)
    share: Floats = times / resamples
    return share
