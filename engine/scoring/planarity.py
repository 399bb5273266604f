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
    if planes is None:
        return dict.fromkeys(PLANARITY, empty)
    depth = aligned.index_select(1, planes.point).double()
    residual = (depth * planes.slope - planes.offset).abs()
    per_plane = {
        "inlier_ratio": planes.groups.means(residual < V1.plane_inlier),
        "residual_mean": planes.groups.means(residual),
        "residual_median": planes.groups.medians(residual),
        "self_residual": _self_residual(depth, planes),
    }
    found = {}
    for name, values in per_plane.items():
        weighted = (values * planes.share).sum(-2)  # [A, K, 1] * [K, S] -> [A, S]
        found[name] = empty.clone()
        found[name][..., planes.region] = torch.where(planes.found, weighted, torch.nan)
    return found


def _self_residual(depth: Tensor, planes: PlaneTruth) -> Tensor:
    """Mean distance to the least-squares plane through the predicted points of each plane, [A, K, 1]."""
    sizes = list(planes.groups.sizes)
    parts = list(zip(torch.split(depth, sizes, dim=1), torch.split(planes.ray, sizes), strict=True))
    products = torch.split(planes.ray_products, sizes)
    count = planes.groups.counts
    # Sums of z ray and z^2 ray ray^T, plane by plane: [A, K, 3] and [A, K, 6].
    mean = torch.stack([z @ ray for z, ray in parts], dim=1) / count
    squares = (
        torch.stack([z.square() @ product for (z, _), product in zip(parts, products, strict=True)], dim=1) / count
    )
    x, y, w = mean.unbind(-1)
    covariance = squares.movedim(-1, 0) - torch.stack([x * x, x * y, x * w, y * y, y * w, w * w])
    normal = null_direction(covariance, eigenvalues(covariance)[0])  # [3, A, K]
    offset = (normal * mean.movedim(-1, 0)).sum(0)
    distances = [
        (z * (normal[:, :, k].t() @ ray.t()) - offset[:, k, None]).abs().mean(1) for k, (z, ray) in enumerate(parts)
    ]
    return torch.stack(distances, dim=1)[..., None]
