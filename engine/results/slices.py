"""Depth by distance and by label class, reduced to windows as other per-frame rows are.

The rows lie in a folder of their own: whoever summarises or compares whole regions never reads them. Runs that were
evaluated before there were slices, imported runs and summaries have none, and say so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from engine.catalogue import Group
from engine.errors import DataError, NoFramesError
from engine.results.layout import SLICES
from engine.results.model import Run, RunKind
from engine.results.parquet import float_columns, has_schema, scan
from engine.results.problems import ProblemLog
from engine.results.reading import PARQUET_ERRORS, why_unreadable
from engine.results.shards import label, shard_folders
from engine.results.summaries import chosen_alignment
from engine.results.sums import reduce_rows
from engine.schema import FRAME_SLICES, FRAMES, LEAST_POINTS, OF_REGION, SLICED, WINDOW_SUMS, SliceKind, empty

_METRICS = float_columns(FRAME_SLICES)
_PIXELS = f"{Group.DEPTH}.pixels"


def slice_kinds(run: Run) -> tuple[SliceKind, ...]:
    """What the points of a run's frames are divided by; empty where it has no slices.

    Raises:
        DataError: a file cannot be read.
    """
    folders = _folders(run)
    if not folders:
        return ()
    found = {by for by, _ in _present(run, folders)}
    return tuple(kind for kind in SliceKind if kind in found)


def slice_sums(
    run: Run,
    by: SliceKind,
    *,
    metrics: Collection[str] | None = None,
    checkpoints: Collection[str] | None = None,
) -> pl.DataFrame:
    """The sums of depth metrics over every window, per checkpoint and slice.

    As in whole regions, a window's sum is over frames, of the means over their points, and every frame counts the same.
    Those with fewer than :data:`engine.schema.LEAST_POINTS` points in a slice are left out there, and ``count`` says
    how many are not. The points depend on the truth alone, so that all checkpoints have the same frames.

    Args:
        run: a loaded run.
        by: what its points are divided by.
        metrics: keys such as ``depth.building.abs_rel``, whose slices are wanted; others than depth are passed over.
            Default: all.
        checkpoints: names; default all, oracle and chance among them.

    Returns:
        Frame of schema :data:`engine.schema.WINDOW_SUMS`, in no particular order; the slice ``10-20 m`` of
        ``depth.building.abs_rel`` is ``depth.building/10-20 m.abs_rel``, the class road ``depth.road.abs_rel``. Empty
        where the run has slices of another kind alone: a dataset without labels has no classes.

    Raises:
        NoFramesError: the run has no slices.
        DataError: a file cannot be read.
    """
    folders = _folders(run)
    if not folders:
        raise NoFramesError(
            f"{run.name} has no depth by distance or class", "evaluate it again with this version of lorascope"
        )
    present = {align for kind, align in _present(run, folders) if kind == by}
    alignment = chosen_alignment(present, run.metadata.protocol.align, ProblemLog())
    parts = None if metrics is None else {(name, region) for region, name in map(_region_and_name, metrics)}
    names = [name for name in (*SLICED, "pixels") if parts is None or any(name == wanted for wanted, _ in parts)]
    if not names:
        return empty(WINDOW_SUMS)
    regions = None if parts is None else frozenset(region for _, region in parts)
    columns = tuple(f"{Group.DEPTH}.{name}" for name in names)
    try:
        return reduce_rows([_Slices(files, by, alignment, regions, columns) for files in folders], None, checkpoints)
    except PARQUET_ERRORS as error:
        raise _unreadable(run, error) from error


@dataclass(frozen=True, slots=True)
class _Slices:
    """The slices of one checkpoint folder.

    Attributes:
        files: usable ones.
        by: the kind.
        alignment: whose rows count.
        regions: those whose slices by distance are wanted; ``None`` for all.
        columns: the metrics.
    """

    files: Sequence[Path]
    by: SliceKind
    alignment: str
    regions: frozenset[str] | None
    columns: tuple[str, ...]

    @property
    def name(self) -> pl.Expr:
        """The checkpoint's own name."""
        return pl.col("checkpoint")

    def rows(self) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """Rows whose region names the slice; there is none of a window."""
        enough = pl.col("pixels") >= LEAST_POINTS
        rows = scan(self.files, FRAME_SLICES).filter(pl.col("by") == self.by, pl.col("align") == self.alignment, enough)
        part = pl.col("slice")
        if self.by is SliceKind.DISTANCE:
            if self.regions is not None:
                rows = rows.filter(pl.col("region").is_in(list(self.regions)))
            part = pl.concat_str(pl.col("region"), pl.lit(OF_REGION), part)
        return rows.with_columns(part.alias("region")), pl.LazyFrame(schema=FRAMES)


def _folders(run: Run) -> list[list[Path]]:
    """The usable files of every checkpoint that has any."""
    if run.ref.kind is not RunKind.NATIVE:
        return []
    log = ProblemLog()
    try:
        folders = shard_folders(run.path, SLICES)
    except OSError as error:
        raise _unreadable(run, error) from error
    usable = [
        [file for file in folder.files if has_schema(file, label(file), FRAME_SLICES, log, optional=_METRICS)]
        for folder in folders
    ]
    return [files for files in usable if files]


def _present(run: Run, folders: Sequence[Sequence[Path]]) -> set[tuple[str, str]]:
    """Kinds and alignments of the first checkpoint's slices, which are those of all: they are the truth's."""
    try:
        return set(scan(folders[0], FRAME_SLICES).select("by", "align").unique().collect().drop_nulls().iter_rows())
    except PARQUET_ERRORS as error:
        raise _unreadable(run, error) from error


def _unreadable(run: Run, error: Exception) -> DataError:
    return DataError(f"{run.name}: {SLICES} cannot be read ({why_unreadable(error)})", "load the run again")


def _region_and_name(key: str) -> tuple[str, str]:
    """Region and name of a depth metric's key; the name is empty for any other."""
    group, _, rest = key.partition(".")
    region, _, name = rest.rpartition(".")
    return region, name if group == Group.DEPTH else ""
