"""From scans to the ground truth of a frame: points at exact positions, the nearest per pixel, none that is hidden."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.dataset import labels as ids
from engine.dataset.lidar import nearest_per_pixel, project, transform
from engine.dataset.model import Float32, Float64, FramePoints
from engine.dataset.visibility import beside_jump, hidden, near_mask, occlusion_radius

MIN_DEPTH = 0.1  # metres, exclusive
MAX_DEPTH = 80.0
# Part of the key of cached ground truth: raise it whenever what comes out of this module or of `visibility` changes.
VERSION = 1


def lidar_points(
    scans: Iterable[tuple[Float32, Float64]],
    intrinsics: Float64,
    size: tuple[int, int],
    labels: NDArray[np.uint8],
    jump_radius: int,
) -> FramePoints:
    """The ground truth of a frame from scans.

    Args:
        scans: points [N, 3] of every scan with its [4, 4] transform into the camera frame.
        intrinsics: [3, 3].
        size: (height, width) of the native image.
        labels: label image at native size.
        jump_radius: native pixels about a point in which a depth jump makes it not usable.

    Returns:
        Points ordered by pixel. Within ``jump_radius`` of a pixel labelled sky a point is not usable either: no scan
        holds the sky, but depth jumps there.
    """
    parts = [project(transform(points, matrix), intrinsics, size, MIN_DEPTH, MAX_DEPTH) for points, matrix in scans]
    uv = np.concatenate([part[0] for part in parts]) if parts else np.empty((0, 2))
    depth = np.concatenate([part[1] for part in parts]) if parts else np.empty(0)
    pixel = np.concatenate([part[2] for part in parts]) if parts else np.empty(0, dtype=np.int64)

    winners = nearest_per_pixel(pixel, depth, size[0] * size[1])
    uv, depth, pixel = uv[winners], depth[winners], pixel[winners]
    seen = ~hidden(depth, pixel, size, occlusion_radius(float(intrinsics[0, 0])))
    uv, depth, pixel = uv[seen], depth[seen], pixel[seen]
    usable = ~beside_jump(uv, depth, pixel, size, jump_radius)
    usable &= ~near_mask(labels == ids.SKY, jump_radius).flat[pixel]
    return FramePoints(uv=uv, depth=depth, label=labels.flat[pixel].astype(np.int16), usable=usable)


def depth_image_points(depth: Float64, jump_radius: int) -> FramePoints:
    """The ground truth of a frame from a dense depth image: every valid pixel is a point at its centre.

    Args:
        depth: [H, W], metres; outside (0.1, 80) is invalid.
        jump_radius: pixels about a point in which a depth jump makes it not usable.
    """
    size = (depth.shape[0], depth.shape[1])
    pixel = np.flatnonzero((depth > MIN_DEPTH) & (depth < MAX_DEPTH))
    row, column = np.divmod(pixel, size[1])
    uv = np.stack([column, row], axis=1).astype(np.float64)
    values = depth.flat[pixel]
    usable = ~beside_jump(uv, values, pixel, size, jump_radius)
    return FramePoints(uv=uv, depth=values, label=np.full(pixel.size, ids.UNLABELLED, dtype=np.int16), usable=usable)
