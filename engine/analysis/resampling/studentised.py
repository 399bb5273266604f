"""Standard errors over blocks, and studentised resamples, from which intervals and p-values follow.

The interval is the symmetric studentised one: estimate -+ q * error, where q is a quantile of |deviation| / error over
the resamples, each with an error of its own (Hall 1988). Percentile and BCa intervals are too short where blocks are
few. Two details were settled by simulating AR(1) windows in drives, as ``tests/engine/analysis/test_coverage.py`` does:

- Blocks cut the correlation between their ends, so the variance over blocks falls short. It is scaled up to the
  long-run variance of an AR(1) series with the column's own correlation, as if the series had been prewhitened (Andrews
  and Monahan 1992).
- A resample's own variance can come near 0 where few windows matter. A tenth of the sample's variance is mixed in.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.analysis.resampling.blocks import Blocks, Singles, autocorrelation, block_sums
from engine.analysis.resampling.products import product
from engine.analysis.resampling.sample import Floats

LEVEL = 0.95

_MIXED_IN = 0.1


def plain_error(blocks: Blocks, influence: Floats) -> Floats:
    """Standard error over the blocks, one per row of ``influence`` ([rows, windows])."""
    variance = np.zeros(len(influence))
    for stratum in blocks.strata:
        size = len(stratum.windows)
        if size < 2:
            continue
        sums = block_sums(influence, stratum)
        # (n / l) * variance of block sums; centring on the drive's own mean takes off the share l / n.
        variance += (size / stratum.length) * sums.var(axis=1) / (1.0 - stratum.length / size)
    error: Floats = np.sqrt(variance)
    return error


def long_run_factor(blocks: Blocks, influence: Floats) -> Floats:
    """By how much the standard error over blocks falls short of that of an AR(1) series: at least 1, one per row."""
    rho = autocorrelation(influence, [stratum.windows for stratum in blocks.strata])
    whole = (1.0 + rho) / (1.0 - rho)
    total = sum(len(stratum.windows) for stratum in blocks.strata)
    captured = np.zeros_like(rho)
    for length in {stratum.length for stratum in blocks.strata}:
        share = sum(len(stratum.windows) for stratum in blocks.strata if stratum.length == length) / total
        lags = np.arange(1, length)
        captured += share * (1.0 + 2.0 * ((1.0 - lags / length) * rho[:, None] ** lags).sum(axis=1))
    factor: Floats = np.sqrt(whole / captured)
    return factor


def studentised(blocks: Blocks, influence: Floats, deviations: Floats, error: Floats) -> Singles:
    """|deviation| of every resample in units of its own standard error, [rows, resamples].

    Args:
        blocks: the resamples.
        influence: what each window adds to the estimate's deviation, [rows, windows].
        deviations: estimate of a resample less the estimate, [rows, resamples]; not finite where it has no value.
        error: :func:`plain_error` of ``influence``.

    Returns:
        Non-negative numbers; 0 in rows whose error is 0, infinity where a resample has no value.
    """
    scale = np.divide(1.0, error, out=np.zeros_like(error), where=error > 0)
    unit = influence * scale[:, None]
    variance = np.full(deviations.shape, _MIXED_IN, dtype=np.float32)
    for stratum in blocks.strata:
        if stratum.blocks < 2:
            continue
        sums = block_sums(unit, stratum).astype(np.float32)
        sums -= sums.mean(axis=1, keepdims=True)
        drawn = product(np.concatenate([sums, sums * sums]), stratum.draws)
        total, squares = drawn[: len(sums)], drawn[len(sums) :]
        total *= total
        total /= -stratum.blocks
        total += squares
        np.maximum(total, 0.0, out=total)
        total *= (1.0 - _MIXED_IN) * stratum.share**2 * stratum.blocks / (stratum.blocks - 1)
        variance += total
    far = np.where(np.isfinite(deviations), np.abs(deviations), np.inf)
    with np.errstate(invalid="ignore"):  # infinity in a row whose error is 0
        result = (far * scale[:, None]).astype(np.float32)
    result /= np.sqrt(variance)
    result[error == 0.0] = 0.0
    return result


def critical(statistics: npt.NDArray[np.floating], level: float = LEVEL) -> Floats:
    """The quantile that a statistic must pass, over the last axis: beyond it, :func:`p_value` <= 1 - level."""
    count = statistics.shape[-1]
    index = max(0, count - int((1.0 - level) * (count + 1) + 1e-9))
    if index >= count:  # too few resamples for the level
        return np.full(statistics.shape[:-1], np.inf)
    return np.partition(statistics, index, axis=-1)[..., index].astype(np.float64)


def p_value(statistics: npt.NDArray[np.floating], observed: Floats) -> Floats:
    """Share of resamples at least as far out as what was observed, (1 + number) / (1 + resamples); over the last axis.

    Args:
        statistics: [rows, resamples], or [resamples] for all rows.
        observed: [rows].
    """
    # The same precision on both sides, or an interval that just holds 0 would have a p-value just below.
    number = (statistics >= observed.astype(statistics.dtype)[:, None]).sum(axis=-1)
    p: Floats = (1.0 + number) / (1.0 + statistics.shape[-1])
    return p
