"""Jobs for tests: their files without a process, and waiting for those that have one."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.evaluation.journal import Journal
from engine.jobs.snapshot import JobSnapshot
from engine.jobs.watch import JobWatch
from engine.liveness import hostname, start_of
from engine.results.layout import HEARTBEAT, JOB, JOURNAL

PATIENCE = 300.0  # seconds: a hang, not a slow machine


def write_beat(run: Path, **changes: Any) -> None:
    """A heartbeat of this very process, but for ``changes``."""
    (run / JOB).mkdir(parents=True, exist_ok=True)
    beat = {
        "host": hostname(),
        "pid": os.getpid(),
        "start": start_of(os.getpid()),
        "time": time.time(),
        "phase": "running",
        "why": "",
        "data": {"shards": {}, "workers": []},
    }
    (run / JOB / HEARTBEAT).write_text(json.dumps({**beat, **changes}), "utf-8")


def write_started(run: Path, *, windows: int = 5, shard: int = 2, checkpoints: tuple[str, ...] = ("a", "b")) -> Journal:
    """The journal of an evaluation that was started."""
    run.mkdir(parents=True, exist_ok=True)
    journal = Journal(run / JOURNAL)
    settings = {"shard": shard, "checkpoint_files": dict.fromkeys(checkpoints, 1)}
    journal.append("started", settings=settings, chance_depth=9.0, windows=windows)
    return journal


def shard_done(journal: Journal, shard: int, **changes: Any) -> None:
    """A shard that is done."""
    journal.append(
        "shard", **{"shard": shard, "seconds": 1.5, "failed_windows": {}, "failed_checkpoints": {}, **changes}
    )


def wait_for(run: Path, wanted: Callable[[JobSnapshot], bool], seconds: float = PATIENCE) -> JobSnapshot:
    """The first snapshot of a job that is as wanted.

    Raises:
        AssertionError: none was within so many seconds; shows the last one.
    """
    watch = JobWatch(run)
    until = time.monotonic() + seconds
    while True:
        snapshot = watch.snapshot()
        if wanted(snapshot):
            return snapshot
        assert time.monotonic() < until, f"{snapshot.state} {snapshot.why}\n" + "\n".join(snapshot.log)
        time.sleep(0.01)
