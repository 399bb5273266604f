"""Changes against the baseline: absolute, relative, and what was judged of them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import polars as pl

from engine.analysis.overview import RunAnalysis
from engine.catalogue import Catalogue
from engine.i18n import mark

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
        "joint_low": pl.Float64,
        "joint_high": pl.Float64,
        "kind": pl.String,
        "n": pl.Int64,
    }
)

# What was judged of a change.
JUDGED = ("verdict", "ci95_low", "ci95_high", "joint_low", "joint_high", "kind")


class Verdict(StrEnum):
    """What a change means, given the metric's direction. Only what was told from chance is better or worse."""

    BETTER = mark("better")
    WORSE = mark("worse")
    TIED = mark("tied")  # no difference is shown


def delta(value: pl.Expr, baseline: pl.Expr) -> pl.Expr:
    """``value - baseline`` in the metric's unit; null where either is missing or the difference overflows."""
    return _finite(value - baseline)


def delta_pct(value: pl.Expr, baseline: pl.Expr) -> pl.Expr:
    """``100 * (value - baseline) / |baseline|`` in percent; null where either is missing or the baseline is 0."""
    return _finite(100.0 * (value - baseline) / baseline.abs())


def deltas(
    analysis: RunAnalysis,
    checkpoint: str,
    *,
    catalogue: Catalogue,
    keys: Sequence[str] | None = None,
    differences: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One checkpoint against the run's baseline, a row per metric.

    Args:
        analysis: the run.
        checkpoint: the checkpoint's name.
        catalogue: directions.
        keys: metrics, in the order wanted; default all that the run has. Those that it lacks give rows of nulls.

        differences: what was judged (schema :data:`engine.analysis.differences.DIFFERENCES`), of this checkpoint and
            of any others.

    Returns:
        Frame of schema :data:`DELTAS`: ``delta`` in the metric's unit, ``delta_pct`` in percent of |baseline| (null at
        a baseline of 0 or none), ``n`` the frames behind ``value``. ``verdict`` (a :class:`Verdict`), ``kind`` (a
        :class:`engine.analysis.differences.Kind`) and the intervals of ``delta`` come from ``differences``: null where
        it does not tell; equal values are tied in any case. ``ci95_*`` is the interval of this one change by itself,
        ``joint_*`` the one that holds for all checkpoints at once, which the verdict goes by. Paired ones are over the
        frames that both sides have.

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
    judged = judged_changes(differences).filter(pl.col("checkpoint") == checkpoint).drop("checkpoint")
    value, baseline = pl.col("value"), pl.col("baseline")
    equal = pl.when((value == baseline) & (pl.col("sign") != 0)).then(pl.lit(Verdict.TIED.value))
    return (
        rows.join(judged, on="metric", how="left", maintain_order="left")
        .with_columns(
            delta(value, baseline).alias("delta"),
            delta_pct(value, baseline).alias("delta_pct"),
            pl.coalesce("verdict", equal).alias("verdict"),
        )
        .select(DELTAS.names())
    )


def judged_changes(differences: pl.DataFrame | None) -> pl.DataFrame:
    """The columns ``checkpoint``, ``metric`` and :data:`JUDGED` of differences; no rows where there are none.

    ``kind`` is null without a p-value: nothing was judged then, whatever it would have been judged by.
    """
    columns = ["metric", *JUDGED]
    if differences is None:
        return pl.DataFrame(schema={"checkpoint": pl.String} | {name: DELTAS[name] for name in columns})
    kind = pl.when(pl.col("p_adjusted").is_not_null()).then("kind").alias("kind")
    return differences.with_columns(kind).select("checkpoint", *columns)


def _finite(expression: pl.Expr) -> pl.Expr:
    return pl.when(expression.is_finite()).then(expression)
