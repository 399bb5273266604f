"""The process of a worker::

    python -m engine.cluster.worker RUN --name NAME --device DEVICE --patience SECONDS [--mirror URL]

It joins the job of a run's folder, here or on any machine that sees the folder, and computes shards until the job ends.
With a mirror the folder is one that only stands for the run's own: it holds what the mirror says, and takes no results.
Where the job's own process dies, it keeps its models and waits for the next start.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.cluster import settings as _settings  # noqa: F401 - before distributed
from engine.cluster.contact import Contact, read_contact
from engine.cluster.exits import REFUSED
from engine.cluster.hub import OF_PROCESS
from engine.cluster.keys import security
from engine.errors import LorascopeError
from engine.jobs.gpu import GpuMeter
from engine.jobs.presence import self_report
from engine.liveness import hostname
from engine.text import safe_name

_POLL_SECONDS = 0.5

METRIC = "lorascope"  # what a worker says of itself with every heartbeat
_current: _Current | None = None


@dataclass
class _Current:
    """What the tasks of this process find: one per process.

    Attributes:
        apart: where it computes without the run's folder; see :class:`engine.cluster.tasks.Workshop`.
        workshop: its models; made when the first task comes, as that imports them.
        refused: why the job does not want this worker.
    """

    name: str
    device: str
    meter: GpuMeter
    apart: Path | None = None
    workshop: Any = None
    refused: str = ""
    making: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> Any:
        """The workshop of this process."""
        with self.making:
            if self.workshop is None:
                from engine.cluster.tasks import Workshop

                self.workshop = Workshop(self.name, self.device, self.apart)
            return self.workshop


def load_models(job: Any) -> Any:
    """Load the models of a job; see :class:`engine.cluster.tasks.Workshop`."""
    return _here().open().load(job)


def compute_shard(task: Any) -> Any:
    """Compute a shard; see :class:`engine.cluster.tasks.Workshop`."""
    return _here().open().compute(task)


def refuse(why: str) -> None:
    """Told by the job: this worker is not wanted."""
    _here().refused = why


def _here() -> _Current:
    assert _current is not None, "tasks run in worker processes only"  # noqa: S101 - a mistake of the caller's code
    return _current


async def _report(_worker: Any) -> dict[str, Any]:
    here = _here()
    shard = here.workshop.computing if here.workshop is not None else None
    return self_report(here.name, here.device, shard, here.meter)


def main(arguments: list[str]) -> int:
    """Work until the job ends; returns the exit code."""
    global _current
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--patience", type=float, default=0.0)
    parser.add_argument("--mirror", default="")
    given = parser.parse_args(arguments)
    run = given.run.absolute()
    # Where this module is run as a program it is called otherwise; tasks know it by this name.
    from engine.cluster import worker as known

    apart = run / f"computed-{safe_name(given.name)}" if given.mirror else None
    known._current = _Current(given.name, given.device, GpuMeter([given.device]), apart)
    try:
        return asyncio.run(known.work(run, given.patience, given.mirror))
    except LorascopeError as error:
        print(f"worker {given.name}: {error}", flush=True)
        return REFUSED


async def work(run: Path, patience: float, mirror: str = "") -> int:
    """Join the job, and its next starts, until it ends.

    Args:
        run: the run's folder.
        patience: seconds to wait for a start of the job where there is none, or the last one has died.
        mirror: what the folder's files are known from, where it is not the run's own.

    Returns:
        The exit code.

    Raises:
        UsageError: the run's key cannot be read.
    """
    here, last, reached = _here(), "", True
    while True:
        contact = await _next_contact(run, last, patience)
        if contact is None:
            # A job that is there and cannot be reached is tried again by whoever keeps this worker.
            print(f"worker {here.name}: nobody waits for workers in {mirror or run}", flush=True)
            return 0 if reached else 1
        last = contact.start
        reached = await _serve(run, contact, patience)
        if here.refused:
            print(f"worker {here.name}: {here.refused}", flush=True)
            return REFUSED


async def _next_contact(run: Path, last: str, patience: float) -> Contact | None:
    until = time.monotonic() + patience
    while True:
        contact = read_contact(run)
        if contact is not None and contact.start != last:
            return contact
        # A job that ended in an orderly way takes its address back.
        if time.monotonic() >= until or (last and contact is None):
            return None
        await asyncio.sleep(_POLL_SECONDS)


async def _serve(run: Path, contact: Contact, patience: float) -> bool:
    """Work for one start of the job until it is over; False where it cannot be reached."""
    from distributed import Worker
    from distributed.worker import DEFAULT_METRICS

    here = _here()
    with tempfile.TemporaryDirectory(prefix="lorascope-", ignore_cleanup_errors=True) as scratch:
        try:
            worker = await Worker(
                contact.address,
                name=f"{here.name}{OF_PROCESS}{hostname()}:{os.getpid()}",
                nthreads=1,
                memory_limit=0,
                security=security(run),
                local_directory=scratch,
                dashboard_address="127.0.0.1:0",
                death_timeout=max(patience, 30.0),
                metrics={**DEFAULT_METRICS, METRIC: _report},
            )
        except (OSError, TimeoutError, ValueError) as error:
            print(f"worker {here.name}: the job at {contact.address} cannot be reached ({error})", flush=True)
            return False
        print(f"worker {here.name}: works for the job at {contact.address}", flush=True)
        await worker.finished()
        return True


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # A shard that is under way for a job that is over is not waited for.
    os._exit(code)
