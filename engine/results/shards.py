"""Per-frame rows: scanned from ``frames/*/*.parquet``, never held whole, and summarised per checkpoint and metric.

Rows of every alignment repeat the metrics that no alignment changes (photometric, scale), so one alignment tells all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from engine.catalogue import Group
from engine.results.folders import list_folder
from engine.results.layout import FRAMES as FRAMES_FOLDER
from engine.results.layout import METADATA, PARQUET_ENDING
from engine.results.names import natural_key, storable
from engine.results.parquet import finite, float_columns, has_schema, scan
from engine.results.problems import ProblemLog, shown, some
from engine.results.reading import PARQUET_ERRORS, why_unreadable
from engine.schema import FRAMES, SUMMARY, empty

DAMAGED_ROWS = "rows"  # the place of problems with shards whose rows cannot be read though their columns can
DEFAULT_ALIGNMENT = "median"
_ALIGNMENTS = (DEFAULT_ALIGNMENT, "scale", "scale_shift", "none")  # what is taken where metadata.json is silent
_METRICS = float_columns(FRAMES)
_POSE = [name for name in _METRICS if name.startswith(f"{Group.POSE}.")]
_REGIONAL = [name for name in _METRICS if name not in _POSE]
_PER_WINDOW = ""  # the region of pose rows
_WRONG = "wrong"


def shard_files(run: Path) -> list[list[Path]]:
    """The files of per-frame rows below a run's folder, by checkpoint folder, in natural order.

    Files that are still being written have another ending and are left out.

    Raises:
        OSError: a folder cannot be read.
    """
    root = run / FRAMES_FOLDER
    if not root.is_dir():
        return []
    groups = []
    for folder in sorted(list_folder(root).folders, key=natural_key):
        names = [name for name in list_folder(root / folder).files if name.endswith(PARQUET_ENDING)]
        if names:
            groups.append([root / folder / name for name in sorted(names, key=natural_key)])
    return groups


def usable_shards(run: Path, log: ProblemLog) -> list[list[Path]]:
    """:func:`shard_files` without those that have not the columns of per-frame rows, which are reported.

    A file that lacks a metric's column is reported and used: that metric counts as not measured.
    """
    try:
        groups = shard_files(run)
    except OSError as error:
        log.error(FRAMES_FOLDER, why_unreadable(error))
        return []
    kept = [
        [file for file in files if has_schema(file, label(file), FRAMES, log, optional=_METRICS)] for files in groups
    ]
    return [files for files in kept if files]


def scan_shards(files: Sequence[Path]) -> pl.LazyFrame:
    """The rows of usable shards as a lazy frame of schema ``FRAMES``; NaN and infinity are null."""
    return scan(files, FRAMES).with_columns(finite(name) for name in _METRICS)


def summarise(groups: Sequence[Sequence[Path]], stated: str | None, log: ProblemLog) -> pl.DataFrame:
    """The distribution of every metric over frames (pose: over windows), per checkpoint.

    Computed folder by folder, so that no more than one checkpoint's values are in memory. ``std`` is the population
    standard deviation. Pose does not depend on the alignment: a window's pose row counts once.

    Args:
        groups: usable shards, one list per checkpoint folder.
        stated: the alignment that the metadata names; ``None`` where it names none, then the rows' only alignment
            counts, else ``median``.
        log: where damaged files, wrong values and a doubtful alignment are reported.

    Returns:
        Frame of schema ``SUMMARY``: ``depth.abs_rel`` of region ``building`` is ``depth.building.abs_rel``. Metrics
        without a value have no row.
    """
    if not groups:
        return empty(SUMMARY)
    alignment = shown_alignment(groups, stated, log)
    table = pl.concat([_summarise_folder(files, alignment, log) for files in groups])
    for checkpoint, metric, wrong in (
        table.filter(pl.col(_WRONG) > 0).select("checkpoint", "metric", _WRONG).iter_rows()
    ):
        log.wrong_value(FRAMES_FOLDER, checkpoint, metric, f"NaN or infinity in {wrong} rows")
    table = table.filter(pl.col("count") > 0, pl.col("checkpoint").is_not_null()).select(list(SUMMARY))
    once = table.unique(["checkpoint", "metric"], keep="first", maintain_order=True)
    if once.height < table.height:
        repeated = table.filter(table.select("checkpoint", "metric").is_duplicated())["checkpoint"]
        names = some(repeated.unique(maintain_order=True))
        log.error(FRAMES_FOLDER, f"more than one folder holds rows of {names}: the first counts")
    return once


def label(file: Path) -> str:
    """A shard's name in messages: its path below the run's folder."""
    return storable("/".join(file.parts[-3:]))


def _summarise_folder(files: Sequence[Path], alignment: str, log: ProblemLog) -> pl.DataFrame:
    try:
        return _summarise_files(files, alignment)
    except PARQUET_ERRORS:
        whole = [file for file in files if _is_whole(file, alignment, log)]
        return _summarise_files(whole, alignment)


def _is_whole(file: Path, alignment: str, log: ProblemLog) -> bool:
    try:
        _summarise_files([file], alignment)
    except PARQUET_ERRORS as error:
        log.error(label(file), why_unreadable(error), place=DAMAGED_ROWS, remedy="evaluate the checkpoint again")
        return False
    return True


def rows_that_count(files: Sequence[Path], alignment: str) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The rows of usable shards that a summary is over: of frames in one alignment, and of windows (pose), each once.

    Values are as they stand: NaN and infinity are not null yet.
    """
    rows = scan(files, FRAMES)
    of_frames = rows.filter(pl.col("region") != _PER_WINDOW, pl.col("align") == alignment)
    # A window's pose row may have been written for several alignments, of which the run's own is taken.
    of_windows = (
        rows.filter(pl.col("region") == _PER_WINDOW)
        .sort(pl.col("align") != alignment, maintain_order=True, nulls_last=True)
        .unique(["checkpoint", "drive", "window"], keep="first", maintain_order=True)
    )
    return of_frames, of_windows


