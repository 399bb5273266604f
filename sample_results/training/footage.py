"""What training sees of a street: the frames of its drives with rendered depth, pose, and where the buildings are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.dataset import labels
from engine.dataset.model import Float64, Preparation, PreparedWindow
from engine.dataset.street import Street
from engine.dataset.street_scene import Scene
from engine.dataset.street_sensors import photograph


@dataclass(frozen=True, eq=False)
class Footage:
    """Consecutive frames, prepared as an evaluation prepares them.

    Attributes:
        images: [F, 3, H, W], RGB in [0, 1].
        depth: rendered z-depth in metres, [F, H, W]; 0 for the sky.
        building: [F, H, W], bool; pixels that show a building.
        world_to_camera: [F, 4, 4], float64: a street lies kilometres from the origin.
        intrinsics: of the images, [F, 3, 3], float64.
    """

    images: Tensor
    depth: Tensor
    building: Tensor
    world_to_camera: Tensor
    intrinsics: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def cut(self, start: int, length: int) -> Footage:
        """The frames from ``start`` on."""
        return Footage(*(getattr(self, field.name)[start : start + length] for field in fields(self)))


def read_footage(root: Path, split: str, preparation: Preparation, seq_len: int) -> list[Footage]:
    """Every drive of a street's split, through the reader that evaluations use.

    Args:
        root: a synthetic street.
        split: ``train`` or ``val``.
        preparation: of the images.
        seq_len: frames that are read at a time; frames at the end of a drive that do not fill as many are left out.

    Raises:
        DataError: the folder holds no street, or the split holds no drive that long.
    """
    street = Street(root)
    windows = street.windows(split, seq_len=seq_len, stride=seq_len)
    return [
        _join(street.scene(drive), [street.load(window, preparation) for window in of_drive])
        for drive, of_drive in groupby(windows, key=lambda window: window.drive)
    ]


def draw(footage: Sequence[Footage], seq_len: int, random: np.random.Generator) -> Footage:
    """A random window of a random drive."""
    drive = footage[int(random.integers(len(footage)))]
    return drive.cut(int(random.integers(len(drive) - seq_len + 1)), seq_len)


def _join(scene: Scene, windows: Sequence[PreparedWindow]) -> Footage:
    poses = np.concatenate([window.camera_to_world for window in windows])
    intrinsics = np.concatenate([window.intrinsics for window in windows])
    images = np.concatenate([window.images for window in windows])
    seen = [_see(scene, matrix, images.shape[2:], pose) for matrix, pose in zip(intrinsics, poses, strict=True)]
    return Footage(
        images=torch.from_numpy(images),
        depth=torch.from_numpy(np.stack([depth for depth, _ in seen])),
        building=torch.from_numpy(np.stack([building for _, building in seen])),
        world_to_camera=torch.from_numpy(np.linalg.inv(poses)),
        intrinsics=torch.from_numpy(intrinsics),
    )


def _see(scene: Scene, intrinsics: Float64, size: tuple[int, ...], pose: Float64) -> tuple[np.ndarray, np.ndarray]:
    """Depth, float32, and whether it is that of a building, at every pixel centre."""
    height, width = size
    picture = photograph(scene, intrinsics, (height, width), pose)
    return picture.depth.astype(np.float32), picture.label == labels.BUILDING
