"""Which dataset lies in a folder, by names alone. Imports nothing heavy."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

STREET_FILE = "street.json"
CALIBRATION = "calibration"
COLOR = re.compile(r"frame-(\d+)\.color\.(?:png|jpg|jpeg)$", re.IGNORECASE)


class DatasetKind(StrEnum):
    """The datasets that can be read."""

    STREET = "street"
    KITTI360 = "kitti360"
    RGBD = "rgbd"


def kind_of(root: Path) -> DatasetKind | None:
    """The dataset in ``root``; ``None`` where it is no folder or holds none that is known.

    Raises:
        OSError: the folder cannot be read.
    """
    if (root / STREET_FILE).is_file():
        return DatasetKind.STREET
    if (root / CALIBRATION).is_dir():
        return DatasetKind.KITTI360
    return DatasetKind.RGBD if clip_folders(root) else None


def clip_folders(root: Path) -> list[Path]:
    """The folders with frames: ``root`` itself, else those right below it; none where there is no such thing."""
    if not root.is_dir():
        return []
    candidates = [root, *sorted(path for path in root.iterdir() if path.is_dir())]
    found = [folder for folder in candidates if any(COLOR.match(path.name) for path in folder.glob("frame-*"))]
    return found[:1] if root in found else found
