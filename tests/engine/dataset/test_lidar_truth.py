"""The ground truth itself is right: LiDAR points agree with the scene's formulas, whichever file gives the poses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from engine.dataset import labels as ids
from engine.dataset.ground_truth import lidar_points
from engine.dataset.lidar import nearest_per_pixel, project, transform
from engine.dataset.model import FramePoints, Preparation, PreparedWindow
from engine.dataset.street import Street
from engine.dataset.street_layout import build_scene, drive_poses
from engine.dataset.street_rig import build_rig
from engine.dataset.street_sensors import photograph, scan, see

PREPARATION = Preparation(size=168, patch=14)


def _load(root: Path, split: str = "train") -> tuple[Street, PreparedWindow]:
    street = Street(root)
    return street, street.load(street.windows(split, seq_len=8, stride=8)[0], PREPARATION)


def _errors(street: Street, prepared: PreparedWindow, index: int) -> np.ndarray:
    """Relative depth error of a frame's points against the ray through their exact position."""
    points = prepared.points[index]
    view = see(
        street.scene(prepared.window.drive),
        points.uv,
        prepared.native_intrinsics[index],
        prepared.camera_to_world[index],
    )
    return np.where(np.isfinite(view.t), np.abs(view.t - points.depth) / points.depth, np.inf)


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("poses", ["cam0_to_world.txt", "poses.txt"])
def test_depths_are_those_of_the_scene(copied_street: Callable[[], Path], poses: str, split: str) -> None:
    root = copied_street()
    if poses == "poses.txt":
        for path in root.glob("data_poses/*/cam0_to_world.txt"):
            path.unlink()
    street, prepared = _load(root, split)
    assert street.drive_of(prepared.window).trajectory.source == poses
    errors = np.concatenate([_errors(street, prepared, index) for index in range(8)])
    usable = np.concatenate([points.usable for points in prepared.points])
    assert len(errors) > 8 * 3000
    assert np.median(errors) < 1e-7
    assert np.quantile(errors[usable], 0.998) < 1e-6
    assert np.mean(errors > 0.01) < 0.005
    assert np.mean(errors[usable] > 0.01) < 0.001


def test_both_pose_files_give_the_same_truth(copied_street: Callable[[], Path], street_root: Path) -> None:
    _, expected = _load(street_root)
    root = copied_street()
    for path in root.glob("data_poses/*/cam0_to_world.txt"):
        path.unlink()
    _, found = _load(root)
    np.testing.assert_allclose(found.camera_to_world, expected.camera_to_world, atol=1e-8)
    for one, other in zip(found.points, expected.points, strict=True):
        assert abs(len(one.depth) - len(other.depth)) <= 2  # a position may fall on the edge of two pixels
    np.testing.assert_allclose(found.points[0].depth.mean(), expected.points[0].depth.mean(), rtol=1e-6)


def test_an_imu_pose_taken_for_a_camera_pose_would_show(copied_street: Callable[[], Path]) -> None:
    # The test above has teeth: the mistake of taking the one file for the other moves the points by metres.
    root = copied_street()
    for path in root.glob("data_poses/*/poses.txt"):
        lines = [line.split() for line in path.read_text().splitlines()]
        camera = path.with_name("cam0_to_world.txt")
        camera.unlink()
        camera.write_text("".join(" ".join([*words, "0 0 0 1"]) + "\n" for words in lines))
    street, prepared = _load(root)
    errors = _errors(street, prepared, 4)
    assert np.mean(errors > 0.05) > 0.5


def test_labels_are_those_of_the_pixel_that_holds_the_point(street_root: Path) -> None:
    street, prepared = _load(street_root)
    scene = street.scene(prepared.window.drive)
    for index, points in enumerate(prepared.points):
        camera = prepared.native_intrinsics[index], prepared.camera_to_world[index]
        at_centre = see(scene, np.rint(points.uv), *camera).label
        np.testing.assert_array_equal(points.label, at_centre)
        exact = see(scene, points.uv, *camera).label
        # Off the centre a point may lie on the other side of an outline; away from jumps hardly any does.
        assert np.mean(points.label != exact) < 0.1
        assert np.mean((points.label != exact)[points.usable]) < 0.03


