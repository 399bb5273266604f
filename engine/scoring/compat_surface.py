"""Surfaces of the existing system: normals across holes, one plane per frame. See :mod:`engine.scoring.compat`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.scoring.compat_depth import masked_lower_median, masked_mean, masked_share

_NORM_EPSILON = 1e-8
_LEAST_PLANE_POINTS = 50
_PLANE_INLIER_M = 0.1


def unproject(depth: Tensor, intrinsics: Tensor) -> Tensor:
    """Camera-frame points of every pixel, [S, H, W], [S, 3, 3] -> [S, H, W, 3]; skew is ignored."""
    height, width = depth.shape[-2:]
    v = torch.arange(height, device=depth.device, dtype=depth.dtype)[:, None]
    u = torch.arange(width, device=depth.device, dtype=depth.dtype)[None, :]
    k = intrinsics[:, :, :, None, None]
    x = (u - k[:, 0, 2]) / k[:, 0, 0] * depth
    y = (v - k[:, 1, 2]) / k[:, 1, 1] * depth
    return torch.stack([x, y, depth], dim=-1)


def normals_metrics(
    depth: Tensor, gt: Tensor, masks: Mapping[str, Tensor], intrinsics: Tensor
) -> dict[str, dict[str, Tensor]]:
    """Angles between normals from neighbouring pixels, whatever the neighbours hold.

    Args:
        depth: aligned prediction, [S, H, W].
        gt: ground truth with 0 in its holes, [S, H, W].
        masks: region -> [S, H, W].
        intrinsics: [S, 3, 3].

    Returns:
        Region -> metric -> [S], degrees and shares.
    """
    cosine = (_normals(depth, intrinsics) * _normals(gt, intrinsics)).sum(dim=-1).clamp(-1.0, 1.0)
    angles = torch.rad2deg(torch.arccos(cosine))
    return {
        region: {
            "angular_mean": masked_mean(angles, mask),
            "angular_median": masked_lower_median(angles, mask),
            "inlier_11_25": masked_share(angles < 11.25, mask),
            "inlier_22_5": masked_share(angles < 22.5, mask),
            "inlier_30": masked_share(angles < 30.0, mask),
        }
        for region, mask in masks.items()
    }


def planarity_metrics(depth: Tensor, gt: Tensor, mask: Tensor, intrinsics: Tensor) -> dict[str, Tensor]:
    """Predicted points against one plane through all ground-truth points of the mask, metric -> [S].

    The plane's normal is the eigenvector of the smallest eigenvalue of the points' scatter, which is the last right
    singular vector of the centred points. NaN where a frame has fewer than 50 points.
    """
    points = torch.where(mask[..., None], unproject(gt, intrinsics), 0).flatten(1, 2)
    inside = mask.flatten(1)
    counts = inside.sum(dim=1)
    centroid = points.sum(dim=1) / counts.clamp(min=1)[:, None]
    centred = torch.where(inside[..., None], points - centroid[:, None], 0)
    # A frame without finite points would make the whole batch fail.
    scatter = (centred.mT @ centred).nan_to_num(0.0, 0.0, 0.0)
    normal = torch.linalg.eigh(scatter).eigenvectors[..., 0]
    off = unproject(depth, intrinsics) - centroid[:, None, None]
    residual = (off * normal[:, None, None]).sum(dim=-1).abs()
    enough = counts >= _LEAST_PLANE_POINTS
    found = {
        "residual_mean": masked_mean(residual, mask),
        "residual_median": masked_lower_median(residual, mask),
        "inlier_ratio": masked_share(residual < _PLANE_INLIER_M, mask),
    }
    return {name: torch.where(enough, value, torch.nan) for name, value in found.items()}


def _normals(depth: Tensor, intrinsics: Tensor) -> Tensor:
    """Cross products of the differences to the pixel above and the pixel to the left; zero on the first row and
    column, where the padded difference is zero."""
    points = unproject(depth, intrinsics)
    down = F.pad(points[:, 1:] - points[:, :-1], (0, 0, 0, 0, 1, 0))
    right = F.pad(points[:, :, 1:] - points[:, :, :-1], (0, 0, 1, 0))
    cross = _cross(down, right)
    length: Tensor = torch.linalg.vector_norm(cross, dim=-1, keepdim=True)
    return cross / (length + _NORM_EPSILON)


def _cross(a: Tensor, b: Tensor) -> Tensor:
    """Cross products along the last axis, each product rounded on its own.

    Where both neighbours are holes the two differences are the same vector and the product is exactly zero. A kernel
    that fuses multiplication and subtraction leaves rounding there instead, which normalises to a random direction.
    """
    ax, ay, az = a.unbind(-1)
    bx, by, bz = b.unbind(-1)
    return torch.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], dim=-1)
