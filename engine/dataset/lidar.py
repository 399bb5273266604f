"""Velodyne scans: reading them, and bringing their points into a camera's image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.dataset.model import Float32, Float64
from engine.errors import DataError

_VALUES = 4  # x, y, z, intensity
_RECORD = _VALUES * 4


def read_scan(path: Path) -> Float32:
    """The points of one scan, [N, 3], float32, metres in the velodyne frame (x forward, y left, z up).

    Points that are not finite are left out.

    Raises:
        DataError: the file is missing, unreadable, empty, or no whole number of points.
    """
    try:
        values = np.fromfile(path, dtype=np.float32)
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error})", "copy the scan again") from error
    if size == 0 or size % _RECORD:
        raise DataError(
            f"{path} has {size} bytes, which is no whole number of points of {_RECORD} bytes", "copy the scan again"
        )
    points = values.reshape(-1, _VALUES)[:, :3]
    finite = np.isfinite(points).all(axis=1)
    return points if finite.all() else points[finite]


def transform(points: Float32, matrix: Float64) -> Float64:
    """Points [N, 3] moved by a [4, 4] rigid transform, in float64."""
    return points.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def project(
    points: Float64, intrinsics: Float64, size: tuple[int, int], near: float, far: float
) -> tuple[Float64, Float64, NDArray[np.int64]]:
    """Project points of the camera frame into its image.

    Args:
        points: [N, 3], metres.
        intrinsics: [3, 3].
        size: (height, width) of the image.
        near: points at this depth or nearer are dropped.
        far: points at this depth or farther are dropped.

    Returns:
        Of the M points inside the image: exact positions (u, v) [M, 2], depths [M], and the flat index [M] of the
        nearest pixel (a position halfway between two goes to the even one).
    """
    height, width = size
    points = points[(points[:, 2] > near) & (points[:, 2] < far)]
    depth = points[:, 2]
    uv = points[:, :2] / depth[:, None] @ intrinsics[:2, :2].T + intrinsics[:2, 2]
    column, row = np.rint(uv).astype(np.int64).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return uv[inside], depth[inside], (row * width + column)[inside]


def nearest_per_pixel(pixel: NDArray[np.int64], depth: Float64, pixels: int) -> NDArray[np.int64]:
    """The z-buffer: of the points in every pixel, the nearest (the first of equals).

    Args:
        pixel: flat pixel index of every point, [N].
        depth: [N].
        pixels: how many pixels the image has.

    Returns:
        Indices of the winners, [M], ordered by pixel.
    """
    nearest = np.full(pixels, np.inf)
    np.minimum.at(nearest, pixel, depth)
    candidates = np.flatnonzero(depth == nearest[pixel])
    _, first = np.unique(pixel[candidates], return_index=True)
    return candidates[first]
