"""The loops of :mod:`engine.geometry.sampling` and of :mod:`engine.geometry.alignment`; on a CPU."""

from __future__ import annotations

import numpy as np

from engine.geometry.compiled import adding, compiled


@compiled
def sample_inverse(inverse, index, weight, first, last, depth, valid):
    """Fill ``depth[first:last]`` and ``valid[first:last]`` as :func:`engine.geometry.sampling.sample_depth` says."""
    for i in range(first, last):
        sampled = np.float32(0)
        for tap in range(4):
            sampled += inverse[np.uint32(index[tap, i])] * weight[tap, i]  # unsigned: not from the end
        held = sampled > 0  # false for NaN
        valid[i] = held
        depth[i] = np.float32(1) / sampled if held else np.float32(0)


@adding
def add_products(predicted, truth, valid, found):
    """Fill ``found`` with the number of valid points, and sums of p, g, p p, p g and g g over them."""
    count = p_sum = g_sum = pp = pg = gg = 0.0
    for i in range(len(predicted)):
        p = np.float64(predicted[i]) if valid[i] else 0.0
        g = np.float64(truth[i]) if valid[i] else 0.0
        count += 1.0 if valid[i] else 0.0
        p_sum += p
        g_sum += g
        pp += p * p
        pg += p * g
        gg += g * g
    found[0], found[1], found[2], found[3], found[4], found[5] = count, p_sum, g_sum, pp, pg, gg
