"""Stops jobs: at the next shard, at once, or, where nothing else helps, by ending their process."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from engine.errors import DataError, UsageError
from engine.i18n import gettext as _
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
        said = _("{run}: nothing works on it").format(run=run)
        raise UsageError(said, _("lorascope jobs show tells what became of it"))
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
        said = _("its process is not known")
        if beat:
            said = _("its process {pid} is on {host}").format(pid=beat.pid, host=beat.host)
        raise UsageError(f"{run}: {said}", _("end it there"))
    try:
        os.kill(beat.pid, signal.SIGKILL)
    except OSError as error:
        said = _("{run}: process {pid} cannot be ended ({reason})")
        raise DataError(said.format(run=run, pid=beat.pid, reason=error.strerror)) from error
