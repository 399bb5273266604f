"""Jobs for people: a table, one in detail, and a line that follows it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from engine.i18n import gettext as _
from engine.i18n import listing, ngettext
from engine.jobs.gpu import GpuUse
from engine.jobs.snapshot import JobSnapshot, JobState, ShardState, WorkerView
from engine.text import counted, visible
from tui.cli.cells import Cell, Column
from tui.cli.screen import Screen
from tui.format import distinct, duration, plain_text
from tui.launch import wants_plain
from tui.text import fit

STYLES = {
    JobState.QUEUED: "",
    JobState.STARTING: "cyan",
    JobState.RUNNING: "cyan",
    JobState.STOPPING: "yellow",
    JobState.STOPPED: "yellow",
    JobState.FINISHED: "green",
    JobState.FAILED: "red",
    JobState.DEAD: "red",
}
_LOG_LINES = 10
_LABEL = 12
_PROBLEMS = 10


def draw_list(screen: Screen, jobs: Sequence[JobSnapshot]) -> None:
    """A table of jobs, with what is to be known of some below it."""
    if not jobs:
        screen.line(_("no jobs; lorascope evaluate --detach starts one"))
        return
    columns = [
        Column(_("job")),
        Column(_("run"), outside=True, least=16),
        Column(_("state")),
        Column(_("windows"), "right"),
        Column(_("rate"), "right", rank=2),
        Column(_("left"), "right", rank=1),
        Column(_("host"), outside=True, least=8, rank=3),
        Column(_("started"), rank=4),
    ]
    names = distinct([(job.name, job.run) for job in jobs])
    rows = [
        (
            Cell(job.id, "bold"),
            name,
            Cell(_(job.state.value), STYLES[job.state]),
            f"{job.windows_done}/{job.windows}" if job.windows else "",
            _rate(job),
            duration(job.seconds_left) if job.seconds_left is not None else "",
            job.host,
            _when(job.started),
        )
        for name, job in zip(names, jobs, strict=True)
    ]
    screen.table(columns, rows)
    for job in jobs:
        if job.why:
            screen.paragraph(f"{job.id}: {job.why}")


def draw_job(screen: Screen, job: JobSnapshot) -> None:
    """Everything of one job."""
    screen.outside(f"{job.name}: {_(job.state.value)}{f' ({_(job.phase)})' if _tells_phase(job) else ''}", "bold")
    by_state = {state: sum(shard.state is state for shard in job.shards) for state in ShardState}
    process = _("{pid} on {host}").format(pid=job.pid, host=job.host)
    windows = _("{done} of {all} ({share} %)").format(
        done=job.windows_done, all=job.windows, share=f"{100 * job.share:.0f}"
    )
    facts = {
        _("job"): job.id,
        _("folder"): str(job.run),
        _("why"): job.why,
        _("process"): process if job.state.alive and job.pid else "",
        _("windows"): windows if job.windows else "",
        _("shards"): listing(f"{count} {_(state.value)}" for state, count in by_state.items() if count),
        _("rate"): _rate(job),
        _("left"): _("about {time}").format(time=duration(job.seconds_left)) if job.seconds_left is not None else "",
        _("results"): _("partial: what is computed so far can be read") if job.partial else "",
        _("go on with"): job.command if job.state in (JobState.STOPPED, JobState.FAILED, JobState.DEAD) else "",
    }
    for name, fact in facts.items():
        if fact:
            _tell(screen, name, fact)
    behind = [checkpoint for checkpoint in job.checkpoints if checkpoint.why]
    good = len(job.checkpoints) - len(behind)
    if job.checkpoints:
        said = _("{count}: the baseline and {checkpoints}")
        _tell(screen, _("models"), said.format(count=good, checkpoints=counted(max(good - 1, 0), "checkpoint")))
    for worker in job.workers:
        _tell(screen, _("worker"), _worker(worker))
    for problem in job.problems[-_PROBLEMS:]:
        _tell(screen, _("problem"), problem)
    for notice in job.notices:
        _tell(screen, _("note"), notice)
    if job.log:
        screen.line("  " + _("last lines of its log:"))
        for line in job.log[-_LOG_LINES:]:
            screen.outside(f"    {line}", "dim")


def _tell(screen: Screen, name: str, fact: str) -> None:
    screen.paragraph(screen.words(f"{fit(name, _LABEL)}{fact}"), indent="  ")


def follow_on_screen(snapshots: Iterator[JobSnapshot], *, plain: bool | None) -> JobSnapshot | None:
    """A line on stderr that follows a job: one that changes on a terminal, else a new one where something is new.

    Returns:
        The last snapshot.
    """
    shown, last = "", None
    terminal = sys.stderr.isatty()
    told = 0
    for last in snapshots:
        problems = last.problems[told:] if len(last.problems) >= told else last.problems
        told = len(last.problems)
        line = follow_line(last)
        texts = [_("failed: {what}").format(what=problem) for problem in problems]
        if terminal:
            text = "".join(f"\r\x1b[K{_said(text, plain)}\n" for text in texts) + f"\r\x1b[K{_said(line, plain)}"
            sys.stderr.write(text)
        else:
            texts += [line] if line != shown else []
            sys.stderr.write("".join(f"{_said(text, plain)}\n" for text in texts))
        shown = line
        sys.stderr.flush()
    if terminal and last is not None:
        sys.stderr.write("\n")
    return last


def follow_line(job: JobSnapshot) -> str:
    """How far a job is, in a line."""
    parts = [_(job.phase if _tells_phase(job) else job.state.value)]
    if job.windows:
        parts.append(f"{job.windows_done}/{counted(job.windows, 'window')}")
    if job.state.alive and len(job.workers) > 1:
        count = len(job.workers)
        parts.append(ngettext("{count} worker", "{count} workers", count).format(count=count))
    if rate := _rate(job):
        parts.append(rate)
    if job.seconds_left is not None:
        parts.append(_("{duration} left").format(duration=duration(job.seconds_left)))
    return listing(parts)


def _said(text: str, plain: bool | None) -> str:
    shown = visible(text)
    return plain_text(shown) if wants_plain(plain) else shown


def _tells_phase(job: JobSnapshot) -> bool:
    return bool(job.phase) and job.phase != job.state.value and job.state in (JobState.STARTING, JobState.RUNNING)


def _rate(job: JobSnapshot) -> str:
    if not job.windows_per_minute or not job.state.alive:
        return ""
    return _("{number}/min").format(number=f"{job.windows_per_minute:.3g}")


def _when(time: str) -> str:
    return time[:16].replace("T", " ")


def _worker(worker: WorkerView) -> str:
    who = _("{worker} on {host}").format(worker=worker.name or _("the job itself"), host=worker.host)
    parts = [who, worker.device]
    parts.append(_("shard {number}").format(number=worker.shard) if worker.shard is not None else _("waits"))
    parts.append(_("{count} done").format(count=worker.done))
    if worker.memory_mb is not None:
        parts.append(f"{worker.memory_mb:.0f} MB")
    return listing([*parts, *map(gpu_words, worker.gpus)])


def gpu_words(gpu: GpuUse) -> str:
    """A GPU's memory and use."""
    said = _("GPU {number} {used} of {total} MB").format(
        number=gpu.index, used=f"{gpu.used_mb:.0f}", total=f"{gpu.total_mb:.0f}"
    )
    if gpu.busy_pct is None:
        return said
    return listing([said, _("{share} % busy").format(share=f"{gpu.busy_pct:.0f}")])
