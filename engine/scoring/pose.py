"""Pose metrics of a window (protocol v1, section 5)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.geometry.cameras import homogeneous, rigid_inverse
from engine.geometry.trajectory import (
    absolute_errors,
    accuracy_auc,
    pair_errors,
    path_length,
    relative_errors,
    transform,
    umeyama,
)
from engine.scoring.protocol import V1

POSE = ("ate_trans", "ate_rot_deg", "rpe_trans", "rpe_rot_deg", "rra5", "rta5", "auc30")


@dataclass(frozen=True, slots=True)
class PoseScores:
    """What one window's poses scored.

    Attributes:
        metrics: name -> value; NaN where nothing was measured.
        degenerate: the predicted trajectory could not be aligned: a pose is not finite (then nothing was measured), or
            all cameras are in one place (then it stays one point, in the middle of the true trajectory).
    """

    metrics: dict[str, float]
    degenerate: bool


def pose_metrics(world_to_camera: Tensor, truth: Tensor) -> PoseScores:
    """Errors of predicted poses, their centres aligned by Sim(3).

    ``ate_*`` and ``rpe_*`` are root mean squares over frames and over consecutive pairs; ``rra5``, ``rta5`` and
    ``auc30`` are over all pairs. A window whose true path is shorter than 0.5 m has neither ATE nor a translation to
    compare (``rpe_trans``, ``rta5``, ``auc30``).

    Args:
        world_to_camera: predicted extrinsics, [S, 3, 4], float64, on the CPU.
        truth: camera-to-world poses, [S, 4, 4], float64, on the CPU.
    """
    found = dict.fromkeys(POSE, math.nan)
    if not bool(torch.isfinite(world_to_camera).all()):
        return PoseScores(found, degenerate=True)
    predicted = rigid_inverse(homogeneous(world_to_camera))
    similarity = umeyama(predicted, truth)
    aligned = transform(similarity, predicted)
    moving = path_length(truth) >= V1.least_motion
    if moving:
        distance, angle = absolute_errors(aligned, truth)
        found["ate_trans"], found["ate_rot_deg"] = _rms(distance), _rms(angle)
    if len(truth) > 1:
        step, turn = relative_errors(aligned, truth)
        rotation, direction = pair_errors(predicted, truth, V1.least_baseline)
        found["rpe_rot_deg"] = _rms(turn)
        found["rra5"] = float((rotation < V1.pair_accuracy).double().mean())
        if moving:
            apart = ~direction.isnan()
            found["rpe_trans"] = _rms(step)
            found["rta5"] = float((direction[apart] < V1.pair_accuracy).double().mean())
            found["auc30"] = accuracy_auc(rotation[apart], direction[apart])
    return PoseScores(found, degenerate=bool(similarity.scale <= 0))


def _rms(values: Tensor) -> float:
    return float(values.square().mean().sqrt())
