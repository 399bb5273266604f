"""Planarity of predicted points on the planes of the ground truth (protocol v1, section 4)."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.geometry.eigen import eigenvalues, null_direction
from engine.scoring.protocol import V1
from engine.scoring.truth import PlaneTruth, WindowTruth

PLANARITY = ("inlier_ratio", "residual_mean", "residual_median", "self_residual")


def planarity_metrics(aligned: Tensor, truth: WindowTruth) -> dict[str, Tensor]:
    """How predicted points lie on their true planes, and on planes of their own.

    ``inlier_ratio``: share nearer than 0.1 m to the true plane; ``residual_mean`` and ``residual_median``: distance to
    it, metres; ``self_residual``: mean distance to the least-squares plane of the predicted points themselves. Each is
    computed for every plane and averaged over a frame's planes, weighted by their points.

    Args:
        aligned: [A, N], metres, positive.
        truth: the window.

    Returns:
        Name -> [A, S, R], float64; NaN in every region but the one that was split, and in frames without a plane.
    """
    planes = truth.planes
    shape = (len(aligned), truth.groups.frames, len(truth.regions))
    empty = torch.full(shape, torch.nan, dtype=torch.float64, device=aligned.device)
    if planes is None or not planes.groups.frames:
        return dict.fromkeys(PLANARITY, empty)
    depth = aligned[:, planes.point].double()
    residual = (depth * planes.slope - planes.offset).abs()
    per_plane = {
        "inlier_ratio": planes.groups.means(residual < V1.plane_inlier),
        "residual_mean": planes.groups.means(residual),
        "residual_median": planes.groups.medians(residual),
        "self_residual": planes.groups.means(_self_distance(depth, truth.ray[planes.point].double(), planes)),
    }
    found = {}
    for name, values in per_plane.items():
        weighted = (values * planes.share).sum(-2)  # [A, K, 1] * [K, S] -> [A, S]
        found[name] = empty.clone()
        found[name][..., planes.region] = torch.where(planes.found, weighted, torch.nan)
    return found


def _self_distance(depth: Tensor, ray: Tensor, planes: PlaneTruth) -> Tensor:
    """Distance of every point to the least-squares plane through the predicted points of its plane, [A, P]."""
    points = depth[:, None] * ray.t()  # [A, 3, P]
    mean = planes.groups.means(points)[..., 0]  # [A, 3, K]
    x, y, z = (points - mean[..., planes.plane]).unbind(1)
    moments = planes.groups.sums(torch.stack([x * x, x * y, x * z, y * y, y * z, z * z]))[..., 0]
    normal = null_direction(moments, eigenvalues(moments)[0])[..., planes.plane]  # [3, A, P]
    return (x * normal[0] + y * normal[1] + z * normal[2]).abs()
