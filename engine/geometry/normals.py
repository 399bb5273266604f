"""Surface normals of scattered points: total-least-squares planes through k x k pixel neighbourhoods.

Points lie in a native image, at most one per pixel. Sorted by row and column, the points of one row of a neighbourhood
are neighbours in that order, so a sum over k x k pixels is k differences of running sums: the cost does not depend on
how dense the points are. Which points belong together is found once, from the ground truth; predicted points are then
summed over the very same neighbourhoods.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.geometry.eigen import eigenvalues, null_direction


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
class Neighbourhoods:
    """Which points of a frame belong to the neighbourhoods of Q centres.

    Attributes:
        order: positions of the frame's points in row-major pixel order, [n], int64.
        ends: for every centre the ends, then the starts of its runs in that order, [Q, 2 * window], int32.
        count: points in each neighbourhood, [Q], float64.
        centre: positions of the centres among the frame's points, [Q], int64.
    """

    order: Tensor
    ends: Tensor
    count: Tensor
    centre: Tensor

    def subset(self, kept: Tensor) -> Neighbourhoods:
        """The neighbourhoods of some of the centres, given as a mask or indices."""
        return Neighbourhoods(self.order, self.ends[kept].contiguous(), self.count[kept], self.centre[kept])

    def to(self, device: torch.device) -> Neighbourhoods:
        """The same on a device."""
        moved = (tensor.to(device) for tensor in (self.order, self.ends, self.count, self.centre))
        return Neighbourhoods(*moved)


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


def native_pixels(uv: Tensor, size: tuple[int, int]) -> Tensor:
    """Row-major number of the native pixel of each position, [n, 2] -> [n], int64; positions lie inside the image."""
    height, width = size
    column = (uv[:, 0] + 0.5).floor().long().clamp(0, width - 1)
    row = (uv[:, 1] + 0.5).floor().long().clamp(0, height - 1)
    return row * width + column


def neighbourhoods(pixel: Tensor, size: tuple[int, int], window: int) -> Neighbourhoods:
    """The neighbourhood of every point of a frame.

    Args:
        pixel: native pixel of each point, [n], int64, as :func:`native_pixels` gives it.
        size: (height, width) of the native image.
        window: side in pixels, odd.
    """
    ends, count = _runs(pixel, pixel, size, window)
    order = pixel.argsort(stable=True)
    centre = torch.arange(len(pixel), device=pixel.device)
    return Neighbourhoods(order, ends, count, centre)


def count_around(pixel: Tensor, others: Tensor, size: tuple[int, int], window: int) -> Tensor:
    """How many of ``others`` (native pixels, [m]) lie in the window around each pixel: [n], float64."""
    return _runs(pixel, others, size, window)[1]


def _runs(pixel: Tensor, others: Tensor, size: tuple[int, int], window: int) -> tuple[Tensor, Tensor]:
    height, width = size
    before = torch.zeros(height * width + 1, dtype=torch.int32, device=pixel.device)
    before[1:] = torch.bincount(others, minlength=height * width).cumsum(0)
    reach = window // 2
    offset = torch.arange(-reach, reach + 1, device=pixel.device)
    row = (pixel // width)[:, None] + offset
    column = (pixel % width)[:, None]
    first = row.clamp(0, height - 1) * width
    start = before[first + (column - reach).clamp(min=0)]
    end = before[first + (column + reach).clamp(max=width - 1) + 1]
    start = torch.where((row >= 0) & (row < height), start, end)
    return torch.cat([end, start], dim=1), (end - start).sum(1).double()


def fit_patches(depth: Tensor, rays: Tensor, hood: Neighbourhoods) -> Patches:
    """Fit a plane to every neighbourhood of one frame.

    Args:
        depth: of the frame's points, [T, n], T depth maps at once.
        rays: viewing rays of the frame's points, z = 1, [n, 3].
        hood: their neighbourhoods.
    """
    ordered = rays[hood.order].double().t()
    points = depth[:, hood.order].double()[:, None] * ordered  # [T, 3, n]
    points = points - points.mean(
        -1, keepdim=True
    )  # running sums of squares stay small, so their differences are exact
    x, y, z = points.unbind(1)
    sums = window_sums(torch.stack([x, y, z, x * x, x * y, x * z, y * y, y * z, z * z]), hood) / hood.count
    mx, my, mz = sums[:3]
    squares = torch.stack([mx * mx, mx * my, mx * mz, my * my, my * mz, mz * mz])
    covariance = sums[3:] - squares
    smallest, middle, largest = eigenvalues(covariance)
    normal = null_direction(covariance, smallest)  # [3, T, Q]
    towards = (normal * rays[hood.centre].double().t()[:, None]).sum(0)
    normal = torch.where(towards > 0, -normal, normal)
    return Patches(normal.transpose(0, 1), torch.stack([smallest, middle, largest]), covariance[5])


def window_sums(values: Tensor, hood: Neighbourhoods) -> Tensor:
    """Sums of values [..., n] (in the order of ``hood.order``) over every neighbourhood: [..., Q]."""
    centres = hood.ends.shape[0]
    if not centres:
        return values.new_zeros(*values.shape[:-1], 0)
    flat = F.pad(values.reshape(-1, values.shape[-1]), (1, 0)).cumsum(1).t().contiguous()
    runs = hood.ends.shape[1] // 2
    sign = torch.ones_like(hood.ends, dtype=values.dtype)
    sign[:, runs:] = -1.0
    sums: Tensor = F.embedding_bag(hood.ends, flat, mode="sum", per_sample_weights=sign)
    return sums.t().reshape(*values.shape[:-1], centres)


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
    apart, along = first - second, first + second
    return torch.rad2deg(2.0 * torch.atan2(_length(apart), _length(along)))


def _length(vector: Tensor) -> Tensor:
    x, y, z = vector.unbind(-2)
    return (x * x + y * y + z * z).sqrt()
