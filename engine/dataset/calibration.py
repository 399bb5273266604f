"""The calibration of KITTI-360: intrinsics of a rectified camera and where it sits on the vehicle.

Frames of reference: rectified camera (x right, y down, z forward), unrectified camera, IMU ("pose"), velodyne. A matrix
``a_to_b`` maps homogeneous points of frame a to frame b.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.dataset.kinds import CALIBRATION
from engine.dataset.model import Float64
from engine.errors import DataError, UsageError

_PERSPECTIVE = "perspective.txt"
_CAM_TO_POSE = "calib_cam_to_pose.txt"
_CAM_TO_VELO = "calib_cam_to_velo.txt"
_REMEDY = "take the official KITTI-360 calibration files"
_PERSPECTIVE_CAMERAS = (0, 1)
_ROTATION_TOLERANCE = 1e-3  # the official files round to about 1e-6


@dataclass(frozen=True, eq=False)
class Calibration:
    """One rectified perspective camera.

    Attributes:
        camera: 0 or 1.
        intrinsics: [3, 3], pixels, pixel centres at integers.
        size: (height, width) of the rectified images.
        camera_to_imu: rectified camera to IMU, [4, 4].
        velodyne_to_camera: velodyne to rectified camera, [4, 4].
        camera_to_camera0: rectified camera to rectified camera 0, [4, 4]; the identity for camera 0.
    """

    camera: int
    intrinsics: Float64
    size: tuple[int, int]
    camera_to_imu: Float64
    velodyne_to_camera: Float64
    camera_to_camera0: Float64


def read_calibration(root: Path, camera: int = 0) -> Calibration:
    """Read ``calibration/`` of a KITTI-360 folder.

    Velodyne to camera 0 is ``R_rect_00 @ inv(cam_to_velo)``; for camera 1 it goes on over the IMU, since
    ``calib_cam_to_velo.txt`` is about camera 0.

    Raises:
        UsageError: ``camera`` is none of the two perspective cameras.
        DataError: a file or a line of it is missing or wrong.
    """
    if camera not in _PERSPECTIVE_CAMERAS:
        raise UsageError(f"camera {camera} is no perspective camera", "choose 0 or 1")
    folder = root / CALIBRATION
    perspective = folder / _PERSPECTIVE
    lines = _keyed_lines(perspective)
    placement = _keyed_lines(folder / _CAM_TO_POSE)

    projection = _values(lines, f"P_rect_{camera:02d}", 12, perspective).reshape(3, 4)
    intrinsics = projection[:, :3].copy()
    if not (intrinsics[0, 0] > 0 and intrinsics[1, 1] > 0 and intrinsics[2, 2] == 1):
        raise DataError(f"P_rect_{camera:02d} in {perspective} is no projection of a pinhole camera", _REMEDY)
    width, height = (int(value) for value in _values(lines, f"S_rect_{camera:02d}", 2, perspective))
    if width < 1 or height < 1:
        raise DataError(f"S_rect_{camera:02d} in {perspective} is no image size", _REMEDY)

    cameras_to_imu = {}
    for number in sorted({0, camera}):
        rectification = np.eye(4)
        rectification[:3, :3] = _values(lines, f"R_rect_{number:02d}", 9, perspective).reshape(3, 3)
        _expect_rotation(rectification, f"R_rect_{number:02d}", perspective)
        raw_to_imu = _rigid(
            _values(placement, f"image_{number:02d}", 12, folder / _CAM_TO_POSE),
            f"image_{number:02d}",
            folder / _CAM_TO_POSE,
        )
        # Rectified points are R_rect times raw ones; their way to the IMU starts with the inverse.
        cameras_to_imu[number] = raw_to_imu @ np.linalg.inv(rectification)
        if number == 0:
            velodyne_to_camera0: Float64 = rectification @ np.linalg.inv(_read_cam_to_velo(folder / _CAM_TO_VELO))

    camera_to_camera0 = np.eye(4) if camera == 0 else np.linalg.inv(cameras_to_imu[0]) @ cameras_to_imu[camera]
    return Calibration(
        camera=camera,
        intrinsics=intrinsics,
        size=(height, width),
        camera_to_imu=cameras_to_imu[camera],
        velodyne_to_camera=np.linalg.inv(camera_to_camera0) @ velodyne_to_camera0,
        camera_to_camera0=camera_to_camera0,
    )


def _read_cam_to_velo(path: Path) -> Float64:
    values = _numbers(_read_text(path), "the matrix", path)
    if values.size != 12:
        raise DataError(f"{path} holds {values.size} numbers instead of a 3x4 matrix", _REMEDY)
    return _rigid(values, "the matrix", path)


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing", "download the KITTI-360 calibrations into it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read", _REMEDY) from error


def _keyed_lines(path: Path) -> dict[str, str]:
    pairs = (line.partition(":") for line in _read_text(path).splitlines())
    return {key.strip(): values for key, colon, values in pairs if colon}


def _values(lines: dict[str, str], key: str, count: int, path: Path) -> Float64:
    if key not in lines:
        raise DataError(f"{path} has no line {key!r}", _REMEDY)
    values = _numbers(lines[key], key, path)
    if values.size != count:
        raise DataError(f"{key} in {path} has {values.size} numbers instead of {count}", _REMEDY)
    return values


def _numbers(text: str, key: str, path: Path) -> Float64:
    try:
        values = np.array([float(word) for word in text.split()], dtype=np.float64)
    except ValueError as error:
        raise DataError(f"{key} in {path} holds something that is no number", _REMEDY) from error
    if not np.isfinite(values).all():
        raise DataError(f"{key} in {path} holds a number that is not finite", _REMEDY)
    return values


def _rigid(values: Float64, key: str, path: Path) -> Float64:
    matrix = np.eye(4)
    matrix[:3] = values.reshape(3, 4)
    _expect_rotation(matrix, key, path)
    return matrix


def _expect_rotation(matrix: Float64, key: str, path: Path) -> None:
    if not are_rotations(matrix[:3, :3]):
        raise DataError(f"{key} in {path} holds no rotation", _REMEDY)


def are_rotations(matrices: Float64) -> NDArray[np.bool_]:
    """Which of [..., 3, 3] matrices are rotations, to the precision that the dataset is printed with. [...]."""
    unit = np.abs(matrices @ np.swapaxes(matrices, -1, -2) - np.eye(3)).max(axis=(-2, -1)) < _ROTATION_TOLERANCE
    return np.asarray(unit & (np.linalg.det(matrices) > 0))
