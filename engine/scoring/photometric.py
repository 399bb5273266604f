"""Photometric consistency of neighbouring frames (protocol v1, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from engine.geometry.cameras import compose, rigid_inverse
from engine.geometry.warp import View, warp
from engine.inference.contract import Prediction
from engine.scoring.protocol import V1
from engine.scoring.tally import Tally
from engine.scoring.truth import WindowTruth


@dataclass(frozen=True, eq=False)
class Photometric:
    """What warping gave.

    Attributes:
        metrics: name -> [S, R], float64; NaN where no point is visible in the next frame, and in the last frame.
        curve: share of inliers at every threshold, [T, S, R], float64.
    """

    metrics: dict[str, Tensor]
    curve: Tensor


def photometric_metrics(prediction: Prediction, inverse: Tensor, depth: Tensor, truth: WindowTruth) -> Photometric:
    """Look up every ground-truth point in the next frame with predicted depth, poses and intrinsics.

    All in the model's own unit, whatever the alignment. Points whose predicted depth is not valid, that leave the view
    or are hidden in the next frame do not count. ``error``: mean absolute difference of RGB in [0, 1];
    ``inlier_ratio``: share of points below 0.05; ``inlier_auc``: area under the share of inliers over thresholds 0.01
    to 0.20, divided by their range.

    Args:
        prediction: of one window (B = 1).
        inverse: its inverse depth, [S, H, W], float32; NaN where the depth is not valid.
        depth: the prediction at the points, [N]; 0 where it is not valid.
        truth: the window.
    """
    groups = truth.groups
    error, visible = _differences(prediction, inverse, depth, truth)
    limits = _limits(depth.device)
    tally = Tally(groups, ("error", "seen", "inlier", "curve"))
    for block in groups.blocks:
        points = slice(*block.points)
        seen = visible[points].float()
        tally.add(block, "seen", seen)
        tally.add(block, "error", error[points] * seen)
        counted = error[points] / seen  # infinite or NaN where it does not count: below no threshold
        below = torch.empty(len(limits), len(seen), device=seen.device)
        tally.add(block, "inlier", torch.lt(counted, V1.photometric_inlier, out=seen))
        tally.add(block, "curve", torch.lt(counted, limits[:, None], out=below))
    sums = tally.totals("error", "seen", "inlier")
    seen = sums["seen"]
    curve = tally.totals("curve")["curve"] / seen
    area = (curve[1:] + curve[:-1]).mean(0) / 2  # trapezoids of equal width
    return Photometric(
        {"error": sums["error"] / seen, "inlier_ratio": sums["inlier"] / seen, "inlier_auc": area}, curve
    )


@cache
def _limits(device: torch.device) -> Tensor:
    """The thresholds of the inlier curve, float32."""
    return torch.tensor(V1.photometric_thresholds, device=device)


def _differences(prediction: Prediction, inverse: Tensor, depth: Tensor, truth: WindowTruth) -> tuple[Tensor, Tensor]:
    """Difference of colour of every point in the next frame, [N], and whether it was visible there, [N] bool."""
    frames = truth.groups.frames
    sizes = list(truth.groups.frame_sizes)
    extrinsics = prediction.world_to_camera[0].double()
    motion = compose(extrinsics[1:], rigid_inverse(extrinsics[:-1])).float()
    intrinsics = prediction.intrinsics[0].float()
    inverse = inverse.reshape(frames, -1)
    images = truth.images.reshape(frames, -1, 3)
    parts = zip(
        *(torch.split(values, sizes) for values in (truth.uv, depth, truth.colour)),
        strict=True,
    )
    errors, seen = [], []
    for frame, (uv, z, colour) in enumerate(parts):
        if frame == frames - 1:  # no frame follows the last one
            errors.append(torch.zeros_like(z))
            seen.append(torch.zeros_like(z, dtype=torch.bool))
            break
        view = View(images[frame + 1], inverse[frame + 1], intrinsics[frame + 1], truth.size)
        found, visible = warp(uv, z, intrinsics[frame], motion[frame], view, V1.hidden)
        errors.append((found - colour).abs_().mean(1))
        seen.append(visible)
    return torch.cat(errors), torch.cat(seen)
