"""The existing system's numbers (protocol ``compat``, section 7), from the same tensors by the same formulas.

Nothing here is an improvement: where the existing system adds an epsilon, takes normals across holes, compares world
coordinates or counts a negative depth as an inlier, so does this. What section 7 leaves open is read as follows.

- Alignment ``scale`` and ``median``: ``s = median(g) / (median(p) + 1e-6)``. ``scale_shift``: least squares, and no
  alignment where the variance of ``p`` is at most 1e-6. Without any valid pixel there is no alignment.
- Every median over pixels is the lower one.
- Normals and planarity unproject both depth maps with the ground-truth intrinsics of the prepared image; photometric
  uses predicted intrinsics and poses throughout.
- Photometric: points behind the target camera are pulled to z = 1e-4, not left out; in view is judged by the borders
  of the pixel grid; the threshold is on the mean difference over the three channels; occlusion is not looked at.
- ATE rotation is the angle between predicted and ground-truth world-to-camera rotations. RPE is averaged over the
  pairs of a window.

All is computed in float64 from whatever comes in; the existing system computed in float32, which agrees to about 1e-6
except where a value sits on a threshold. NaN and infinity, which the existing system drops, are ``None``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engine.scoring.compat_depth import align, depth_metrics
from engine.scoring.compat_surface import normals_metrics, planarity_metrics
from engine.scoring.compat_views import photometric_metrics, pose_metrics

Align = Literal["none", "scale", "median", "scale_shift"]


@dataclass(frozen=True, eq=False)
class CompatWindow:
    """One window, prediction and ground truth, on one device.

    Attributes:
        images: [S, 3, H, W], RGB in [0, 1].
        depth: predicted, [S, H, W].
        world_to_camera: predicted extrinsics, [S, 3, 4].
        intrinsics: predicted, [S, 3, 3], pixels of ``images``.
        gt_depth: sparse depth, [S, H, W], metres, 0 in the holes.
        valid: where ``gt_depth`` holds, [S, H, W], bool.
        building: pixels labelled building, [S, H, W], bool; only those that are valid count.
        gt_intrinsics: [S, 3, 3], pixels of ``images``.
        gt_world_to_camera: [S, 3, 4], in world coordinates as they are.
    """

    images: Tensor
    depth: Tensor
    world_to_camera: Tensor
    intrinsics: Tensor
    gt_depth: Tensor
    valid: Tensor
    building: Tensor
    gt_intrinsics: Tensor
    gt_world_to_camera: Tensor


@dataclass(frozen=True)
class CompatScores:
    """What the existing system says of a window, under its own keys.

    Attributes:
        frames: per frame: ``depth.{full,building,non_building}.*``, ``normals.{full,building}.*``,
            ``planarity.building.*``, ``photometric.building.*``; ``None`` where it has no number.
        pixels: per frame: region -> valid pixels.
        pose: ``pose.*`` over the window.
    """

    frames: tuple[Mapping[str, float | None], ...]
    pixels: tuple[Mapping[str, int], ...]
    pose: Mapping[str, float | None]


@torch.no_grad()
def score_window(window: CompatWindow, mode: Align = "median") -> CompatScores:
    """Score a window as the existing system does; one transfer from the device.

    Args:
        window: the tensors.
        mode: alignment of depth, per frame on all valid pixels.
    """
    depth, gt = window.depth.double(), window.gt_depth.double()
    valid = window.valid
    regions = {"full": valid, "building": valid & window.building, "non_building": valid & ~window.building}
    aligned = align(depth, gt, valid, mode)
    camera = window.gt_intrinsics.double()
    columns: dict[str, Tensor] = {}
    for region, mask in regions.items():
        columns |= _under(f"depth.{region}", depth_metrics(aligned, gt, mask))
    normals = normals_metrics(aligned, gt, {name: regions[name] for name in ("full", "building")}, camera)
    for region, found in normals.items():
        columns |= _under(f"normals.{region}", found)
    columns |= _under("planarity.building", planarity_metrics(aligned, gt, regions["building"], camera))
    extrinsics = window.world_to_camera.double()
    columns |= _under(
        "photometric.building",
        photometric_metrics(
            window.images.double(), aligned, extrinsics, window.intrinsics.double(), regions["building"]
        ),
    )
    pose = _under("pose", pose_metrics(extrinsics, window.gt_world_to_camera.double()))
    counts = torch.stack([mask.sum(dim=(1, 2)) for mask in regions.values()]).double()
    rows = [*columns.values(), *counts]
    flat = torch.cat([torch.stack(rows).flatten(), torch.stack(list(pose.values()))]).cpu()
    table = flat[: len(rows) * len(depth)].view(len(rows), len(depth)).T.tolist()
    return CompatScores(
        tuple(_named(columns, row) for row in table),
        tuple({name: int(n) for name, n in zip(regions, row[len(columns) :], strict=True)} for row in table),
        _named(pose, flat[len(rows) * len(depth) :].tolist()),
    )


def _under(prefix: str, metrics: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": value for name, value in metrics.items()}


def _named(keys: Mapping[str, Tensor], values: list[float]) -> dict[str, float | None]:
    """Values under their keys; what is not finite is not there."""
    return {key: value if abs(value) < float("inf") else None for key, value in zip(keys, values, strict=False)}
