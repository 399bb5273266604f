"""The loop of :mod:`engine.scoring.limits`."""

from __future__ import annotations

import numpy as np

from engine.geometry.compiled import adding

_CHUNK = 1024  # values that are added in float32 before their sum is added in float64


@adding
def add_up(values, pieces, limits, found):
    """Fill ``found``, [1 + L, P], of values [N]: sums over pieces, and how many are below each of the limits."""
    for piece in range(len(pieces)):
        first, stop = pieces[piece, 0], pieces[piece, 1]
        while first < stop:
            chunk = values[first : min(first + _CHUNK, stop)]
            total = np.float32(0)
            for i in range(len(chunk)):
                total += chunk[i]
            found[0, piece] += total
            for k in range(len(limits)):
                below = np.float32(0)
                for i in range(len(chunk)):
                    below += np.float32(1) if chunk[i] < limits[k] else np.float32(0)
                found[1 + k, piece] += below
            first += len(chunk)


@adding
def add_up_finite(values, pieces, limits, level, found):
    """Fill ``found``, [3 + L, P], of values [N]: how many are finite, their sum, how many are below a level, and below
    each of the limits, which are ascending and evenly spaced from 0."""
    count = len(limits)
    below = np.empty(count + 1, dtype=np.int64)
    inverse = np.float32(1) / limits[0]
    for piece in range(len(pieces)):
        below[:] = 0
        seen, inside, total = 0, 0, 0.0
        for i in range(pieces[piece, 0], pieces[piece, 1]):
            value = values[i]  # counted without a branch: nobody foresees which are finite
            finite = value < np.inf
            seen += finite
            total += np.float64(value if finite else np.float32(0))
            inside += value < level
            # Where it should be, and then where it is by comparison: a limit is not an exact multiple of the first.
            place = np.int64(min(value * inverse, np.float32(count)))
            while place > 0 and value < limits[place - 1]:
                place -= 1
            while place < count and value >= limits[place]:
                place += 1
            below[place] += 1
        found[0, piece], found[1, piece], found[2, piece] = seen, total, inside
        held = 0
        for k in range(count):
            held += below[k]
            found[3 + k, piece] = held
