"""A folder beside the final places in which an export is put together, and the step that moves it there.

``TARGET/.lorascope-export-<random>/`` holds ``new/`` (the export as it will be), ``old/`` (what a forced export
replaced, until the end) and ``.lock``. The lock is held as long as the process lives, so the next export into the same
target knows a left-over folder: it can take its lock. It moves back what ``old/`` holds of places that are empty, and
removes the rest. On file systems without locks nothing is taken for left over.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.atomic import flush_folder
from engine.errors import TargetExistsError
from engine.i18n import gettext as _
from engine.text import visible

PREFIX = ".lorascope-export-"
_LOCK = ".lock"
# A folder without a lock file is being made, or its maker died in that instant.
_UNLOCKED_SECONDS = 3600


@contextlib.contextmanager
def staging(target: Path) -> Iterator[Path]:
    """A fresh staging folder in ``target``, which is made if missing.

    The folder is removed at the end of the block. If the block fails, for whatever reason, what it moved away is moved
    back first, and folders that were made for ``target`` are removed again.

    Yields:
        The staging folder, with empty ``new`` and ``old``.

    Raises:
        OSError: it cannot be made.
    """
    made = [folder for folder in (target, *target.parents) if not folder.exists()]
    try:
        target.mkdir(parents=True, exist_ok=True)
        folder, lock = _locked_folder(target)
        try:
            (folder / "new").mkdir()
            (folder / "old").mkdir()
            yield folder
        finally:
            _discard(folder, target)
            os.close(lock)
    except BaseException:
        for empty in made:
            with contextlib.suppress(OSError):
                empty.rmdir()
        raise


def sweep(target: Path) -> None:
    """Remove what exports that were killed left in ``target``; see the module for how they are known."""
    for folder in target.glob(PREFIX + "*"):
        if folder.is_symlink() or not folder.is_dir():
            continue
        lock = _try_lock(folder)
        if lock is None:
            continue
        try:
            _discard(folder, target)
        finally:
            os.close(lock)


def install(folder: Path, target: Path, places: Sequence[Path], *, force: bool) -> None:
    """Move everything from ``new/`` to its place; all of it or, on any failure, none.

    Args:
        folder: the staging folder.
        target: the folder of the export.
        places: paths below ``new/`` and below ``target``.
        force: replace what is there; it lies in ``old/`` afterwards.

    Raises:
        TargetExistsError: a place is taken and ``force`` is off.
        OSError: something cannot be moved.
    """
    made: list[Path] = []
    try:
        for place in places:
            final, old = target / place, folder / "old" / place
            if not final.parent.exists():
                made.append(final.parent)
                final.parent.mkdir()
            if os.path.lexists(final):
                # Another export may have come in between.
                if not force:
                    said = _("{file}: exists already").format(file=visible(str(final)))
                    raise TargetExistsError(said, _("replace it with --force"))
                old.parent.mkdir(exist_ok=True)
                final.rename(old)
            (folder / "new" / place).rename(final)
            flush_folder(final.parent)
    except BaseException:
        _roll_back(folder, target, places)
        for parent in made:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise


def _roll_back(folder: Path, target: Path, places: Sequence[Path]) -> None:
    # What was done is read from the disk, not from notes: an interrupt can fall between a rename and its note.
    for place in places:
        new, final = folder / "new" / place, target / place
        if not new.exists() and final.exists():
            with contextlib.suppress(OSError):
                final.rename(new)
    _restore(folder, target)


def _restore(folder: Path, target: Path) -> None:
    """Move back what ``old/`` holds of places that are empty now."""
    for old in folder.glob("old/*/*"):
        final = target / old.relative_to(folder / "old")
        if not os.path.lexists(final):
            final.parent.mkdir(exist_ok=True)
            old.rename(final)


def _discard(folder: Path, target: Path) -> None:
    try:
        _restore(folder, target)
    except OSError:
        # Better a left-over folder than the only copy of what stood there lost.
        return
    # Removing takes time: in no moment of it may a half-removed folder look like one to be moved back.
    with contextlib.suppress(FileNotFoundError):
        (folder / "old").rename(folder / "removed")
    shutil.rmtree(folder, ignore_errors=True)


def _locked_folder(target: Path) -> tuple[Path, int]:
    while True:
        folder = target / (PREFIX + secrets.token_hex(8))
        folder.mkdir()
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        except OSError:  # no locks on this file system
            return folder, lock
        # A sweep may have come between the steps above; then the folder goes, and the next name is tried.
        if (folder / _LOCK).exists() and os.path.samestat(os.fstat(lock), (folder / _LOCK).stat()):
            return folder, lock
        os.close(lock)


def _try_lock(folder: Path) -> int | None:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _UNLOCKED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
        return None
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
