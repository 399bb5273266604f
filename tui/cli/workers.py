"""``lorascope worker`` and ``workers``: work for a job, and have others work for it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from engine.errors import DataError
from engine.i18n import activate, listing, ngettext, sentences
from engine.i18n import gettext as _
from engine.jobs.listing import choose_job
from engine.jobs.slurm import SlurmRequest, cancel_workers, place_workers, placed_workers
from engine.jobs.watch import JobWatch
from engine.remote.url import is_url
from tui.cli.cells import Cell, Column
from tui.cli.entry import INTERRUPTED
from tui.cli.extra import needs_eval
from tui.cli.jobs_display import gpu_words
from tui.cli.output import print_json
from tui.cli.screen import Screen


def work_for(run: str, device: str, workers: int | None, patience: float) -> int:
    """Work for the job of a run's folder, or of its mirror, until it ends.

    Raises:
        LorascopeError: nobody waits for workers there, or not for this one.
    """
    if not is_url(run) and not Path(run).is_dir():
        said = _("{path}: there is no such folder").format(path=run)
        raise DataError(said, _("name the run's folder as this machine sees it"))
    with needs_eval():
        from engine.cluster.joining import join
    try:
        join(run, [name.strip() for name in device.split(",")], workers=workers, patience=patience)
    except KeyboardInterrupt:
        print(_("left; others do what was under way"), file=sys.stderr)
        return INTERRUPTED
    return 0


def show_workers(job: str, *, as_json: bool, plain: bool | None) -> int:
    """Who works for a job.

    Raises:
        LorascopeError: there is no such job.
    """
    _speak(as_json)
    run = choose_job(job, [Path()])
    found = JobWatch(run).snapshot().workers
    placed = placed_workers(run)
    if as_json:
        print_json({"workers": [asdict(one) for one in found], "slurm": [asdict(one) for one in placed]})
        return 0
    screen = Screen(plain=plain)
    columns = [
        Column(_("worker"), outside=True, least=8),
        Column(_("host"), outside=True, least=8),
        Column(_("device")),
        Column(_("shard"), "right"),
        Column(_("done"), "right"),
        Column("MB", "right"),
        Column("GPU", outside=True, rank=1),
    ]
    rows = [
        (
            Cell(one.name or _("the job itself"), "bold"),
            one.host,
            one.device,
            "" if one.shard is None else str(one.shard),
            str(one.done),
            "" if one.memory_mb is None else f"{one.memory_mb:.0f}",
            sentences(gpu_words(gpu) for gpu in one.gpus),
        )
        for one in found
    ]
    if rows:
        screen.table(columns, rows)
    else:
        screen.line(_("no workers"))
    for one in placed:
        said = ngettext(
            "Slurm was asked for {count} worker: its job {job}",
            "Slurm was asked for {count} workers: its job {job}",
            one.nodes,
        )
        screen.line(said.format(count=one.nodes, job=one.job))
    return 0


def place_by_slurm(job: str, request: SlurmRequest, *, dry_run: bool, as_json: bool, plain: bool | None) -> int:
    """Have Slurm place workers, or say what would be submitted.

    Raises:
        LorascopeError: there is no such job, or Slurm refuses.
    """
    _speak(as_json)
    placed = place_workers(choose_job(job, [Path()]), request, dry_run=dry_run)
    if as_json:
        print_json(asdict(placed))
    elif dry_run:
        sys.stdout.write(placed.script)
    else:
        said = ngettext(
            "Slurm places {count} worker: its job {job}", "Slurm places {count} workers: its job {job}", placed.nodes
        )
        Screen(plain=plain).line(said.format(count=placed.nodes, job=placed.job))
    return 0


def cancel_slurm(job: str, *, as_json: bool, plain: bool | None) -> int:
    """Cancel the workers that Slurm was asked for.

    Raises:
        LorascopeError: there is no such job, or Slurm refuses.
    """
    _speak(as_json)
    cancelled = cancel_workers(choose_job(job, [Path()]))
    if as_json:
        print_json({"cancelled": cancelled})
    else:
        said = _("cancelled: {jobs}").format(jobs=listing(cancelled)) if cancelled else _("nothing was there to cancel")
        Screen(plain=plain).line(said)
    return 0


def _speak(as_json: bool) -> None:
    if as_json:
        activate("en")
