"""Camera poses of a drive, from whichever file there is: ``cam0_to_world.txt``, else the IMU's ``poses.txt``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.dataset.calibration import Calibration, is_rotation
from engine.dataset.model import Float64
from engine.errors import DataError

FOLDER = "data_poses"
CAMERA_POSES = "cam0_to_world.txt"
IMU_POSES = "poses.txt"


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Poses of the rectified camera, by frame number.

    Attributes:
        source: name of the file they come from; empty where the drive has none.
        poses: frame number -> camera to world, [4, 4].
        skipped: lines that held no pose (wrong count, no number, not finite, no rotation); their frames have none.
    """

    source: str
    poses: dict[int, Float64]
    skipped: int


def read_trajectory(folder: Path, calibration: Calibration) -> Trajectory:
    """Read the poses of one drive.

    A line of ``cam0_to_world.txt`` is a frame number and the 4x4 pose of *rectified* camera 0. A line of ``poses.txt``
    is a frame number and the 3x4 pose of the *IMU*, which is never a camera's: the camera's place on the vehicle is
    added.

    Args:
        folder: ``data_poses/<drive>``.
        calibration: of the camera whose poses are wanted.

    Returns:
        The poses; none where neither file is there.

    Raises:
        DataError: a file is there but cannot be read, or holds no pose at all.
    """
    cameras, imu = folder / CAMERA_POSES, folder / IMU_POSES
    if cameras.is_file():
        return _read(cameras, 16, calibration.camera_to_camera0)
    if imu.is_file():
        return _read(imu, 12, calibration.camera_to_imu)
    return Trajectory("", {}, 0)


def _read(path: Path, count: int, camera_to_body: Float64) -> Trajectory:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read", "copy the file again") from error
    poses: dict[int, Float64] = {}
    skipped = 0
    for words in filter(None, map(str.split, lines)):
        body_to_world = _pose(words, count)
        if body_to_world is None:
            skipped += 1
        else:
            poses[int(float(words[0]))] = body_to_world @ camera_to_body
    if not poses:
        raise DataError(f"{path} holds no pose", f"a line is a frame number and {count} numbers")
    return Trajectory(path.name, poses, skipped)


def _pose(words: list[str], count: int) -> Float64 | None:
    if len(words) != count + 1:
        return None
    try:
        values = np.array([float(word) for word in words], dtype=np.float64)
    except ValueError:
        return None
    if not np.isfinite(values).all() or values[0] != int(values[0]):
        return None
    matrix = np.eye(4)
    matrix[: count // 4] = values[1:].reshape(-1, 4)
    if not is_rotation(matrix[:3, :3]) or not np.array_equal(matrix[3], (0, 0, 0, 1)):
        return None
    return matrix
