"""The pseudo-checkpoint that knows everything: it shows what the evaluator gives to a perfect prediction."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engine.dataset.model import PreparedWindow
from engine.inference.contract import Prediction

# Sky and what nothing is known of, in metres: far beyond the depth that is scored.
FAR = 1000.0


def oracle(prepared: PreparedWindow, device: torch.device) -> Prediction:
    """The truth as a model would say it: a depth map for every frame, exact poses, exact intrinsics.

    On the synthetic street the depth maps are rendered at the model's resolution: an independent way to the truth, so
    that every step from there to the scores is tested. Elsewhere they are made from the ground-truth points themselves,
    each pixel taking the depth of the nearest point; :func:`engine.scoring.window.score_window` is then given the
    points' own depths (``at_points``), since a map of the nearest point is only an approximation between points.

    Args:
        prepared: the window.
        device: where to put it.
    """
    depth = prepared.dense_depth if prepared.dense_depth is not None else nearest_depth(prepared)
    known = np.where(depth > 0, depth, FAR).astype(np.float32)
    # Relative to the first camera, as models say poses: in world coordinates of kilometres float32 knows no 0.1 mm.
    extrinsics = (np.linalg.inv(prepared.camera_to_world) @ prepared.camera_to_world[0])[:, :3]
    return Prediction(
        depth=torch.as_tensor(known, device=device)[None],
        confidence=torch.ones((1, *known.shape), device=device),
        world_to_camera=torch.as_tensor(extrinsics, dtype=torch.float32, device=device)[None],
        intrinsics=torch.as_tensor(prepared.intrinsics, dtype=torch.float32, device=device)[None],
    )


def nearest_depth(prepared: PreparedWindow) -> NDArray[np.float32]:
    """Depth maps of the prepared images, every pixel with the depth of the nearest ground-truth point of its frame.

    Returns:
        [S, H, W], metres; 0 in frames without a point.
    """
    height, width = prepared.images.shape[-2:]
    matrix = prepared.native_to_image
    maps = np.zeros((len(prepared.points), height, width), np.float32)
    for index, points in enumerate(prepared.points):
        at = np.rint(points.uv @ matrix[:, :2].T + matrix[:, 2]).astype(int)
        inside = (at >= 0).all(1) & (at[:, 0] < width) & (at[:, 1] < height)
        if not inside.any():
            continue
        columns, rows, depth = at[inside, 0], at[inside, 1], points.depth[inside]
        # Where several points share a pixel the nearest one stays: it is written last.
        order = np.argsort(-depth, kind="stable")
        sparse = np.zeros((height, width), np.float32)
        sparse[rows[order], columns[order]] = depth[order]
        empty = (sparse == 0).astype(np.uint8)
        _, labels = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
        values = np.zeros(labels.max() + 1, np.float32)
        values[labels[sparse > 0]] = sparse[sparse > 0]
        maps[index] = values[labels]
    return maps
