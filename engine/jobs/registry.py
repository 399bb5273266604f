"""The jobs that this user started, in the user's state folder: where they are, in which order, and last words.

A job's own folder says everything else; what is here finds it again, keeps queues in order, and takes the reason why a
job ended where the run's folder could not be written to any more.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from engine.atomic import atomic_write_bytes
from engine.jobs.record import JobRecord, job_id
from engine.state_folder import state_folder


@dataclass(frozen=True, slots=True)
class Entry:
    """A known job.

    Attributes:
        id: as :func:`engine.jobs.record.job_id`.
        run: the run's folder.
        started: when it was started last, ISO 8601.
        host: where.
        queue: whether it waits for earlier ones.
        devices: what it computes on.
        last_words: why the last start ended, where it ended with an error; empty else.
    """

    id: str
    run: str
    started: str
    host: str = ""
    queue: bool = False
    devices: tuple[str, ...] = ()
    last_words: str = ""


def register(record: JobRecord) -> None:
    """Remember a job that is started; where nothing can be written, it is found by its folder alone."""
    _write(Entry(record.id, str(record.run), record.started, record.host, record.queue, tuple(sorted(record.devices))))


def leave_words(run: Path, why: str) -> None:
    """Remember why a job ended."""
    entry = read_entry(run)
    if entry is not None:
        _write(replace(entry, last_words=why))


def forget(run: Path) -> None:
    """Know nothing of a job any more."""
    with contextlib.suppress(OSError):
        _file(job_id(run)).unlink(missing_ok=True)


def read_entry(run: Path) -> Entry | None:
    """What is remembered of the job of a run's folder."""
    return _read(_file(job_id(run)))


def entries() -> list[Entry]:
    """All known jobs whose folders are still there, the one that was started first in front."""
    try:
        files = sorted(_folder().glob("*.json"))
    except OSError:
        return []
    found = [entry for file in files if (entry := _read(file)) is not None]
    return sorted((entry for entry in found if Path(entry.run).is_dir()), key=lambda entry: (entry.started, entry.id))


def _folder() -> Path:
    return state_folder() / "jobs"


def _file(name: str) -> Path:
    return _folder() / f"{name}.json"


def _read(file: Path) -> Entry | None:
    try:
        raw: dict[str, Any] = json.loads(file.read_bytes())
        return Entry(**{**raw, "devices": tuple(raw.get("devices", ()))})
    except (OSError, ValueError, TypeError):
        return None


def _write(entry: Entry) -> None:
    with contextlib.suppress(OSError):
        _folder().mkdir(parents=True, exist_ok=True)
        atomic_write_bytes(_file(entry.id), json.dumps(asdict(entry)).encode() + b"\n")
