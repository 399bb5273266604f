"""Jobs for people: a table, one in detail, and a line that follows it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from engine.jobs.gpu import GpuUse
from engine.jobs.snapshot import JobSnapshot, JobState, ShardState, WorkerView
from engine.text import counted, visible
from tui.cli.cells import Cell, Column
from tui.cli.screen import Screen
from tui.format import distinct, duration, plain_text
from tui.launch import wants_plain

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
_PROBLEMS = 10


def draw_list(screen: Screen, jobs: Sequence[JobSnapshot]) -> None:
    """A table of jobs, with what is to be known of some below it."""
    if not jobs:
        screen.line("no jobs; lorascope evaluate --detach starts one")
        return
    columns = [
        Column("job"),
        Column("run", outside=True, least=16),
        Column("state"),
        Column("windows", "right"),
        Column("rate", "right", rank=2),
        Column("left", "right", rank=1),
        Column("host", outside=True, least=8, rank=3),
        Column("started", rank=4),
    ]
    names = distinct([(job.name, job.run) for job in jobs])
    rows = [
        (
            Cell(job.id, "bold"),
            name,
            Cell(job.state.value, STYLES[job.state]),
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
    screen.outside(f"{job.name}: {job.state.value}{f' ({job.phase})' if _tells_phase(job) else ''}", "bold")
    by_state = {state: sum(shard.state is state for shard in job.shards) for state in ShardState}
    shards = ", ".join(f"{count} {state.value}" for state, count in by_state.items() if count)
    facts = {
        "job": job.id,
        "folder": str(job.run),
        "why": job.why,
        "process": f"{job.pid} on {job.host}" if job.state.alive and job.pid else "",
        "windows": f"{job.windows_done} of {job.windows} ({100 * job.share:.0f} %)" if job.windows else "",
        "shards": shards,
        "rate": _rate(job),
        "left": f"about {duration(job.seconds_left)}" if job.seconds_left is not None else "",
        "results": "partial: what is computed so far can be read" if job.partial else "",
        "go on with": job.command if job.state in (JobState.STOPPED, JobState.FAILED, JobState.DEAD) else "",
    }
    for name, fact in facts.items():
        if fact:
            screen.paragraph(screen.words(f"{name:<12}{fact}"), indent="  ")
    behind = [checkpoint for checkpoint in job.checkpoints if checkpoint.why]
    good = len(job.checkpoints) - len(behind)
    if job.checkpoints:
        screen.line(f"  {'models':<12}{good}: the baseline and {counted(max(good - 1, 0), 'checkpoint')}")
    for worker in job.workers:
        screen.paragraph(screen.words(f"{'worker':<12}{_worker(worker)}"), indent="  ")
    for problem in job.problems[-_PROBLEMS:]:
        screen.paragraph(screen.words(f"{'problem':<12}{problem}"), indent="  ")
    for notice in job.notices:
        screen.paragraph(screen.words(f"{'note':<12}{notice}"), indent="  ")
    if job.log:
        screen.line(f"  last lines of {'its log'}:")
        for line in job.log[-_LOG_LINES:]:
            screen.outside(f"    {line}", "dim")


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
        texts = [f"failed: {problem}" for problem in problems]
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
    parts = [job.phase if _tells_phase(job) else job.state.value]
    if job.windows:
        parts.append(f"{job.windows_done}/{counted(job.windows, 'window')}")
    if job.state.alive and len(job.workers) > 1:
        parts.append(counted(len(job.workers), "worker"))
    if rate := _rate(job):
        parts.append(rate)
    if job.seconds_left is not None:
        parts.append(f"{duration(job.seconds_left)} left")
    return ", ".join(parts)


def _said(text: str, plain: bool | None) -> str:
    shown = visible(text)
    return plain_text(shown) if wants_plain(plain) else shown


def _tells_phase(job: JobSnapshot) -> bool:
    return bool(job.phase) and job.phase != job.state.value and job.state in (JobState.STARTING, JobState.RUNNING)


def _rate(job: JobSnapshot) -> str:
    return f"{job.windows_per_minute:.3g}/min" if job.windows_per_minute and job.state.alive else ""


def _when(time: str) -> str:
    return time[:16].replace("T", " ")


def _worker(worker: WorkerView) -> str:
    parts = [f"{worker.name or 'the job itself'} on {worker.host}, {worker.device}"]
    parts.append(f"shard {worker.shard}" if worker.shard is not None else "waits")
    parts.append(f"{worker.done} done")
    if worker.memory_mb is not None:
        parts.append(f"{worker.memory_mb:.0f} MB")
    return ", ".join([*parts, *map(gpu_words, worker.gpus)])


def gpu_words(gpu: GpuUse) -> str:
    """A GPU's memory and use."""
    busy = f", {gpu.busy_pct:.0f} % busy" if gpu.busy_pct is not None else ""
    return f"GPU {gpu.index} {gpu.used_mb:.0f} of {gpu.total_mb:.0f} MB{busy}"
