"""What training minimises: errors of depth in log space, of its gradient, and of the cameras."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from engine.inference.pose_encoding import encode
from sample_results.training.footage import Footage

FARTHEST = 80.0  # metres; what evaluation counts, too
_SMOOTHNESS = 1.0  # weight of gradients of log depth against log depth itself
_CONFIDENCE = 0.2  # of the logarithm that keeps confidence from falling to its least value
# Weights of translation (metres), quaternion and field of view (radians).
_CAMERA = (0.1,) * 3 + (2.0,) * 4 + (0.5,) * 2


def objective(found: Mapping[str, Tensor], truth: Footage, building_weight: float) -> Tensor:
    """The loss of one window, a scalar.

    Args:
        found: the network's outputs for it, batch of one: ``depth``, ``depth_conf``, ``pose_enc``.
        truth: the window.
        building_weight: weight of a building's pixel against 1 of any other.
    """
    depth = depth_loss(found["depth"][0, ..., 0], found["depth_conf"][0], truth, building_weight)
    return depth + camera_loss(found["pose_enc"][0], truth)


def depth_loss(depth: Tensor, confidence: Tensor, truth: Footage, building_weight: float) -> Tensor:
    """Mean absolute error of log depth and of its gradients along rows and columns, with VGGT's confidence term.

    Confidence multiplies the error and pays with its logarithm, so that it learns where errors are large; the error
    also counts as it is, so that nothing is given up.

    Args:
        depth, confidence: predicted, [S, H, W].
        truth: the window.
        building_weight: weight of a building's pixel against 1 of any other.
    """
    known = (truth.depth > 0) & (truth.depth < FARTHEST)
    weight = known * torch.where(truth.building, building_weight, 1.0)
    difference = torch.log(depth) - torch.log(torch.where(known, truth.depth, 1.0))
    error = difference.abs()
    learned = confidence * error.detach() - _CONFIDENCE * torch.log(confidence)
    total = _mean(error, weight) + _mean(learned, weight)
    for axis in (1, 2):
        size = depth.shape[axis] - 1
        step = difference.narrow(axis, 1, size) - difference.narrow(axis, 0, size)
        both = torch.minimum(weight.narrow(axis, 1, size), weight.narrow(axis, 0, size))
        total = total + _SMOOTHNESS * _mean(step.abs(), both)
    return total


def camera_loss(encoding: Tensor, truth: Footage) -> Tensor:
    """Weighted mean absolute error of the pose encoding [S, 9] against the true cameras relative to the first one."""
    relative = truth.world_to_camera @ torch.linalg.inv(truth.world_to_camera[0])
    height, width = truth.images.shape[-2:]
    wanted = encode(relative, truth.intrinsics, (height, width)).to(encoding)
    return ((encoding - wanted).abs() * encoding.new_tensor(_CAMERA)).sum(-1).mean()


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp(min=1.0)
