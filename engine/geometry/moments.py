"""Sums of products of predicted points over the neighbourhoods of the ground truth, as tensor operations.

Moments are not centred: each is a sum of at most ``window * window`` addends in float64, and the smallest variance of a
patch is some 1e-9 of the squares of its coordinates, not 1e-16. On a CPU :mod:`engine.geometry.patch_kernel` goes from
depth to normals in one pass instead.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.geometry.neighbourhoods import Neighbourhoods, box_sums


def laid_out(values: Tensor, hood: Neighbourhoods) -> Tensor:
    """Values of the points, [..., n] in the order of ``hood.order``, as pixels of the grid; 0 where there is none."""
    flat = F.pad(values.reshape(math.prod(values.shape[:-1]), values.shape[-1]), (1, 0))
    return flat.index_select(1, hood.grid.flatten()).reshape(*values.shape[:-1], *hood.grid.shape)


def point_moments(depth: Tensor, rays: Tensor, hood: Neighbourhoods) -> Tensor:
    """Sums of points and of their products.

    Args:
        depth: T maps of the frame's points in the order of ``hood.order``, with a zero in front, [T, 1 + n].
        rays: x and y of viewing rays (z = 1) as :func:`laid_out` gives them, [2, rows, columns].
        hood: the neighbourhoods.

    Returns:
        [9, T, Q], float64: x, y, z, xx, xy, xz, yy, yz, zz.
    """
    z = depth.index_select(1, hood.grid.flatten()).reshape(-1, *hood.grid.shape).double()
    x, y = rays.double()
    factors = (z * x, z * y, z)
    squares = [factors[i] * factors[j] for i in range(3) for j in range(i, 3)]
    sums = box_sums(torch.stack([*factors, *squares]), hood.window)
    return sums.flatten(2).index_select(2, hood.place)
