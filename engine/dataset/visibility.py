"""Which points of the ground truth a camera really sees, and which lie beside a depth jump.

Scans come from another place than the camera (the velodyne sits above it, and neighbouring scans were taken metres
away), so they hold points that the camera cannot see: through the gaps between the beams on a nearer surface they would
pass for its depth. All of it works on whole images, with no loop over points.
"""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.dataset.model import Float64

# Beams of a 64-beam scanner are about 0.43 degrees apart: within half a degree a surface shows itself.
BEAM_GAP_RAD = math.radians(0.5)
# A point this much farther than surfaces on both sides of it is behind them.
HIDDEN_RATIO = 0.05
_ORIENTATIONS = 8

# Depths in a neighbourhood that differ by this much, and are not those of one plane, are a jump.
JUMP_RATIO = 0.05
# Inverse depth is linear on a plane: the RMS of what a fitted plane leaves, relative to the mean.
JUMP_RESIDUAL = 0.01
_PLANE_POINTS = 5  # a plane through fewer points says nothing
_EMPTY = np.float32(1e6)


def occlusion_radius(focal_length: float) -> int:
    """The neighbourhood in native pixels within which a nearer surface hides a point: at least 1."""
    return max(1, math.ceil(focal_length * BEAM_GAP_RAD))


def hidden(depth: Float64, pixel: NDArray[np.int64], size: tuple[int, int], radius: int) -> NDArray[np.bool_]:
    """Points that lie behind a nearer surface.

    A point is hidden if, along a line through its pixel in one of 8 orientations, points within ``radius`` pixels on
    *both* sides are more than :data:`HIDDEN_RATIO` nearer. A slanted surface is nearer on one side only, and what lies
    beside an edge of a nearer thing has it on one side only: both stay.

    Args:
        depth: [N], one point a pixel.
        pixel: flat pixel index, [N].
        size: (height, width) of the image.
        radius: pixels.

    Returns:
        [N], bool.
    """
    image = np.full(size, _EMPTY, dtype=np.float32)
    image.flat[pixel] = depth
    nearest = np.full(size, _EMPTY, dtype=np.float32)
    for one_side, other_side in _line_kernels(radius):
        both = np.maximum(_minimum(image, one_side), _minimum(image, other_side))
        np.minimum(nearest, both, out=nearest)
    return np.asarray(nearest.flat[pixel] * (1 + HIDDEN_RATIO) < depth)


def beside_jump(
    uv: Float64, depth: Float64, pixel: NDArray[np.int64], size: tuple[int, int], radius: int
) -> NDArray[np.bool_]:
    """Points beside a depth jump of the ground truth itself.

    The neighbourhood of a point is the square of ``radius`` pixels about it. It holds a jump if its depths differ by
    more than :data:`JUMP_RATIO` and are not those of one plane: a plane fitted to inverse depth (which is linear in the
    image there, however slanted) leaves a relative RMS of more than :data:`JUMP_RESIDUAL`, or there are too few points
    to tell.

    Args:
        uv: exact positions, [N, 2].
        depth: [N], one point a pixel.
        pixel: flat pixel index, [N].
        size: (height, width) of the image.
        radius: pixels, at least 1.

    Returns:
        [N], bool.
    """
    side = 2 * radius + 1
    square = np.ones((side, side), dtype=np.uint8)
    image = np.full(size, _EMPTY, dtype=np.float32)
    image.flat[pixel] = depth
    lowest = _minimum(image, square).flat[pixel]
    image[image == _EMPTY] = 0
    highest = cv2.dilate(image, square, borderType=cv2.BORDER_CONSTANT, borderValue=0).flat[pixel]
    suspects = np.flatnonzero(highest > lowest * (1 + JUMP_RATIO))
    jump = np.zeros(depth.size, dtype=bool)
    count, residual = _plane_residual(uv, 1 / depth, pixel, size, side, suspects)
    jump[suspects] = (count < _PLANE_POINTS) | (residual > JUMP_RESIDUAL)
    return jump


def near_mask(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Pixels within ``radius`` (a square) of a pixel of ``mask``, [H, W]."""
    square = np.ones((2 * radius + 1, 2 * radius + 1), dtype=np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), square, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0)


def _plane_residual(
    uv: Float64,
    inverse: Float64,
    pixel: NDArray[np.int64],
    size: tuple[int, int],
    side: int,
    at: NDArray[np.int64],
) -> tuple[Float64, Float64]:
    """Fit inverse depth = a + b u + c v in the square about points ``at``: how many points, and the relative RMS."""
    # Moments of the square by box sums; coordinates from the image's centre keep them small and so exact.
    u, v = uv[:, 0] - size[1] / 2, uv[:, 1] - size[0] / 2

    def box(values: Float64 | float) -> Float64:
        image = np.zeros(size)
        image.flat[pixel] = values
        sums = cv2.boxFilter(image, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
        return np.asarray(sums.flat[pixel[at]], dtype=np.float64)

    n = np.rint(box(1.0))
    mean_u, mean_v, mean_w = box(u) / n, box(v) / n, box(inverse) / n
    uu = box(u * u) / n - mean_u**2
    vv = box(v * v) / n - mean_v**2
    uv_ = box(u * v) / n - mean_u * mean_v
    uw = box(u * inverse) / n - mean_u * mean_w
    vw = box(v * inverse) / n - mean_v * mean_w
    ww = box(inverse * inverse) / n - mean_w**2
    # Points on one line (a single beam) leave the slope across it open: a little weight keeps that slope at zero.
    weight = 1e-6
    uu, vv = uu + weight, vv + weight
    determinant = uu * vv - uv_**2
    b = (vv * uw - uv_ * vw) / determinant
    c = (uu * vw - uv_ * uw) / determinant
    variance = ww - 2 * (b * uw + c * vw) + b * b * uu + 2 * b * c * uv_ + c * c * vv
    return n, np.sqrt(np.maximum(variance, 0)) / mean_w


def _minimum(image: NDArray[np.float32], kernel: NDArray[np.uint8]) -> NDArray[np.float32]:
    eroded = cv2.erode(image, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=float(_EMPTY))
    return np.asarray(eroded, dtype=np.float32)


@cache
def _line_kernels(radius: int) -> tuple[tuple[NDArray[np.uint8], NDArray[np.uint8]], ...]:
    pairs = []
    seen = set()
    for step in range(_ORIENTATIONS):
        angle = math.pi * step / _ORIENTATIONS
        one_side = np.zeros((2 * radius + 1, 2 * radius + 1), dtype=np.uint8)
        for distance in range(1, radius + 1):
            column, row = round(distance * math.cos(angle)), round(distance * math.sin(angle))
            one_side[radius + row, radius + column] = 1
        # In a small neighbourhood neighbouring orientations are the same pixels.
        if one_side.tobytes() not in seen:
            seen.add(one_side.tobytes())
            pairs.append((one_side, np.ascontiguousarray(one_side[::-1, ::-1])))
    return tuple(pairs)
