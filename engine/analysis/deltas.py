"""Changes against the baseline: absolute, relative, and whether they are for the better."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import polars as pl

from engine.analysis.overview import RunAnalysis
from engine.catalogue import Catalogue

DELTAS = pl.Schema(
    {
        "metric": pl.String,
        "baseline": pl.Float64,
        "value": pl.Float64,
        "delta": pl.Float64,
        "delta_pct": pl.Float64,
        "verdict": pl.String,
        "ci95_low": pl.Float64,
        "ci95_high": pl.Float64,
        "n": pl.Int64,
    }
)


class Verdict(StrEnum):
    """What a change means, given the metric's direction."""

    BETTER = "better"
    WORSE = "worse"
    TIED = "tied"


def delta(value: pl.Expr, baseline: pl.Expr) -> pl.Expr:
    """``value - baseline`` in the metric's unit; null where either is missing or the difference overflows."""
    return _finite(value - baseline)


def delta_pct(value: pl.Expr, baseline: pl.Expr) -> pl.Expr:
    """``100 * (value - baseline) / |baseline|`` in percent; null where either is missing or the baseline is 0."""
    return _finite(100.0 * (value - baseline) / baseline.abs())


def verdict(value: pl.Expr, baseline: pl.Expr, sign: pl.Expr) -> pl.Expr:
    """Better, worse or tied as text; null without a value, a baseline or a direction.

    Without intervals only exactly equal values are tied.

    Args:
        value: the checkpoint's value.
        baseline: the baseline's value.
        sign: +1 where more is better, -1 where less is better, 0 where neither.
    """
    return (
        pl.when((value == baseline) & (sign != 0))
        .then(pl.lit(Verdict.TIED.value))
        .when(((value > baseline) & (sign > 0)) | ((value < baseline) & (sign < 0)))
        .then(pl.lit(Verdict.BETTER.value))
        .when(((value < baseline) & (sign > 0)) | ((value > baseline) & (sign < 0)))
        .then(pl.lit(Verdict.WORSE.value))
        .otherwise(pl.lit(None, pl.String))
    )


def deltas(
    analysis: RunAnalysis,
    checkpoint: str,
    *,
    catalogue: Catalogue,
    keys: Sequence[str] | None = None,
) -> pl.DataFrame:
    """One checkpoint against the run's baseline, a row per metric.

    Args:
        analysis: the run.
        checkpoint: the checkpoint's name.
        catalogue: directions.
        keys: metrics, in the order wanted; default all that the run has. Those that it lacks give rows of nulls.

    Returns:
        Frame of schema :data:`DELTAS`: ``delta`` in the metric's unit, ``delta_pct`` in percent of |baseline| (null at
        a baseline of 0 or none), ``verdict`` a :class:`Verdict` or null, ``n`` the frames behind ``value``.
        ``ci95_low`` and ``ci95_high`` (of ``delta``) are null: a summary alone gives no interval.

    Raises:
        UnknownNameError: the run has no such checkpoint.
    """
    analysis.require(checkpoint)
    wanted = list(analysis.metrics if keys is None else keys)
    before, after = analysis.values(analysis.baseline), analysis.values(checkpoint)
    frames = analysis.frames(checkpoint)
    rows = pl.DataFrame(
        {
            "metric": wanted,
            "baseline": [before.get(key) for key in wanted],
            "value": [after.get(key) for key in wanted],
            "sign": [catalogue.get(key).direction.sign for key in wanted],
            "n": [frames.get(key) for key in wanted],
        },
        schema={"metric": pl.String, "baseline": pl.Float64, "value": pl.Float64, "sign": pl.Int8, "n": pl.Int64},
    )
    value, baseline = pl.col("value"), pl.col("baseline")
    return rows.with_columns(
        delta(value, baseline).alias("delta"),
        delta_pct(value, baseline).alias("delta_pct"),
        verdict(value, baseline, pl.col("sign")).alias("verdict"),
        pl.lit(None, pl.Float64).alias("ci95_low"),
        pl.lit(None, pl.Float64).alias("ci95_high"),
    ).select(DELTAS.names())


def _finite(expression: pl.Expr) -> pl.Expr:
    return pl.when(expression.is_finite()).then(expression)
