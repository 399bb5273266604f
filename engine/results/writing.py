"""The error for a file that cannot be written. Imports nothing heavy."""

from __future__ import annotations

import errno
from pathlib import Path

from engine.errors import DataError, StorageError

# What is wrong with the disk or the folder, not with one file.
_NO_STORAGE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG, errno.EIO, errno.ENODEV}
)


def not_written(path: Path, error: OSError) -> DataError:
    """The error for a file that cannot be written; a :class:`StorageError` where no other file could be, either."""
    kind = StorageError if error.errno in _NO_STORAGE else DataError
    return kind(f"{path}: cannot be written ({error.strerror or error})", "check the folder's rights and space")
