"""Reads the native store: ``metadata.json`` beside per-frame shards, ``cost.parquet`` and ``summary.parquet``."""

from __future__ import annotations

import json
import math
from pathlib import Path

import polars as pl
from pydantic import ValidationError

from engine.catalogue import Group
from engine.errors import NoFramesError
from engine.i18n import gettext as _
from engine.i18n import mark
from engine.liveness import Life, life
from engine.results.layout import COST, METADATA, STATISTICS, SUMMARY
from engine.results.layout import WINDOWS as WINDOWS_FILE
from engine.results.model import Run
from engine.results.names import storable
from engine.results.parquet import finite, float_columns, has_schema, scan
from engine.results.problems import ProblemLog, shown, some
from engine.results.reading import PARQUET_ERRORS, Entry, Reading, read_bytes, why_unreadable
from engine.results.shards import DAMAGED_ROWS, label, scan_shards, usable_shards
from engine.results.summaries import summarise
from engine.schema import COST as COST_SCHEMA
from engine.schema import SCHEMA_VERSION, WINDOWS, RunMetadata, empty
from engine.schema import SUMMARY as SUMMARY_SCHEMA

_INT64_MAX = 2**63 - 1


def read_native(folder: Path, name: str, log: ProblemLog) -> Reading:
    """Read a native run.

    Per-frame rows win over ``summary.parquet``, which counts where there are none or for metrics that they lack;
    ``performance.*`` comes from the unmerged rows of ``cost.parquet``.

    Args:
        folder: the run's folder.
        name: what to call the run where its metadata cannot be read.
        log: where problems are reported; nothing is raised for what files hold.

    Returns:
        The run; without checkpoints where ``metadata.json`` cannot be read.
    """
    metadata = read_metadata(folder, log)
    if metadata is None:
        return Reading(RunMetadata(run=name))
    if metadata.status == "running" and life(folder) in (Life.DEAD, Life.ENDED):
        # Who was killed could not write it down.
        metadata = metadata.model_copy(update={"status": "stopped"})
    of_frames, has_frames = summarise(folder, metadata.protocol.align, log)
    tables = [of_frames, _cost(folder, log), _stored_summary(folder, log)]
    summary = pl.concat(tables).unique(["checkpoint", "metric"], keep="first", maintain_order=True)
    if summary.is_empty() and metadata.status == "done":  # one that runs may have none yet
        said = _("neither per-frame rows nor {file} hold a result")
        log.error(storable(folder.name), said.format(file=SUMMARY))
    return Reading(metadata, _entries(metadata, summary, log), summary, has_frames=has_frames)


def read_metadata(folder: Path, log: ProblemLog) -> RunMetadata | None:
    """``metadata.json`` of a run, or ``None`` after reporting why it cannot be read."""
    data = read_bytes(folder / METADATA, METADATA, log)
    if data is None:
        return None
    try:
        content = json.loads(data)
    except json.JSONDecodeError as error:
        place = _("line {line}, column {column}").format(line=error.lineno, column=error.colno)
        log.error(METADATA, _("not valid JSON: {reason}").format(reason=error.msg), place=place)
        return None
    except (ValueError, RecursionError):  # not UTF-8, an endless number, nested without end
        log.error(METADATA, mark("not valid JSON"))
        return None
    if not isinstance(content, dict):
        log.error(METADATA, _("an object was expected, not {found}").format(found=shown(content)))
        return None
    version = content.get("schema_version", SCHEMA_VERSION)
    if isinstance(version, int) and version > SCHEMA_VERSION:
        said = _("schema_version {version}, and this version of lorascope reads up to {known}")
        message = said.format(version=shown(version), known=SCHEMA_VERSION)
        log.error(METADATA, message, place="schema_version", remedy=mark("update lorascope"))
        return None
    try:
        return RunMetadata.model_validate(content)
    except ValidationError as error:
        for wrong in error.errors(include_url=False, include_input=False, include_context=False):
            log.error(METADATA, wrong["msg"], place=".".join(str(part) for part in wrong["loc"]))
        return None


def scan_frames(run: Run) -> pl.LazyFrame:
    """The per-frame rows of a run, unread.

    Files that loading the run found damaged are left out; one that is damaged afterwards makes Polars raise when the
    frame is collected.

    Returns:
        Lazy frame of schema ``FRAMES``; NaN and infinity are null.

    Raises:
        NoFramesError: the run holds summaries only.
    """
    return scan_shards([file for files in intact_shards(run) for file in files])


def intact_shards(run: Run) -> list[list[Path]]:
    """The files of per-frame rows that loading the run found readable, by checkpoint folder.

    Raises:
        NoFramesError: the run holds summaries only.
    """
    damaged = {problem.file for problem in run.errors if problem.place == DAMAGED_ROWS}
    groups = usable_shards(run.path, ProblemLog()) if run.has_frames else []
    intact = [[file for file in files if label(file) not in damaged] for files in groups]
    if not any(intact):
        said = _("{run} has no per-frame rows, only summaries").format(run=run.name)
        raise NoFramesError(said, _("evaluate its checkpoints with lorascope to get them"))
    return [files for files in intact if files]


