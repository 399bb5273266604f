"""Errors of camera trajectories: absolute and relative pose errors, and accuracy over all pairs.

For a window's handful of poses, in float64 on the CPU: they are smaller than the cost of sending them anywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.geometry.cameras import compose, rigid_inverse

# Where the camera centres leave a rotation free (on one line, or all in one place) the orientations settle it. As small
# as this the term changes nothing where the centres do determine it.
_ORIENTATION_WEIGHT = 1e-12
_COLLAPSED = 1e-6  # spread of predicted centres, relative to their distance from the origin, below which they are one


@dataclass(frozen=True, eq=False)
class Similarity:
    """``x -> scale * rotation @ x + translation``.

    Attributes:
        scale: scalar; 0 where the centres to be moved are all in one place.
        rotation: [3, 3].
        translation: [3].
    """

    scale: Tensor
    rotation: Tensor
    translation: Tensor


def umeyama(moved: Tensor, fixed: Tensor) -> Similarity:
    """The similarity that brings camera centres closest to others in the least-squares sense (Umeyama 1991).

    Args:
        moved: camera-to-world poses, [S, 4, 4], float64.
        fixed: as many, [S, 4, 4].
    """
    x, y = moved[:, :3, 3], fixed[:, :3, 3]
    mean_x, mean_y = x.mean(0), y.mean(0)
    x, y = x - mean_x, y - mean_y
    variance_x, variance_y = (x * x).sum(1).mean(), (y * y).sum(1).mean()
    collapsed = bool(variance_x <= _COLLAPSED**2 * (moved[:, :3, 3] ** 2).sum(1).mean())
    if collapsed:
        variance_x, x = torch.zeros_like(variance_x), torch.zeros_like(x)
    covariance = y.t() @ x / len(x)
    unit = (variance_x * variance_y).sqrt()
    centres = covariance / unit if unit > 0 else torch.zeros_like(covariance)
    orientations = (fixed[:, :3, :3] @ moved[:, :3, :3].transpose(1, 2)).mean(0)
    u, _, vt = torch.linalg.svd(centres + _ORIENTATION_WEIGHT * orientations)
    sign = torch.ones(3, dtype=moved.dtype)
    sign[2] = torch.sign(torch.linalg.det(u) * torch.linalg.det(vt))
    rotation = u @ torch.diag(sign) @ vt
    scale = (rotation * covariance).sum() / variance_x if variance_x > 0 else torch.zeros_like(variance_x)
    return Similarity(scale, rotation, mean_y - scale * (rotation @ mean_x))


def transform(similarity: Similarity, poses: Tensor) -> Tensor:
    """Camera-to-world poses [S, 4, 4] after a similarity; their rotations stay rotations."""
    moved = poses.clone()
    moved[:, :3, :3] = similarity.rotation @ poses[:, :3, :3]
    moved[:, :3, 3] = similarity.scale * (poses[:, :3, 3] @ similarity.rotation.t()) + similarity.translation
    return moved


def path_length(poses: Tensor) -> float:
    """Length of the way through the camera centres of poses [S, 4, 4]."""
    return float((poses[1:, :3, 3] - poses[:-1, :3, 3]).norm(dim=1).sum())


def rotation_angle(rotation: Tensor) -> Tensor:
    """Angle in degrees of rotations [..., 3, 3], exact near 0: by atan2 of sine (from the skew part) and cosine."""
    skew = rotation - rotation.transpose(-1, -2)
    sine = torch.stack([skew[..., 2, 1], skew[..., 0, 2], skew[..., 1, 0]], dim=-1).norm(dim=-1) / 2
    cosine = (rotation.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2
    return torch.rad2deg(torch.atan2(sine, cosine))


def absolute_errors(aligned: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Distance (metres) and angle (degrees) between aligned and true camera-to-world poses, [S] each."""
    distance = (aligned[:, :3, 3] - truth[:, :3, 3]).norm(dim=1)
    return distance, rotation_angle(truth[:, :3, :3].transpose(1, 2) @ aligned[:, :3, :3])


def relative_errors(aligned: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Translation (metres) and rotation (degrees) of inv(true motion) * predicted motion between neighbours, [S-1]."""
    predicted = compose(rigid_inverse(aligned[:-1]), aligned[1:])
    true = compose(rigid_inverse(truth[:-1]), truth[1:])
    error = compose(rigid_inverse(true), predicted)
    return error[:, :3, 3].norm(dim=1), rotation_angle(error[:, :3, :3])


def pair_errors(predicted: Tensor, truth: Tensor, least_baseline: float) -> tuple[Tensor, Tensor]:
    """Errors of the relative pose of every pair of frames: no alignment is needed, since only directions are compared.

    As in the evaluation of VGGT (Wang et al. 2025), the two directions of a line count as the same.

    Args:
        predicted: camera-to-world poses, [S, 4, 4].
        truth: as many.
        least_baseline: metres; a pair that is nearer in truth has no direction and takes NaN.

    Returns:
        Angle of rotation and angle between translations in degrees, [S (S - 1) / 2] each; 90 for the latter where the
        prediction does not move.
    """
    i, j = torch.triu_indices(len(truth), len(truth), offset=1)
    relative_p = compose(rigid_inverse(predicted[i]), predicted[j])
    relative_t = compose(rigid_inverse(truth[i]), truth[j])
    rotation = rotation_angle(relative_t[:, :3, :3].transpose(1, 2) @ relative_p[:, :3, :3])
    p, t = relative_p[:, :3, 3], relative_t[:, :3, 3]
    baseline = t.norm(dim=1)
    p = torch.nn.functional.normalize(p, dim=1, eps=1e-12)
    t = torch.nn.functional.normalize(t, dim=1, eps=1e-12)
    sine, cosine = torch.linalg.cross(t, p, dim=1).norm(dim=1), (t * p).sum(1).abs()
    direction = torch.rad2deg(torch.atan2(sine, cosine))
    direction = torch.where(p.norm(dim=1) > 0.5, direction, torch.full_like(direction, 90.0))
    return rotation, torch.where(baseline < least_baseline, torch.nan, direction)


def accuracy_auc(rotation: Tensor, translation: Tensor, limit: int = 30) -> float:
    """Mean over thresholds 1, 2, ..., ``limit`` degrees of the share of pairs whose larger error is below (the last
    threshold itself included): the AUC that the VGGT paper reports. NaN without pairs."""
    worst = torch.maximum(rotation, translation)
    if not worst.numel():
        return math.nan
    thresholds = torch.arange(1, limit + 1, dtype=worst.dtype)
    below = worst[:, None] < thresholds
    below[:, -1] |= worst == limit
    return float(below.double().mean())
