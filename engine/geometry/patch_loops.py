"""The loops of :mod:`engine.geometry.patch_kernel`, compiled by Numba at the first call; arrays in, arrays filled.

As tensor operations the same takes twice as long: every product of every pixel is written to memory and read again,
several times. Here a tile of the image stays in the cache from its depth to its normals. Nothing is subtracted that was
added before: sums of some rows are those of a block's end and of the next block's beginning (van Herk 1992, Gil and
Werman 1993, for sums in place of extremes), so that no neighbourhood feels what lies outside of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from engine.geometry.eigen import COSINE_TERMS, LEAST_SQUARE, MIDDLE, REACH

_TILE = 128  # columns; with their products they fit into a second-level cache
_TERMS = tuple(COSINE_TERMS)


def _compiled(function: Callable[..., Any]) -> Any:
    """Compiled at the first call, without the lock of the interpreter; kept on disk where there is a place for it."""
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **settings)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return numba.njit(**settings)(function)


@_compiled
def fill_frame(depth, rays, grid, starts, column, count, ray, found, window):
    """Fill ``found``, [T, 3, Q]: tile by tile, block of rows by block of rows."""
    rows, columns = len(starts) - 1, grid.shape[1] - window + 1
    width = _TILE + window - 1
    # Sums from a row of the block down to the block's end, and of the next block down to a row.
    ends, begins, total = np.empty((window, 9, width)), np.empty((9, width)), np.empty((9, width))
    point, few = np.empty((3, width)), np.empty((2, width))
    moments, toward, normal = np.empty((9, _TILE)), np.empty((2, _TILE)), np.empty((3, _TILE), dtype=np.float32)
    pixels = np.empty(grid.shape, dtype=np.float32)
    for t in range(len(depth)):
        next_centre = starts[:-1].copy()
        _lay_out(depth[t], grid, pixels)
        for left in range(0, columns, _TILE):
            right = min(left + _TILE, columns)
            for top in range(0, rows, window):
                bottom = min(top + window, rows)
                if not _any_before(right, top, bottom, next_centre, starts, column):
                    continue
                begins[:] = 0.0
                for row in range(top + window - 1, top - 1, -1):
                    _point(pixels, rays, row, left, right + window - 1, point)
                    above = begins if row == top + window - 1 else ends[row - top + 1]
                    _add_products(above, point, right - left + window - 1, ends[row - top])
                for row in range(top, bottom):
                    if row > top:
                        _point(pixels, rays, row + window - 1, left, right + window - 1, point)
                        _add_products(begins, point, right - left + window - 1, begins)
                    first = next_centre[row]
                    last = first
                    while last < starts[row + 1] and column[last] < right:
                        last += 1
                    next_centre[row] = last
                    if first == last:
                        continue
                    _boxes(ends[row - top], begins, right - left, window, few, total)
                    _gather(total, column[first:last], left, moments)
                    for k in range(2):
                        _copy(ray[k, first:last], toward[k])
                    _normals(moments, count[first:last], toward, normal)
                    for k in range(3):
                        _copy(normal[k, : last - first], found[t, k, first:last])


@_compiled
def _lay_out(depth, grid, pixels):
    """The depth of every pixel; 0 where there is no point."""
    into, of = pixels.ravel(), grid.ravel()
    for i in range(len(into)):
        into[i] = depth[np.uint32(of[i])]  # unsigned: no check for what counts from the end


@_compiled
def _any_before(right, top, bottom, next_centre, starts, column):
    """Whether a row has a centre left of ``right`` that was not reached yet."""
    for row in range(top, bottom):  # noqa: SIM110 -- Numba knows no generators here
        if next_centre[row] < starts[row + 1] and column[next_centre[row]] < right:
            return True
    return False


@_compiled
def _point(depth, rays, row, left, right, point):
    """x, y and z of a row's pixels."""
    z, x, y = depth[row, left:right], rays[0, row, left:right], rays[1, row, left:right]
    for i in range(right - left):
        point[2, i] = z[i]
    for i in range(right - left):
        point[0, i] = point[2, i] * np.float64(x[i])
    for i in range(right - left):
        point[1, i] = point[2, i] * np.float64(y[i])


@_compiled
def _add_products(before, point, length, into):
    """x, y, z, xx, xy, xz, yy, yz, zz of pixels, added to sums."""
    for k in range(3):
        for i in range(length):
            into[k, i] = before[k, i] + point[k, i]
    slot = 3
    for a in range(3):
        for b in range(a, 3):
            for i in range(length):
                into[slot, i] = before[slot, i] + point[a, i] * point[b, i]
            slot += 1


@_compiled
def _boxes(ends, begins, length, window, few, total):
    """Sums over columns of what was summed over rows."""
    wide = length + window - 1
    for k in range(9):
        if window == 9:  # three neighbours at a time
            for i in range(wide):
                few[0, i] = ends[k, i] + begins[k, i]
            for i in range(wide - 2):
                few[1, i] = few[0, i] + few[0, i + 1] + few[0, i + 2]
            for i in range(length):
                total[k, i] = few[1, i] + few[1, i + 3] + few[1, i + 6]
        else:
            for i in range(wide):
                few[0, i] = ends[k, i] + begins[k, i]
            total[k, :length] = 0.0
            for shift in range(window):
                for i in range(length):
                    total[k, i] += few[0, i + shift]


@_compiled
def _copy(values, into):
    for i in range(len(values)):
        into[i] = values[i]


@_compiled
def _gather(total, column, left, moments):
    """The sums at the centres of a row."""
    for i in range(len(column)):
        place = np.uint64(column[i] - left)  # unsigned: no check for what counts from the end
        for k in range(9):
            moments[k, i] = total[k, place]


@_compiled
def _polynomial(x):
    """By Horner's rule, written out: a loop here would keep the loop over centres from being vectorised."""
    high = ((((_TERMS[11] * x + _TERMS[10]) * x + _TERMS[9]) * x + _TERMS[8]) * x + _TERMS[7]) * x + _TERMS[6]
    return (((((high * x + _TERMS[5]) * x + _TERMS[4]) * x + _TERMS[3]) * x + _TERMS[2]) * x + _TERMS[1]) * x + _TERMS[
        0
    ]


@_compiled
def _normals(moments, points, ray, normal):
    """As :func:`engine.geometry.eigen.smallest_eigenvalue` and :func:`engine.geometry.eigen.direction_along`."""
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
        place = (quarter - MIDDLE) * (1.0 / REACH)
        power = _polynomial(place)
        least = mean - 2.0 * power * (square * inverse)
        xx, yy, zz = xx - least, yy - least, zz - least
        u, v = ray[0, i], ray[1, i]
        ab, ac, bc = xz * yz - xy * zz, xy * yz - xz * yy, xy * xz - xx * yz
        p = ac + (yy * zz - yz * yz) * u + ab * v
        q = bc + ab * u + (xx * zz - xz * xz) * v
        r = xx * yy - xy * xy + ac * u + bc * v
        towards = -1.0 / math.sqrt(max(p * p + q * q + r * r, LEAST_SQUARE))
        normal[0, i], normal[1, i], normal[2, i] = p * towards, q * towards, r * towards
