"""One drive of KITTI-360: its folders, its poses, and which files it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.dataset import kitti360_files as files
from engine.dataset.calibration import Calibration
from engine.dataset.model import Float64
from engine.dataset.poses import FOLDER as POSES
from engine.dataset.poses import Trajectory, read_trajectory
from engine.errors import DataError


@dataclass(frozen=True, eq=False)
class Drive:
    """What is there of a drive. Presence is by folder listings: no file is opened, no frame is stat'ed.

    Attributes:
        name: the drive's name.
        images, labels, scans, poses: its folders.
        trajectory: camera poses by frame.
        has_image, has_labels, has_scan: frame numbers of the files.
    """

    name: str
    images: Path
    labels: Path
    scans: Path
    poses: Path
    trajectory: Trajectory
    has_image: frozenset[int]
    has_labels: frozenset[int]
    has_scan: frozenset[int]

    def image(self, frame: int) -> Path:
        """The image file of a frame."""
        return self.images / files.frame_name(frame, ".png")

    def label(self, frame: int) -> Path:
        """The label image of a frame."""
        return self.labels / files.frame_name(frame, ".png")

    def scan(self, frame: int) -> Path:
        """The scan of a frame."""
        return self.scans / files.frame_name(frame, ".bin")

    def pose(self, frame: int) -> Float64:
        """Camera to world of a frame, [4, 4].

        Raises:
            DataError: the frame has none.
        """
        try:
            return self.trajectory.poses[frame]
        except KeyError:
            raise DataError(
                f"frame {frame} of {self.name} has no pose in {self.poses}", "take the official poses"
            ) from None

    def neighbours(self, frame: int, reach: int) -> list[int]:
        """The frames within ``reach`` whose scans can be used for ``frame``, itself included."""
        return [
            number
            for number in range(frame - reach, frame + reach + 1)
            if number == frame or (number in self.has_scan and number in self.trajectory.poses)
        ]


def open_drive(root: Path, split: str, name: str, calibration: Calibration) -> Drive:
    """Look at a drive of a split.

    Raises:
        DataError: its pose file is there but wrong, or a folder cannot be read.
    """
    images = files.image_folder(root, split, name, calibration.camera)
    labels = files.label_folder(root, split, name, calibration.camera)
    scans = files.scan_folder(root, name)
    return Drive(
        name=name,
        images=images,
        labels=labels,
        scans=scans,
        poses=root / POSES / name,
        trajectory=read_trajectory(root / POSES / name, calibration),
        has_image=files.numbers_in(images, ".png"),
        has_labels=files.numbers_in(labels, ".png"),
        has_scan=files.numbers_in(scans, ".bin"),
    )
