"""The loop of :func:`engine.geometry.warp.differences`: points looked up in another view, one after the other."""

from __future__ import annotations

import numpy as np

from engine.geometry.compiled import compiled

# Instead of the inverse of a depth that is not valid: however little such a pixel weighs, the sum hides nothing.
NO_DEPTH = -1e30


@compiled
def look_up(uv, depth, colour, first, last, matrix, shift, image, inverse, size, most, found):
    """Fill ``found[first:last]`` with mean absolute differences of colour; infinite where nothing is seen."""
    height, width = size
    one = np.float32(1)
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    no_depth = np.float32(NO_DEPTH)
    for i in range(first, last):
        found[i] = np.inf
        u, v, z = uv[0, i], uv[1, i], depth[i]
        w = (u * matrix[2, 0] + v * matrix[2, 1] + matrix[2, 2]) * z + shift[2]
        if not (z > 0 and w > 0):
            continue
        back = one / w
        x = ((u * matrix[0, 0] + v * matrix[0, 1] + matrix[0, 2]) * z + shift[0]) * back
        y = ((u * matrix[1, 0] + v * matrix[1, 1] + matrix[1, 2]) * z + shift[1]) * back
        if not (x >= 0 and x <= right and y >= 0 and y <= bottom):  # nor NaN
            continue
        column, row = np.int64(x), np.int64(y)
        beside, below = min(column + 1, width - 1), min(row + 1, height - 1)
        share_x, share_y = x - np.float32(column), y - np.float32(row)
        rest_x, rest_y = one - share_x, one - share_y
        a, b = np.uint64(row * width + column), np.uint64(row * width + beside)  # unsigned: not from the end
        c, d = np.uint64(below * width + column), np.uint64(below * width + beside)
        p, q, r, s = rest_x * rest_y, share_x * rest_y, rest_x * share_y, share_x * share_y
        ia, ib, ic, id_ = inverse[a], inverse[b], inverse[c], inverse[d]
        ia, ib = ia if ia == ia else no_depth, ib if ib == ib else no_depth
        ic, id_ = ic if ic == ic else no_depth, id_ if id_ == id_ else no_depth
        nearest = w * (ia * p + ib * q + ic * r + id_ * s)
        total = np.float32(0)
        for k in range(3):
            total += abs(image[a, k] * p + image[b, k] * q + image[c, k] * r + image[d, k] * s - colour[k, i])
        # No branch: whether a point is hidden cannot be foreseen, and costs more than its colour.
        found[i] = total / np.float32(3) if nearest <= most else np.float32(np.inf)
