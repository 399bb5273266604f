"""Joins a job with the devices of this machine, from any machine that sees the run's folder::

python -m engine.cluster.joining RUN [--device DEVICE,...] [--workers N] [--patience SECONDS]
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from engine.cluster.keys import security
from engine.cluster.local import LocalWorkers, slots_for
from engine.cluster.machine import cores
from engine.errors import LorascopeError, UsageError
from engine.i18n import gettext as _
from engine.jobs.files import JobFiles

PATIENCE_SECONDS = 60.0  # for a start of the job, where there is none or the last one died
_POLL_SECONDS = 0.5


def join(run: Path, devices: Sequence[str], *, workers: int | None = None, patience: float = PATIENCE_SECONDS) -> None:
    """Work for a job until it ends; a worker process that dies is started anew.

    Args:
        run: the run's folder.
        devices: names as in the configuration of an evaluation.
        workers: processes; by default one per device.
        patience: seconds to wait for a start of the job, where there is none or the last one died.

    Raises:
        DataError: nobody waits for workers there; the workers end again and again.
        UsageError: this user may not read the run's key; the job does not want these workers.
    """
    run = run.absolute()
    _wait_for_key(run, patience)
    security(run)
    name = f"w{secrets.token_hex(3)}"
    slots = slots_for(devices, len(devices) if workers is None else workers, os.environ, cores())
    for slot in slots:
        slot.name = name if len(slots) == 1 else f"{name}-{slot.name}"
    team = LocalWorkers(run, slots, patience=patience)
    try:
        while True:
            team.keep()
            if team.finished():
                break
            time.sleep(_POLL_SECONDS)
    finally:
        team.stop()
    if team.refused:
        said = _("{run}: the job does not want this worker").format(run=run)
        raise UsageError(said, _("the reason stands above"))


def _wait_for_key(run: Path, patience: float) -> None:
    until = time.monotonic() + patience
    while not JobFiles(run).keys.exists() and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)


def main(arguments: Sequence[str]) -> int:
    """For places that start workers without the command line's libraries; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--patience", type=float, default=PATIENCE_SECONDS)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        join(given.run, given.device.split(","), workers=given.workers, patience=given.patience)
    except LorascopeError as error:
        print(f"lorascope: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
