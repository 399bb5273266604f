"""Writes the native store. Every file is written whole or not at all; ``metadata.json`` comes last."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from engine.atomic import atomic_path, atomic_write_bytes
from engine.errors import DataError
from engine.results import layout
from engine.results.parquet import finite, float_columns
from engine.results.writing import not_written
from engine.schema import COST, CURVES, FRAME_SLICES, FRAMES, SUMMARY, WINDOWS, RunMetadata
from engine.text import safe_name

_SCHEMAS = {
    layout.SUMMARY: SUMMARY,
    layout.WINDOWS: WINDOWS,
    layout.COST: COST,
    layout.CURVES: CURVES,
}
FIRST_SHARD = "0"


def write_run(
    path: Path,
    metadata: RunMetadata,
    *,
    summary: pl.DataFrame | None = None,
    frames: pl.DataFrame | None = None,
    slices: pl.DataFrame | None = None,
    windows: pl.DataFrame | None = None,
    cost: pl.DataFrame | None = None,
    curves: pl.DataFrame | None = None,
) -> None:
    """Write a run, creating its folder; tables that are not given are left as they are.

    Checkpoints whose folder below ``frames/`` is not called as they are get their ``folder`` in the metadata.

    Args:
        path: the run's folder.
        metadata: its ``metadata.json``.
        summary: frame of schema ``SUMMARY``; for runs without per-frame rows.
        frames: frame of schema ``FRAMES`` with the rows of all checkpoints; becomes one shard per checkpoint.
        slices: frame of schema ``FRAME_SLICES``, likewise.
        windows: frame of schema ``WINDOWS``.
        cost: frame of schema ``COST``.
        curves: frame of schema ``CURVES``.

    Raises:
        DataError: a frame lacks a column or has one of another type, or the folder cannot be written to.
    """
    tables = {layout.SUMMARY: summary, layout.WINDOWS: windows, layout.COST: cost, layout.CURVES: curves}
    for file, table in tables.items():
        if table is not None:
            write_table(path, file, table)
    for sharded, write in ((frames, write_frames), (slices, write_slices)):
        if sharded is not None:
            for (checkpoint,), rows in sharded.partition_by("checkpoint", as_dict=True, maintain_order=True).items():
                write(path, str(checkpoint), rows)
    write_metadata(path, metadata)


def write_metadata(run: Path, metadata: RunMetadata) -> None:
    """Write ``metadata.json``, creating the run's folder.

    Raises:
        DataError: the folder cannot be written to.
    """
    checkpoints = [
        info.model_copy(update={"folder": safe_name(info.name)}) if safe_name(info.name) != info.name else info
        for info in metadata.checkpoints
    ]
    data = metadata.model_copy(update={"checkpoints": checkpoints}).model_dump_json(indent=2).encode()
    path = run / layout.METADATA
    try:
        run.mkdir(parents=True, exist_ok=True)
        atomic_write_bytes(path, data + b"\n")
    except OSError as error:
        raise not_written(path, error) from error


def write_table(run: Path, file: str, table: pl.DataFrame) -> None:
    """Write one of the run's tables, creating its folder.

    Args:
        run: the run's folder.
        file: ``layout.SUMMARY``, ``WINDOWS``, ``COST`` or ``CURVES``.
        table: a frame of that file's schema.

    Raises:
        DataError: the frame lacks a column or has one of another type, or the folder cannot be written to.
    """
    _write(run / file, table, _SCHEMAS[file])


def write_frames(run: Path, checkpoint: str, rows: pl.DataFrame, shard: str = FIRST_SHARD) -> Path:
    """Write one shard of a checkpoint's per-frame rows to ``frames/<checkpoint>/<shard>.parquet``.

    Metrics that no alignment changes (``photometric.*``, ``scale.*``) stand in the rows of every alignment. A shard
    of the same name is replaced, so that one that is computed again is not counted twice.

    Args:
        run: the run's folder.
        checkpoint: the checkpoint's name; its folder is :func:`engine.text.safe_name` of it.
        rows: frame of schema ``FRAMES``, all of this checkpoint.
        shard: the shard's name, safe as a file name.

    Returns:
        The file.

    Raises:
        DataError: rows of another checkpoint, a missing column, one of another type, or a folder that cannot be
            written to.
    """
    return _write_shard(run / layout.FRAMES, checkpoint, rows, shard, FRAMES)


def write_slices(run: Path, checkpoint: str, rows: pl.DataFrame, shard: str = FIRST_SHARD) -> Path:
    """Write one shard of a checkpoint's depth by distance and class to ``slices/<checkpoint>/<shard>.parquet``.

    Arguments, result and errors as of :func:`write_frames`; the rows are of schema ``FRAME_SLICES``.
    """
    return _write_shard(run / layout.SLICES, checkpoint, rows, shard, FRAME_SLICES)


def _write_shard(folder: Path, checkpoint: str, rows: pl.DataFrame, shard: str, schema: pl.Schema) -> Path:
    path = folder / safe_name(checkpoint) / f"{shard}{layout.PARQUET_ENDING}"
    if rows.height and not rows["checkpoint"].eq_missing(checkpoint).all():
        raise DataError(f"{path}: rows of another checkpoint than {checkpoint!r}")
    _write(path, rows, schema)
    return path


def _write(path: Path, table: pl.DataFrame, schema: pl.Schema) -> None:
    missing = [name for name in schema if name not in table.columns]
    if missing:
        raise DataError(f"{path}: the column {missing[0]} is missing")
    for name, dtype in schema.items():
        if table.schema[name] != dtype:
            raise DataError(f"{path}: the column {name} holds {table.schema[name]}, not {dtype}")
    # NaN and infinity mean "not measured" here; none may enter the store.
    stored = table.with_columns(finite(name) for name in float_columns(schema))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            stored.write_parquet(temporary)
    except OSError as error:
        raise not_written(path, error) from error
