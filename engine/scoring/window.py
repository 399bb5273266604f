"""All scores of one prediction of one window, in one pass; as rows of the store after one transfer."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from engine.catalogue import Group, frame_metric_names
from engine.geometry.alignment import ALIGNMENTS, fit
from engine.geometry.sampling import inverse_depth, sample_depth
from engine.inference.contract import Prediction
from engine.scoring.depth import depth_metrics, scale_metrics
from engine.scoring.normals import normal_metrics
from engine.scoring.photometric import photometric_metrics
from engine.scoring.planarity import planarity_metrics
from engine.scoring.scores import CLAMPED, DEGENERATE, PIXELS, WindowScores
from engine.scoring.slices import SliceTally
from engine.scoring.tables import INLIER_CURVE, curve_rows, merge_curves, rows, slice_rows
from engine.scoring.truth import WindowTruth

__all__ = [
    "INLIER_CURVE",
    "AlignScope",
    "WindowScores",
    "curve_rows",
    "expected_metrics",
    "merge_curves",
    "rows",
    "score_window",
    "slice_rows",
]

AlignScope = Literal["window", "frame"]

_SCALE_SHIFT = ALIGNMENTS.index("scale_shift")


def score_window(
    prediction: Prediction,
    truth: WindowTruth,
    *,
    align_scope: AlignScope = "window",
    align: str = "median",
    at_points: Tensor | None = None,
) -> WindowScores:
    """Score a prediction in every alignment, region and frame. Nothing here waits for the device.

    A predicted depth that is not a positive finite number takes no part in the fits, and is clamped to the least depth
    and counted as such: it counts against the model, and against nothing else. Normals do not depend on a common scale:
    ``none`` and ``scale`` share those of ``median``.

    Args:
        prediction: of one window (B = 1), on the truth's device; depth maps of the size of the prepared images.
        truth: the window.
        align_scope: one fit for the window, or one for every frame.
        align: the alignment whose depth is sliced by distance and class, where the truth is.
        at_points: depth at the truth's points, [N], where it is known better than the depth maps tell (the ground truth
            as its own prediction); the maps then only say what hides what.

    Raises:
        ValueError: the prediction does not have the window's shape, or there is no such alignment.
    """
    frames = truth.groups.frames
    if prediction.depth.shape != (1, frames, *truth.size):
        raise ValueError(f"depth has the shape {tuple(prediction.depth.shape)}, not {(1, frames, *truth.size)}")
    inverse = inverse_depth(prediction.depth[0].float())
    if at_points is None:
        predicted, valid = sample_depth(inverse.flatten(), truth.taps)
    else:
        valid = (at_points > 0) & (at_points < torch.inf)
        predicted = torch.where(valid, at_points.float(), 0.0)
    sizes = truth.groups.frame_sizes if align_scope == "frame" else (len(predicted),)
    alignment = fit(predicted, truth.depth, valid, sizes)
    slices = None if truth.slices is None else SliceTally(truth.slices, ALIGNMENTS.index(align))
    depth = depth_metrics(predicted, valid, alignment, truth, slices)
    photometric = photometric_metrics(prediction, inverse, predicted, truth)
    normals = normal_metrics(predicted, valid, alignment, truth)
    found = {
        **_named(Group.DEPTH, depth.metrics),
        **_named(Group.SCALE, scale_metrics(predicted, truth.median_depth, truth.groups)),
        **_named(Group.NORMALS, {name: _of_two(values) for name, values in normals.items()}),
        **_named(Group.PLANARITY, planarity_metrics(predicted, valid, alignment, truth)),
        **_named(Group.PHOTOMETRIC, photometric.metrics),
        PIXELS: truth.groups.counts,
        CLAMPED: depth.clamped,
        DEGENERATE: alignment.degenerate[..., None].double(),
    }
    shape = (len(ALIGNMENTS), frames, len(truth.regions))
    packed = torch.cat(
        [
            torch.stack([values.expand(shape) for values in found.values()]).flatten(),
            photometric.curve.flatten(),
            *([] if slices is None else [slices.metrics().flatten()]),
            prediction.world_to_camera.double().flatten(),
        ]
    )
    return WindowScores(
        truth.window,
        truth.regions,
        tuple(found),
        packed,
        truth.camera_to_world,
        () if truth.slices is None else truth.slices.slices,
        "" if truth.slices is None else align,
    )


def expected_metrics() -> frozenset[str]:
    """The columns that rows hold values of, by the catalogue: every per-frame metric except ``pixels``."""
    return frozenset(
        f"{group}.{name}" for group, names in frame_metric_names().items() for name in names if name != PIXELS
    )


def _named(group: Group, metrics: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{group}.{name}": values for name, values in metrics.items()}


def _of_two(values: Tensor) -> Tensor:
    """[2, S, R] of ``median`` and ``scale_shift`` -> [4, S, R] of every alignment."""
    return torch.stack([values[int(index == _SCALE_SHIFT)] for index in range(len(ALIGNMENTS))])
