"""Per-frame values of a few checkpoints: only the files, rows and columns that are asked for are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from engine.catalogue import Group
from engine.errors import DataError, NoFramesError
from engine.i18n import gettext as _
from engine.results.layout import CURVES, WINDOWS
from engine.results.model import Run, RunKind
from engine.results.parquet import finite, float_columns, has_schema, scan
from engine.results.problems import ProblemLog, some
from engine.results.reading import PARQUET_ERRORS, why_unreadable
from engine.results.shards import DAMAGED_ROWS, ShardFolder, label, scan_shards, shard_folders, usable_files
from engine.results.summaries import chosen_alignment
from engine.schema import CURVES as CURVES_SCHEMA
from engine.schema import FRAMES, empty
from engine.schema import WINDOWS as WINDOWS_SCHEMA
from engine.text import safe_name

# The alignments of protocol v1, in the order in which they take more and more freedom.
ALIGNMENTS = ("none", "scale", "median", "scale_shift")

# One value per frame (pose: per window, frame is null); null values are left out.
VALUES = pl.Schema(
    {"checkpoint": pl.String, "drive": pl.String, "window": pl.Int64, "frame": pl.Int64, "value": pl.Float64}
)
_METRICS = float_columns(FRAMES)
_PIXELS = f"{Group.DEPTH}.pixels"
_POSE = f"{Group.POSE}."


@dataclass(frozen=True, slots=True)
class Place:
    """Where the values of a metric stand in per-frame rows: a column, and a region (empty: the rows of windows)."""

    column: str
    region: str


def place_of(key: str) -> Place | None:
    """Where per-frame rows hold a metric; ``None`` for what is no figure of a frame (score, performance, unknown)."""
    if key.startswith(_POSE):
        return Place(key, "") if key in _METRICS else None
    group, _, rest = key.partition(".")
    region, dot, name = rest.rpartition(".")
    column = f"{group}.{name}"
    if not dot or not region or not (column in _METRICS or column == _PIXELS):
        return None
    return Place("pixels" if column == _PIXELS else column, region)


def scan_checkpoints(run: Run, checkpoints: Sequence[str]) -> pl.LazyFrame:
    """The per-frame rows of these checkpoints, unread.

    Files that cannot be used are left out; loading the run has reported them.

    Returns:
        Lazy frame of schema ``FRAMES``; NaN and infinity are null. Collect it with :func:`collect`.

    Raises:
        NoFramesError: the run holds summaries only.
        DataError: its folder cannot be read.
    """
    damaged = {problem.file for problem in run.errors if problem.place == DAMAGED_ROWS}
    log = ProblemLog()
    files = [
        file
        for folder in (_folders(run, checkpoints) if run.has_frames else [])
        for file in usable_files(folder, log)
        if label(file) not in damaged
    ]
    if not files:
        said = _("{run} has no per-frame rows, only summaries")
        if run.has_frames:
            said = _("{run} has no per-frame rows of {checkpoints}, only summaries")
        raise NoFramesError(
            said.format(run=run.name, checkpoints=some(checkpoints)),
            _("evaluate its checkpoints with lorascope to get them"),
        )
    return scan_shards(files).filter(pl.col("checkpoint").is_in(list(checkpoints)))


def _folders(run: Run, checkpoints: Sequence[str]) -> list[ShardFolder]:
    try:
        folders = {folder.name: folder for folder in shard_folders(run.path)}
    except OSError as error:
        said = _("{run}: frames cannot be read ({reason})")
        raise DataError(said.format(run=run.name, reason=why_unreadable(error))) from error
    called = {info.name: info.folder for info in run.metadata.checkpoints}
    wanted = [called.get(name) or safe_name(name) for name in checkpoints]
    # The rows say whose they are; a folder's name is only the quick way to them.
    chosen = wanted if all(name in folders for name in wanted) else list(folders)
    return [folders[name] for name in dict.fromkeys(chosen)]


def collect(rows: pl.LazyFrame, run: Run) -> pl.DataFrame:
    """Read what a query over a run's rows needs, part by part.

    Raises:
        DataError: a file was damaged or removed since the run was loaded.
    """
    try:
        return rows.collect(engine="streaming")
    except PARQUET_ERRORS as error:
        said = _("{run}: per-frame rows cannot be read ({reason})").format(run=run.name, reason=why_unreadable(error))
        raise DataError(said, _("reload it")) from error


def alignment_of(run: Run, rows: pl.LazyFrame) -> str:
    """The alignment whose rows are shown: the one that the run names, if it has rows of it.

    Args:
        run: the run.
        rows: its per-frame rows.

    Raises:
        DataError: they cannot be read.
    """
    found = collect(rows.filter(pl.col("region") != "").select(pl.col("align").drop_nulls().unique()), run)
    return chosen_alignment(set(found.get_column("align")), run.metadata.protocol.align, ProblemLog())


def read_values(run: Run, checkpoints: Sequence[str], key: str) -> tuple[pl.DataFrame, str]:
    """The values of one metric in every frame (pose: window), at the run's own alignment.

    Returns:
        Frame of schema :data:`VALUES`, by checkpoint as given, then drive, window and frame; and the alignment.

    Raises:
        NoFramesError: the run has no per-frame rows, or the metric is no figure of a frame.
        DataError: they cannot be read.
    """
    place = place_of(key)
    if place is None:
        said = _("{metric} is one figure for all frames").format(metric=key)
        raise NoFramesError(said, _("choose a metric of depth, normals, planes or pose"))
    rows = scan_checkpoints(run, checkpoints)
    alignment = alignment_of(run, rows)
    if place.region:
        rows = rows.filter(pl.col("region") == place.region, pl.col("align") == alignment)
    else:
        # A window's pose row may have been written for several alignments, of which the run's own is taken.
        rows = (
            rows.filter(pl.col("region") == "")
            .sort(pl.col("align") != alignment, maintain_order=True, nulls_last=True)
            .unique(["checkpoint", "drive", "window"], keep="first", maintain_order=True)
        )
    values = collect(
        rows.select(
            "checkpoint", "drive", "window", "frame", pl.col(place.column).cast(pl.Float64).alias("value")
        ).filter(pl.col("value").is_not_null()),
        run,
    )
    order = pl.col("checkpoint").replace_strict(dict(zip(checkpoints, range(len(checkpoints)), strict=False)))
    return values.sort(order, "drive", "window", "frame"), alignment


def sampled_windows(run: Run) -> pl.DataFrame:
    """The sampled windows; an empty frame where the run does not say which they were.

    Returns:
        Frame of schema ``WINDOWS``.

    Raises:
        DataError: the file is there and cannot be read.
    """
    return _table(run, WINDOWS, WINDOWS_SCHEMA)


def read_curves(run: Run, curve: str, region: str) -> pl.DataFrame:
    """One kind of curve of all checkpoints in one region.

    Args:
        run: the run.
        curve: its name, such as ``photometric_inlier``.
        region: such as ``building``.

    Returns:
        Frame of schema ``CURVES``, finite values only; empty where the run has none.

    Raises:
        DataError: the file is there and cannot be read.
    """
    rows = _table(run, CURVES, CURVES_SCHEMA).filter(pl.col("curve") == curve, pl.col("region") == region)
    return rows.with_columns(finite("x"), finite("y")).drop_nulls(["x", "y"])


def _table(run: Run, file: str, schema: pl.Schema) -> pl.DataFrame:
    path = run.path / file
    if run.ref.kind is not RunKind.NATIVE or not path.is_file():
        return empty(schema)
    log = ProblemLog()
    if has_schema(path, file, schema, log):
        try:
            return scan([path], schema).collect()
        except PARQUET_ERRORS as error:
            log.error(file, why_unreadable(error))
    raise DataError(f"{run.name}: {log.result()[0]}")
