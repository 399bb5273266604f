"""Photometric consistency of neighbouring frames (protocol v1, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.geometry.cameras import compose, rigid_inverse
from engine.geometry.warp import Points, View, Views, differences, warp
from engine.inference.contract import Prediction
from engine.scoring.limits import sums_of_finite
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
    difference = _differences(prediction, inverse, depth, truth)
    sums = sums_of_finite(difference, truth.groups, V1.photometric_thresholds, V1.photometric_inlier)
    seen, error, inlier = sums[:3]
    curve = sums[3:] / seen
    area = (curve[1:] + curve[:-1]).mean(0) / 2  # trapezoids of equal width
    return Photometric({"error": error / seen, "inlier_ratio": inlier / seen, "inlier_auc": area}, curve)


def _differences(prediction: Prediction, inverse: Tensor, depth: Tensor, truth: WindowTruth) -> Tensor:
    """Difference of colour of every point in the next frame, [N]; infinite where it is not visible there."""
    groups = truth.groups
    extrinsics = prediction.world_to_camera[0].double()
    motion = compose(extrinsics[1:], rigid_inverse(extrinsics[:-1])).float()
    intrinsics = prediction.intrinsics[0].float()
    views = Views(truth.images.reshape(groups.frames, -1, 3), inverse.reshape(groups.frames, -1), truth.size)
    points = Points(truth.uv, depth, truth.colour)
    if depth.device.type == "cpu":
        blocks = [(block.frame, *block.points) for block in groups.blocks]
        return differences(points, blocks, intrinsics, motion, views, V1.hidden)
    return _by_operations(points, groups.frame_sizes, intrinsics, motion, views)


def _by_operations(points: Points, sizes: Sequence[int], intrinsics: Tensor, motion: Tensor, views: Views) -> Tensor:
    """The same as tensor operations, on any device."""
    parts = zip(*(torch.split(one, list(sizes)) for one in (points.uv, points.depth, points.colour)), strict=True)
    found = []
    for frame, (uv, z, colour) in enumerate(parts):
        if frame == len(motion):  # no frame follows the last one
            found.append(torch.full_like(z, torch.inf))
            break
        view = View(views.colour[frame + 1], views.inverse_depth[frame + 1], intrinsics[frame + 1], views.size)
        there, visible = warp(uv, z, intrinsics[frame], motion[frame], view, V1.hidden)
        found.append(torch.where(visible, (there - colour).abs_().mean(1), torch.inf))
    return torch.cat(found)
