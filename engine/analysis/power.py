"""How many windows would separate two checkpoints."""

from __future__ import annotations

from statistics import NormalDist

import polars as pl

POWER = 0.8

# More than this is no plan but a way to say never.
_MOST = 10**9


def windows_needed(
    delta: pl.Expr, half_width: pl.Expr, error: pl.Expr, windows: pl.Expr, *, power: float = POWER
) -> pl.Expr:
    """How many windows a difference of this size takes to be found, those there are included.

    windows * ((half_width + z(power) * error) / |delta|)^2: interval and standard error shrink with the square root of
    the number of windows (the usual power analysis, Cohen 1988, with the interval's own quantile instead of 1.96). The
    error comes from resamples, so it knows how much a window really tells: pairing, the frames within it, neighbours.
    It is presumed that the true difference is the one seen and that more windows are of the same kind. Where the
    difference was picked as the largest of many, more will be needed; where windows are few, fewer, as the quantile
    falls, too.

    Args:
        delta: difference, in the metric's unit.
        half_width: of its interval.
        error: its standard error.
        windows: behind the difference.
        power: chance to find it, in (0, 1).

    Returns:
        Int64; more than there are where the interval holds 0. Null where there is no difference, nothing is known of
        its error, or the answer is beyond 10^9.
    """
    wanted = windows * ((half_width + NormalDist().inv_cdf(power) * error) / delta).pow(2)
    needed = pl.when((delta != 0) & (wanted < _MOST)).then(wanted.ceil().clip(lower_bound=1))
    return needed.cast(pl.Int64)


def with_windows_needed(differences: pl.DataFrame, *, joint: bool = False) -> pl.DataFrame:
    """Add ``windows_needed`` to paired differences: for 80 % power at 5 %, two-sided.

    Args:
        differences: frame of schema :data:`engine.analysis.differences.DIFFERENCES`.
        joint: so that the verdict corrected for all looks is reached; default: for this one question.
    """
    high = pl.col("joint_high" if joint else "ci95_high")
    needed = windows_needed(pl.col("delta"), high - pl.col("delta"), pl.col("error"), pl.col("windows"))
    return differences.with_columns(needed.alias("windows_needed"))
