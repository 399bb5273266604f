"""Files of per-frame rows below ``frames/*/``: which there are, which can be used, and their rows as a lazy frame."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import polars as pl

from engine.i18n import mark
from engine.results.folders import list_folder
from engine.results.joined import without_replaced
from engine.results.layout import FRAMES as FRAMES_FOLDER
from engine.results.layout import PARQUET_ENDING
from engine.results.names import natural_key, storable
from engine.results.parquet import finite, float_columns, has_schema, scan
from engine.results.problems import ProblemLog
from engine.results.reading import why_unreadable
from engine.schema import FRAMES

DAMAGED_ROWS = mark("rows")  # the place of problems with shards whose rows cannot be read though their columns can
PER_WINDOW = ""  # the region of pose rows
METRICS = tuple(float_columns(FRAMES))


class Stamp(NamedTuple):
    """What tells a file apart from what it was, without reading it.

    Attributes:
        name: in its folder.
        size: bytes.
        modified: when its contents were written, ns; a faithful copy keeps it.
        changed: when anything of it was changed, ns; nobody can set it. ``None`` where that is not known.
    """

    name: str
    size: int
    modified: int
    changed: int | None = None


@dataclass(frozen=True, slots=True)
class ShardFolder:
    """The files of one checkpoint's rows.

    Attributes:
        path: the folder.
        stamps: one for every file, in natural order; those that a joined file replaces are left out.
    """

    path: Path
    stamps: tuple[Stamp, ...]

    @property
    def name(self) -> str:
        """The folder's name: mostly the checkpoint's own."""
        return self.path.name

    @property
    def files(self) -> list[Path]:
        """The files."""
        return [self.path / stamp.name for stamp in self.stamps]


def shard_folders(run: Path, table: str = FRAMES_FOLDER) -> list[ShardFolder]:
    """The folders with per-frame rows below a run's folder, in natural order.

    Files that are still being written have another ending and are left out.

    Args:
        run: the run's folder.
        table: the folder in it that holds a folder per checkpoint: ``layout.FRAMES`` or ``SLICES``.

    Raises:
        OSError: a folder cannot be read.
    """
    root = run / table
    if not root.is_dir():
        return []
    found = [shard_folder(root / name) for name in sorted(list_folder(root).folders, key=natural_key)]
    return [folder for folder in found if folder.stamps]


def shard_folder(path: Path) -> ShardFolder:
    """The files of per-frame rows in one folder.

    Raises:
        OSError: the folder cannot be read.
    """
    stamps: dict[str, Stamp] = {}
    with os.scandir(path) as entries:
        for entry in entries:
            if not entry.name.endswith(PARQUET_ENDING):
                continue
            try:
                if entry.is_file():
                    status = entry.stat()
                    stamps[entry.name] = Stamp(entry.name, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            except OSError:
                continue  # removed since it was listed
    return ShardFolder(path, tuple(stamps[name] for name in without_replaced(stamps)))


def usable_shards(run: Path, log: ProblemLog) -> list[list[Path]]:
    """The files with per-frame rows, by folder; those that have not the columns of such rows are reported.

    A file that lacks a metric's column is reported and used: that metric counts as not measured.
    """
    try:
        folders = shard_folders(run)
    except OSError as error:
        log.error(FRAMES_FOLDER, why_unreadable(error))
        return []
    kept = [usable_files(folder, log) for folder in folders]
    return [files for files in kept if files]


def usable_files(folder: ShardFolder, log: ProblemLog) -> list[Path]:
    """:func:`usable_shards` of one folder."""
    return [file for file in folder.files if has_schema(file, label(file), FRAMES, log, optional=METRICS)]


def scan_shards(files: Sequence[Path]) -> pl.LazyFrame:
    """The rows of usable shards as a lazy frame of schema ``FRAMES``; NaN and infinity are null."""
    return scan(files, FRAMES).with_columns(finite(name) for name in METRICS)


def frame_rows(rows: pl.LazyFrame, alignment: str) -> pl.LazyFrame:
    """The rows of frames that a summary is over: those of one alignment."""
    return rows.filter(pl.col("region") != PER_WINDOW, pl.col("align") == alignment)


def window_rows(rows: pl.LazyFrame, alignment: str) -> pl.LazyFrame:
    """The rows of windows (pose) that a summary is over: each window once.

    A window's pose row may have been written for several alignments, of which the run's own is taken.
    """
    return (
        rows.filter(pl.col("region") == PER_WINDOW)
        .sort(pl.col("align") != alignment, maintain_order=True, nulls_last=True)
        .unique(["checkpoint", "drive", "window"], keep="first", maintain_order=True)
    )


def label(file: Path) -> str:
    """A shard's name in messages: its path below the run's folder."""
    return storable("/".join(file.parts[-3:]))
