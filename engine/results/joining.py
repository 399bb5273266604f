"""Joins the shards of every checkpoint into one file when an evaluation has ended: 51 files open faster than 19,500.

The joined file is written under a hidden name, compared with the shards, flushed to disk and renamed; then the shards
are removed. Its name says which of them it holds, and whoever reads a folder leaves those out. So a process may be
killed at any moment: the rows are there once, in the shards, or in the joined file with some of the shards beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from engine.atomic import atomic_path, flush_folder
from engine.errors import DataError
from engine.results.folders import list_folder
from engine.results.joined import joined_name, shard_range, without_replaced
from engine.results.layout import FRAMES, PARQUET_ENDING
from engine.results.names import natural_key
from engine.results.reading import PARQUET_ERRORS, why_unreadable

# Enough that a file has few, few enough that reading one column of a group takes a quarter of a megabyte.
ROW_GROUP = 32_768  # rows


def join_shards(run: Path, table: str = FRAMES) -> dict[str, str]:
    """Join the numbered shards of every checkpoint: the same rows in the same order, in row groups of a useful size.

    Only for the process that holds the run's lock, when no shard will be written any more. A checkpoint whose shards
    cannot be joined keeps them: they are read as well, more slowly.

    Args:
        run: the run's folder.
        table: the folder in it that holds a folder per checkpoint: ``layout.FRAMES`` or ``SLICES``.

    Returns:
        Folder below it -> why its shards were left as they are.
    """
    root = run / table
    kept: dict[str, str] = {}
    if not root.is_dir():
        return kept
    for name in sorted(list_folder(root).folders, key=natural_key):
        try:
            _join(root / name)
        except DataError as error:
            kept[name] = str(error)
        except PARQUET_ERRORS as error:
            kept[name] = why_unreadable(error) if isinstance(error, PolarsError) else str(error)
    return kept


def _join(folder: Path) -> None:
    names = [name for name in list_folder(folder).files if name.endswith(PARQUET_ENDING)]
    parts = [name for name in without_replaced(names) if shard_range(name)]
    held = set(names) - set(without_replaced(names))
    if len(parts) > 1:
        _write_joined(folder, parts)
        held.update(parts)
    for name in sorted(held, key=natural_key):
        (folder / name).unlink(missing_ok=True)
    if held:
        flush_folder(folder)


def _write_joined(folder: Path, parts: Sequence[str]) -> None:
    ranges = [found for name in parts if (found := shard_range(name))]
    if any(after[0] <= before[1] for before, after in pairwise(ranges)):
        raise DataError("its files hold some shards twice")
    files = [folder / name for name in parts]
    schemas = [pl.read_parquet_schema(file) for file in files]
    # A shard of another version may lack a metric, or have one more: joined, nobody could tell any more.
    if any(list(schema.items()) != list(schemas[0].items()) for schema in schemas):
        raise DataError("its shards differ in their columns")
    with atomic_path(folder / joined_name(ranges[0][0], ranges[-1][1])) as temporary:
        _scan(files).sink_parquet(temporary, row_group_size=ROW_GROUP)
        if not _is_same(files, temporary):
            raise DataError("the joined file does not hold what the shards do")


def _is_same(files: Sequence[Path], joined: Path) -> bool:
    """Whether the rows are equal and in the same order; compared a row group at a time."""
    rows = _scan(files)
    height = _height(rows)
    if _height(_scan([joined])) != height:
        return False
    for start in range(0, height, ROW_GROUP):
        written = _scan([joined]).slice(start, ROW_GROUP).collect(engine="streaming")
        if not written.equals(rows.slice(start, ROW_GROUP).collect(engine="streaming")):
            return False
    return True


def _height(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect(engine="streaming").item())


def _scan(files: Sequence[Path]) -> pl.LazyFrame:
    return pl.scan_parquet(list(files), glob=False, hive_partitioning=False)
