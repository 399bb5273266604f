"""What the alignment does: the depth metrics of the same predictions under each of the protocol's alignments."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from engine.analysis.deltas import delta_pct
from engine.analysis.worst_frames import change
from engine.catalogue import Catalogue, Group

# The depth metrics that tell alignments apart, in the order of the table.
ABLATED = ("abs_rel", "delta1", "rmse", "mae", "si_log")

ABLATION = pl.Schema(
    {
        "metric": pl.String,
        "align": pl.String,
        "value": pl.Float64,
        "against": pl.Float64,
        "delta_pct": pl.Float64,
        "change": pl.String,  # a Change
        "frames": pl.Int64,  # behind the value
        "failed": pl.Int64,  # frames whose alignment could not be fitted, so that `none` stands in for it
    }
)


def alignment_means(rows: pl.LazyFrame, region: str) -> pl.LazyFrame:
    """The mean of each of :data:`ABLATED` over frames, per checkpoint and alignment.

    Args:
        rows: lazy frame of schema :data:`engine.schema.FRAMES`.
        region: such as ``building``.

    Returns:
        Lazy frame: ``checkpoint``, ``align``, a mean and a count (``<name>.count``) per metric, ``failed``. It reads
        those columns alone.
    """
    means = [pl.col(f"{Group.DEPTH}.{name}").mean().alias(name) for name in ABLATED]
    counts = [pl.col(f"{Group.DEPTH}.{name}").count().cast(pl.Int64).alias(f"{name}.count") for name in ABLATED]
    failed = pl.col("degenerate").fill_null(False).sum().cast(pl.Int64).alias("failed")
    return (
        rows.filter(pl.col("region") == region, pl.col("align").is_not_null())
        .group_by("checkpoint", "align")
        .agg(*means, *counts, failed)
    )


def ablation(
    means: pl.DataFrame,
    checkpoint: str,
    against: str | None,
    region: str,
    alignments: Sequence[str],
    catalogue: Catalogue,
) -> pl.DataFrame:
    """A checkpoint beside another under every alignment.

    Args:
        means: what :func:`alignment_means` gives, collected.
        checkpoint: whose values are looked at.
        against: the other one, or ``None``.
        region: that of ``means``.
        alignments: the order of the rows; others that there are follow by name.
        catalogue: directions.

    Returns:
        Frame of schema :data:`ABLATION`, by metric and alignment; metrics that were never measured are left out.
    """
    own = _long(means, checkpoint, region)
    other = _long(means, against, region).select("metric", "align", pl.col("value").alias("against"))
    signs = {key: catalogue.get(key).direction.sign for key in own.get_column("metric").unique()}
    known = {name: index for index, name in enumerate(alignments)}
    places = {f"{Group.DEPTH}.{region}.{name}": index for index, name in enumerate(ABLATED)}
    sign = pl.col("metric").replace_strict(signs, default=0, return_dtype=pl.Int8)
    value, reference = pl.col("value"), pl.col("against")
    return (
        own.join(other, on=["metric", "align"], how="left")
        .with_columns(
            delta_pct(value, reference).alias("delta_pct"),
            change(value, reference, sign).alias("change"),
            pl.col("metric").replace_strict(places, default=None, return_dtype=pl.Int64).alias("place"),
            pl.col("align").replace_strict(known, default=None, return_dtype=pl.Int64).alias("turn"),
        )
        .sort("place", "turn", "align", nulls_last=True)
        .select(ABLATION.names())
    )


def _long(means: pl.DataFrame, checkpoint: str | None, region: str) -> pl.DataFrame:
    own = means.filter(pl.col("checkpoint") == pl.lit(checkpoint, pl.String))
    return pl.concat(
        own.select(
            pl.lit(f"{Group.DEPTH}.{region}.{name}").alias("metric"),
            "align",
            pl.col(name).alias("value"),
            pl.col(f"{name}.count").alias("frames"),
            "failed",
        )
        for name in ABLATED
    ).filter(pl.col("frames") > 0)
