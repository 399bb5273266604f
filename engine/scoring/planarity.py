"""Planarity of predicted points on the planes of the ground truth (protocol v1, section 4)."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.geometry.alignment import Alignment, apply
from engine.geometry.eigen import eigenvalues, null_direction
from engine.scoring.plane_kernel import PlaneSums
from engine.scoring.protocol import V1
from engine.scoring.tally import Tally
from engine.scoring.truth import PlaneTruth, WindowTruth

PLANARITY = ("inlier_ratio", "residual_mean", "residual_median", "self_residual")


def planarity_metrics(predicted: Tensor, valid: Tensor, alignment: Alignment, truth: WindowTruth) -> dict[str, Tensor]:
    """How predicted points lie on their true planes, and on planes of their own.

    ``inlier_ratio``: share nearer than 0.1 m to the true plane; ``residual_mean`` and ``residual_median``: distance to
    it, metres; ``self_residual``: mean distance to the least-squares plane of the predicted points themselves. Each is
    computed for every plane and averaged over a frame's planes, weighted by their points.

    Args:
        predicted: depth at the points, [N]; 0 where it is not valid.
        valid: [N], bool.
        alignment: fitted to the window, or to every frame.
        truth: the window.

    Returns:
        Name -> [A, S, R] of every alignment, float64; NaN in every region but the one that was split, and in frames
        without a plane.
    """
    planes = truth.planes
    shape = (len(alignment.scale), truth.groups.frames, len(truth.regions))
    empty = torch.full(shape, torch.nan, dtype=torch.float64, device=predicted.device)
    if planes is None:
        return dict.fromkeys(PLANARITY, empty)
    if predicted.device.type == "cpu":
        per_plane = _compiled(predicted.index_select(0, planes.point), alignment, planes)
    else:
        per_plane = _by_operations(predicted, valid, alignment, planes)
    found = {}
    for name in PLANARITY:
        weighted = (per_plane[name] * planes.share).sum(-2)  # [A, K, 1] * [K, S] -> [A, S]
        found[name] = empty.clone()
        found[name][..., planes.region] = torch.where(planes.found, weighted, torch.nan)
    return found


def _compiled(predicted: Tensor, alignment: Alignment, planes: PlaneTruth) -> dict[str, Tensor]:
    """Every metric of every plane, name -> [A, K, 1], of depth at the points of planes; on a CPU."""
    counts = planes.groups.counts[:, 0]
    sums = PlaneSums(predicted, alignment, planes)
    normal, offset = _own_planes(sums.first / counts, sums.second / counts)
    return {
        "inlier_ratio": (sums.inliers / counts)[..., None],
        "residual_mean": (sums.distance / counts)[..., None],
        "residual_median": planes.groups.medians(sums.residual),
        "self_residual": (sums.distances(normal, offset, planes) / counts)[..., None],
    }


def _by_operations(predicted: Tensor, valid: Tensor, alignment: Alignment, planes: PlaneTruth) -> dict[str, Tensor]:
    """The same as tensor operations on the depth at all points; on any device."""
    sizes = planes.frame_sizes if alignment.scale.shape[1] > 1 else (len(planes.point),)
    here = predicted.index_select(0, planes.point), valid.index_select(0, planes.point)
    depth = apply(alignment, *here, sizes, V1.least_depth)[0].double()
    return _residuals(depth, planes) | {"self_residual": _self_residual(depth, planes)}


def _own_planes(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Normals [3, A, K] and offsets [A, K] of least-squares planes, of means of x, y, z, [3, A, K], and of xx, xy, xz,
    yy, yz, zz, [6, A, K]."""
    x, y, w = first
    covariance = second - torch.stack([x * x, x * y, x * w, y * y, y * w, w * w])
    normal = null_direction(covariance, eigenvalues(covariance)[0])
    return normal, (normal * first).sum(0)


def _residuals(depth: Tensor, planes: PlaneTruth) -> dict[str, Tensor]:
    """Distances to the true planes: name -> [A, K, 1]."""
    groups = planes.groups
    tally = Tally(groups, ("inlier_ratio", "residual_mean"))
    residual = torch.empty_like(depth)
    for block in groups.blocks:
        points = slice(*block.points)
        here = torch.mul(depth[:, points], planes.slope[points], out=residual[:, points])
        here.sub_(planes.offset[points]).abs_()
        tally.add(block, "residual_mean", here)
        tally.add(block, "inlier_ratio", torch.lt(here, V1.plane_inlier, out=torch.empty_like(here)))
    found = {name: values / groups.counts for name, values in tally.totals("inlier_ratio", "residual_mean").items()}
    return found | {"residual_median": groups.medians(residual)}


def _self_residual(depth: Tensor, planes: PlaneTruth) -> Tensor:
    """Mean distance to the least-squares plane through the predicted points of each plane, [A, K, 1]."""
    groups = planes.groups
    tally = Tally(groups, ("first", "second", "distance"))
    for block in groups.blocks:
        points = slice(*block.points)
        z = depth[:, points]
        tally.note(block, "first", z @ planes.ray[points])
        tally.note(block, "second", z.square() @ planes.ray_products[points])
    # Sums of z ray and z^2 ray ray^T of every plane: [3, A, K] and [6, A, K].
    normal, offset = _own_planes(_of_planes(tally, "first", planes), _of_planes(tally, "second", planes))
    for block in groups.blocks:
        points, k = slice(*block.points), block.frame
        distance = (normal[:, :, k].t() @ planes.ray[points].t()).mul_(depth[:, points])
        tally.add(block, "distance", distance.sub_(offset[:, k, None]).abs_())
    return tally.totals("distance")["distance"] / groups.counts


def _of_planes(tally: Tally, name: str, planes: PlaneTruth) -> Tensor:
    """Means over planes of what was noted as [A, C] of every block: [C, A, K]."""
    sums = planes.groups.gathered(tally.pieces(name)[0])  # [A, C, K, 1]
    return (sums / planes.groups.counts)[..., 0].transpose(0, 1)