def test_normals_of_the_points_are_those_of_the_scene(street_root: Path) -> None:
    street, prepared = _load(street_root)
    scene = street.scene(prepared.window.drive)
    angles = []
    for index, points in enumerate(prepared.points):
        camera = prepared.native_intrinsics[index], prepared.camera_to_world[index]
        inverse = np.linalg.inv(camera[0])
        space = np.column_stack([points.uv, np.ones(len(points.uv))]) @ inverse.T * points.depth[:, None]
        walls = np.flatnonzero(points.usable & np.isin(points.label, (ids.BUILDING, ids.ROAD, ids.SIDEWALK)))
        tree = cKDTree(points.uv)
        truth = see(scene, points.uv, *camera).normal @ camera[1][:3, :3]
        for number in walls[:: max(1, len(walls) // 60)]:
            near = tree.query_ball_point(points.uv[number], 2.0)
            centred = space[near] - space[near].mean(axis=0)
            _, spread, axes = np.linalg.svd(centred, full_matrices=False)
            if len(near) >= 8 and spread[1] > 0.1 * spread[0] and spread[2] < 0.02 * spread[1]:
                angles.append(np.degrees(np.arccos(min(1.0, abs(axes[2] @ truth[number])))))
    assert len(angles) > 150
    assert np.median(angles) < 1e-3
    assert np.mean(np.array(angles) < 0.5) > 0.98


def test_hidden_points_are_dropped_at_real_size() -> None:
    """Nine scans in a 1408x376 image: points behind trees, cars and corners are gone, and few others with them."""
    scene = build_scene(seed=1, drive=0, length=15)
    rig = build_rig((376, 1408))
    imu_to_world = drive_poses(scene, seed=1, drive=0, frames=9, step=0.9)
    pose = imu_to_world[4] @ rig.rectified_to_imu
    velodyne_to_camera = np.linalg.inv(rig.rectified_to_imu) @ rig.velodyne_to_imu
    scans = [
        (
            scan(scene, imu @ rig.velodyne_to_imu, 64, 1200)[:, :3],
            np.linalg.inv(pose) @ imu @ rig.rectified_to_imu @ velodyne_to_camera,
        )
        for imu in imu_to_world
    ]
    picture = photograph(scene, rig.intrinsics, rig.size, pose)
    parts = [project(transform(points, matrix), rig.intrinsics, rig.size, 0.1, 80) for points, matrix in scans]
    uv, depth, pixel = (np.concatenate([part[item] for part in parts]) for item in range(3))
    winners = nearest_per_pixel(pixel, depth, picture.depth.size)

    def wrong(uv: np.ndarray, depth: np.ndarray) -> np.ndarray:
        view = see(scene, uv, rig.intrinsics, pose)
        return ~(np.abs(view.t - depth) < 0.05 * depth)

    before = wrong(uv[winners], depth[winners])
    points = lidar_points(scans, rig.intrinsics, rig.size, picture.label, 3)
    after = wrong(points.uv, points.depth)
    assert before.mean() > 0.01
    assert after.mean() < 0.002
    assert not after[points.usable].any()
    # What was dropped beyond the wrong ones is little: visible points between near things.
    assert len(points.depth) > 0.97 * np.count_nonzero(~before)
    assert points.usable.mean() > 0.9


def test_own_scan_alone_is_right_too(street_root: Path) -> None:
    street = Street(street_root, neighbours=0)
    prepared = street.load(street.windows("train", seq_len=2, stride=2)[0], PREPARATION)
    errors = np.concatenate([_errors(street, prepared, index) for index in range(2)])
    usable = np.concatenate([points.usable for points in prepared.points])
    assert np.mean(errors[usable] > 0.01) < 0.002


def _pixels(points: FramePoints) -> np.ndarray:
    return np.rint(points.uv) @ np.array([1, 100_000])


def test_points_keep_the_promises_of_the_interface(street_root: Path) -> None:
    _, prepared = _load(street_root)
    for points in prepared.points:
        assert points.uv.dtype == points.depth.dtype == np.float64
        assert points.label.dtype == np.int16 and points.usable.dtype == np.bool_
        assert len(np.unique(_pixels(points))) == len(points.depth)
        assert ((points.depth > 0.1) & (points.depth < 80)).all()
        height, width = prepared.native_size
        assert (points.uv >= -0.5).all() and (points.uv <= (width - 0.5, height - 0.5)).all()


def test_dense_depth_meets_the_points(street_root: Path) -> None:
    """Two ways to one truth: rays for every prepared pixel, and scans, sampled in inverse depth as predictions are."""
    _, prepared = _load(street_root)
    assert prepared.dense_depth is not None
    errors = []
    for dense, points in zip(prepared.dense_depth, prepared.points, strict=True):
        at = points.uv @ prepared.native_to_image[:, :2].T + prepared.native_to_image[:, 2]
        inside = points.usable & (at >= 0).all(axis=1) & (at <= (dense.shape[1] - 1, dense.shape[0] - 1)).all(axis=1)
        (x, y), depth = at[inside].T, points.depth[inside]
        column = np.minimum(x.astype(int), dense.shape[1] - 2)
        row = np.minimum(y.astype(int), dense.shape[0] - 2)
        right, down = x - column, y - row
        inverse = np.divide(1.0, dense, out=np.zeros_like(dense, dtype=np.float64), where=dense > 0)
        mixed = (
            inverse[row, column] * (1 - right) * (1 - down)
            + inverse[row, column + 1] * right * (1 - down)
            + inverse[row + 1, column] * (1 - right) * down
            + inverse[row + 1, column + 1] * right * down
        )
        errors.append(np.abs(1 / np.maximum(mixed, 1e-6) - depth) / depth)
    together = np.concatenate(errors)
    assert together.mean() < 0.005
    assert np.mean(together < 0.25) > 0.995
