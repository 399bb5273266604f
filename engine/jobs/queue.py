"""Jobs one after the other: which earlier ones a job waits for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from engine.jobs import registry
from engine.jobs.record import JobRecord, read_record
from engine.liveness import Life, is_process, life

_POLL_SECONDS = 0.5


def ahead_of(record: JobRecord) -> list[Path]:
    """The folders of jobs on the same machine and devices that were started before this one, and have not ended."""
    return [
        Path(entry.run)
        for entry in registry.entries()
        if entry.host == record.host
        and (entry.started, entry.id) < (record.started, record.id)
        and _overlap(frozenset(entry.devices), record.devices)
        and _is_under_way(Path(entry.run))
    ]


def wait_for_turn(record: JobRecord, stopping: Callable[[], bool]) -> bool:
    """Wait until nothing is ahead; False where the job is asked to stop before."""
    while ahead_of(record):
        if stopping():
            return False
        time.sleep(_POLL_SECONDS)
    return not stopping()


def _overlap(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two jobs would use the same device; ``auto`` may be any."""
    return bool(one & other) or "auto" in one | other or ("cuda" in one | other and _some_gpu(one) and _some_gpu(other))


def _some_gpu(devices: frozenset[str]) -> bool:
    return any(name.startswith("cuda") for name in devices)


def _is_under_way(run: Path) -> bool:
    if life(run) is Life.ALIVE:
        return True
    other = read_record(run)
    return other is not None and is_process(other.pid, other.start)
