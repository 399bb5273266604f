"""Per-frame rows reduced to windows: all that resampling needs of them, a few numbers per window and metric."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import polars as pl

from engine.catalogue import Group
from engine.errors import DataError
from engine.results.folder_summary import alignments_of
from engine.results.model import Run
from engine.results.native import intact_shards
from engine.results.parquet import float_columns, scan
from engine.results.problems import ProblemLog
from engine.results.reading import PARQUET_ERRORS, why_unreadable
from engine.results.shards import frame_rows, window_rows
from engine.results.summaries import chosen_alignment
from engine.schema import FRAMES, WINDOW_SUMS

_PIXELS = f"{Group.DEPTH}.pixels"
_COLUMNS = {name: name for name in float_columns(FRAMES)} | {_PIXELS: "pixels"}  # metric without region -> column
_PER_WINDOW = frozenset(name for name in _COLUMNS if name.startswith(f"{Group.POSE}."))
_CELL = ["metric", "drive", "window"]
_WHICH = "which"  # a number that tells which frames of a window have a value


def window_sums(
    run: Run,
    *,
    metrics: Collection[str] | None = None,
    checkpoints: Collection[str] | None = None,
    alignment: str | None = None,
) -> pl.DataFrame:
    """The sums of every metric over every window, per checkpoint.

    Read one checkpoint at a time, only the columns asked for; what is kept does not grow with the frames of a window.
    Windows in which the frames with a value differ between checkpoints (photometric metrics depend on what a prediction
    makes visible) are read again and kept frame by frame, so that checkpoints can be paired on frames.

    Args:
        run: a loaded run.
        metrics: keys such as ``depth.building.abs_rel``; those that no per-frame row holds (costs, the score) are
            passed over. Default: all.
        checkpoints: names; default all, oracle and chance among them.
        alignment: of the depth; default the one that the run's summary shows.

    Returns:
        Frame of schema :data:`engine.schema.WINDOW_SUMS`, in no particular order. The sums of a checkpoint and metric
        divided by its counts are the mean of the run's summary.

    Raises:
        NoFramesError: the run holds summaries only.
        DataError: a file became unreadable since the run was loaded.
    """
    return _read([("", run)], metrics, checkpoints, alignment)


def joint_window_sums(
    runs: Mapping[str, Run],
    *,
    metrics: Collection[str] | None = None,
    alignment: str | None = None,
) -> pl.DataFrame:
    """The sums of several runs of one sample, so that checkpoints of one can be paired with those of another.

    Args:
        runs: by a label; a checkpoint is called what :func:`joint_name` makes of label and name.
        metrics, alignment: as of :func:`window_sums`.

    Returns:
        As :func:`window_sums`.

    Raises:
        NoFramesError: a run holds summaries only.
        DataError: the runs are not known to be of the same sample (the windows' fingerprint), or a file became
            unreadable since its run was loaded.
    """
    prints = {run.metadata.dataset.sample_fingerprint for run in runs.values()}
    if len(prints) > 1 or (len(runs) > 1 and None in prints):
        names = ", ".join(run.name for run in runs.values())
        raise DataError(f"{names}: not known to be of the same sample of windows", "compare their changes instead")
    return _read(list(runs.items()), metrics, None, alignment)


def joint_name(label: str, checkpoint: str) -> str:
    """What :func:`joint_window_sums` calls a checkpoint of the run with this label."""
    return f"{label}/{checkpoint}"


class Source(Protocol):
    """Where the rows of one checkpoint come from."""

    @property
    def columns(self) -> Collection[str]:
        """The metrics, without region, that are looked for where no one asks for some."""

    @property
    def name(self) -> pl.Expr:
        """The checkpoint's name among all that are read."""

    def rows(self) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """The rows that count: of frames, and of windows. NaN and infinity need not be null."""


@dataclass(frozen=True, slots=True)
class _Frames:
    """One checkpoint folder: its files, the alignment that counts, and what its run is called (or "")."""

    files: Sequence[Path]
    alignment: str
    label: str

    @property
    def columns(self) -> Collection[str]:
        """All that per-frame rows hold."""
        return _COLUMNS

    @property
    def name(self) -> pl.Expr:
        """The checkpoint's name among all that are read."""
        own = pl.col("checkpoint")
        return (joint_name(self.label, "") + own).alias("checkpoint") if self.label else own

    def rows(self) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """The rows that a summary is over: of frames, and of windows. NaN and infinity are not null yet."""
        every = scan(self.files, FRAMES)
        return frame_rows(every, self.alignment), window_rows(every, self.alignment)


def _shown_alignment(groups: Sequence[Sequence[Path]], stated: str | None) -> str:
    present: set[str] = set()
    for files in groups:
        if stated in present:
            break
        present.update(alignments_of(files))
    return chosen_alignment(present, stated, ProblemLog())


def _read(
    runs: Sequence[tuple[str, Run]],
    metrics: Collection[str] | None,
    checkpoints: Collection[str] | None,
    alignment: str | None,
) -> pl.DataFrame:
    try:
        sources = []
        for label, run in runs:
            groups = intact_shards(run)
            shown = alignment or _shown_alignment(groups, run.metadata.protocol.align)
            sources += [_Frames(files, shown, label) for files in groups]
        return reduce_rows(sources, metrics, checkpoints)
    except PARQUET_ERRORS as error:
        names = ", ".join(run.name for _, run in runs)
        reason = why_unreadable(error)
        raise DataError(f"{names}: per-frame rows cannot be read: {reason}", "load the run again") from error


def reduce_rows(
    sources: Sequence[Source], metrics: Collection[str] | None, checkpoints: Collection[str] | None
) -> pl.DataFrame:
    """Rows of frames and windows reduced to windows, see :func:`window_sums`.

    Args:
        sources: at least one; where two hold rows of one checkpoint, the first counts.
        metrics, checkpoints: as of :func:`window_sums`.

    Raises:
        PARQUET_ERRORS: a file is damaged.
    """
    wanted = None if metrics is None else _wanted(metrics)
    parts: list[pl.DataFrame] = []
    seen: set[str] = set()
    for source in sources:
        part = _reduce(source, wanted)
        # As in summaries.
        part = part.filter(~pl.col("checkpoint").is_in(seen))
        if checkpoints is not None:
            part = part.filter(pl.col("checkpoint").is_in(list(checkpoints)))
        seen.update(part.get_column("checkpoint").unique())
        parts.append(_compact(part))
    sums = pl.concat(parts)
    uneven = sums.group_by(_CELL).agg(pl.col(_WHICH).n_unique()).filter(pl.col(_WHICH) > 1).select(_CELL)
    whole = sums.select(list(WINDOW_SUMS))
    if uneven.is_empty():
        return whole
    return pl.concat([whole.join(uneven, on=_CELL, how="anti"), _by_frame(sources, uneven, seen)])


def _wanted(metrics: Collection[str]) -> set[tuple[str, str]]:
    """Metric without region, and region ("" for pose), of the keys that per-frame rows can hold."""
    found = set()
    for key in metrics:
        group, _, rest = key.partition(".")
        region, _, name = rest.rpartition(".")
        if f"{group}.{name}" in _COLUMNS:
            found.add((f"{group}.{name}", region))
    return found


def _reduce(source: Source, wanted: set[tuple[str, str]] | None) -> pl.DataFrame:
    of_frames, of_windows = source.rows()
    regional, pose = _names(wanted, source.columns)
    tables = [
        _sums(of_frames, ["checkpoint", "drive", "window", "region"], regional),
        _sums(of_windows.with_columns(region=pl.lit("")), ["checkpoint", "drive", "window", "region"], pose),
    ]
    return _keyed(pl.concat(tables), wanted).with_columns(source.name).collect(engine="streaming")


def _sums(rows: pl.LazyFrame, by: list[str], names: Sequence[str]) -> pl.LazyFrame:
    if not names:
        return pl.LazyFrame(schema={**dict.fromkeys(by, pl.String), "window": pl.Int64, "metric": pl.String, **_STATES})
    table = rows.group_by(by).agg(_statistics(name) for name in names)
    return (
        table.unpivot(index=by, variable_name="metric", value_name="value").unnest("value").filter(pl.col("count") > 0)
    )


_STATES = {"sum": pl.Float64, "m2": pl.Float64, "count": pl.Int64, _WHICH: pl.UInt64}


def _statistics(name: str) -> pl.Expr:
    value = _value(name)
    count = value.count()
    return pl.struct(
        value.sum().alias("sum"),
        (value.var(ddof=0) * count).alias("m2"),
        count.cast(pl.Int64).alias("count"),
        # The same frames give the same sum of hashes; other ones do by a chance of 2^-64.
        pl.when(value.is_not_null()).then(pl.col("frame").fill_null(-1).hash()).sum().alias(_WHICH),
    ).alias(name)


def _value(name: str) -> pl.Expr:
    raw = pl.col(_COLUMNS[name]).cast(pl.Float64)
    return pl.when(raw.is_finite()).then(raw)


def _names(wanted: set[tuple[str, str]] | None, columns: Collection[str]) -> tuple[list[str], list[str]]:
    """The metrics without region that are wanted: of frames, of windows."""
    names = columns if wanted is None else {name: None for name, _ in sorted(wanted)}
    return [name for name in names if name not in _PER_WINDOW], [name for name in names if name in _PER_WINDOW]


def _keyed(table: pl.LazyFrame, wanted: set[tuple[str, str]] | None) -> pl.LazyFrame:
    """``depth.abs_rel`` of region ``building`` becomes ``depth.building.abs_rel``; what is not wanted goes."""
    if wanted is not None:
        pairs = pl.LazyFrame(sorted(wanted), schema={"metric": pl.String, "region": pl.String}, orient="row")
        table = table.join(pairs, on=["metric", "region"], how="semi")
    dotted = pl.when(pl.col("region") == "").then(pl.lit(".")).otherwise("." + pl.col("region") + ".")
    key = pl.col("metric").str.split_exact(".", 1)
    return table.with_columns((key.struct[0] + dotted + key.struct[1]).alias("metric")).drop("region")


def _compact(part: pl.DataFrame) -> pl.DataFrame:
    whole = part.with_columns(frame=pl.lit(None, pl.Int64))
    return whole.select(*(pl.col(name).cast(dtype) for name, dtype in WINDOW_SUMS.items()), _WHICH)


def _by_frame(sources: Iterable[Source], uneven: pl.DataFrame, checkpoints: Collection[str]) -> pl.DataFrame:
    """The values of single frames in the windows of ``uneven``."""
    cells = uneven.with_columns(pl.col("metric", "drive").cast(pl.String))
    wanted = _wanted(cells.get_column("metric").unique().to_list())
    regional, pose = _names(wanted, _COLUMNS)
    by = ["checkpoint", "drive", "window", "region", "frame"]
    left = set(checkpoints)
    tables: list[pl.DataFrame] = []
    for source in sources:
        of_frames, of_windows = source.rows()
        parts = [
            rows.group_by(by)
            .agg(_value(name).mean().alias(name) for name in names)
            .unpivot(index=by, variable_name="metric", value_name="sum")
            .drop_nulls("sum")
            for rows, names in ((of_frames, regional), (of_windows.with_columns(region=pl.lit("")), pose))
            if names
        ]
        single = _keyed(pl.concat(parts), wanted).join(cells.lazy(), on=_CELL, how="semi").with_columns(source.name)
        table = single.collect(engine="streaming").filter(pl.col("checkpoint").is_in(left))
        left.difference_update(table.get_column("checkpoint").unique())
        tables.append(table)
    found = pl.concat(tables).with_columns(m2=pl.lit(0.0), count=pl.lit(1, pl.Int64))
    return found.select(pl.col(name).cast(dtype) for name, dtype in WINDOW_SUMS.items())
