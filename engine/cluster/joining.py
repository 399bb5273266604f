"""Joins a job with the devices of this machine, from any machine that sees the run's folder or its mirror::

python -m engine.cluster.joining RUN|URL [--device DEVICE,...] [--workers N] [--patience SECONDS]
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.cluster.keys import security
from engine.cluster.local import LocalWorkers, slots_for
from engine.cluster.machine import cores
from engine.errors import DataError, LorascopeError, UsageError
from engine.i18n import gettext as _
from engine.jobs.files import JobFiles
from engine.remote.url import is_url

PATIENCE_SECONDS = 60.0  # for a start of the job, where there is none or the last one died
_POLL_SECONDS = 0.5


def join(
    run: Path | str, devices: Sequence[str], *, workers: int | None = None, patience: float = PATIENCE_SECONDS
) -> None:
    """Work for a job until it ends; a worker process that dies is started anew.

    Args:
        run: the run's folder, or the URL of its mirror.
        devices: names as in the configuration of an evaluation.
        workers: processes; by default one per device.
        patience: seconds to wait for a start of the job, where there is none or the last one died.

    Raises:
        DataError: nobody waits for workers there; the workers end again and again.
        RemoteError: the mirror cannot be reached, or refuses.
        UsageError: this user may not read the run's key; the job does not want these workers.
    """
    if isinstance(run, Path) or not is_url(run):
        _join(Path(run).absolute(), str(run), "", lambda: None, devices, workers, patience)
        return
    from engine.cluster.following import Following

    with Following(run) as following:
        _join(following.run, run, run, following.look, devices, workers, patience)


def _join(
    run: Path,
    shown: str,
    mirror: str,
    look: Callable[[], None],
    devices: Sequence[str],
    workers: int | None,
    patience: float,
) -> None:
    """:func:`join`, once it is known where the job's address and key are.

    Args:
        run: the folder that holds them.
        shown: what to call it.
        mirror: the URL that they are from; empty where the folder is the run's own.
        look: brings the folder up to date.
    """
    _wait_for_key(run, patience, look)
    if mirror and not JobFiles(run).keys.exists():
        said = _("{run}: nobody waits for workers there").format(run=shown)
        raise DataError(said, _("start it with lorascope evaluate --cluster --mirror"))
    security(run)
    name = f"w{secrets.token_hex(3)}"
    slots = slots_for(devices, len(devices) if workers is None else workers, os.environ, cores())
    for slot in slots:
        slot.name = name if len(slots) == 1 else f"{name}-{slot.name}"
    team = LocalWorkers(run, slots, patience=patience, mirror=mirror)
    try:
        while True:
            look()
            team.keep()
            if team.finished():
                break
            time.sleep(_POLL_SECONDS)
    finally:
        team.stop()
    if team.refused:
        said = _("{run}: the job does not want this worker").format(run=shown)
        raise UsageError(said, _("the reason stands above"))


def _wait_for_key(run: Path, patience: float, look: Callable[[], None]) -> None:
    until = time.monotonic() + patience
    look()
    while not JobFiles(run).keys.exists() and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        look()


def main(arguments: Sequence[str]) -> int:
    """For places that start workers without the command line's libraries; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("run")
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
