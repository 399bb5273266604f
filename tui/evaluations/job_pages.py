"""What is to be told of one job, page by page. Textual-free."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence

from engine.i18n import gettext as _
from engine.i18n import listing, mark, ngettext
from engine.jobs.snapshot import JobSnapshot, JobState, ShardState
from engine.text import visible
from tui.evaluations.job_rows import STATES, TextRows, all_gpus, bar, gpu_words, percent_done, rate, when
from tui.format import duration
from tui.widgets.grid_model import Cell, Column

# Name and title of the pages, in the order of the keys.
PAGES = (
    ("overview", mark("overview")),
    ("checkpoints", mark("checkpoints")),
    ("shards", mark("shards")),
    ("workers", mark("workers")),
    ("log", mark("log")),
)
_SHARDS: dict[ShardState, tuple[str, str]] = {
    ShardState.WAITING: (mark("waiting"), "muted"),
    ShardState.RUNNING: (mark("running"), "accent"),
    ShardState.DONE: (mark("done"), "better"),
    ShardState.FAILED: (mark("set aside"), "error"),
}
_BAR = 12
_LABEL = 12

Row = Sequence[Cell] | str


def page_rows(job: JobSnapshot, page: str, *, width: int, plain: bool) -> TextRows:
    """A page of a job.

    Args:
        job: as it is.
        page: the name of a page.
        width: columns that there are.
        plain: ASCII alone.
    """
    make = _MAKE.get(page, _overview)
    columns, rows = make(job, width, plain)
    return TextRows(columns, rows, plain=plain)


Made = tuple[Sequence[Column], Sequence[Row]]


def _overview(job: JobSnapshot, width: int, plain: bool) -> Made:
    word, role = STATES[job.state]
    phase = f" ({_(job.phase)})" if job.phase and job.phase not in (job.state.value, "") and job.state.alive else ""
    rows: list[Row] = []

    def fact(label: str, text: str, role: str = "") -> None:
        lines = textwrap.wrap(visible(text), max(20, width - _LABEL - 6), break_long_words=True) if text else []
        rows.extend((Cell(label if not at else "", "muted"), Cell(line, role)) for at, line in enumerate(lines))

    fact(_("state"), f"{_(word)}{phase}", role)
    fact(_("why"), job.why, "warning" if job.state in (JobState.STOPPED, JobState.FINISHED) else "error")
    if job.windows:
        counts = _("{done} of {all} windows, {share}").format(
            done=job.windows_done, all=job.windows, share=percent_done(job)
        )
        fact(_("progress"), f"{bar(job.share, _BAR, plain=plain)} {counts}")
        left = _("{time} left").format(time=duration(job.seconds_left)) if job.seconds_left is not None else ""
        fact(_("rate"), listing(part for part in (rate(job), left) if part))
        fact(_("shards"), _shard_counts(job), "error" if job.set_aside else "")
    good = sum(not checkpoint.why for checkpoint in job.checkpoints)
    if job.checkpoints:
        fact(_("models"), ngettext("{count} is evaluated", "{count} are evaluated", good).format(count=good))
    workers = len(job.workers)
    if workers:
        named = ngettext("{count} worker", "{count} workers", workers).format(count=workers)
        fact(_("workers"), listing(part for part in (named, gpu_words(all_gpus(job))) if part))
    fact(_("results"), _("partial: Runs and Compare show what is computed so far") if job.partial else "")
    process = _("{pid} on {host}").format(pid=job.pid, host=job.host) if job.pid else ""
    fact(_("process"), process if job.state.alive else "")
    if job.state.alive and not job.detached:
        fact(_("note"), _("runs in a terminal, and ends with it"), "warning")
    fact(_("started"), when(job.started))
    fact(_("folder"), str(job.run))
    for problem in reversed(job.problems):
        fact(_("problem"), problem, "warning")
    for notice in job.notices:
        fact(_("note"), notice)
    return (Column("label", _("job"), _LABEL), Column("fact", visible(job.name), 20, flex=1)), rows


def _shard_counts(job: JobSnapshot) -> str:
    counts = {state: sum(shard.state is state for shard in job.shards) for state in ShardState}
    return listing(f"{count} {_(_SHARDS[state][0])}" for state, count in counts.items() if count)


def _checkpoints(job: JobSnapshot, width: int, plain: bool) -> Made:
    columns = (
        Column("name", _("checkpoint"), 24, min_width=12, ellipsis="middle"),
        Column("bar", _("progress"), _BAR),
        Column("windows", _("windows"), 9, "right"),
        Column("why", _("problem"), 20, flex=1),
    )
    rows = [
        (
            Cell(one.name, "error" if one.why else ""),
            Cell(bar(one.done / one.of if one.of else 0.0, _BAR, plain=plain), "muted" if one.why else "accent"),
            Cell(f"{one.done}/{one.of}"),
            Cell(_("left out: {why}").format(why=one.why) if one.why else "", "error"),
        )
        for one in job.checkpoints
    ]
    return columns, rows


def _shards(job: JobSnapshot, width: int, plain: bool) -> Made:
    columns = (
        Column("shard", _("shard"), 6, "right"),
        Column("state", _("state"), 9),
        Column("windows", _("windows"), 7, "right"),
        Column("time", _("time"), 8, "right"),
        Column("worker", _("worker"), 14, min_width=8, ellipsis="middle"),
        Column("why", _("problem"), 20, flex=1),
    )
    # What is wrong or under way is what one looks for.
    order = (ShardState.FAILED, ShardState.RUNNING, ShardState.WAITING, ShardState.DONE)
    rows = []
    for shard in sorted(job.shards, key=lambda shard: (order.index(shard.state), shard.number)):
        word, role = _SHARDS[shard.state]
        failed = ngettext("{count} attempt failed", "{count} attempts failed", shard.failures).format(
            count=shard.failures
        )
        rows.append(
            (
                Cell(str(shard.number)),
                Cell(_(word), role),
                Cell(str(shard.windows)),
                Cell(duration(shard.seconds) if shard.seconds is not None else ""),
                Cell(shard.worker, "muted"),
                Cell(f"{failed}: {shard.why}" if shard.failures else "", "warning"),
            )
        )
    return columns, rows


def _workers(job: JobSnapshot, width: int, plain: bool) -> Made:
    columns = (
        Column("name", _("worker"), 16, min_width=10, ellipsis="middle"),
        Column("device", _("device"), 8),
        Column("shard", _("shard"), 6, "right"),
        Column("done", _("done"), 5, "right"),
        Column("memory", _("memory"), 8, "right"),
        Column("gpu", "GPU", 16, "right"),
        Column("host", _("host"), 14, min_width=6, ellipsis="middle"),
        Column("pid", _("process"), 8, "right"),
    )
    rows = [
        (
            Cell(worker.name or _("the job itself")),
            Cell(worker.device),
            Cell(str(worker.shard) if worker.shard is not None else ""),
            Cell(str(worker.done)),
            Cell(f"{worker.memory_mb / 1e3:.1f} GB" if worker.memory_mb is not None else ""),
            Cell(gpu_words(worker.gpus), "muted"),
            Cell(worker.host, "muted"),
            Cell(str(worker.pid), "muted"),
        )
        for worker in job.workers
    ]
    return columns, rows


def _log(job: JobSnapshot, width: int, plain: bool) -> Made:
    rows: list[Row] = [
        (Cell(piece),)
        for line in job.log
        for piece in textwrap.wrap(visible(line), max(20, width - 4), drop_whitespace=False) or [""]
    ]
    return (Column("line", _("last lines of the log"), 20, flex=1),), rows


_MAKE: dict[str, Callable[[JobSnapshot, int, bool], Made]] = {
    "overview": _overview,
    "checkpoints": _checkpoints,
    "shards": _shards,
    "workers": _workers,
    "log": _log,
}
