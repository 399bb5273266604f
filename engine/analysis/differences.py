"""Differences with intervals and verdicts: one table, whether they are paired or come from summaries alone."""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from engine.analysis.deltas import Verdict, delta_pct
from engine.catalogue import Catalogue
from engine.i18n import mark

SIGNIFICANCE = 0.05


class Kind(StrEnum):
    """What an interval was computed from."""

    PAIRED = mark("paired")  # per-frame rows: both sides on the same frames
    UNPAIRED = mark("unpaired")  # mean, spread and count of each side


class Spread(StrEnum):
    """Which statistic of a metric's distribution over frames a row is about."""

    MEAN = "mean"
    STD = "std"


# One row per (checkpoint, metric). Null means that it cannot be said.
DIFFERENCES = pl.Schema(
    {
        "checkpoint": pl.String,
        "metric": pl.String,
        "statistic": pl.String,  # mean or std, over frames
        "value": pl.Float64,  # of the checkpoint; paired: over the frames that the baseline has, too
        "baseline": pl.Float64,  # likewise
        "delta": pl.Float64,  # value - baseline
        "delta_pct": pl.Float64,  # percent of |baseline|
        "ci95_low": pl.Float64,  # 95 % interval of delta, as if this were the only question asked
        "ci95_high": pl.Float64,
        "joint_low": pl.Float64,  # 95 % interval that holds for all looks at once; 0 is outside exactly if the verdict
        "joint_high": pl.Float64,  # is better or worse
        "error": pl.Float64,  # standard error of delta
        "p": pl.Float64,  # two-sided, by itself
        "p_adjusted": pl.Float64,  # corrected for the looks
        "looks": pl.Int64,  # comparisons that were corrected for
        "verdict": pl.String,  # a Verdict
        "windows": pl.Int64,  # behind the difference; null where only summaries are known
        "frames": pl.Int64,  # behind the difference (unpaired: behind value)
        "unmatched": pl.Int64,  # frames that only one side has, which do not count
        "kind": pl.String,  # a Kind
    }
)


def with_verdicts(rows: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Add ``delta_pct`` and ``verdict``, and put the columns of :data:`DIFFERENCES` in order; NaN becomes null.

    ``tied`` means that no difference is shown (``p_adjusted`` above 0.05), or that the values are equal. Of standard
    deviations less is better, whatever the metric. Null: no value, no baseline, no direction, or nothing to tell chance
    by.

    Args:
        rows: the other columns.
        catalogue: directions.
    """
    signs = {key: catalogue.get(key).direction.sign for key in rows.get_column("metric").unique()}
    sign = pl.when((pl.col("statistic") == Spread.STD) & (pl.col("sign") != 0)).then(-1).otherwise(pl.col("sign"))
    delta = pl.col("delta")
    towards = sign * delta.sign()
    known = rows.with_columns(
        pl.col(pl.Float64).fill_nan(None), sign=pl.col("metric").replace_strict(signs, return_dtype=pl.Int8)
    )
    return known.with_columns(
        delta_pct=delta_pct(pl.col("value"), pl.col("baseline")),
        verdict=pl.when((sign == 0) | delta.is_null())
        .then(None)
        .when((delta == 0) | (pl.col("p_adjusted") > SIGNIFICANCE))
        .then(pl.lit(Verdict.TIED.value))
        .when(pl.col("p_adjusted").is_null())
        .then(None)
        .when(towards > 0)
        .then(pl.lit(Verdict.BETTER.value))
        .otherwise(pl.lit(Verdict.WORSE.value)),
    ).select(pl.col(name).cast(dtype) for name, dtype in DIFFERENCES.items())
