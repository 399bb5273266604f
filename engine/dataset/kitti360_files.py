"""Where things lie in a KITTI-360 folder, which frames a split has, and which files are there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from engine.errors import DataError

TRAIN, VAL, TEST = "train", "val", "test"
SPLITS = (VAL, TRAIN, TEST)
_TEST_DRIVE = re.compile(r"_(0008|0018)_sync$")
# A line of a split list: the path of an image, then that of its labels.
_LISTED = re.compile(r"(?:^|/)(?P<drive>[^/\s]+)/image_\d\d/(?:[^/\s]+/)*(?P<frame>\d+)\.png$")
_SEMANTICS = "data_2d_semantics"


def frame_name(frame: int, ending: str) -> str:
    """The file name of a frame: ten digits."""
    return f"{frame:010d}{ending}"


def scan_folder(root: Path, drive: str) -> Path:
    """Where the scans of a drive lie."""
    return root / "data_3d_raw" / drive / "velodyne_points" / "data"


def image_folder(root: Path, split: str, drive: str, camera: int) -> Path:
    """Where the rectified images of a drive lie."""
    return root / ("data_2d_test" if split == TEST else "data_2d_raw") / drive / f"image_{camera:02d}" / "data_rect"


def label_folder(root: Path, split: str, drive: str, camera: int) -> Path:
    """Where the label images of a drive lie."""
    return root / _SEMANTICS / (TEST if split == TEST else TRAIN) / drive / f"image_{camera:02d}" / "semantic"


def split_list(root: Path, split: str) -> Path:
    """The official list of frames of ``train`` or ``val``."""
    return root / _SEMANTICS / TRAIN / f"2013_05_28_drive_{split}_frames.txt"


def split_frames(root: Path, split: str, camera: int) -> dict[str, list[int]]:
    """The frames of a split: by the official lists, or the images of the test drives 0008 and 0018.

    Returns:
        Drive -> frame numbers in ascending order; drives in order of their names.

    Raises:
        DataError: the list (or the folder of test images) is missing or unreadable, or names no frame.
    """
    if split == TEST:
        found = _test_frames(root, camera)
    else:
        found = _listed_frames(split_list(root, split))
    return {drive: sorted(frames) for drive, frames in sorted(found.items())}


def numbers_in(folder: Path, ending: str) -> frozenset[int]:
    """The frame numbers of the files in a folder; none where the folder is missing.

    Raises:
        DataError: the folder is there but cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            stems = [entry.name.removesuffix(ending) for entry in entries if entry.name.endswith(ending)]
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error.strerror or error})", "check its permissions") from error
    return frozenset(int(stem) for stem in stems if stem.isascii() and stem.isdigit())


def _test_frames(root: Path, camera: int) -> dict[str, Iterable[int]]:
    folder = root / "data_2d_test"
    drives = [path.name for path in folder.glob("*") if _TEST_DRIVE.search(path.name)] if folder.is_dir() else []
    found = {drive: numbers_in(image_folder(root, TEST, drive, camera), ".png") for drive in drives}
    found = {drive: frames for drive, frames in found.items() if frames}
    if not found:
        raise DataError(
            f"{folder} holds no images of the test drives 0008 and 0018",
            "download the test images into it, or choose val or train",
        )
    return dict(found)


def _listed_frames(path: Path) -> dict[str, Iterable[int]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing", "download the KITTI-360 2D semantics, which hold the lists") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read", "copy the file again") from error
    found: dict[str, set[int]] = {}
    for line in lines:
        words = line.split()
        match = _LISTED.search(words[0]) if words else None
        if match:
            found.setdefault(match["drive"], set()).add(int(match["frame"]))
    if not found:
        raise DataError(f"{path} lists no frame", "take the official list")
    return dict(found)
