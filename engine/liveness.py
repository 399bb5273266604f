"""Whether a process works on a run's folder, here or on another machine. Imports nothing heavy.

Three signs, the surest first. A lock that the kernel releases with its process; where the file system carries locks
between machines, it tells of other machines, too. The process itself, by its number and the time of its start, on this
machine. And a heartbeat, a small file that is written every few seconds, for other machines.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.results.layout import HEARTBEAT, JOB, LOCK

ALIVE = "alive"  # a lock in the job's folder, held as long as its process lives
BEAT_SECONDS = 2.0
# A heartbeat of another machine this old is none. Clocks of machines that share a file system differ by less.
LOST_SECONDS = 60.0
_PROC = Path("/proc")


class Life(StrEnum):
    """Whether there is a process."""

    ALIVE = "alive"
    ENDED = "ended"  # it said so itself
    DEAD = "dead"  # it did not


@dataclass(frozen=True, slots=True)
class Beat:
    """What a process that works on a run says of itself every :data:`BEAT_SECONDS`.

    Attributes:
        host: its machine.
        pid: its number there.
        start: what tells it from a later process of the same number.
        time: of the beat, seconds since 1970 by that machine's clock.
        phase: ``queued``, ``waiting`` (for workers), ``loading``, ``running``, ``cost`` or ``ended``.
        why: why it ended, where that was an error.
        data: what else it says.
        age: seconds since it was written, by the clock of the file system's machine and this one's.
    """

    host: str
    pid: int
    start: str
    time: float
    phase: str
    why: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    age: float = 0.0


def life(run: Path, beat: Beat | None = None) -> Life | None:
    """Whether a process works on the run; ``None`` where nothing says that one ever did.

    Args:
        run: the run's folder.
        beat: its last heartbeat, where it was read already.
    """
    if held(run / JOB / ALIVE) or held(run / LOCK):
        return Life.ALIVE
    beat = beat or read_beat(run)
    if beat is None:
        return Life.DEAD if (run / LOCK).exists() else None
    if beat.phase == "ended":
        return Life.ENDED
    if beat.host == hostname():
        return Life.ALIVE if is_process(beat.pid, beat.start) else Life.DEAD
    return Life.ALIVE if beat.age < LOST_SECONDS else Life.DEAD


def read_beat(run: Path) -> Beat | None:
    """The last heartbeat; ``None`` where there is none that can be read."""
    try:
        # Opening a file asks its server anew; its entry in the folder may come from a cache.
        with (run / JOB / HEARTBEAT).open("rb") as file:
            age = time.time() - os.fstat(file.fileno()).st_mtime
            raw = json.load(file)
        return Beat(
            str(raw["host"]),
            int(raw["pid"]),
            str(raw["start"]),
            float(raw["time"]),
            str(raw["phase"]),
            str(raw.get("why", "")),
            dict(raw.get("data", {})),
            max(0.0, age),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def held(lock: Path) -> bool:
    """Whether a process holds a lock. It is tried for the shortest time and released."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return is_conflict(error)
    finally:
        os.close(descriptor)
    return False


@contextmanager
def holding(lock: Path, *, patience: float = 1.0) -> Iterator[bool]:
    """Hold a lock that the kernel releases when this process dies; whoever only looks (:func:`held`) is waited for.

    Args:
        lock: the file; it is created in a folder that exists.
        patience: seconds after which another process is taken to hold it.

    Yields:
        Whether the lock is held; True also where the file system knows no locks.

    Raises:
        OSError: the file cannot be created.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _take(descriptor, patience)
    finally:
        os.close(descriptor)


def _take(descriptor: int, patience: float) -> bool:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if not is_conflict(error):
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        else:
            return True


def is_conflict(error: OSError) -> bool:
    """Whether a lock could not be taken because another process holds it, and not because there are no locks."""
    return error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


def hostname() -> str:
    """This machine's name."""
    return socket.gethostname()


def start_of(pid: int) -> str:
    """What tells a process of this machine from another one that has its number later; empty where there is none."""
    try:
        # The name in brackets may hold anything; the times stand behind it.
        after_name = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        if after_name[0] in (b"Z", b"X"):  # ended, only not yet asked for
            return ""
        return after_name[19].decode()
    except (OSError, IndexError):
        pass
    if _PROC.joinpath("self").exists():
        return ""
    with suppress(OSError, subprocess.SubprocessError):
        asked = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=5).stdout.strip()  # noqa: S603
    return ""


def is_process(pid: int, start: str) -> bool:
    """Whether the process of that number and start runs on this machine."""
    return bool(start) and start_of(pid) == start
