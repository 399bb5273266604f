"""Opening whatever dataset lies in a folder."""

from __future__ import annotations

from pathlib import Path

from engine.dataset.kinds import DatasetKind, kind_of
from engine.dataset.kitti360 import Kitti360
from engine.dataset.model import Dataset
from engine.dataset.rgbd import RgbdClip
from engine.dataset.street import Street
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
    match kind_of(root):
        case DatasetKind.STREET:
            return Street(root, cache=cache)
        case DatasetKind.KITTI360:
            return Kitti360(root, cache=cache)
        case DatasetKind.RGBD:
            return RgbdClip(root)
    raise DataError(
        f"{root} holds no dataset that lorascope knows",
        "give a KITTI-360 folder (with calibration, data_poses, data_2d_raw ...), a folder of RGB-D frames "
        "(frame-NNNNNN.color.*), or write a street with lorascope synth",
    )
