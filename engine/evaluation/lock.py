"""One evaluation at a time on a run folder: a lock that the kernel releases when its process dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import DataError, UsageError

FILE = ".lock"


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the run's lock.

    Raises:
        UsageError: another process evaluates into this folder.
        DataError: the folder cannot be written to.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(run / FILE, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise DataError(f"{run}: cannot be written to ({error.strerror or error})", "choose another --to") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(
                f"{run}: another process is evaluating into this folder", "wait for it, or stop it"
            ) from None
        yield
    finally:
        os.close(descriptor)
