"""``lorascope worker`` and ``workers``: work for a job, and have others work for it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from engine.errors import DataError
from engine.jobs.listing import choose_job
from engine.jobs.slurm import SlurmRequest, cancel_workers, place_workers, placed_workers
from engine.jobs.watch import JobWatch
from engine.text import counted
from tui.cli.cells import Cell, Column
from tui.cli.entry import INTERRUPTED
from tui.cli.extra import needs_eval
from tui.cli.jobs_display import gpu_words
from tui.cli.output import print_json
from tui.cli.screen import Screen


def work_for(run: Path, device: str, workers: int | None, patience: float) -> int:
    """Work for the job of a run's folder until it ends.

    Raises:
        LorascopeError: nobody waits for workers there, or not for this one.
    """
    if not run.is_dir():
        raise DataError(f"{run}: there is no such folder", "name the run's folder as this machine sees it")
    with needs_eval():
        from engine.cluster.joining import join
    try:
        join(run, [name.strip() for name in device.split(",")], workers=workers, patience=patience)
    except KeyboardInterrupt:
        print("left; others do what was under way", file=sys.stderr)
        return INTERRUPTED
    return 0


def show_workers(job: str, *, as_json: bool, plain: bool | None) -> int:
    """Who works for a job.

    Raises:
        LorascopeError: there is no such job.
    """
    run = choose_job(job, [Path()])
    found = JobWatch(run).snapshot().workers
    placed = placed_workers(run)
    if as_json:
        print_json({"workers": [asdict(one) for one in found], "slurm": [asdict(one) for one in placed]})
        return 0
    screen = Screen(plain=plain)
    columns = [
        Column("worker", outside=True, least=8),
        Column("host", outside=True, least=8),
        Column("device"),
        Column("shard", "right"),
        Column("done", "right"),
        Column("MB", "right"),
        Column("GPU", outside=True, rank=1),
    ]
    rows = [
        (
            Cell(one.name or "the job itself", "bold"),
            one.host,
            one.device,
            "" if one.shard is None else str(one.shard),
            str(one.done),
            "" if one.memory_mb is None else f"{one.memory_mb:.0f}",
            "; ".join(gpu_words(gpu) for gpu in one.gpus),
        )
        for one in found
    ]
    if rows:
        screen.table(columns, rows)
    else:
        screen.line("no workers")
    for one in placed:
        screen.line(f"Slurm was asked for {counted(one.nodes, 'worker')}: its job {one.job}")
    return 0


def place_by_slurm(job: str, request: SlurmRequest, *, dry_run: bool, as_json: bool, plain: bool | None) -> int:
    """Have Slurm place workers, or say what would be submitted.

    Raises:
        LorascopeError: there is no such job, or Slurm refuses.
    """
    placed = place_workers(choose_job(job, [Path()]), request, dry_run=dry_run)
    if as_json:
        print_json(asdict(placed))
    elif dry_run:
        sys.stdout.write(placed.script)
    else:
        Screen(plain=plain).line(f"Slurm places {counted(placed.nodes, 'worker')}: its job {placed.job}")
    return 0


def cancel_slurm(job: str, *, as_json: bool, plain: bool | None) -> int:
    """Cancel the workers that Slurm was asked for.

    Raises:
        LorascopeError: there is no such job, or Slurm refuses.
    """
    cancelled = cancel_workers(choose_job(job, [Path()]))
    if as_json:
        print_json({"cancelled": cancelled})
    else:
        Screen(plain=plain).line(f"cancelled: {', '.join(cancelled) or 'nothing was there'}")
    return 0