def read_windows(run: Run) -> pl.DataFrame:
    """The sampled windows of a run, schema ``WINDOWS``; empty where the run does not hold them or they are damaged."""
    return _read_table(run.path, WINDOWS_FILE, WINDOWS, ProblemLog())


def _entries(metadata: RunMetadata, summary: pl.DataFrame, log: ProblemLog) -> list[Entry]:
    entries: dict[str, Entry] = {}
    for info in metadata.checkpoints:
        if info.name in entries:
            said = _("{checkpoint} stands there twice: the first counts").format(checkpoint=shown(info.name))
            log.warning(METADATA, said, place="checkpoints")
            continue
        step = info.step
        if step is not None and not -_INT64_MAX <= step <= _INT64_MAX:
            said = _("step {step} of {checkpoint} is no step").format(step=shown(step), checkpoint=shown(info.name))
            log.error(METADATA, said, place="checkpoints")
            step = None
        if info.problem is not None:
            log.error(METADATA, info.problem, place=info.name)
        entries[info.name] = Entry(info.name, step, info.role, info.problem)
    for name in summary["checkpoint"].unique(maintain_order=True):
        entries.setdefault(name, Entry(name))
    return list(entries.values())


def _read_table(folder: Path, file: str, schema: pl.Schema, log: ProblemLog) -> pl.DataFrame:
    path = folder / file
    if not path.is_file() or not has_schema(path, file, schema, log):
        return empty(schema)
    try:
        return scan([path], schema).collect()
    except PARQUET_ERRORS as error:
        log.error(file, why_unreadable(error), remedy=mark("write it again, or remove it"))
        return empty(schema)


def _cost(folder: Path, log: ProblemLog) -> pl.DataFrame:
    """The measured cost of unmerged checkpoints as ``performance.*``: one measurement each, so a mean and no spread."""
    table = _read_table(folder, COST, COST_SCHEMA, log)
    unmerged = table.filter(~pl.col("merged"), pl.col("checkpoint").is_not_null())
    if unmerged.is_empty() and not table.is_empty():
        log.warning(COST, mark("it holds merged checkpoints only, so no cost is shown"))
    measures = [name for name in COST_SCHEMA if name not in ("checkpoint", "merged")]
    long = unmerged.select(
        "checkpoint", *(pl.col(name).cast(pl.Float64).alias(f"{Group.PERFORMANCE}.{name}") for name in measures)
    ).unpivot(index="checkpoint", variable_name="metric", value_name="mean")
    for checkpoint, metric, value in long.filter(~pl.col("mean").is_finite()).iter_rows():
        log.wrong_value(COST, checkpoint, metric, _("{text} is not a finite number").format(text=value))
    found = long.with_columns(finite("mean")).drop_nulls("mean").with_columns(pl.lit(1, pl.Int64).alias("count"))
    return _once(pl.concat([empty(SUMMARY_SCHEMA), found], how="diagonal"), COST, log)


def _stored_summary(folder: Path, log: ProblemLog) -> pl.DataFrame:
    table = _read_table(folder, SUMMARY, SUMMARY_SCHEMA, log)
    floats = float_columns(SUMMARY_SCHEMA)
    wrong = pl.any_horizontal(*(~pl.col(name).is_finite() for name in floats), pl.col("count") < 0)
    for row in table.filter(wrong).iter_rows(named=True):
        for name in (name for name in STATISTICS if row[name] is not None):
            if not math.isfinite(row[name]):
                reason = _("{text} is not a finite number").format(text=row[name])
            elif name == "count" and row[name] < 0:
                reason = _("{text} is not a count").format(text=row[name])
            else:
                continue
            log.wrong_value(SUMMARY, str(row["checkpoint"]), f"{row['metric']}.{name}", reason)
    count = pl.when(pl.col("count") >= 0).then(pl.col("count")).alias("count")
    named = table.with_columns(*(finite(name) for name in floats), count).drop_nulls(["checkpoint", "metric"])
    if named.height < table.height:
        said = _("{count} rows without a checkpoint or metric: left out")
        log.error(SUMMARY, said.format(count=table.height - named.height))
    return _once(named, SUMMARY, log)


def _once(table: pl.DataFrame, file: str, log: ProblemLog) -> pl.DataFrame:
    once = table.unique(["checkpoint", "metric"], keep="first", maintain_order=True)
    if once.height < table.height:
        repeated = table.filter(table.select("checkpoint", "metric").is_duplicated())["checkpoint"]
        names = some(repeated.unique(maintain_order=True))
        log.warning(file, _("more than one row for a metric of {names}: the first counts").format(names=names))
    return once
