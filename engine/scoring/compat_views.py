"""Views and poses of the existing system: warping with mixed scales, poses without alignment.

See :mod:`engine.scoring.compat`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.scoring.compat_depth import masked_mean, masked_share
from engine.scoring.compat_surface import unproject

_LEAST_Z = 1e-4
_INLIER = 0.05


def photometric_metrics(
    images: Tensor, depth: Tensor, extrinsics: Tensor, intrinsics: Tensor, mask: Tensor
) -> dict[str, Tensor]:
    """Each frame against the next one, warped into it by aligned depth and unscaled predicted poses, metric -> [S].

    Args:
        images: [S, 3, H, W].
        depth: aligned prediction, [S, H, W].
        extrinsics: predicted, [S, 3, 4].
        intrinsics: predicted, [S, 3, 3].
        mask: pixels of the source frames, [S, H, W].

    Returns:
        ``error`` and ``inlier_ratio``; NaN for the last frame, and where no pixel of the mask lands in view.
    """
    missing = depth.new_full((len(depth),), torch.nan)
    if len(depth) < 2:
        return {"error": missing, "inlier_ratio": missing}
    height, width = depth.shape[-2:]
    poses = homogeneous(extrinsics)
    points = unproject(depth[:-1], intrinsics[:-1]).flatten(1, 2)
    points = F.pad(points, (0, 1), value=1.0)
    world = torch.linalg.solve_ex(poses[:-1], points.mT).result
    x, y, z = (poses[1:] @ world)[:, :3].unbind(dim=1)
    z = z.clamp(min=_LEAST_Z)
    k = intrinsics[1:, :, :, None]
    u = (k[:, 0, 0] * x / z + k[:, 0, 2]) / (width - 1) * 2 - 1
    v = (k[:, 1, 1] * y / z + k[:, 1, 2]) / (height - 1) * 2 - 1
    grid = torch.stack([u, v], dim=-1).reshape(-1, height, width, 2)
    warped = F.grid_sample(images[1:], grid, mode="bilinear", padding_mode="zeros", align_corners=True)
    difference = (images[:-1] - warped).abs().mean(dim=1)
    seen = mask[:-1] & ((grid >= -1) & (grid <= 1)).all(dim=-1)
    return {
        "error": torch.cat([masked_mean(difference, seen), missing[:1]]),
        "inlier_ratio": torch.cat([masked_share(difference < _INLIER, seen), missing[:1]]),
    }


def pose_metrics(extrinsics: Tensor, gt: Tensor) -> dict[str, Tensor]:
    """Mean pose errors of a window, metric -> scalar: world-to-camera translations as they are, and relative poses
    formed as ``inv(E_i) E_{i+1}``.

    Args:
        extrinsics: predicted world-to-camera, [S, 3, 4].
        gt: ground truth, [S, 3, 4].

    Returns:
        ``ate_trans``, ``ate_rot_deg``, ``rpe_trans``, ``rpe_rot_deg``; the last two NaN for a single frame.
    """
    predicted, true = _steps(extrinsics), _steps(gt)
    return {
        "ate_trans": torch.linalg.vector_norm(extrinsics[:, :, 3] - gt[:, :, 3], dim=-1).mean(),
        "ate_rot_deg": _angle(extrinsics[:, :, :3], gt[:, :, :3]).mean(),
        "rpe_trans": torch.linalg.vector_norm(predicted[:, :3, 3] - true[:, :3, 3], dim=-1).mean(),
        "rpe_rot_deg": _angle(predicted[:, :3, :3], true[:, :3, :3]).mean(),
    }


def homogeneous(extrinsics: Tensor) -> Tensor:
    """[S, 3, 4] -> [S, 4, 4]."""
    last = extrinsics.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(len(extrinsics), 1, 4)
    return torch.cat([extrinsics, last], dim=1)


def _steps(extrinsics: Tensor) -> Tensor:
    poses = homogeneous(extrinsics)
    steps: Tensor = torch.linalg.solve_ex(poses[:-1], poses[1:]).result
    return steps


def _angle(a: Tensor, b: Tensor) -> Tensor:
    """Angles in degrees between rotations, [N, 3, 3], [N, 3, 3] -> [N]."""
    trace = torch.diagonal(a @ b.mT, dim1=-2, dim2=-1).sum(dim=-1)
    return torch.rad2deg(torch.arccos(((trace - 1) / 2).clamp(-1.0, 1.0)))
