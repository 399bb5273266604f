"""The loops of :mod:`engine.geometry.patch_kernel`: arrays in, arrays filled.

As tensor operations the same takes several times as long: every product of every pixel is written to memory and read
again, several times. Here a tile of the image stays in the cache from its depth to its angles. Nothing is subtracted
that was added before: sums of some rows are those of a block's end and of the next block's beginning (van Herk 1992,
Gil and Werman 1993, for sums in place of extremes), so that no neighbourhood feels what lies outside of it.
"""

from __future__ import annotations

import math

import numpy as np

from engine.geometry.compiled import compiled
from engine.geometry.eigen import COSINE_TERMS, LEAST_SQUARE, MIDDLE, REACH

_TILE = 256  # columns; with their sums they fit into a second-level cache
_TERMS = tuple(COSINE_TERMS)
_DEGREES = 180.0 / math.pi
_LEAST_LENGTH = math.sqrt(LEAST_SQUARE)


def _arctangent_terms() -> tuple[float, ...]:
    """Coefficients of atan(x) / x in x^2, the constant first, for x within [0, 1]: exact to 2e-9, fitted at Chebyshev's
    nodes."""
    count = 12
    nodes = 0.5 + 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / count)
    roots = np.sqrt(nodes)
    fitted = np.polynomial.Polynomial.fit(nodes, np.arctan(roots) / roots, count - 1, domain=[0, 1])
    return tuple(fitted.convert().coef.tolist())


_ARCTANGENT = _arctangent_terms()


@compiled
def fill_frame(depth, scale, shift, bounds, rays, place, starts, column, count, ray, truth, rank, found, window):
    """Fill ``found``, [T, Q]: tile by tile, block of rows by block of rows."""
    if len(column) == 0:
        return
    maps, rows, columns = len(scale), len(starts) - 1, place.shape[1] - window + 1
    # Of every row of a block: sums over the row's columns, then over all rows from it down to the block's end.
    ends, others = np.empty((maps, window, 9, _TILE)), np.empty((maps, window, 9, _TILE))
    begins = np.empty((maps, 9, _TILE))  # sums from the next block's beginning down to a row
    wide = _TILE + window - 1
    room = np.empty(wide, dtype=np.float32), np.empty((3, wide)), np.empty((2, wide))
    source = depth, scale, shift, bounds, rays, place
    moments, angle = np.empty((9, _TILE)), np.empty(_TILE, dtype=np.float32)
    next_centre = starts[:-1].copy()
    for left in range(0, columns, _TILE):
        right = min(left + _TILE, columns)
        length = right - left
        ready = False  # whether `ends` holds the sums of this block
        for top in range(0, rows, window):
            bottom = min(top + window, rows)
            if not _any_before(right, top, bottom, next_centre, starts, column):
                ready = False
                continue
            if not ready:
                for row in range(top, top + window):
                    _add_up_row(source, room, row, left, length, window, ends, row - top)
                _add_up_rows(ends, length)
            begins[:] = 0.0
            for row in range(top, bottom):
                if row > top:
                    below = row + window - 1
                    _add_up_row(source, room, below, left, length, window, others, row - top - 1)
                    _add_row(others, row - top - 1, length, begins)
                first = next_centre[row]
                last = first
                while last < starts[row + 1] and column[last] < right:
                    last += 1
                next_centre[row] = last
                if first == last:
                    continue
                for t in range(maps):
                    _gather(ends[t, row - top], begins[t], column[first:last], left, moments)
                    _angles(
                        moments,
                        count[first:last],
                        ray[0, first:last],
                        ray[1, first:last],
                        truth[0, first:last],
                        truth[1, first:last],
                        truth[2, first:last],
                        angle,
                    )
                    _scatter(angle, rank[first:last], found[t])
            following = top + window
            ready = following < rows and _any_before(
                right, following, min(following + window, rows), next_centre, starts, column
            )
            if ready:
                last_row = following + window - 1
                _add_up_row(source, room, last_row, left, length, window, others, window - 1)
                _add_up_rows(others, length)
                ends, others = others, ends


@compiled
def _any_before(right, top, bottom, next_centre, starts, column):
    """Whether a row has a centre left of ``right`` that was not reached yet."""
    for row in range(top, bottom):  # noqa: SIM110 -- Numba knows no generators here
        if next_centre[row] < starts[row + 1] and column[next_centre[row]] < right:
            return True
    return False


@compiled
def _add_up_row(source, room, row, left, length, window, into, slot):
    """Sums over the columns around every pixel of one row, in every map."""
    depth, scale, shift, bounds, rays, place = source
    raw, point, few = room
    wide = length + window - 1
    at, x, y = place[row, left : left + wide], rays[0, row, left : left + wide], rays[1, row, left : left + wide]
    for i in range(wide):
        raw[i] = depth[np.uint32(max(at[i], 1) - 1)]  # unsigned: no check for what counts from the end
    for t in range(len(scale)):
        for i in range(wide):
            aligned = min(max(scale[t] * raw[i] + shift[t], bounds[0]), bounds[1])
            aligned = aligned if raw[i] > 0 else bounds[0]
            point[2, i] = aligned if at[i] > 0 else np.float32(0)
        for i in range(wide):
            point[0, i] = point[2, i] * np.float64(x[i])
            point[1, i] = point[2, i] * np.float64(y[i])
        sums = into[t, slot]
        for k in range(3):
            _sum_columns(point[k], length, window, few[1], sums[k])
        k = 3
        for a in range(3):
            for b in range(a, 3):
                for i in range(wide):
                    few[0, i] = point[a, i] * point[b, i]
                _sum_columns(few[0], length, window, few[1], sums[k])
                k += 1


