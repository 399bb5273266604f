"""The loop of :mod:`engine.scoring.depth_kernel`: all sums that depth metrics are made of."""

from __future__ import annotations

import math

import numpy as np

from engine.geometry.compiled import adding

_CHUNK = 1024  # points that are added in float32 before their sums are added in float64
_LOG_2 = np.float32(math.log(2.0))
_ROOT = int(np.float32(math.sqrt(0.5)).view(np.int32))
_FRACTION = 23  # bits of a float32 below its exponent


def _logarithm_terms() -> tuple[np.float32, ...]:
    """Coefficients of log(1 + x) / x, the constant first, for 1 + x within [sqrt(1/2), sqrt(2)]: exact to 1e-8, fitted
    at Chebyshev's nodes."""
    count = 12
    low, high = math.sqrt(0.5) - 1.0, math.sqrt(2.0) - 1.0
    nodes = (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(count) + 0.5) / count)
    fitted = np.polynomial.Polynomial.fit(nodes, np.log1p(nodes) / nodes, count - 1, domain=[low, high]).convert()
    return tuple(np.float32(term) for term in fitted.coef)


_LOGARITHM = _logarithm_terms()


@adding
def add_up(predicted, truth, pieces, scale, shift, bounds, deltas, found):
    """Fill ``found``, [P, A, 11], with sums over pieces of the points.

    They are of: points clamped, |p - g|, its quotient by g, its square by g, its square, points of a ratio below each
    of three limits, |d|, d and d^2, where p is the aligned and g the true depth and d = log(p / g).
    """
    one, none = np.float32(1), np.float32(0)
    ratio = np.empty(_CHUNK, dtype=np.float32)
    bits, power = ratio.view(np.int32), np.empty(_CHUNK, dtype=np.float32)
    least, most = bounds
    for piece in range(len(pieces)):
        group = min(pieces[piece, 2], scale.shape[1] - 1)
        for a in range(len(scale)):
            factor, offset = scale[a, group], shift[a, group]
            first, stop = pieces[piece, 0], pieces[piece, 1]
            while first < stop:
                last = min(first + _CHUNK, stop)
                depth, right = predicted[first:last], truth[first:last]
                clamped = mae = relative = squared = square = none
                below_1 = below_2 = below_3 = none
                for i in range(len(depth)):
                    g = right[i]
                    p = factor * depth[i] + offset
                    near = depth[i] <= none or p < least
                    p = least if near else min(p, most)
                    clamped += one if near else none
                    difference = abs(p - g)
                    share = difference / g
                    mae += difference
                    relative += share
                    squared += share * difference
                    square += difference * difference
                    below_1 += one if (p < deltas[0] * g) & (g < deltas[0] * p) else none
                    below_2 += one if (p < deltas[1] * g) & (g < deltas[1] * p) else none
                    below_3 += one if (p < deltas[2] * g) & (g < deltas[2] * p) else none
                    ratio[i] = p / g
                for i in range(len(depth)):  # a power of two, and what it multiplies: from sqrt(1/2) to sqrt(2)
                    exponent = (bits[i] - _ROOT) >> _FRACTION
                    power[i] = np.float32(exponent) * _LOG_2
                    bits[i] -= exponent << _FRACTION
                size = total = none
                c = _LOGARITHM
                for i in range(len(depth)):
                    x = ratio[i] - one
                    high = ((((c[11] * x + c[10]) * x + c[9]) * x + c[8]) * x + c[7]) * x + c[6]
                    log = (
                        x * ((((((high * x + c[5]) * x + c[4]) * x + c[3]) * x + c[2]) * x + c[1]) * x + c[0])
                        + power[i]
                    )
                    size += abs(log)
                    total += log
                    power[i] = log
                # About their own mean: the variance of a log that is nearly constant would cancel away in float32.
                mean = total / np.float32(len(depth))
                rest = spread = none
                for i in range(len(depth)):
                    apart = power[i] - mean
                    rest += apart
                    spread += apart * apart
                centre, count = np.float64(mean), np.float64(len(depth))
                sums = found[piece, a]
                sums[0] += clamped
                sums[1] += mae
                sums[2] += relative
                sums[3] += squared
                sums[4] += square
                sums[5] += below_1
                sums[6] += below_2
                sums[7] += below_3
                sums[8] += size
                sums[9] += count * centre + rest
                sums[10] += spread + 2.0 * centre * rest + count * centre * centre
                first = last
