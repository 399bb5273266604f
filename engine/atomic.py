"""Files that are either the old or the new one: written beside their place, flushed to disk, renamed over it."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A path to write to; what stands there at the end of the block becomes ``path`` in one step.

    The temporary file lies in the folder of ``path``, which must exist, under a hidden name that ends in
    :data:`TEMPORARY_SUFFIX`. On any failure, inside the block or in the renaming, it is removed and ``path`` is what it
    was. A process killed inside the block leaves ``path`` untouched too.

    Args:
        path: the file to replace or create.

    Yields:
        The path of the temporary file; it does not exist yet.

    Raises:
        OSError: the file cannot be written, flushed or renamed; also when the block wrote nothing.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}{TEMPORARY_SUFFIX}")
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    except BaseException:
        # The first error is the one to report, not a failure to tidy up after it.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def atomic_write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` in one step.

    Raises:
        OSError: as :func:`atomic_path`.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def _flush(path: Path) -> None:
    # Without this a power loss after the rename could leave an empty file under the new name.
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Flush the entries of ``folder`` (what was created, renamed or removed in it) to disk, where that is possible."""
    # The new file is in place already; some network file systems refuse to flush a folder, which loses nothing.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
