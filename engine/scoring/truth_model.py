"""A window's ground truth on a device, in the form that scoring reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from engine.dataset.model import Window
from engine.geometry.neighbourhoods import Neighbourhoods
from engine.geometry.patch_kernel import PatchFrame
from engine.geometry.sampling import Taps
from engine.scoring.groups import Groups
from engine.scoring.slices import SliceTruth


@dataclass(frozen=True, eq=False)
class NormalTruth:
    """Ground-truth normals, and the neighbourhoods that they come from.

    Centres are in the order of their pixels, frame by frame.

    Attributes:
        hoods: of every frame; positions count within the frame.
        rays: x and y of the viewing rays of every frame's points as pixels of its grid, [2, rows, columns], float32.
        patches: the same of every frame as the kernel of a CPU reads it; none on a GPU.
        ray: x and y of the viewing rays (z = 1) of all centres, [2, Q], float64.
        normal: of all centres, [3, Q], float32, unit, turned towards the camera.
        order: the centres sorted by frame and region, [Q], int64.
        groups: the centres in that order by frame and region.
        coverage: share of points that have a normal, [S, R], float64; NaN where there is no point.
    """

    hoods: tuple[Neighbourhoods, ...]
    rays: tuple[Tensor, ...]
    patches: tuple[PatchFrame, ...]
    ray: Tensor
    normal: Tensor
    order: Tensor
    groups: Groups
    coverage: Tensor


@dataclass(frozen=True, eq=False)
class PlaneTruth:
    """Planes of the ground truth.

    Attributes:
        region: number of the region whose points were split.
        point: the points that belong to planes, plane by plane and frame by frame, [P], int64.
        ray: of each, [P, 3], float64, every column contiguous.
        ray_products: its products xx, xy, xz, yy, yz, zz, [P, 6].
        slope: normal @ ray of each, [P], float64: depth z lies ``z * slope - offset`` from the plane.
        offset: of each point's plane, [P], float64, metres.
        pieces: the first point of every plane, the one after its last, and its frame, [K, 3]; on the host.
        groups: the points by plane, each plane in the place of a frame.
        frame_sizes: points of planes in every frame.
        share: of every plane's points in those of its frame, [K, S], float64.
        found: frames that have a plane, [S], bool.
    """

    region: int
    point: Tensor
    ray: Tensor
    ray_products: Tensor
    slope: Tensor
    offset: Tensor
    pieces: NDArray[np.int64]
    groups: Groups
    frame_sizes: tuple[int, ...]
    share: Tensor
    found: Tensor


@dataclass(frozen=True, eq=False)
class WindowTruth:
    """A window's ground truth on a device: N points that count, sorted by frame and by which regions they lie in.

    Attributes:
        window: which one.
        regions: their names, in the order of every [..., R].
        size: (height, width) of the prepared images.
        groups: the points by frame and region.
        depth: [N], float32, metres.
        log_depth: [N], float32.
        ray: viewing rays (z = 1) by the true native intrinsics, [N, 3], float32.
        uv: positions in the prepared images, [N, 2], float32.
        taps: where a predicted depth map is sampled.
        images: [S * H * W, 3], float32, RGB.
        colour: of the images at the points, [N, 3].
        median_depth: [S, R], float64.
        normals: see there.
        planes: see there; ``None`` where no plane was found, or the dataset has no such region.
        camera_to_world: true poses, [S, 4, 4], float64, on the CPU.
        left_out: points that do not count, by reason.
        slices: the points by distance and class; ``None`` where that was not asked for.
    """

    window: Window
    regions: tuple[str, ...]
    size: tuple[int, int]
    groups: Groups
    depth: Tensor
    log_depth: Tensor
    ray: Tensor
    uv: Tensor
    taps: Taps
    images: Tensor
    colour: Tensor
    median_depth: Tensor
    normals: NormalTruth
    planes: PlaneTruth | None
    camera_to_world: Tensor
    left_out: Counter[str]
    slices: SliceTruth | None = None
