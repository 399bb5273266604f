"""Surface normals by frame and region (protocol v1, section 4)."""

from __future__ import annotations

from itertools import accumulate, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.geometry.alignment import ALIGNMENTS, Alignment, apply
from engine.geometry.moments import point_moments
from engine.geometry.neighbourhoods import Neighbourhoods
from engine.geometry.normals import angles, facing_normals
from engine.geometry.patch_kernel import patch_angles
from engine.scoring.limits import sums_below
from engine.scoring.protocol import V1
from engine.scoring.truth import WindowTruth

# Normals do not depend on a common scale: `none` and `scale` share those of `median`.
ALIGNED = tuple(ALIGNMENTS.index(name) for name in ("median", "scale_shift"))
_INLIERS = ("inlier_11_25", "inlier_22_5", "inlier_30")
# At ten times the reach of the ground truth the direction of a point says all there is to say.
_FARTHEST = 1000.0


def normal_metrics(predicted: Tensor, valid: Tensor, alignment: Alignment, truth: WindowTruth) -> dict[str, Tensor]:
    """Angles between normals of predicted and of true points, taken over the same neighbourhoods.

    Args:
        predicted: depth at the points, [N]; 0 where it is not valid.
        valid: [N], bool.
        alignment: fitted to the window, or to every frame.
        truth: the window.

    Returns:
        Name -> [2, S, R] of ``median`` and ``scale_shift``, float64: ``angular_mean`` and ``angular_median`` in
        degrees, the shares ``inlier_11_25``, ``inlier_22_5`` and ``inlier_30`` (below that angle), NaN where no point
        has a normal; and ``coverage``, the share of points that have one.
    """
    known = truth.normals
    angle = (
        _compiled_angles(predicted, alignment, truth) if known.patches else _angles(predicted, valid, alignment, truth)
    )
    counted = sums_below(angle, known.groups, V1.normal_inliers)
    found = dict(zip(("angular_mean", *_INLIERS), counted / known.groups.counts, strict=True))
    found["angular_median"] = known.groups.medians(angle)
    found["coverage"] = known.coverage.expand_as(found["angular_mean"])
    return found


def _compiled_angles(predicted: Tensor, alignment: Alignment, truth: WindowTruth) -> Tensor:
    """Angles of ``median`` and ``scale_shift``, [2, Q], degrees, by frame and region; on a CPU."""
    frames = range(truth.groups.frames)
    parts = [alignment.part(frame) for frame in frames]
    return patch_angles(
        torch.split(predicted, list(truth.groups.frame_sizes)),
        [part.scale[list(ALIGNED), 0].float() for part in parts],
        [part.shift[list(ALIGNED), 0].float() for part in parts],
        (V1.least_depth, _FARTHEST),
        truth.normals.patches,
    )


def _angles(predicted: Tensor, valid: Tensor, alignment: Alignment, truth: WindowTruth) -> Tensor:
    """The same as tensor operations, on any device."""
    known = truth.normals
    points = pairwise(accumulate(truth.groups.frame_sizes, initial=0))
    depth = []
    for frame, (held, hood) in enumerate(zip(points, known.hoods, strict=True)):
        here = slice(*held)
        aligned, _ = apply(alignment.part(frame), predicted[here], valid[here], (len(hood.order),), V1.least_depth)
        depth.append(_ordered(aligned[list(ALIGNED)].clamp_(max=_FARTHEST), hood))
    moments = torch.cat([point_moments(*frame) for frame in zip(depth, known.rays, known.hoods, strict=True)], -1)
    count = torch.cat([hood.count for hood in known.hoods])
    normal = facing_normals(moments.unbind(), count, known.ray.unbind()).movedim(0, -2)
    angle = angles(normal, known.normal)
    return torch.stack([row.index_select(0, known.order) for row in angle])


def _ordered(depth: Tensor, hood: Neighbourhoods) -> Tensor:
    """Depth [T, n] in the order of pixels, with a zero in front: what a pixel without a point holds."""
    return F.pad(torch.stack([row.index_select(0, hood.order) for row in depth]), (1, 0))
