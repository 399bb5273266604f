"""Prepared ground truth kept on disk, under a hash of everything it depends on.

A frame of KITTI-360 at full size takes about 4 MB. Files are complete or absent, whoever writes at the same time: two
writers of one key write the same content, and the later rename wins.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from engine.atomic import atomic_write_bytes
from engine.dataset.model import FramePoints
from engine.errors import DataError

_FIELDS = ("uv", "depth", "label", "usable")


class PointsCache:
    """Ground truth of frames by key.

    Args:
        folder: where the files lie; made with the first one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> FramePoints | None:
        """What is kept under ``key``; ``None`` where there is nothing, or a file that cannot be read."""
        try:
            with self._path(key).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return FramePoints(**{name: arrays[name] for name in _FIELDS})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            # Whatever is wrong with a kept copy, making it again puts it right.
            return None

    def put(self, key: str, points: FramePoints) -> None:
        """Keep ``points`` under ``key``.

        Raises:
            DataError: the folder cannot be written to.
        """
        buffer = io.BytesIO()
        np.savez(buffer, **{name: getattr(points, name) for name in _FIELDS})
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write_bytes(path, buffer.getvalue())
        except OSError as error:
            raise DataError(
                f"the cache in {self._folder} cannot be written ({error.strerror or error})",
                "free some room, or go without a cache",
            ) from error

    def _path(self, key: str) -> Path:
        # Two levels: tens of thousands of files in one folder are slow on some file systems.
        return self._folder / key[:2] / f"{key}.npz"


def cache_key(parameters: Mapping[str, object], matrices: Iterable[np.ndarray], files: Iterable[Path]) -> str:
    """The hash of all that a frame's ground truth depends on.

    Args:
        parameters: numbers and texts, e.g. thresholds and the version of the code.
        matrices: poses and calibration, in a fixed order.
        files: what is read; their names, sizes and times of change count, their folders do not.

    Returns:
        64 hexadecimal digits.

    Raises:
        DataError: a file is missing.
    """
    digest = hashlib.sha256(json.dumps(dict(parameters), sort_keys=True).encode())
    for matrix in matrices:
        digest.update(str(matrix.shape).encode())
        digest.update(np.ascontiguousarray(matrix, dtype=np.float64).tobytes())
    for path in files:
        try:
            status = path.stat()
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror or error})", "copy the file again") from error
        digest.update(f"{path.name}\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()
