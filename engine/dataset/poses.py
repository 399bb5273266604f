"""Camera poses of a drive, from whichever file there is: ``cam0_to_world.txt``, else the IMU's ``poses.txt``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.dataset.calibration import Calibration, are_rotations
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
    rows = [words for words in map(str.split, lines) if words]
    parsed = [values for values in map(_numbers, rows) if values is not None and len(values) == count + 1]
    table = np.array(parsed, dtype=np.float64).reshape(-1, count + 1)
    table = table[np.isfinite(table).all(axis=1)]
    table = table[table[:, 0] == np.floor(table[:, 0])]
    matrices = np.tile(np.eye(4), (len(table), 1, 1))
    matrices[:, : count // 4] = table[:, 1:].reshape(-1, count // 4, 4)
    valid = are_rotations(matrices[:, :3, :3]) & (matrices[:, 3] == (0, 0, 0, 1)).all(axis=1)
    frames = table[valid, 0].astype(np.int64).tolist()
    if not frames:
        raise DataError(f"{path} holds no pose", f"a line is a frame number and {count} numbers")
    poses = dict(zip(frames, matrices[valid] @ camera_to_body, strict=True))
    return Trajectory(path.name, poses, len(rows) - len(frames))


def _numbers(words: list[str]) -> list[float] | None:
    try:
        return [float(word) for word in words]
    except ValueError:
        return None
