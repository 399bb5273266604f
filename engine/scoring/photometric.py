"""Photometric consistency of neighbouring frames (protocol v1, section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.geometry.sampling import inverse_depth
from engine.geometry.warp import warp_to_next
from engine.inference.contract import Prediction
from engine.scoring.protocol import V1
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


def photometric_metrics(prediction: Prediction, depth: Tensor, valid: Tensor, truth: WindowTruth) -> Photometric:
    """Look up every ground-truth point in the next frame with predicted depth, poses and intrinsics.

    All in the model's own unit, whatever the alignment. Points whose predicted depth is not valid, that leave the view
    or are hidden in the next frame do not count. ``error``: mean absolute difference of RGB in [0, 1];
    ``inlier_ratio``: share of points below 0.05; ``inlier_auc``: area under the share of inliers over thresholds 0.01
    to 0.20, divided by their range.

    Args:
        prediction: of one window (B = 1).
        depth: the prediction at the points, [N].
        valid: where it is valid, [N], bool.
        truth: the window.
    """
    groups = truth.groups
    sizes = groups.frame_sizes
    count = sum(sizes[:-1])  # points lie frame by frame, and the last frame has no next one
    warped = warp_to_next(
        truth.uv[:count],
        depth[:count],
        valid[:count],
        truth.frame[:count],
        truth.images,
        inverse_depth(prediction.depth[0]).nan_to_num(nan=0.0),
        prediction.world_to_camera[0],
        prediction.intrinsics[0],
        V1.hidden,
    )
    rest = (0, len(depth) - count)
    visible = F.pad(warped.visible, rest)
    error = F.pad((warped.colour - truth.colour[:count]).abs().mean(1), rest)
    error = torch.where(visible, error, torch.inf)
    seen = groups.sums(visible)
    curve = groups.sums(torch.stack([error < limit for limit in V1.photometric_thresholds])) / seen
    area = (curve[1:] + curve[:-1]).mean(0) / 2  # trapezoids of equal width
    return Photometric(
        {
            "error": groups.sums(error.masked_fill(~visible, 0.0)) / seen,
            "inlier_ratio": groups.sums(error < V1.photometric_inlier) / seen,
            "inlier_auc": area,
        },
        curve,
    )
