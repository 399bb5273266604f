"""From a found run to its frames: reads it in its form, puts checkpoints in order, picks the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from engine.errors import DataError, UnknownNameError, UsageError
from engine.i18n import gettext as _
from engine.i18n import mark
from engine.results.checks import check_missing_metrics, check_samples
from engine.results.discovery import discover
from engine.results.legacy import read_legacy
from engine.results.model import Problem, Run, RunKind, RunRef
from engine.results.names import baseline_among, natural_key, step_of, storable
from engine.results.native import read_native
from engine.results.problems import ProblemLog, some
from engine.results.reading import Entry, Reading, imported
from engine.results.table import read_table
from engine.schema import CHECKPOINTS, SUMMARY, Role, RunMetadata, empty

_READERS = {RunKind.NATIVE: read_native, RunKind.LEGACY: read_legacy, RunKind.TABLE: read_table}
_NO_RESULTS = "no results"
_RANKS = {Role.BASELINE: 0, Role.CHECKPOINT: 1, Role.ORACLE: 2, Role.CHANCE: 3}


def load_run(ref: RunRef, *, baseline: str | None = None) -> Run:
    """Read a run. Whatever its files hold, the result is a run, with what was wrong among its problems.

    Args:
        ref: what discovery found.
        baseline: the checkpoint that deltas are against; default: the one whose role or name says so.

    Returns:
        The run: checkpoints with the baseline first, then by step, then those without one in natural order, oracle
        and chance last; the summary in the same order. Exactly the baseline has the role ``baseline``.

    Raises:
        UnknownNameError: the run was read and has no checkpoint of the name ``baseline``.
    """
    if ref.problem is not None:
        return _broken(ref, (ref.problem,))
    log = ProblemLog()
    try:
        reading = _READERS[ref.kind](ref.path, ref.name, log)
    except Exception as error:  # one run must not take the others with it; the reason stays visible
        said = _("could not be read: {reason}").format(reason=type(error).__name__)
        log.error(ref.name, said, remedy=mark("please report this as a bug"))
        return _broken(ref, log.result())
    return _assemble(ref, reading, baseline, log)


def load_runs(paths: Sequence[Path], *, baseline: str | None = None) -> list[Run]:
    """Find and read all runs at or below ``paths``, in the order of discovery.

    Raises:
        DataError: a path does not exist, or there is no run.
        UnknownNameError: a run has no checkpoint of the name ``baseline``.
    """
    return [load_run(ref, baseline=baseline) for ref in found_runs(paths)]


def found_runs(paths: Sequence[Path]) -> list[RunRef]:
    """The runs at or below ``paths``.

    Raises:
        DataError: a path does not exist, or there is no run.
    """
    refs = list(discover(paths))
    if not refs:
        said = _("no runs at or below {folders}").format(folders=some(storable(str(path)) for path in paths))
        raise DataError(said, _("name another folder"))
    return refs


def find_run(paths: Sequence[Path], name: str) -> RunRef:
    """The run called ``name`` at or below ``paths``; a path to it is as good as its name.

    Raises:
        DataError: a path does not exist, or there is no run.
        UnknownNameError: no run is called that.
        UsageError: several runs are.
    """
    refs = found_runs(paths)
    found = [ref for ref in refs if ref.name == name] or [ref for ref in refs if ref.path == Path(name).absolute()]
    if len(found) > 1:
        said = _("{count} runs are called {name}").format(count=len(found), name=repr(name))
        raise UsageError(said, _("give the path: {paths}").format(paths=some(str(r.path) for r in found)))
    if not found:
        raise UnknownNameError("run", name, [ref.name for ref in refs])
    return found[0]


def _broken(ref: RunRef, problems: tuple[Problem, ...]) -> Run:
    name = ref.name or "run"
    metadata = RunMetadata(run=name) if ref.kind is RunKind.NATIVE else imported(name)
    return Run(ref, ref.name, metadata, empty(CHECKPOINTS), empty(SUMMARY), problems=problems)


def _assemble(ref: RunRef, reading: Reading, baseline: str | None, log: ProblemLog) -> Run:
    chosen = _baseline(reading.entries, baseline)
    checkpoints = _checkpoints(reading, chosen)
    position = checkpoints.select("checkpoint").with_row_index("position")
    summary = (
        reading.summary.join(position, on="checkpoint", how="left", maintain_order="left")
        .sort("position", maintain_order=True)
        .select(list(SUMMARY))
    )
    if chosen is None and reading.entries:
        log.warning(ref.name, mark("no baseline, so there are no deltas"), remedy=mark("name one with --baseline"))
    if reading.metadata.status == "done":  # until it is done, checkpoints differ in what they have
        _check(ref.name, checkpoints, summary, log)
    name = reading.metadata.run
    return Run(ref, name, reading.metadata, checkpoints, summary, chosen, log.result(), has_frames=reading.has_frames)


def _check(name: str, checkpoints: pl.DataFrame, summary: pl.DataFrame, log: ProblemLog) -> None:
    if summary.is_empty():
        if not log.has_errors:
            log.error(name, mark("there is no result in it"))
        return
    without = checkpoints.filter(problem=_NO_RESULTS)["checkpoint"]
    if not without.is_empty():
        log.warning(name, _("no results for {names}").format(names=some(without)))
    check_missing_metrics(name, checkpoints, summary, log)
    check_samples(name, checkpoints, summary, log)


def _baseline(entries: Sequence[Entry], wanted: str | None) -> str | None:
    names = [entry.name for entry in entries]
    if wanted is not None and names:
        if wanted not in names:
            raise UnknownNameError("checkpoint", wanted, names, "--baseline")
        return wanted
    by_role = next((entry.name for entry in entries if entry.role is Role.BASELINE), None)
    return by_role or baseline_among([entry.name for entry in entries if entry.role in (None, Role.CHECKPOINT)])


def _checkpoints(reading: Reading, baseline: str | None) -> pl.DataFrame:
    measured = set(reading.summary["checkpoint"].unique())
    rows = []
    for entry in reading.entries:
        role = entry.role or Role.CHECKPOINT
        if entry.name == baseline:
            role = Role.BASELINE
        elif role is Role.BASELINE:
            role = Role.CHECKPOINT
        step = entry.step if entry.step is not None else step_of(entry.name)
        problem = entry.problem
        if problem is None and entry.name not in measured and reading.metadata.status == "done":
            problem = _NO_RESULTS
        rows.append((role, step, entry.name, problem))
    rows.sort(key=lambda row: (_RANKS[row[0]], row[1] is None, row[1] or 0, natural_key(row[2])))
    return pl.DataFrame(
        {
            "checkpoint": [name for _, _, name, _ in rows],
            "role": [role.value for role, _, _, _ in rows],
            "step": [step for _, step, _, _ in rows],
            "problem": [None if problem is None else storable(problem) for _, _, _, problem in rows],
        },
        schema=CHECKPOINTS,
    )
