"""Places workers by Slurm. Slurm only places them; shards are handed out by the job."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.atomic import atomic_write_bytes
from engine.errors import DataError, UsageError
from engine.i18n import gettext as _
from engine.jobs.files import JobFiles
from engine.jobs.record import job_id
from engine.results.writing import not_written

_MODULE = "engine.cluster.joining"
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SlurmRequest:
    """What is asked of Slurm.

    Attributes:
        nodes: workers, each a task of one array and on a node's share of its own.
        gres: generic resources of each, e.g. ``gpu:1``; ``gpu:4`` makes four workers of it.
        partition: where.
        time: limit of each, in Slurm's words, e.g. ``04:00:00``.
        cpus: cores of each.
        memory: main memory of each, e.g. ``32G``.
        options: further options of ``sbatch``, as they are.
        device: what each computes on; by default what follows from ``gres``.
    """

    nodes: int = 1
    gres: str | None = None
    partition: str | None = None
    time: str | None = None
    cpus: int | None = None
    memory: str | None = None
    options: tuple[str, ...] = ()
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """Workers that Slurm was asked for.

    Attributes:
        job: Slurm's number of the array; empty where nothing was submitted.
        nodes: how many.
        script: what was submitted.
    """

    job: str
    nodes: int
    script: str


def batch_script(run: Path, request: SlurmRequest) -> str:
    """The script for ``sbatch``.

    Raises:
        UsageError: a setting holds what would end its line.
    """
    run = run.absolute()
    settings = {
        "job-name": f"lorascope-{job_id(run)}",
        "array": f"0-{request.nodes - 1}",
        "gres": request.gres,
        "partition": request.partition,
        "time": request.time,
        "cpus-per-task": request.cpus,
        "mem": request.memory,
        "output": f"{JobFiles(run).folder}/slurm-%A_%a.log",
        "open-mode": "append",
    }
    lines = [f"#SBATCH --{name}={value}" for name, value in settings.items() if value is not None]
    # A node that fails costs the shard that it had; the task starts again on another one.
    lines += ["#SBATCH --requeue", *(f"#SBATCH {option}" for option in request.options)]
    if any("\n" in line for line in lines):
        raise UsageError(_("an option for Slurm holds a line break"), _("leave it out"))
    words = [sys.executable, "-P", "-m", _MODULE, str(run), "--device", request.device or _devices(request.gres)]
    return "\n".join(["#!/bin/sh", *lines, f"exec {shlex.join(words)}", ""])


def place_workers(run: Path, request: SlurmRequest, *, dry_run: bool = False) -> Placed:
    """Have Slurm start workers for a job; they are cancelled when the job ends.

    Args:
        run: the run's folder, on storage that the nodes share.
        request: what is asked for.
        dry_run: say what would be submitted, and do nothing.

    Raises:
        UsageError: the job takes no workers from elsewhere.
        DataError: Slurm is not there, or refuses.
    """
    script = batch_script(run, request)
    if dry_run:
        return Placed("", request.nodes, script)
    files = JobFiles(run.absolute())
    if not files.scheduler.exists():
        said = _("{run}: nobody waits for workers there").format(run=run)
        raise UsageError(said, _("start the job with lorascope evaluate --cluster --detach first"))
    said = _ask(["sbatch", "--parsable"], script)
    placed = Placed(said.strip().partition(";")[0], request.nodes, script)
    _remember(files, [*placed_workers(run), placed])
    return placed


def placed_workers(run: Path) -> list[Placed]:
    """What Slurm was asked for, for this job."""
    try:
        return [Placed(**entry) for entry in json.loads(JobFiles(run).slurm.read_bytes())]
    except (OSError, ValueError, TypeError):
        return []


def cancel_workers(run: Path) -> list[str]:
    """Cancel the workers that Slurm was asked for; those that have ended are no error. Returns Slurm's numbers.

    Raises:
        DataError: Slurm is not there, or refuses.
    """
    jobs = [placed.job for placed in placed_workers(run) if placed.job]
    if jobs:
        _ask(["scancel", *jobs], "")
        _remember(JobFiles(run), [])
    return jobs


def _devices(gres: str | None) -> str:
    """``gpu:4`` and ``gpu:a100:4`` are four devices; else whatever is there."""
    parts = (gres or "").partition(",")[0].split(":")
    count = int(parts[-1]) if parts[0] == "gpu" and parts[-1].isdecimal() else 1
    return "auto" if count <= 1 else ",".join(f"cuda:{number}" for number in range(count))


def _ask(command: Sequence[str], text: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - Slurm's own commands
            command, input=text, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except FileNotFoundError:
        said = _("{command} is not there").format(command=command[0])
        raise DataError(said, _("work where Slurm's commands are, or join with lorascope worker")) from None
    except subprocess.TimeoutExpired:
        said = _("{command} does not answer").format(command=command[0])
        raise DataError(said, _("is Slurm's controller running?")) from None
    if done.returncode:
        why = " ".join(done.stderr.split()) or _("exit code {code}").format(code=done.returncode)
        raise DataError(_("Slurm refuses: {reason}").format(reason=why), _("see the options of sbatch"))
    return done.stdout


def _remember(files: JobFiles, placed: Sequence[Placed]) -> None:
    try:
        atomic_write_bytes(files.slurm, json.dumps([asdict(one) for one in placed]).encode() + b"\n")
    except OSError as error:
        raise not_written(files.slurm, error) from error
