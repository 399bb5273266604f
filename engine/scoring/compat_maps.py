"""From ground-truth points to the sparse depth maps that the existing system scores on.

The existing system holds depth as a sparse picture at native size and resizes it with the image, each target pixel
taking the nearest native one: pixels are dropped when the image shrinks and duplicated when it grows.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.dataset.model import FramePoints, PreparedWindow
from engine.inference.contract import Prediction
from engine.scoring.compat import CompatWindow


def compat_window(
    prepared: PreparedWindow, prediction: Prediction, building: Collection[int], batch: int = 0
) -> CompatWindow:
    """The tensors of one window for :func:`engine.scoring.compat.score_window`, on the prediction's device.

    All points count, those beside depth jumps too: the existing system leaves none out.

    Args:
        prepared: the window.
        prediction: of it.
        building: label ids that are building.
        batch: which entry of the prediction.
    """
    device = prediction.depth.device
    size = prepared.images.shape[-2:]
    rows, columns = _native_pixels(prepared, size[0], size[1])
    maps = [_native_maps(points, prepared.native_size, building) for points in prepared.points]
    depth = np.stack([_resized(one, rows, columns) for one, _ in maps])
    is_building = np.stack([_resized(one, rows, columns) for _, one in maps])
    gt_depth = torch.from_numpy(depth).to(device)
    return CompatWindow(
        images=torch.from_numpy(prepared.images).to(device),
        depth=prediction.depth[batch],
        world_to_camera=prediction.world_to_camera[batch],
        intrinsics=prediction.intrinsics[batch],
        gt_depth=gt_depth,
        valid=gt_depth > 0,
        building=torch.from_numpy(is_building).to(device),
        gt_intrinsics=_float64(prepared.intrinsics, device),
        gt_world_to_camera=_float64(np.linalg.inv(prepared.camera_to_world)[:, :3], device),
    )


def _float64(array: NDArray[np.floating[Any]], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64)).to(device)


def _native_maps(
    points: FramePoints, size: tuple[int, int], building: Collection[int]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Depth (0 in the holes) and building at native size; where points share a pixel the nearest wins."""
    height, width = size
    column, row = np.rint(points.uv).astype(np.int64).T
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    order = np.argsort(-points.depth[inside], kind="stable")
    row, column = row[inside][order], column[inside][order]
    depth = np.zeros(size)
    depth[row, column] = points.depth[inside][order]
    mask = np.zeros(size, dtype=np.bool_)
    mask[row, column] = np.isin(points.label[inside][order], list(building))
    return depth, mask


def _native_pixels(prepared: PreparedWindow, height: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The native row and column nearest to each pixel of the prepared image, [H, W] each."""
    v, u = np.mgrid[:height, :width].astype(np.float64)
    affine = prepared.native_to_image
    native = np.linalg.solve(affine[:, :2], np.stack([u.ravel() - affine[0, 2], v.ravel() - affine[1, 2]]))
    column, row = np.rint(native).astype(np.int64).reshape(2, height, width)
    return row, column


def _resized(native: NDArray[np.generic], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.generic]:
    """``native`` at the given pixels, zero outside."""
    height, width = native.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    found: NDArray[np.generic] = native[rows.clip(0, height - 1), columns.clip(0, width - 1)]
    return np.where(inside, found, np.zeros((), native.dtype))
