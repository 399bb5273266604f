"""Planes in point clouds: total least squares, and a seeded RANSAC that takes one plane after the other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.geometry.eigen import eigenvalues, null_direction


@dataclass(frozen=True, slots=True)
class PlaneRule:
    """How a cloud is split into planes.

    Attributes:
        tolerance: most that a point of a plane may be away from it, metres.
        points: least number of points of a plane.
        planes: most planes of a cloud.
        hypotheses: planes tried for each one found.
        tested: points (at random) that a hypothesis is judged by.
        reach: wanted distance of the points that a hypothesis goes through, metres: far points rarely share a plane.
    """

    tolerance: float = 0.05
    points: int = 200
    planes: int = 6
    hypotheses: int = 256
    tested: int = 1024
    reach: float = 1.5


@dataclass(frozen=True, eq=False)
class Plane:
    """``normal @ x = offset`` and the points that belong to it.

    Attributes:
        normal: unit, [3], float64.
        offset: metres, scalar.
        member: indices into the cloud, ascending, [m], int64.
    """

    normal: Tensor
    offset: Tensor
    member: Tensor


_CANDIDATES = 24  # how many points at random the two partners of a hypothesis are chosen from
_LEAST_SINE = 0.2  # of the angle between its two sides: a thin triangle determines no plane
_REFINEMENTS = 2


def find_planes(points: Tensor, generator: torch.Generator, rule: PlaneRule) -> list[Plane]:
    """Split a cloud into planes, the one with most support first; a point belongs to one plane at most.

    Args:
        points: [n, 3], float64, metres, on the CPU (the same planes on every device).
        generator: on the CPU; its state decides the outcome.
        rule: the thresholds.
    """
    left = torch.arange(len(points))
    found: list[Plane] = []
    while len(found) < rule.planes and len(left) >= rule.points:
        plane = _best_plane(points[left], generator, rule)
        if plane is None or len(plane.member) < rule.points:
            break
        found.append(Plane(plane.normal, plane.offset, left[plane.member]))
        kept = torch.ones(len(left), dtype=torch.bool)
        kept[plane.member] = False
        left = left[kept]
    return found


def least_squares_plane(points: Tensor) -> tuple[Tensor, Tensor]:
    """The plane that minimises the sum of squared distances of points [n, 3]: unit normal [3] and offset."""
    mean = points.mean(0)
    x, y, z = (points - mean).unbind(1)
    moments = torch.stack([(x * x).sum(), (x * y).sum(), (x * z).sum(), (y * y).sum(), (y * z).sum(), (z * z).sum()])
    normal = null_direction(moments, eigenvalues(moments)[0])
    return normal, (normal * mean).sum()


def _best_plane(points: Tensor, generator: torch.Generator, rule: PlaneRule) -> Plane | None:
    normals, offsets = _hypotheses(points, generator, rule)
    if not len(normals):
        return None
    tested = points[torch.randperm(len(points), generator=generator)[: rule.tested]]
    support = ((tested @ normals.t() - offsets).abs() < rule.tolerance).sum(0)
    best = int(support.argmax())
    normal, offset = normals[best], offsets[best]
    for _ in range(_REFINEMENTS):
        inside = _inliers(points, normal, offset, rule.tolerance)
        if len(inside) < 3:
            return None
        normal, offset = least_squares_plane(points[inside])
    return Plane(normal, offset, _inliers(points, normal, offset, rule.tolerance))


def _inliers(points: Tensor, normal: Tensor, offset: Tensor, tolerance: float) -> Tensor:
    return ((points @ normal - offset).abs() < tolerance).nonzero().squeeze(1)


def _hypotheses(points: Tensor, generator: torch.Generator, rule: PlaneRule) -> tuple[Tensor, Tensor]:
    """Planes through triples of points that are neither far from each other nor on one line."""
    shape = (rule.hypotheses, _CANDIDATES + 1)
    drawn = points[torch.randint(len(points), shape, generator=generator)]
    side = drawn[:, 1:] - drawn[:, :1]
    length = side.norm(dim=2)
    near = ((length - rule.reach).abs() + (length < 1e-6) * 1e9).topk(2, dim=1, largest=False).indices
    rows = torch.arange(rule.hypotheses)
    first, second = side[rows, near[:, 0]], side[rows, near[:, 1]]
    normal = torch.linalg.cross(first, second)
    area = normal.norm(dim=1)
    usable = area > _LEAST_SINE * first.norm(dim=1) * second.norm(dim=1)
    normal = normal[usable] / area[usable, None]
    return normal, (normal * drawn[usable, 0]).sum(1)
