"""Stops jobs: at the next shard, at once, or, where nothing else helps, by ending their process."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from engine.errors import DataError, UsageError
from engine.jobs.presence import ask_to_stop
from engine.liveness import Life, hostname, is_process, life, read_beat


def stop(run: Path, *, firmly: bool = False) -> None:
    """Ask a job to stop: when the shards that are under way are done, or at once. From any machine.

    What is finished stays, and the job can be gone on with.

    Raises:
        UsageError: no process works on it.
        StorageError: the run's folder cannot be written to.
    """
    if life(run) is not Life.ALIVE:
        raise UsageError(f"{run}: nothing works on it", "lorascope jobs show tells what became of it")
    ask_to_stop(run, firmly=firmly)


def wait(run: Path, seconds: float) -> bool:
    """Whether a job's process has ended within so many seconds."""
    until = time.monotonic() + seconds
    while life(run) is Life.ALIVE:
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def kill(run: Path) -> None:
    """End the process of a job that does not listen; only on its own machine.

    Raises:
        UsageError: it runs on another machine, or nothing is known of it.
        DataError: the system refuses.
    """
    beat = read_beat(run)
    if beat is None or not is_process(beat.pid, beat.start) or beat.host != hostname():
        where = f"its process {beat.pid} is on {beat.host}" if beat else "its process is not known"
        raise UsageError(f"{run}: {where}", "end it there")
    try:
        os.kill(beat.pid, signal.SIGKILL)
    except OSError as error:
        raise DataError(f"{run}: process {beat.pid} cannot be ended ({error.strerror})") from error
