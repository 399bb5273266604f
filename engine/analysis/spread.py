"""How a metric spreads over frames: quantiles, and a histogram whose bins have round edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

# The quantiles of a box and its whiskers.
LOW, FIRST, MIDDLE, THIRD, HIGH = 0.05, 0.25, 0.5, 0.75, 0.95

SPREAD = pl.Schema(
    {
        "checkpoint": pl.String,
        "count": pl.Int64,
        "mean": pl.Float64,
        "std": pl.Float64,  # population standard deviation
        "least": pl.Float64,
        "p05": pl.Float64,
        "q1": pl.Float64,
        "median": pl.Float64,
        "q3": pl.Float64,
        "p95": pl.Float64,
        "greatest": pl.Float64,
    }
)

BINS = pl.Schema(
    {
        "checkpoint": pl.String,
        "low": pl.Float64,
        "high": pl.Float64,
        "count": pl.Int64,
        "share_pct": pl.Float64,  # of the checkpoint's frames, those beyond the bins included
    }
)

# A few values further from the quartiles than this many interquartile ranges would squeeze all others into one bin.
_FENCE = 3.0
_FEW = 0.05
_LEAST_BINS, _MOST_BINS = 12, 40
_MANTISSAS = (1.0, 2.0, 2.5, 5.0)


@dataclass(frozen=True, eq=False)
class Histogram:
    """Values counted in bins of equal width, the same for all checkpoints.

    Attributes:
        bins: frame of schema :data:`BINS`, by checkpoint and bin; empty bins are there with a count of 0.
        width: of each bin.
        beyond: checkpoint -> how many of its values lie below the first and above the last bin.
    """

    bins: pl.DataFrame
    width: float
    beyond: dict[str, tuple[int, int]]


def spread(values: pl.DataFrame) -> pl.DataFrame:
    """What there is to say of each checkpoint's values in a few figures.

    Quantiles are interpolated linearly (definition 7 of Hyndman and Fan, "Sample quantiles in statistical packages",
    The American Statistician 50 (1996)).

    Args:
        values: columns ``checkpoint`` and ``value`` (finite, no nulls).

    Returns:
        Frame of schema :data:`SPREAD`, in the order of first appearance.
    """
    value = pl.col("value")
    return values.group_by("checkpoint", maintain_order=True).agg(
        value.count().cast(pl.Int64).alias("count"),
        value.mean().alias("mean"),
        value.std(ddof=0).alias("std"),
        value.min().alias("least"),
        *(
            value.quantile(share, interpolation="linear").alias(name)
            for name, share in (("p05", LOW), ("q1", FIRST), ("median", MIDDLE), ("q3", THIRD), ("p95", HIGH))
        ),
        value.max().alias("greatest"),
    )


def histogram(values: pl.DataFrame) -> Histogram:
    """Count each checkpoint's values in bins that all share.

    Edges are multiples of 1, 2, 2.5 or 5 times a power of ten, as many bins apart as 2.5 times the cube root of a
    checkpoint's values, at least 12 and at most 40. The bins span all values, unless a few (5 % at most) lie more than
    three interquartile ranges beyond the quartiles: those are counted apart. A value on an edge belongs to the bin
    above it; the last bin holds its upper edge, too.

    Args:
        values: columns ``checkpoint`` and ``value`` (finite, no nulls).

    Returns:
        The histogram; without bins where there are no values.
    """
    numbers = values.get_column("value").to_numpy()
    names = values.get_column("checkpoint").unique(maintain_order=True).to_list()
    if not numbers.size:
        return Histogram(pl.DataFrame(schema=BINS), 0.0, {})
    most = min(max(round(2.5 * (numbers.size / len(names)) ** (1 / 3)), _LEAST_BINS), _MOST_BINS)
    edges = _edges(*_span(numbers), most)
    tables, beyond = [], {}
    for name in names:
        own = values.filter(pl.col("checkpoint") == name).get_column("value").to_numpy()
        counts = np.histogram(own, edges)[0]
        beyond[name] = (int((own < edges[0]).sum()), int((own > edges[-1]).sum()))
        tables.append(
            pl.DataFrame(
                {
                    "checkpoint": [name] * len(counts),
                    "low": edges[:-1],
                    "high": edges[1:],
                    "count": counts,
                    "share_pct": 100.0 * counts / len(own),
                },
                schema=BINS,
            )
        )
    return Histogram(pl.concat(tables), edges[1] - edges[0], beyond)


def _span(numbers: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    """The least and the greatest value, but for a few that lie far out."""
    first, third = np.quantile(numbers, (FIRST, THIRD))
    reach = _FENCE * (third - first)
    near = numbers[(numbers >= first - reach) & (numbers <= third + reach)]
    few = max(1, math.floor(_FEW * numbers.size))
    kept = near if reach > 0 and numbers.size - near.size <= few else numbers
    return float(kept.min()), float(kept.max())


def _edges(low: float, high: float, most: int) -> Sequence[float]:
    """Round numbers, evenly apart, from ``low`` or just below to ``high`` or just above it."""
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-300):
        half = 0.05 * abs(low) or 0.5
        return [low - half, high + half]
    exponent = math.floor(math.log10((high - low) / most)) - 1
    while True:
        for mantissa in _MANTISSAS:
            step = mantissa * 10.0**exponent
            # An end on an edge stays there, whatever rounding makes of the quotient.
            first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
            if last - first <= most:
                edges = [_multiple(index, mantissa, exponent) for index in range(first, last + 1)]
                return [min(edges[0], low), *edges[1:-1], max(edges[-1], high)]
        exponent += 1


def _multiple(index: int, mantissa: float, exponent: int) -> float:
    """``index * mantissa * 10**exponent``, as near as can be: 0.1 is no float, a tenth of 3 is the nearest to 0.3."""
    return index * mantissa / 10.0**-exponent if exponent < 0 else index * mantissa * 10.0**exponent
