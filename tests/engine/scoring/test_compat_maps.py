"""From points to the sparse maps that ``compat`` scores on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.dataset.model import FramePoints, PreparedWindow, Window
from engine.inference.contract import Prediction
from engine.scoring.compat import score_window
from engine.scoring.compat_maps import compat_window


def prepared(uv: list[tuple[float, float]], depth: list[float], label: list[int], scale: float) -> PreparedWindow:
    """Two frames with the same points: native 8x12, prepared image 4x6 (scale 0.5) or 16x24 (scale 2)."""
    height, width = int(8 * scale), int(12 * scale)
    points = FramePoints(np.array(uv), np.array(depth), np.array(label, np.int16), np.zeros(len(uv), np.bool_))
    native = np.repeat(np.array([[[10.0, 0, 5.5], [0, 10, 3.5], [0, 0, 1]]]), 2, axis=0)
    affine = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2]])
    pose = np.repeat(np.eye(4)[None], 2, axis=0)
    pose[1, 0, 3] = 2.0
    intrinsics = native.copy()
    intrinsics[:, :2] = native[:, :2] * scale
    return PreparedWindow(
        Window(0, "d", (1, 2), None),
        np.full((2, 3, height, width), 0.5, np.float32),
        intrinsics,
        (8, 12),
        native,
        affine,
        pose,
        (points, points),
    )


def prediction(window: PreparedWindow) -> Prediction:
    """Depth 3 everywhere, identity poses."""
    height, width = window.images.shape[-2:]
    depth = torch.full((1, 2, height, width), 3.0)
    pose = torch.eye(4)[None, None, :3].repeat(1, 2, 1, 1)
    return Prediction(depth, depth, pose, torch.from_numpy(window.intrinsics)[None].float())


def test_growing_duplicates_and_shrinking_drops() -> None:
    points = ([(2.2, 1.1), (5.0, 6.4)], [7.0, 9.0], [11, 7])
    grown = prepared(*points, scale=2)
    maps = compat_window(grown, prediction(grown), {11})
    assert torch.nonzero(maps.gt_depth[0] == 7.0).tolist() == [[2, 4], [2, 5], [3, 4], [3, 5]]
    assert int(maps.valid[0].sum()) == 8
    assert torch.equal(maps.building[0], maps.gt_depth[0] == 7.0)
    shrunk = prepared(*points, scale=0.5)
    assert int(compat_window(shrunk, prediction(shrunk), {11}).valid[0].sum()) <= 2


def test_the_nearest_point_of_a_pixel_wins_and_strays_are_dropped() -> None:
    window = prepared([(3.3, 2.0), (2.8, 2.1), (-0.6, 3.0), (11.6, 0.0)], [9.0, 4.0, 1.0, 1.0], [11, 7, 11, 11], 1)
    maps = compat_window(window, prediction(window), {11})
    assert torch.nonzero(maps.valid[0]).tolist() == [[2, 3]]
    assert float(maps.gt_depth[0, 2, 3]) == 4.0
    assert not bool(maps.building.any())


def test_poses_and_scores() -> None:
    window = prepared([(3.0, 2.0), (6.0, 3.0)], [6.0, 6.0], [11, 11], 1)
    found = score_window(compat_window(window, prediction(window), {11}))
    assert found.pixels[0] == {"full": 2, "building": 2, "non_building": 0}
    assert found.frames[0]["depth.building.mae"] == pytest.approx(0.0, abs=1e-5)
    assert found.frames[0]["photometric.building.error"] == pytest.approx(0.0)
    # The second camera stands 2 m to the right, so its world-to-camera translation is 2 m to the left.
    assert found.pose["pose.ate_trans"] == pytest.approx(1.0)
    assert found.pose["pose.rpe_trans"] == pytest.approx(2.0)
