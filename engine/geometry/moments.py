"""Sums of products of predicted points over the neighbourhoods of the ground truth, strip by strip.

A predicted point is ``z * ray``, so every sum is of depth, its square and products of rays. Depth that is only shifted,
``z + c``, has sums that follow from those of ``z``: one pass serves every alignment that differs by scale and shift.
Moments are not centred: each is a sum of at most ``window * window`` addends in float64, and the smallest variance of a
patch is some 1e-9 of the squares of its coordinates, not 1e-16.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.geometry.neighbourhoods import Neighbourhoods, Strip, box_sums

# Where x z, y z and z z stand among the products xx, xy, xz, yy, yz, zz.
_WITH_Z = (2, 4, 5)


def laid_out(values: Tensor, hood: Neighbourhoods) -> Tensor:
    """Values of the points, [..., n] in the order of ``hood.order``, as pixels of the grid; 0 where there is none."""
    flat = F.pad(values.reshape(math.prod(values.shape[:-1]), values.shape[-1]), (1, 0))
    cells = hood.grid.flatten()
    return _pick(flat, cells, flat.new_empty(len(flat), len(cells))).reshape(*values.shape[:-1], *hood.grid.shape)


def point_moments(depth: Tensor, rays: Tensor, hood: Neighbourhoods, strip: Strip) -> Tensor:
    """Sums of points and of their products.

    Args:
        depth: T maps of the frame's points in the order of ``hood.order``, with a zero in front, [T, 1 + n].
        rays: x and y of viewing rays (z = 1) as :func:`laid_out` gives them, [2, rows, columns].
        hood: whose centres lie in row-major order.
        strip: of its rows.

    Returns:
        [9, T, q], float64: x, y, z, xx, xy, xz, yy, yz, zz.
    """
    x, y, z = _points(depth, rays, hood, strip)
    factors = (x, y, z)
    squares = [factors[i] * factors[j] for i in range(3) for j in range(i, 3)]
    return _at_centres([x, y, z, *squares], hood, strip)


def pencil_moments(depth: Tensor, rays: Tensor, hood: Neighbourhoods, strip: Strip) -> Tensor:
    """Sums from which those of any shifted depth follow, see :func:`shifted_moments`.

    Args:
        depth: one map, [1 + n]; the rest as in :func:`point_moments`.

    Returns:
        [12, q], float64: z^2 times the products of rays xx, xy, x, yy, y, 1, then z times them.
    """
    x, y, z = _points(depth[None], rays, hood, strip)
    across, down = (ray[strip.rows[0] : strip.rows[1] + hood.window - 1].double() for ray in rays)
    squares = [x * x, x * y, x * z, y * y, y * z, z * z]
    singles = [x * across, x * down, x, y * down, y, z]
    return _at_centres([*squares, *singles], hood, strip)[:, 0]


def ray_moments(rays: Tensor, hood: Neighbourhoods) -> Tensor:
    """Sums of the products of rays xx, xy, x, yy, y, 1 over every neighbourhood of a frame: [6, Q], float64."""
    x, y = rays.double()
    whole = Strip((0, hood.size[0]), (0, len(hood.place)))
    found = _at_centres([one[None] for one in (x * x, x * y, x, y * y, y)], hood, whole)[:, 0]
    return torch.cat([found, hood.count[None]])


def shifted_moments(pencil: Tensor, rays: Tensor, shift: float) -> Sequence[Tensor]:
    """Sums of points of depth ``z + shift``, nine of [q] as :func:`point_moments` gives them.

    Args:
        pencil: [12, q].
        rays: as :func:`ray_moments` gives them, [6, q].
        shift: in the unit of z.
    """
    squares, singles = pencil[:6], pencil[6:]
    if not shift:
        return [*(singles[index] for index in _WITH_Z), *squares]
    first = [torch.add(singles[index], rays[index], alpha=shift) for index in _WITH_Z]
    second = torch.add(squares, singles, alpha=2.0 * shift).add_(rays, alpha=shift * shift)
    return [*first, *second]


def _points(depth: Tensor, rays: Tensor, hood: Neighbourhoods, strip: Strip) -> tuple[Tensor, Tensor, Tensor]:
    """x, y and z of a strip's points as pixels of its grid, [T, rows, columns], float64."""
    top, bottom = strip.rows[0], strip.rows[1] + hood.window - 1
    cells = hood.grid[top:bottom]
    z = _pick(depth, cells.flatten(), depth.new_empty(len(depth), cells.numel())).reshape(-1, *cells.shape).double()
    x, y = rays[:, top:bottom].double()
    return z * x, z * y, z


def _at_centres(products: Sequence[Tensor], hood: Neighbourhoods, strip: Strip) -> Tensor:
    """Sums of every product [T, rows, columns] over the neighbourhoods of a strip: [products, T, q]."""
    first, last = strip.centres
    place = hood.place[first:last] - strip.rows[0] * hood.size[1]
    found = place.new_empty((len(products), len(products[0]), len(place)), dtype=torch.float64)
    for sums, into in zip(_box_each(products, hood.window), found, strict=True):
        _pick(sums.flatten(1), place, into)
    return found


def _box_each(products: Sequence[Tensor], window: int) -> Iterable[Tensor]:
    """On a CPU one after the other, so that they stay in its cache; elsewhere all at once."""
    if products[0].device.type == "cpu":
        return (box_sums(product, window) for product in products)
    return box_sums(torch.stack(list(products)), window).unbind(0)


def _pick(values: Tensor, index: Tensor, into: Tensor) -> Tensor:
    """``values[:, index]``; row by row, which is several times faster on a CPU."""
    if values.device.type != "cpu":
        return torch.index_select(values, 1, index, out=into)
    for row, place in zip(values, into, strict=True):
        torch.index_select(row, 0, index, out=place)
    return into
