"""Frame by frame: one checkpoint beside another, the worst frames, and those in which the two differ most."""

from __future__ import annotations

from enum import StrEnum

import polars as pl

from engine.analysis.deltas import delta, delta_pct
from engine.catalogue import Metric
from engine.errors import UsageError
from engine.i18n import gettext as _

_PLACE = ("drive", "window", "frame")

PAIRS = pl.Schema(
    {
        "drive": pl.String,
        "window": pl.Int64,
        "frame": pl.Int64,  # null for metrics of whole windows (pose)
        "stratum": pl.String,
        "value": pl.Float64,
        "against": pl.Float64,
        "difference": pl.Float64,  # value - against
        "change": pl.String,  # a Change
    }
)

SLICE_MEANS = pl.Schema(
    {
        "by": pl.String,  # all, drive or stratum
        "slice": pl.String,
        "windows": pl.Int64,
        "count": pl.Int64,  # values behind the mean
        "value": pl.Float64,
        "against": pl.Float64,
        "difference": pl.Float64,
        "delta_pct": pl.Float64,
        "change": pl.String,  # a Change
    }
)


class Change(StrEnum):
    """Which way a value differs from another, given the metric's direction. Nothing is said of chance."""

    BETTER = "better"
    WORSE = "worse"
    EQUAL = "equal"


class FrameOrder(StrEnum):
    """How frames are sorted."""

    WORST = "worst"
    LOST = "lost"
    DIFFERENCE = "difference"


def change(value: pl.Expr, against: pl.Expr, sign: pl.Expr) -> pl.Expr:
    """A :class:`Change` as text; null without a value, another one to compare with, or a direction.

    Args:
        value: what is looked at.
        against: what it is compared with.
        sign: +1 where more is better, -1 where less is better, 0 where neither.
    """
    gain = (value - against) * sign
    return (
        pl.when(sign == 0)
        .then(pl.lit(None, pl.String))
        .when(gain > 0)
        .then(pl.lit(Change.BETTER.value))
        .when(gain < 0)
        .then(pl.lit(Change.WORSE.value))
        .when(gain == 0)
        .then(pl.lit(Change.EQUAL.value))
    )


def pair_frames(
    values: pl.DataFrame, checkpoint: str, against: str | None, windows: pl.DataFrame, metric: Metric
) -> pl.DataFrame:
    """The values of a checkpoint beside those of another, frame by frame.

    Args:
        values: columns ``checkpoint``, ``drive``, ``window``, ``frame``, ``value``; at most one value per frame and
            checkpoint.
        checkpoint: whose values are looked at.
        against: the other one, or ``None``.
        windows: frame of schema :data:`engine.schema.WINDOWS`, for the strata; may be empty.
        metric: which one the values are of.

    Returns:
        Frame of schema :data:`PAIRS` by drive, window and frame, with every frame that either has; ``change`` is
        null where the metric has no direction or one of the values is missing.
    """
    own = values.filter(pl.col("checkpoint") == checkpoint).drop("checkpoint")
    other = values.filter(pl.col("checkpoint") == pl.lit(against, pl.String)).drop("checkpoint")
    strata = windows.select("drive", "window", "stratum").unique(["drive", "window"], keep="first")
    value, reference = pl.col("value"), pl.col("against")
    return (
        own.join(other.rename({"value": "against"}), on=_PLACE, how="full", coalesce=True, nulls_equal=True)
        .join(strata, on=["drive", "window"], how="left")
        .with_columns(
            delta(value, reference).alias("difference"),
            change(value, reference, pl.lit(metric.direction.sign)).alias("change"),
        )
        .sort(_PLACE, nulls_last=True)
        .select(PAIRS.names())
    )


def rank_frames(pairs: pl.DataFrame, order: FrameOrder, metric: Metric, *, top: int | None = None) -> pl.DataFrame:
    """Frames in order, the most noteworthy first.

    ``worst``: by the value, the worst first; the greatest first where the metric has no direction. ``lost``: by how
    much worse than the other's the value is; ``difference``: by how far apart the two are, either way. Frames without
    the figure that decides are left out; equal ones follow by drive, window and frame.

    Args:
        pairs: frame of schema :data:`PAIRS`.
        order: what decides.
        metric: which one the values are of.
        top: how many at most.

    Returns:
        The rows with ``rank`` before them, from 1.

    Raises:
        UsageError: ``lost`` needs a direction.
    """
    sign = metric.direction.sign
    if order is FrameOrder.LOST and not sign:
        raise UsageError(
            _("{metric} has no direction, so nothing is lost").format(metric=metric.key),
            _("sort by {order}").format(order=FrameOrder.DIFFERENCE),
        )
    deciding = {
        FrameOrder.WORST: pl.col("value") * -(sign or -1),
        FrameOrder.LOST: pl.col("difference") * -sign,
        FrameOrder.DIFFERENCE: pl.col("difference").abs(),
    }[order]
    ranked = (
        pairs.with_columns(deciding.alias("deciding"))
        .filter(pl.col("deciding").is_not_null())
        .sort("deciding", *_PLACE, descending=[True, False, False, False], nulls_last=True)
        .drop("deciding")
    )
    ranked = ranked if top is None else ranked.head(top)
    return ranked.with_row_index("rank", offset=1).with_columns(pl.col("rank").cast(pl.Int64))


def slice_means(pairs: pl.DataFrame, metric: Metric) -> pl.DataFrame:
    """Plain means over all frames, over those of every drive, and over those of every stratum.

    Args:
        pairs: frame of schema :data:`PAIRS`.
        metric: which one the values are of.

    Returns:
        Frame of schema :data:`SLICE_MEANS`: all first, then drives, then strata, by name. Frames of windows without a
        stratum are in none. A change of means is its direction alone: whether it is more than chance is not asked here.
    """
    tables = [_means(pairs.with_columns(pl.lit("all").alias("slice")), "all", metric)]
    for by in ("drive", "stratum"):
        own = pairs.filter(pl.col(by).is_not_null()).with_columns(pl.col(by).alias("slice"))
        tables.append(_means(own, by, metric))
    return pl.concat(tables)


def _means(pairs: pl.DataFrame, by: str, metric: Metric) -> pl.DataFrame:
    value, against = pl.col("value"), pl.col("against")
    return (
        pairs.group_by("slice")
        .agg(
            pl.struct("drive", "window").n_unique().cast(pl.Int64).alias("windows"),
            value.count().cast(pl.Int64).alias("count"),
            value.mean(),
            against.mean(),
        )
        .sort("slice")
        .with_columns(
            pl.lit(by).alias("by"),
            delta(value, against).alias("difference"),
            delta_pct(value, against).alias("delta_pct"),
            change(value, against, pl.lit(metric.direction.sign)).alias("change"),
        )
        .select(SLICE_MEANS.names())
    )
