"""Symmetric 3x3 matrices in closed form, by the million.

A library solver takes microseconds per 3x3 matrix on a CPU and waits for the device on a GPU; the closed form is a few
dozen elementwise operations. Give it float64: the smallest eigenvalue of a thin, long patch is many orders of magnitude
below the largest.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def eigenvalues(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Eigenvalues of symmetric matrices, ascending.

    Args:
        matrix: the upper triangle xx, xy, xz, yy, yz, zz, [6, ...].

    Returns:
        Three tensors [...], by the trigonometric solution of the characteristic cubic (Smith 1961).
    """
    xx, xy, xz, yy, yz, zz = matrix
    mean = (xx + yy + zz) / 3.0
    a, b, c = xx - mean, yy - mean, zz - mean
    off = xy * xy + xz * xz + yz * yz
    radius = ((a * a + b * b + c * c + 2.0 * off) / 6.0).sqrt()
    determinant = a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz)
    cube = radius * radius * radius
    half = torch.where(cube > 0, determinant / (2.0 * cube), torch.zeros_like(cube)).clamp(-1.0, 1.0)
    angle = half.acos() / 3.0
    largest = mean + 2.0 * radius * angle.cos()
    smallest = mean + 2.0 * radius * (angle + 2.0 * math.pi / 3.0).cos()
    return smallest, 3.0 * mean - largest - smallest, largest


def null_direction(matrix: Tensor, eigenvalue: Tensor) -> Tensor:
    """The unit eigenvector of a (single) eigenvalue.

    Args:
        matrix: the upper triangle xx, xy, xz, yy, yz, zz, [6, ...].
        eigenvalue: [...].

    Returns:
        [3, ...], of either sign: the longest column of the adjugate of ``matrix - eigenvalue * I``, which is a multiple
        of v v^T. Where every direction is an eigenvector (a multiple of the identity) it is 0.
    """
    xx, xy, xz, yy, yz, zz = matrix
    xx, yy, zz = xx - eigenvalue, yy - eigenvalue, zz - eigenvalue
    a, b, c = yy * zz - yz * yz, xx * zz - xz * xz, xx * yy - xy * xy  # the diagonal
    ab, ac, bc = xz * yz - xy * zz, xy * yz - xz * yy, xy * xz - xx * yz
    second = b > a
    third = c > torch.maximum(a, b)
    x = torch.where(third, ac, torch.where(second, ab, a))
    y = torch.where(third, bc, torch.where(second, b, ab))
    z = torch.where(third, c, torch.where(second, bc, ac))
    length = (x * x + y * y + z * z).sqrt()
    inverse = torch.where(length > 0, length.reciprocal(), 0.0)
    return torch.stack([x * inverse, y * inverse, z * inverse])