def _summarise_files(files: Sequence[Path], alignment: str) -> pl.DataFrame:
    of_frames, of_windows = rows_that_count(files, alignment)
    regional = (
        of_frames.group_by("checkpoint", "region", maintain_order=True)
        .agg(_statistics(name) for name in (*_REGIONAL, "pixels"))
        .unpivot(index=["checkpoint", "region"], variable_name="metric", value_name="value")
        .with_columns(pl.col("metric").replace("pixels", f"{Group.DEPTH}.pixels"))
        .with_columns(
            # depth.abs_rel of region building -> depth.building.abs_rel
            pl.col("metric").str.replace(".", "." + pl.col("region") + ".", literal=True)
        )
        .select("checkpoint", "metric", "value")
    )
    pose = (
        of_windows.group_by("checkpoint", maintain_order=True)
        .agg(_statistics(name) for name in _POSE)
        .unpivot(index=["checkpoint"], variable_name="metric", value_name="value")
    )
    return pl.concat([regional, pose]).unnest("value").collect(engine="streaming")


def _statistics(column: str) -> pl.Expr:
    raw = pl.col(column).cast(pl.Float64)
    value = pl.when(raw.is_finite()).then(raw)
    return pl.struct(
        value.mean().alias("mean"),
        value.std(ddof=0).alias("std"),
        value.median().alias("median"),
        value.min().alias("min"),
        value.max().alias("max"),
        value.count().cast(pl.Int64).alias("count"),
        (~raw.is_finite()).sum().cast(pl.Int64).alias(_WRONG),
    ).alias(column)


def shown_alignment(groups: Sequence[Sequence[Path]], stated: str | None, log: ProblemLog) -> str:
    """The alignment that summaries show; arguments as of :func:`summarise`."""
    present: set[str] = set()
    for files in groups:
        try:
            rows = scan(files, FRAMES).filter(pl.col("region") != _PER_WINDOW)
            present.update(rows.select(pl.col("align").drop_nulls().unique()).collect(engine="streaming")["align"])
        except PARQUET_ERRORS:
            continue  # a damaged file must not hide the others; summarising reports it
    if stated in present or not present:
        return stated or DEFAULT_ALIGNMENT
    chosen = next((name for name in _ALIGNMENTS if name in present), min(present))
    if stated is not None:
        log.warning(
            METADATA,
            f"it names the alignment {shown(stated)}, the rows hold {some(sorted(present))}: {chosen} is shown",
        )
    elif len(present) > 1:
        log.warning(METADATA, f"it names no alignment: of {some(sorted(present))}, {chosen} is shown")
    return chosen