@compiled
def _sum_columns(values, length, window, few, into):
    """Sums of ``window`` neighbours."""
    if window == 9:  # three at a time
        for i in range(length + 6):
            few[i] = values[i] + values[i + 1] + values[i + 2]
        for i in range(length):
            into[i] = few[i] + few[i + 3] + few[i + 6]
    else:
        into[:length] = 0.0
        for step in range(window):
            for i in range(length):
                into[i] += values[i + step]


@compiled
def _add_up_rows(sums, length):
    """Every row becomes the sum of the rows from it to the last."""
    for t in range(len(sums)):
        for row in range(sums.shape[1] - 2, -1, -1):
            for k in range(9):
                into, of = sums[t, row, k], sums[t, row + 1, k]
                for i in range(length):
                    into[i] += of[i]


@compiled
def _add_row(sums, row, length, into):
    for t in range(len(sums)):
        for k in range(9):
            total, of = into[t, k], sums[t, row, k]
            for i in range(length):
                total[i] += of[i]


@compiled
def _gather(ends, begins, column, left, moments):
    """The sums at the centres of a row."""
    for i in range(len(column)):
        place = np.uint64(column[i] - left)  # unsigned: no check for what counts from the end
        for k in range(9):
            moments[k, i] = ends[k, place] + begins[k, place]


@compiled
def _scatter(values, rank, into):
    for i in range(len(rank)):
        into[np.uint32(rank[i])] = values[i]


@compiled
def _cosine(x):
    """By Horner's rule, written out: a loop here would keep the loop over centres from being vectorised."""
    high = ((((_TERMS[11] * x + _TERMS[10]) * x + _TERMS[9]) * x + _TERMS[8]) * x + _TERMS[7]) * x + _TERMS[6]
    return (((((high * x + _TERMS[5]) * x + _TERMS[4]) * x + _TERMS[3]) * x + _TERMS[2]) * x + _TERMS[1]) * x + _TERMS[
        0
    ]


@compiled
def _arctangent(x):
    """Of x within [0, 1]."""
    s, a = x * x, _ARCTANGENT
    high = ((((a[11] * s + a[10]) * s + a[9]) * s + a[8]) * s + a[7]) * s + a[6]
    return x * ((((((high * s + a[5]) * s + a[4]) * s + a[3]) * s + a[2]) * s + a[1]) * s + a[0])


@compiled
def _angles(moments, points, ray_x, ray_y, true_x, true_y, true_z, angle):
    """Normals as :func:`engine.geometry.eigen.smallest_eigenvalue` and :func:`engine.geometry.eigen.direction_along`
    find them, of whatever length, and their angles to the true ones: atan2(|a x b|, a b)."""
    for i in range(len(points)):
        n, x, y, z = points[i], moments[0, i], moments[1, i], moments[2, i]
        xx, xy, xz = moments[3, i] * n - x * x, moments[4, i] * n - x * y, moments[5, i] * n - x * z
        yy, yz, zz = moments[6, i] * n - y * y, moments[7, i] * n - y * z, moments[8, i] * n - z * z
        mean = (xx + yy + zz) * (1.0 / 3.0)
        a, b, c = xx - mean, yy - mean, zz - mean
        square = max((a * a + b * b + c * c + 2.0 * (xy * xy + xz * xz + yz * yz)) * (1.0 / 6.0), LEAST_SQUARE)
        inverse = 1.0 / math.sqrt(square)
        turned = (yz * yz - b * c) * a + (xy * c - yz * xz) * xy + (b * xz - xy * yz) * xz
        cosine = min(max(turned * inverse * inverse * inverse * 0.5, -1.0), 1.0)
        half = math.sqrt(max((cosine + 1.0) * 0.5, LEAST_SQUARE))
        quarter = math.sqrt(max((half + 1.0) * 0.5, LEAST_SQUARE))
        least = mean - 2.0 * _cosine((quarter - MIDDLE) * (1.0 / REACH)) * (square * inverse)
        xx, yy, zz = xx - least, yy - least, zz - least
        u, v = ray_x[i], ray_y[i]
        ab, ac, bc = xz * yz - xy * zz, xy * yz - xz * yy, xy * xz - xx * yz
        # Along the ray; the normal is turned against it.
        p = ac + (yy * zz - yz * yz) * u + ab * v
        q = bc + ab * u + (xx * zz - xz * xz) * v
        r = xx * yy - xy * xy + ac * u + bc * v
        k, m, o = np.float64(true_x[i]), np.float64(true_y[i]), np.float64(true_z[i])
        along = -(p * k + q * m + r * o)
        d, e, f = q * o - r * m, r * k - p * o, p * m - q * k
        across, size = math.sqrt(d * d + e * e + f * f), abs(along)
        wide = across >= size
        longer = max(max(across, size), _LEAST_LENGTH)
        turn = _arctangent((size if wide else across) / longer) * _DEGREES
        turn = 90.0 - turn if wide else turn
        turn = 180.0 - turn if along < 0.0 else turn
        angle[i] = turn if longer > _LEAST_LENGTH else 90.0
