"""Files that only save time, in the user's cache folder: bounded in size, and nothing depends on them."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from engine.atomic import TEMPORARY_SUFFIX, atomic_write_bytes

_ENDING = ".cache"
_ABANDONED_SECONDS = 3600.0  # a temporary file this old belongs to a process that was killed


class UserCache:
    """Named files in ``lorascope/<kind>`` of the user's cache folder (``$XDG_CACHE_HOME``, ``~/.cache``).

    Args:
        kind: what they are.
        limit: bytes of all of them together; those that were not used for longest are removed.
        largest: bytes of one.
    """

    def __init__(self, kind: str, *, limit: int, largest: int) -> None:
        self._kind = kind
        self._limit = limit
        self._largest = largest

    def read(self, name: str) -> bytes | None:
        """A file's contents; ``None`` where there is none, or it cannot be read."""
        try:
            path = self._folder() / f"{name}{_ENDING}"
            with path.open("rb") as file:
                data = file.read(self._largest + 1)
            os.utime(path)  # it was used
        except (OSError, RuntimeError):
            return None
        return data if len(data) <= self._largest else None

    def write(self, name: str, data: bytes) -> bool:
        """Replace a file; False where that is not possible."""
        if len(data) > self._largest:
            return False
        try:
            folder = self._folder()
            folder.mkdir(parents=True, exist_ok=True)
            atomic_write_bytes(folder / f"{name}{_ENDING}", data)
            self._tidy(folder)
        except (OSError, RuntimeError):
            return False
        return True

    def _folder(self) -> Path:
        from platformdirs import user_cache_path

        return user_cache_path("lorascope") / self._kind

    def _tidy(self, folder: Path) -> None:
        files = []
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # another process tidies up, too
                    status = entry.stat(follow_symlinks=False)
                    if entry.name.endswith(_ENDING):
                        files.append((status.st_mtime, status.st_size, entry.path))
                    elif entry.name.endswith(TEMPORARY_SUFFIX) and status.st_mtime < time.time() - _ABANDONED_SECONDS:
                        Path(entry.path).unlink(missing_ok=True)
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self._limit:
                break
            Path(path).unlink(missing_ok=True)
            total -= size
