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
