"""Copies of large files that are proven to be what was read: hashed while copied, flushed, read back, compared."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from engine.errors import ExportError
from engine.export.selection import ExportedFile
from engine.i18n import gettext as _
from engine.text import visible

CHUNK_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """A file to copy as it was when the export was planned."""

    path: Path
    device: int
    inode: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> Source:
        """The file's present state; links are followed.

        Raises:
            ExportError: it is missing or cannot be looked at.
        """
        with _reading(path):
            return cls._from(path, path.stat())

    @classmethod
    def _from(cls, path: Path, found: os.stat_result) -> Source:
        return cls(path, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    def check(self) -> None:
        """See that the file is still the one that was planned: same file, size and time of change.

        Raises:
            ExportError: it is not.
        """
        if Source.of(self.path) != self:
            raise _changed(self.path)


def copy_verified(source: Source, destination: Path, shown: Path, advance: Callable[[int], None]) -> ExportedFile:
    """Copy a file and prove the copy.

    Args:
        source: the file; nothing is ever written to it.
        destination: the new file; it must not exist.
        shown: the place to name in errors: where the copy will be in the end.
        advance: called with the number of bytes after each chunk, first of writing, then of reading back: twice the
            file's size in all. What it raises ends the copy.

    Returns:
        The copy's name, size and SHA-256.

    Raises:
        ExportError: the source cannot be read or changed meanwhile, the destination cannot be written (disk full), or
            the copy reads back differently. The destination may then hold a part: the caller removes it.
    """
    with writing(shown), destination.open("xb") as writer:
        read = hashlib.sha256()
        with _reading(source.path), source.path.open("rb") as reader:
            if Source._from(source.path, os.fstat(reader.fileno())) != source:
                raise _changed(source.path)
            size = 0
            while chunk := reader.read(CHUNK_BYTES):
                read.update(chunk)
                _write(writer, chunk, shown)
                size += len(chunk)
                advance(len(chunk))
            if size != source.size or Source._from(source.path, os.fstat(reader.fileno())) != source:
                raise _changed(source.path)
        writer.flush()
        os.fsync(writer.fileno())
    source.check()
    written = hash_of(destination, shown, advance)
    if written != read.hexdigest():
        said = _("{file}: the copy reads back differently (SHA-256)").format(file=visible(str(shown)))
        raise ExportError(said, _("check the disk and export again"))
    return ExportedFile(destination.name, size, written)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error of the operating system inside the block into one sentence about writing ``path``.

    Raises:
        ExportError: instead of :class:`OSError`.
    """
    try:
        yield
    except OSError as error:
        name = visible(str(path))
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            said = _("{file}: the disk is full").format(file=name)
            raise ExportError(said, _("free some space or choose another folder; nothing was exported")) from error
        reason = error.strerror or type(error).__name__
        said = _("{file}: cannot be written ({reason})").format(file=name, reason=reason)
        raise ExportError(said, _("choose another folder; nothing was exported")) from error


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        said = _("{file}: cannot be read ({reason})").format(file=visible(str(path)), reason=reason)
        raise ExportError(said, _("restore it or its permissions; nothing was exported")) from error


def _write(writer: BinaryIO, chunk: bytes, shown: Path) -> None:
    # Inside the block that blames the source for errors: those of the destination are named here.
    with writing(shown):
        writer.write(chunk)


def _changed(path: Path) -> ExportError:
    said = _("{file}: changed while it was copied").format(file=visible(str(path)))
    return ExportError(said, _("wait until it is written and export again"))


def hash_of(path: Path, shown: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """The SHA-256 of a file that was written just now, in hexadecimal, from the disk as far as that can be had.

    Args:
        path: the file.
        shown: the place to name in errors.
        advance: called with the number of bytes after each chunk.

    Raises:
        ExportError: it cannot be read.
    """
    digest = hashlib.sha256()
    with writing(shown), path.open("rb") as reader:
        # Otherwise the bytes would come from memory, and a bad disk would go unnoticed. Not every system has it.
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(reader.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while chunk := reader.read(CHUNK_BYTES):
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest()
