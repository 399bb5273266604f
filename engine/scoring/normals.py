"""Surface normals by frame and region (protocol v1, section 4)."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.geometry.normals import angles, fit_patches
from engine.scoring.protocol import V1
from engine.scoring.truth import WindowTruth

_INLIERS = ("inlier_11_25", "inlier_22_5", "inlier_30")
# Farther points would drown their neighbours in the running sums; at ten times the reach of the ground truth their
# direction says all there is to say.
_FARTHEST = 1000.0


def normal_metrics(aligned: Tensor, truth: WindowTruth) -> dict[str, Tensor]:
    """Angles between normals of predicted and of true points, taken over the same neighbourhoods.

    Args:
        aligned: T depth maps at the points, [T, N], metres, positive.
        truth: the window.

    Returns:
        Name -> [T, S, R], float64: ``angular_mean`` and ``angular_median`` in degrees, the shares ``inlier_11_25``,
        ``inlier_22_5`` and ``inlier_30`` (below that angle), NaN where no point has a normal; and ``coverage``, the
        share of points that have one.
    """
    known = truth.normals
    sizes = truth.groups.frame_sizes
    depth = aligned.clamp(max=_FARTHEST)
    predicted = [
        fit_patches(z, ray, hood).normal.float()
        for z, ray, hood in zip(
            torch.split(depth, list(sizes), dim=1), torch.split(truth.ray, list(sizes)), known.hoods, strict=True
        )
    ]
    angle = angles(torch.cat(predicted, dim=-1), known.normal)
    found = {
        "angular_mean": known.groups.means(angle),
        "angular_median": known.groups.medians(angle),
    }
    for name, limit in zip(_INLIERS, V1.normal_inliers, strict=True):
        found[name] = known.groups.means(angle < limit)
    found["coverage"] = known.coverage.expand_as(found["angular_mean"])
    return found
