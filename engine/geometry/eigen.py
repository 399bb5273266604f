"""Symmetric 3x3 matrices in closed form, by the million.

A library solver takes microseconds per 3x3 matrix on a CPU and waits for the device on a GPU; the closed form is a few
dozen elementwise operations. Give it float64: the smallest eigenvalue of a thin, long patch is many orders of magnitude
below the largest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

LEAST_SQUARE = 1e-200  # keeps the inverse root of 0 finite
# Where cos(4/3 acos(q)) is needed: [sqrt(1/2), 1]. Its nearest singularity, at q = -1, is so far away that a polynomial
# of 12 terms, fitted at Chebyshev's nodes, is exact to 3e-15.
MIDDLE, REACH, _DEGREE = (1.0 + math.sqrt(0.5)) / 2.0, (1.0 - math.sqrt(0.5)) / 2.0, 12


def _cosine_terms() -> list[float]:
    """Coefficients of that polynomial in (q - middle) / reach, the constant first."""
    nodes = np.cos(np.pi * (np.arange(_DEGREE) + 0.5) / _DEGREE)
    values = np.cos(4.0 / 3.0 * np.arccos(MIDDLE + REACH * nodes))
    found: list[float] = np.polynomial.chebyshev.cheb2poly(
        np.polynomial.chebyshev.chebfit(nodes, values, _DEGREE - 1)
    ).tolist()
    return found


COSINE_TERMS = _cosine_terms()


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


def smallest_eigenvalue(matrix: Sequence[Tensor]) -> Tensor:
    """The smallest eigenvalue alone, as exact as :func:`eigenvalues` gives it at a third of the price.

    With m the mean of the eigenvalues, r the radius and y = -det(A - m I) / (2 r^3), it is m - 2 r cos(acos(y) / 3). By
    halving the angle twice, q = cos(acos(y) / 4), the cosine becomes cos(4/3 acos(q)) on [sqrt(1/2), 1], where a short
    polynomial is exact to rounding.

    Args:
        matrix: the upper triangle xx, xy, xz, yy, yz, zz, six tensors of one shape, float64.
    """
    xx, xy, xz, yy, yz, zz = matrix
    mean = (xx + yy).add_(zz).mul_(1.0 / 3.0)
    a, b, c = xx - mean, yy - mean, zz - mean
    yz_square = yz * yz
    off = torch.addcmul(yz_square, xy, xy).addcmul_(xz, xz)
    square = (a * a).addcmul_(b, b).addcmul_(c, c).add_(off, alpha=2.0).mul_(1.0 / 6.0).clamp_min_(LEAST_SQUARE)
    inverse = square.rsqrt()
    y = torch.addcmul(yz_square, b, c, value=-1.0).mul_(a)
    y.addcmul_(torch.mul(xy, c).addcmul_(yz, xz, value=-1.0), xy)
    y.addcmul_(torch.mul(b, xz).addcmul_(xy, yz, value=-1.0), xz)
    y.mul_(inverse).mul_(inverse).mul_(inverse).mul_(0.5).clamp_(-1.0, 1.0)
    q = _half_angle(_half_angle(y))
    x = q.sub_(MIDDLE).mul_(1.0 / REACH)
    cosine = x * COSINE_TERMS[-1]
    for coefficient in COSINE_TERMS[-2:0:-1]:
        cosine.add_(coefficient).mul_(x)
    cosine.add_(COSINE_TERMS[0])
    return mean.addcmul_(cosine, square.mul_(inverse), value=-2.0)


def direction_along(matrix: Sequence[Tensor], eigenvalue: Tensor, ray: Sequence[Tensor]) -> list[Tensor]:
    """The unit eigenvector of a (single) smallest eigenvalue, turned against a ray.

    The adjugate of ``matrix - eigenvalue * I`` is a positive multiple of v v^T, so its product with the ray is v, on
    the ray's side; no case has to be told from another, as the choice of a column would.

    Args:
        matrix: the upper triangle xx, xy, xz, yy, yz, zz, six tensors of one shape, float64; its diagonal is
            overwritten.
        eigenvalue: of each, of the same shape.
        ray: its x and y, each of a shape that broadcasts; its z is 1.

    Returns:
        x, y and z, of the matrices' shape; 0 where every direction is an eigenvector.
    """
    xx, xy, xz, yy, yz, zz = matrix
    for diagonal in (xx, yy, zz):
        diagonal.sub_(eigenvalue)
    u, v = ray
    a = (yy * zz).addcmul_(yz, yz, value=-1.0)
    b = (xx * zz).addcmul_(xz, xz, value=-1.0)
    c = (xx * yy).addcmul_(xy, xy, value=-1.0)
    ab = (xz * yz).addcmul_(xy, zz, value=-1.0)
    ac = (xy * yz).addcmul_(xz, yy, value=-1.0)
    bc = (xy * xz).addcmul_(xx, yz, value=-1.0)
    x = torch.addcmul(ac, a, u).addcmul_(ab, v)
    y = torch.addcmul(bc, ab, u).addcmul_(b, v)
    z = c.addcmul_(ac, u).addcmul_(bc, v)
    towards = (x * x).addcmul_(y, y).addcmul_(z, z).clamp_min_(LEAST_SQUARE).rsqrt_().neg_()
    return [component.mul_(towards) for component in (x, y, z)]


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


def _half_angle(cosine: Tensor) -> Tensor:
    """cos(angle / 2) of cos(angle), in place. The root by its inverse: several times faster on a CPU."""
    half = cosine.add_(1.0).mul_(0.5).clamp_min_(LEAST_SQUARE)
    return half.mul_(half.rsqrt())
