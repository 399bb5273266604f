"""Where workers reach a job: ``job/scheduler.json``, on storage that they share."""

from __future__ import annotations

import contextlib
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.cluster.keys import write_private
from engine.jobs.files import JobFiles
from engine.results.writing import not_written


@dataclass(frozen=True, slots=True)
class Contact:
    """One start of a job's scheduler.

    Attributes:
        address: ``tls://host:port``.
        start: tells it from other starts.
    """

    address: str
    start: str


def announce(run: Path, address: str) -> Contact:
    """Say where workers reach the job from now on.

    Raises:
        StorageError: that cannot be written.
    """
    contact = Contact(address, secrets.token_hex(8))
    write_contact(run, contact)
    return contact


def write_contact(run: Path, contact: Contact) -> None:
    """Write down where workers reach the job, for this user alone.

    Raises:
        StorageError: that cannot be written.
    """
    path = JobFiles(run).scheduler
    try:
        write_private(path, json.dumps(asdict(contact)).encode() + b"\n")
    except OSError as error:
        raise not_written(path, error) from error


def withdraw(run: Path) -> None:
    """The job has ended: workers have nothing to wait for."""
    with contextlib.suppress(OSError):
        JobFiles(run).scheduler.unlink(missing_ok=True)


def read_contact(run: Path) -> Contact | None:
    """Where workers reach the job; ``None`` where nobody waits for them."""
    try:
        return Contact(**json.loads(JobFiles(run).scheduler.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
