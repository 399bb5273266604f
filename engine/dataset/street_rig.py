"""The vehicle of the synthetic street: camera, velodyne and IMU, calibrated much like the real one and nowhere aligned.

Every transform is there to be got wrong: the rectification is not the identity, the camera sits forward of the IMU with
other axes, and the velodyne is turned against both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.dataset.model import Float64

# P_rect_00 of the real dataset at 1408x376; other widths scale it.
_NATIVE_WIDTH = 1408
_FOCAL, _CENTRE_X, _CENTRE_Y = 552.554261, 682.049453, 238.769549
_BASELINE = 0.594
_DECIMALS = 12


@dataclass(frozen=True, eq=False)
class Rig:
    """The calibration as its files hold it.

    Attributes:
        size: (height, width) of the images.
        intrinsics: of both rectified cameras, [3, 3].
        rectifications: ``R_rect`` of cameras 0 and 1, [3, 3] each.
        cameras_to_imu: unrectified cameras 0 and 1 to IMU, [4, 4] each.
        camera0_to_velodyne: unrectified camera 0 to velodyne, [4, 4].
    """

    size: tuple[int, int]
    intrinsics: Float64
    rectifications: tuple[Float64, Float64]
    cameras_to_imu: tuple[Float64, Float64]
    camera0_to_velodyne: Float64

    @property
    def rectified_to_imu(self) -> Float64:
        """Rectified camera 0 to IMU, [4, 4]."""
        rectification = np.eye(4)
        rectification[:3, :3] = self.rectifications[0]
        return self.cameras_to_imu[0] @ rectification.T

    @property
    def velodyne_to_imu(self) -> Float64:
        """Velodyne to IMU, [4, 4]."""
        return self.cameras_to_imu[0] @ np.linalg.inv(self.camera0_to_velodyne)

    def files(self) -> dict[str, str]:
        """Text of ``perspective.txt``, ``calib_cam_to_pose.txt`` and ``calib_cam_to_velo.txt``."""
        height, width = self.size
        perspective = []
        placement = []
        for camera in (0, 1):
            # The fourth column moves from camera 0 to this one, as in the official file.
            projection = np.column_stack([self.intrinsics, (-camera * _BASELINE * self.intrinsics[0, 0], 0, 0)])
            perspective += [
                f"S_rect_{camera:02d}: {width} {height}",
                f"R_rect_{camera:02d}: {numbers(self.rectifications[camera])}",
                f"P_rect_{camera:02d}: {numbers(projection)}",
            ]
            placement.append(f"image_{camera:02d}: {numbers(self.cameras_to_imu[camera][:3])}")
        return {
            "perspective.txt": "\n".join(perspective) + "\n",
            "calib_cam_to_pose.txt": "\n".join(placement) + "\n",
            "calib_cam_to_velo.txt": numbers(self.camera0_to_velodyne[:3]) + "\n",
        }


def build_rig(size: tuple[int, int]) -> Rig:
    """The vehicle with cameras of ``size`` (height, width)."""
    scale = size[1] / _NATIVE_WIDTH
    native_height = size[0] / scale
    intrinsics = np.array(
        [
            [_FOCAL * scale, 0, (_CENTRE_X + 0.5) * scale - 0.5],
            # Another aspect keeps the horizon at the same share of the height.
            [0, _FOCAL * scale, (_CENTRE_Y + 0.5) * native_height / 376 * scale - 0.5],
            [0, 0, 1],
        ]
    )
    # Camera axes (right, down, forward) in those of the IMU (forward, right, down), then a slight misalignment.
    axes = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    cameras = []
    rectifications = (_rotation(0.006, -0.011, 0.004), _rotation(-0.005, 0.009, -0.003))
    for camera, place in enumerate(((1.57, 0.01, -0.62), (1.57, 0.01 + _BASELINE, -0.62))):
        matrix = np.eye(4)
        # Rectified, both look the same way: what differs is undone by the rectification.
        matrix[:3, :3] = _rotation(0.012, -0.035, 0.008) @ axes @ rectifications[camera]
        matrix[:3, 3] = place
        cameras.append(matrix)
    to_velodyne = np.eye(4)
    # Velodyne axes: forward, left, up.
    velodyne_axes = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    to_velodyne[:3, :3] = _rotation(-0.015, 0.025, 0.045) @ velodyne_axes @ rectifications[0]
    to_velodyne[:3, 3] = (0.79, -0.08, -0.18)
    return Rig(size, intrinsics, rectifications, (cameras[0], cameras[1]), to_velodyne)


def numbers(matrix: Float64) -> str:
    """A matrix row by row on one line, precise to far below a micrometre at any place on Earth."""
    return " ".join(f"{value:.{_DECIMALS}e}" for value in np.asarray(matrix).ravel())


def _rotation(x: float, y: float, z: float) -> Float64:
    """A rotation by the vector (x, y, z) in radians (Rodrigues' formula)."""
    angle = float(np.sqrt(x * x + y * y + z * z))
    a, b, c = x / angle, y / angle, z / angle
    cross = np.array([[0, -c, b], [c, 0, -a], [-b, a, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)
