"""Surface normals by frame and region (protocol v1, section 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.geometry.alignment import ALIGNMENTS, Alignment, apply
from engine.geometry.moments import pencil_moments, point_moments, shifted_moments
from engine.geometry.neighbourhoods import Neighbourhoods, Strip
from engine.geometry.normals import angles, facing_normals
from engine.scoring.protocol import V1
from engine.scoring.truth import WindowTruth

# Normals do not depend on a common scale: `none` and `scale` share those of `median`.
ALIGNED = tuple(ALIGNMENTS.index(name) for name in ("median", "scale_shift"))
_INLIERS = ("inlier_11_25", "inlier_22_5", "inlier_30")
# At ten times the reach of the ground truth the direction of a point says all there is to say.
_FARTHEST = 1000.0
_CLEAR = 1e-6  # what is nearer to a limit than this share of it may be beyond it after rounding


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
    angle = torch.empty(len(ALIGNED), len(known.order), device=predicted.device)
    start = 0
    for frame, hood in enumerate(known.hoods):
        for strip, maps, moments in _moments(frame, predicted, valid, alignment, truth):
            first, last = strip.centres
            here = slice(start + first, start + last)
            normal = facing_normals(moments, hood.count[first:last], known.ray[:, here].unbind())
            angle[maps, here] = angles(normal.movedim(0, -2), known.normal[:, here])
        start += len(hood.place)
    angle = torch.stack([row.index_select(0, known.order) for row in angle])
    found = {
        "angular_mean": known.groups.means(angle),
        "angular_median": known.groups.medians(angle),
    }
    for name, limit in zip(_INLIERS, V1.normal_inliers, strict=True):
        found[name] = known.groups.means(angle < limit)
    found["coverage"] = known.coverage.expand_as(found["angular_mean"])
    return found


def _moments(
    frame: int, predicted: Tensor, valid: Tensor, alignment: Alignment, truth: WindowTruth
) -> Iterator[tuple[Strip, int | slice, Sequence[Tensor]]]:
    """Moments of one frame's aligned points, strip by strip: of one alignment, and its number, or of both at once."""
    known = truth.normals
    hood, rays = known.hoods[frame], known.rays[frame]
    start = sum(truth.groups.frame_sizes[:frame])
    points = slice(start, start + truth.groups.frame_sizes[frame])
    depth = predicted[points]
    part = alignment.part(frame)
    if known.ray_moments and (shifts := _shifts(depth, part)) is not None:
        ordered = _ordered(depth[None], hood)[0]
        for strip in known.strips[frame]:
            pencil = pencil_moments(ordered, rays, hood, strip)
            own = known.ray_moments[frame][:, slice(*strip.centres)]
            for index, shift in enumerate(shifts):
                yield strip, index, shifted_moments(pencil, own, shift)
        return
    aligned, _ = apply(part, depth, valid[points], (len(depth),), V1.least_depth)
    ordered = _ordered(aligned[list(ALIGNED)].clamp_(max=_FARTHEST), hood)
    for strip in known.strips[frame]:
        yield strip, slice(None), point_moments(ordered, rays, hood, strip).unbind()


def _ordered(depth: Tensor, hood: Neighbourhoods) -> Tensor:
    """Depth [T, n] as moments take it: in the order of pixels, with a zero in front."""
    return F.pad(torch.stack([row.index_select(0, hood.order) for row in depth]), (1, 0))


def _shifts(depth: Tensor, alignment: Alignment) -> tuple[float, ...] | None:
    """Shift over scale of each of the two alignments; ``None`` where one of them clamps a point. Only for the CPU,
    since whoever asks has to wait for the answer."""
    if not len(depth):
        return None
    low, high = (bound.double().numpy() for bound in depth.aminmax())
    scale, shift = alignment.scale.numpy()[list(ALIGNED), 0], alignment.shift.numpy()[list(ALIGNED), 0]
    least, most = scale * low + shift, scale * high + shift
    clear = low > 0 and least.min() > V1.least_depth * (1 + _CLEAR) and most.max() < _FARTHEST * (1 - _CLEAR)
    return tuple((shift / scale).tolist()) if clear else None
