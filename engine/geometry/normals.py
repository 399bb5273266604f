"""Surface normals of scattered points: total-least-squares planes through k x k pixel neighbourhoods.

Which points belong together is found once, from the ground truth; predicted points are then summed over the very same
neighbourhoods. See :mod:`engine.geometry.neighbourhoods`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.geometry.eigen import direction_along, eigenvalues, null_direction, smallest_eigenvalue
from engine.geometry.neighbourhoods import (
    Neighbourhoods,
    count_around,
    native_pixels,
    neighbourhoods,
    window_sums,
)

__all__ = [
    "Neighbourhoods",
    "NormalRule",
    "Patches",
    "PixelCloud",
    "angles",
    "count_around",
    "facing_normals",
    "fit_patches",
    "native_pixels",
    "neighbourhoods",
    "trusted",
    "window_sums",
]

# Sums of two factors, in the order of the products xx, xy, xz, yy, yz, zz.
_FIRST, _SECOND = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)


@dataclass(frozen=True, slots=True)
class NormalRule:
    """When a neighbourhood gives a normal.

    Attributes:
        window: side of the neighbourhood in native pixels, odd.
        points: least number of points in it.
        spread: least standard deviation of their pixel positions, in pixels, in the direction where it is least: points
            of a single scan line determine no plane.
        thickness: most that the distance to the plane (RMS) may be, relative to the standard deviation of the points
            along the shorter side of the patch: a patch as thick as it is wide has no normal.
        residual: most that the distance to the plane (RMS) may be: metres, and metres per metre of depth.
        jump: most that the distance to the plane along the viewing ray (RMS) may be: metres, and metres per metre of
            depth. A step in depth is bridged by a plane nearly along the ray, which its thickness does not betray.
        explained: a larger distance along the ray is no jump if it is less than this share of the standard deviation of
            depth: on a road seen at a grazing angle depth varies much, and smoothly.
    """

    window: int = 9
    points: int = 12
    spread: float = 1.0
    thickness: float = 0.3
    residual: tuple[float, float] = (0.02, 0.002)
    jump: tuple[float, float] = (0.02, 0.005)
    explained: float = 0.25


@dataclass(frozen=True, eq=False)
class PixelCloud:
    """The n points of one frame of the ground truth.

    Attributes:
        depth: [n], float64, metres.
        ray: viewing rays, z = 1, [n, 3], float64.
        pixel: native pixel of each point, [n], int64.
        width: of the native image.
    """

    depth: Tensor
    ray: Tensor
    pixel: Tensor
    width: int


@dataclass(frozen=True, eq=False)
class Patches:
    """Planes through neighbourhoods.

    Attributes:
        normal: unit normals turned towards the camera, [..., 3, Q], float64.
        variance: along the principal directions, ascending, [3, ..., Q]: thickness, width, length (squared).
        depth_variance: of z, [..., Q].
    """

    normal: Tensor
    variance: Tensor
    depth_variance: Tensor


def fit_patches(depth: Tensor, rays: Tensor, hood: Neighbourhoods) -> Patches:
    """Fit a plane to every neighbourhood of one frame.

    Args:
        depth: of the frame's points, [T, n], T depth maps at once.
        rays: viewing rays of the frame's points, z = 1, [n, 3].
        hood: their neighbourhoods.
    """
    ordered = rays[hood.order].double().t()
    x, y, z = (depth[:, hood.order].double()[:, None] * ordered).unbind(1)
    sums = window_sums(torch.stack([x, y, z, x * x, x * y, x * z, y * y, y * z, z * z]), hood) / hood.count
    mx, my, mz = sums[:3]
    squares = torch.stack([mx * mx, mx * my, mx * mz, my * my, my * mz, mz * mz])
    covariance = sums[3:] - squares
    smallest, middle, largest = eigenvalues(covariance)
    normal = null_direction(covariance, smallest)  # [3, T, Q]
    towards = (normal * rays[hood.centre].double().t()[:, None]).sum(0)
    normal = torch.where(towards > 0, -normal, normal)
    return Patches(normal.transpose(0, 1), torch.stack([smallest, middle, largest]), covariance[5])


def facing_normals(moments: Sequence[Tensor], count: Tensor, ray: Sequence[Tensor]) -> Tensor:
    """Normals of least-squares planes from sums over their points, turned towards the camera.

    Args:
        moments: sums of x, y, z, xx, xy, xz, yy, yz, zz, nine of [..., q], float64.
        count: points of each, [q], float64.
        ray: x and y of the viewing rays of the centres, [q] each, float64.

    Returns:
        [3, ..., q], float32.
    """
    # The count squared times the covariance: its scale does not matter.
    scatter = [
        (moments[3 + index] * count).addcmul_(moments[i], moments[j], value=-1.0)
        for index, (i, j) in enumerate(zip(_FIRST, _SECOND, strict=True))
    ]
    smallest = smallest_eigenvalue(scatter)
    found = torch.empty(3, *smallest.shape, dtype=torch.float32, device=smallest.device)
    for into, component in zip(found, direction_along(scatter, smallest, ray), strict=True):
        into.copy_(component)
    return found


def trusted(patches: Patches, hood: Neighbourhoods, cloud: PixelCloud, rule: NormalRule) -> Tensor:
    """Which neighbourhoods of the ground truth give a normal, [Q], bool.

    Args:
        patches: fitted to the depth of the cloud alone (T = 1).
        hood: the neighbourhoods.
        cloud: the points of the frame.
        rule: the thresholds.
    """
    thick, wide, _ = (variance[0].clamp(min=0.0).sqrt() for variance in patches.variance)
    z = cloud.depth[hood.centre]
    ray = cloud.ray[hood.centre]
    slant = (patches.normal[0].t() * ray).sum(1).abs() / ray.norm(dim=1)
    along_ray = thick / slant.clamp(min=1e-12)
    smooth = along_ray <= rule.explained * patches.depth_variance[0].clamp(min=0.0).sqrt()
    small = along_ray <= rule.jump[0] + rule.jump[1] * z
    kept: Tensor = (
        (hood.count >= rule.points)
        & (_pixel_spread(cloud, hood) >= rule.spread)
        & (thick <= rule.thickness * wide)
        & (thick <= rule.residual[0] + rule.residual[1] * z)
        & (small | smooth)
    )
    return kept


def _pixel_spread(cloud: PixelCloud, hood: Neighbourhoods) -> Tensor:
    """Standard deviation of pixel positions in the direction where it is least, [Q]."""
    ordered = cloud.pixel[hood.order]
    u, v = (ordered % cloud.width).double(), (ordered // cloud.width).double()
    mu, mv, uu, uv, vv = window_sums(torch.stack([u, v, u * u, u * v, v * v]), hood) / hood.count
    uu, uv, vv = uu - mu * mu, uv - mu * mv, vv - mv * mv
    least: Tensor = (uu + vv) / 2 - ((uu - vv) ** 2 / 4 + uv * uv).sqrt()
    return least.clamp(min=0.0).sqrt()


def angles(first: Tensor, second: Tensor) -> Tensor:
    """Angles in degrees between unit vectors [..., 3, Q], exact near 0 and near 180; 90 where one is 0.

    2 atan2(|a - b|, |a + b|), after Kahan.
    """
    apart, along = _length(first - second), _length(first + second)
    return torch.atan2(apart, along).mul_(2.0 * 180.0 / math.pi)


def _length(vector: Tensor) -> Tensor:
    """Lengths of vectors [..., 3, Q], which are overwritten."""
    x, y, z = vector.square_().unbind(-2)
    return x.add_(y).add_(z).sqrt_()
