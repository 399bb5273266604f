"""The synthetic street as a dataset: KITTI-360's own reader, and beside it the dense depth that the scene has."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.dataset.kinds import STREET_FILE
from engine.dataset.kitti360 import NEIGHBOURS, Kitti360
from engine.dataset.model import Float32, Float64, Preparation, PreparedWindow, Window
from engine.dataset.street_scene import Scene
from engine.dataset.street_sensors import photograph
from engine.dataset.street_writer import FORMAT, VERSION, write_street
from engine.errors import DataError

__all__ = ["STREET_FILE", "Street", "write_street"]


class Street(Kitti360):
    """A street that :func:`write_street` wrote.

    Its files are read as those of the real dataset are. ``dense_depth`` comes another way, from rays cast into the
    scene for every pixel of the prepared images: what ``oracle`` predicts owes nothing to scans or projections.

    Args:
        root, neighbours, cache: as for :class:`Kitti360`.

    Raises:
        DataError: the folder holds no street, or one of another version.
    """

    def __init__(self, root: Path, *, neighbours: int = NEIGHBOURS, cache: Path | None = None) -> None:
        super().__init__(root, neighbours=neighbours, cache=cache)
        self._scenes = read_scenes(root / STREET_FILE)

    @property
    def name(self) -> str:
        """``street``."""
        return "street"

    def scene(self, drive: str) -> Scene:
        """The scene of a drive.

        Raises:
            DataError: no such drive.
        """
        try:
            return self._scenes[drive]
        except KeyError:
            raise DataError(f"{self._root / STREET_FILE} has no drive {drive!r}", "write the street anew") from None

    def load(self, window: Window, preparation: Preparation) -> PreparedWindow:
        """As :meth:`Kitti360.load`, with ``dense_depth``."""
        prepared = super().load(window, preparation)
        height, width = prepared.images.shape[2:]
        scene = self.scene(window.drive)
        depth = [
            dense_depth(scene, intrinsics, (height, width), pose)
            for intrinsics, pose in zip(prepared.intrinsics, prepared.camera_to_world, strict=True)
        ]
        return replace(prepared, dense_depth=np.stack(depth))


def dense_depth(scene: Scene, intrinsics: Float64, size: tuple[int, int], camera_to_world: Float64) -> Float32:
    """The depth at every pixel centre of a camera, [H, W], metres; 0 for the sky."""
    return photograph(scene, intrinsics, size, camera_to_world).depth.astype(np.float32)


def read_scenes(path: Path) -> dict[str, Scene]:
    """Drive -> scene of a street's description.

    Raises:
        DataError: the file is missing, no description of a street, or of another version.
    """
    remedy = "write the street anew with lorascope synth"
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read", remedy) from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DataError(f"{path} describes no street", remedy)
    if document.get("version") != VERSION:
        raise DataError(f"{path} was written by another version of the generator", remedy)
    try:
        return {drive: Scene.from_json(entry["scene"]) for drive, entry in document["drives"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path} is damaged", remedy) from error
