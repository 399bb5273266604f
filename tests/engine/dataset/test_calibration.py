"""Calibration and poses with answers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.dataset.calibration import read_calibration
from engine.dataset.poses import read_trajectory
from engine.errors import DataError, UsageError

# R_rect_00 turns about z by 90 degrees: raw (x, y, z) -> rectified (-y, x, z).
PERSPECTIVE = """calib_time: 28-May-2013
S_rect_00: 20.0 10.0
R_rect_00: 0 -1 0 1 0 0 0 0 1
P_rect_00: 8 0 9.5 0 0 8 4.5 0 0 0 1 0
S_rect_01: 20 10
R_rect_01: 1 0 0 0 1 0 0 0 1
P_rect_01: 8 0 9.5 -4.8 0 8 4.5 0 0 0 1 0
"""
# Raw cameras have the axes of the IMU; camera 0 sits at (1, 2, 3), camera 1 at (1, 2.5, 3).
CAM_TO_POSE = "image_00: 1 0 0 1 0 1 0 2 0 0 1 3\nimage_01: 1 0 0 1 0 1 0 2.5 0 0 1 3\n"
# Raw camera 0 -> velodyne: (x, y, z) -> (z, -x, -y) + (0.1, 0.2, 0.3).
CAM_TO_VELO = "0 0 1 0.1 -1 0 0 0.2 0 -1 0 0.3\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "calibration"
    folder.mkdir()
    (folder / "perspective.txt").write_text(PERSPECTIVE)
    (folder / "calib_cam_to_pose.txt").write_text(CAM_TO_POSE)
    (folder / "calib_cam_to_velo.txt").write_text(CAM_TO_VELO)
    return tmp_path


def _moved(matrix: np.ndarray, point: tuple[float, float, float]) -> list[float]:
    return [round(value, 9) for value in (matrix @ np.array([*point, 1.0]))[:3].tolist()]


def test_intrinsics_and_size(root: Path) -> None:
    calibration = read_calibration(root)
    assert calibration.size == (10, 20)
    np.testing.assert_array_equal(calibration.intrinsics, [[8, 0, 9.5], [0, 8, 4.5], [0, 0, 1]])


def test_rectified_camera_to_imu_undoes_the_rectification(root: Path) -> None:
    # Rectified (5, 6, 7) is raw (6, -5, 7), since raw -> rectified is (-y, x, z); then the camera's place is added.
    assert _moved(read_calibration(root).camera_to_imu, (5, 6, 7)) == [7, -3, 10]


def test_velodyne_to_rectified_camera(root: Path) -> None:
    # Velodyne (1.1, 2.2, 3.3) less the shift is (1, 2, 3) = (z, -x, -y) of the raw camera: raw (-2, -3, 1).
    # Rectified: (-y, x, z) = (3, -2, 1).
    assert _moved(read_calibration(root).velodyne_to_camera, (1.1, 2.2, 3.3)) == [3, -2, 1]


def test_camera_1_goes_over_the_imu(root: Path) -> None:
    calibration = read_calibration(root, camera=1)
    # Raw camera 1 is rectified camera 1; its point (0, 0, 4) lies at IMU (1, 2.5, 7), raw camera 0 (0, 0.5, 4),
    # rectified camera 0 (-0.5, 0, 4).
    assert _moved(calibration.camera_to_camera0, (0, 0, 4)) == [-0.5, 0, 4]
    # Raw camera 0 is (-2, -3, 1) again, IMU (-1, -1, 4), camera 1 (-2, -3.5, 1).
    assert _moved(calibration.velodyne_to_camera, (1.1, 2.2, 3.3)) == [-2, -3.5, 1]


def test_imu_poses_are_composed(root: Path, tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    # The IMU turned by 180 degrees about z, at (100, 0, 0).
    (drive / "poses.txt").write_text("7 -1 0 0 100 0 -1 0 0 0 0 1 0\n")
    trajectory = read_trajectory(drive, read_calibration(root))
    assert trajectory.source == "poses.txt" and list(trajectory.poses) == [7]
    # Rectified (5, 6, 7) is IMU (7, -3, 10), turned (-7, 3, 10), moved (93, 3, 10).
    assert _moved(trajectory.poses[7], (5, 6, 7)) == [93, 3, 10]


def test_camera_poses_are_taken_as_they_are_and_first(root: Path, tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    (drive / "poses.txt").write_text("7 -1 0 0 100 0 -1 0 0 0 0 1 0\n")
    (drive / "cam0_to_world.txt").write_text("9 1 0 0 5 0 1 0 6 0 0 1 7 0 0 0 1 \n")
    trajectory = read_trajectory(drive, read_calibration(root))
    assert trajectory.source == "cam0_to_world.txt" and list(trajectory.poses) == [9]
    assert _moved(trajectory.poses[9], (1, 1, 1)) == [6, 7, 8]
    # For camera 1 the way from camera 1 to camera 0 comes first: (0, 0, 4) -> (-0.5, 0, 4).
    other = read_trajectory(drive, read_calibration(root, camera=1))
    assert _moved(other.poses[9], (0, 0, 4)) == [4.5, 6, 11]


def test_lines_without_a_pose_are_skipped_and_counted(root: Path, tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    good = "1 0 0 5 0 1 0 6 0 0 1 7 0 0 0 1"
    (drive / "cam0_to_world.txt").write_text(
        f"1 {good}\n2 {good.replace('5', 'nan')}\n3 {good[:-2]}\n4 {good.replace('5', 'x')}\n"
        f"5 {good.replace('1', '2', 1)}\n5.5 {good}\n6 {good[:-1]}2\n\n8 {good}\n"
    )
    trajectory = read_trajectory(drive, read_calibration(root))
    assert sorted(trajectory.poses) == [1, 8]
    assert trajectory.skipped == 6


def test_no_pose_file_is_no_pose(root: Path, tmp_path: Path) -> None:
    assert read_trajectory(tmp_path / "nowhere", read_calibration(root)).poses == {}


def test_a_pose_file_without_poses_is_an_error(root: Path, tmp_path: Path) -> None:
    (tmp_path / "poses.txt").write_text("\nhello\n")
    with pytest.raises(DataError, match=r"poses\.txt holds no pose"):
        read_trajectory(tmp_path, read_calibration(root))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("perspective.txt", "P_rect_00", "P_rect_09", "has no line 'P_rect_00'"),
        ("perspective.txt", "8 0 9.5 0 0", "8 0 9.5 0", "has 11 numbers instead of 12"),
        ("perspective.txt", "0 -1 0 1 0 0 0 0 1", "0 -1 0 1 0 0 0 0 2", "holds no rotation"),
        ("perspective.txt", "20.0 10.0", "20.0 ten", "no number"),
        ("perspective.txt", "20.0 10.0", "0 10.0", "no image size"),
        ("perspective.txt", "P_rect_00: 8", "P_rect_00: -8", "no projection of a pinhole"),
        ("calib_cam_to_pose.txt", "image_00: 1", "image_00: inf", "not finite"),
        ("calib_cam_to_pose.txt", "image_00: 1 0", "image_00: 0 1", "no rotation"),
        ("calib_cam_to_velo.txt", "0.3", "", "holds 11 numbers"),
    ],
)
def test_wrong_files_are_named(root: Path, file: str, old: str, new: str, message: str) -> None:
    path = root / "calibration" / file
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=message) as raised:
        read_calibration(root)
    assert str(path) in raised.value.message and raised.value.remedy


@pytest.mark.parametrize("file", ["perspective.txt", "calib_cam_to_pose.txt", "calib_cam_to_velo.txt"])
def test_missing_files_are_named(root: Path, file: str) -> None:
    (root / "calibration" / file).unlink()
    with pytest.raises(DataError, match=rf"{file} is missing"):
        read_calibration(root)


def test_only_perspective_cameras(root: Path) -> None:
    with pytest.raises(UsageError, match="camera 2"):
        read_calibration(root, camera=2)
