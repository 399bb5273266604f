"""Opening whatever dataset lies in a folder."""

from __future__ import annotations

from pathlib import Path

from engine.dataset.calibration import FOLDER as CALIBRATION
from engine.dataset.kitti360 import Kitti360
from engine.dataset.model import Dataset
from engine.dataset.rgbd import RgbdClip, clip_folders
from engine.dataset.street import STREET_FILE, Street
from engine.errors import DataError


def open_dataset(root: Path, *, cache: Path | None = None) -> Dataset:
    """The dataset in ``root``: a synthetic street, KITTI-360 in its official layout, or RGB-D clips.

    Args:
        root: a folder.
        cache: folder for prepared ground truth of streets and KITTI-360; ``None`` for none.

    Raises:
        DataError: there is no such folder, or nothing in it that is known; or what is there is wrong.
    """
    if not root.is_dir():
        raise DataError(f"there is no folder {root}", "name the folder of the dataset")
    if (root / STREET_FILE).is_file():
        return Street(root, cache=cache)
    if (root / CALIBRATION).is_dir():
        return Kitti360(root, cache=cache)
    if clip_folders(root):
        return RgbdClip(root)
    raise DataError(
        f"{root} holds no dataset that lorascope knows",
        "give a KITTI-360 folder (with calibration, data_poses, data_2d_raw ...), a folder of RGB-D frames "
        "(frame-NNNNNN.color.*), or write a street with lorascope synth",
    )
