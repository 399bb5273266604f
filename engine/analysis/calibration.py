"""Every metric on the scale from chance (0 %) to the truth (100 %), and metrics that carry no information.

The store's two pseudo-checkpoints give the ends of the scale (protocol, section 6). What sits within noise of chance
says nothing about a model: a constant depth and a camera that stands still would do as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import numpy as np
import polars as pl

from engine.analysis.comparison import OnScale
from engine.analysis.differences import SIGNIFICANCE
from engine.analysis.paired import resamples_of
from engine.analysis.resampling.judging import judge
from engine.analysis.resampling.statistics import Statistics
from engine.catalogue import Catalogue, Direction, Metric
from engine.schema import empty


class Reading(StrEnum):
    """What a value says, seen from chance."""

    INFORMATIVE = "informative"  # significantly better than chance
    NEAR_CHANCE = "near_chance"  # within noise of chance: it carries no information
    BELOW_CHANCE = "below_chance"  # significantly worse than chance
    NO_SCALE = "no_scale"  # on these data chance is nearly as good as the truth, so nobody can show anything


# There is a scale where chance has at least so many times the error of the truth. (How far apart they are is no matter
# of chance: a test over few windows would deny a scale to metrics whose ends are worlds apart.)
CLEARLY = 2.0

CALIBRATION = pl.Schema(
    {
        "checkpoint": pl.String,
        "metric": pl.String,
        "chance": pl.Float64,  # over the frames that the checkpoint has, too
        "oracle": pl.Float64,
        "value": pl.Float64,  # over the frames that chance has, too
        "percent": pl.Float64,  # 0 at chance, 100 at the oracle; can be below or beyond
        "percent_low": pl.Float64,  # its 95 % interval, with the ends of the scale taken as they are
        "percent_high": pl.Float64,
        "p": pl.Float64,  # of the difference from chance, by itself
        "reading": pl.String,  # a Reading; null where there are too few windows to say
    }
)


def calibrate(
    statistics: Statistics,
    *,
    chance: str,
    oracle: str,
    checkpoints: Iterable[str],
    catalogue: Catalogue,
    metrics: Iterable[str] | None = None,
) -> pl.DataFrame:
    """Read checkpoints (the baseline among them) on the scale from chance to oracle.

    Differences from chance are paired, and judged one by one: the question is not which of many metrics is beyond
    chance but whether this one is.

    Args:
        statistics: of the sample, with resamples.
        chance, oracle: names of the pseudo-checkpoints.
        checkpoints: names; those without per-frame rows are left out.
        catalogue: directions; metrics without one have no scale and are left out.
        metrics: keys, ``score`` among them; those that the sample lacks are left out. Default: all.

    Returns:
        Frame of schema :data:`CALIBRATION`, by metric, then in the order given; empty where chance or oracle has no
        rows. ``percent`` is null where the scale has no length (``no_scale``).

    Raises:
        UsageError: ``statistics`` have no resamples.
    """
    blocks = resamples_of(statistics)
    sample = statistics.sample
    names = [name for name in dict.fromkeys(checkpoints) if name in sample]
    if chance not in sample or oracle not in sample or not names:
        return empty(CALIBRATION)
    wanted = set(statistics.keys if metrics is None else metrics)
    rows = sample.rows([*names, oracle])
    zero = np.full(len(rows), sample.row(chance))
    tables = [empty(CALIBRATION)]
    for key in statistics.keys:
        metric = catalogue.get(key)
        sign = metric.direction.sign
        if key not in wanted or not sign:
            continue
        contrast = statistics.contrast(key, rows, zero)
        judged = judge(blocks, contrast.difference)
        ahead, p = sign * judged.value, judged.p
        low, high = judged.interval()
        length = judged.value[-1] if _has_scale(contrast.right.value[-1], contrast.left.value[-1], metric) else np.nan
        ends = np.sort(np.stack([low, high]) * 100.0 / length, axis=0)
        columns = {
            "checkpoint": names,
            "metric": [key] * len(names),
            "chance": contrast.right.value[:-1],
            "oracle": [contrast.left.value[-1]] * len(names),
            "value": contrast.left.value[:-1],
            "percent": 100.0 * judged.value[:-1] / length,
            "percent_low": ends[0][:-1],
            "percent_high": ends[1][:-1],
            "p": p[:-1],
            "reading": [_reading(own, difference, length) for own, difference in zip(p[:-1], ahead[:-1], strict=True)],
        }
        table = pl.DataFrame(columns, schema=CALIBRATION)
        measured = table.with_columns(pl.col(pl.Float64).fill_nan(None)).drop_nulls("value")
        tables.append(measured)
    return pl.concat(tables)


def on_scale(table: pl.DataFrame, checkpoint: str, baseline: str | None) -> dict[str, OnScale]:
    """Where one checkpoint stands between chance and truth, metric by metric.

    Args:
        table: frame of schema :data:`CALIBRATION`.
        checkpoint: its name.
        baseline: whose place is told beside it, if there is one.
    """
    of_baseline = {
        row["metric"]: row["percent"]
        for row in table.filter(pl.col("checkpoint") == pl.lit(baseline, pl.String)).to_dicts()
    }
    found = {}
    for row in table.filter(pl.col("checkpoint") == checkpoint).iter_rows(named=True):
        low, high = row["percent_low"], row["percent_high"]
        found[row["metric"]] = OnScale(
            row["chance"],
            row["oracle"],
            of_baseline.get(row["metric"]),
            row["percent"],
            None if low is None or high is None else (low, high),
            row["reading"],
        )
    return found


def _has_scale(chance: float, oracle: float, metric: Metric) -> bool:
    """Whether the truth is clearly better than chance; False where either was not measured."""
    if metric.direction is Direction.LOWER:
        return chance >= CLEARLY * oracle and chance > oracle
    best = metric.bounds[1]
    if best is None:
        return oracle > chance
    return best - chance >= CLEARLY * (best - oracle) and oracle > chance


def _reading(p: float, ahead: float, length: float) -> str | None:
    if np.isnan(length):
        return Reading.NO_SCALE.value
    if np.isnan(p):
        return None
    if p > SIGNIFICANCE:
        return Reading.NEAR_CHANCE.value
    return Reading.INFORMATIVE.value if ahead > 0 else Reading.BELOW_CHANCE.value
