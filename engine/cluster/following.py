"""Joins a job by its mirror in an object store: keeps what the mirror says of the job in a private folder here."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from engine.cluster.contact import read_contact, withdraw
from engine.cluster.mirror import JOIN, decode
from engine.errors import RemoteError
from engine.remote.store import Remote

SECONDS = 5.0  # between two looks at the mirror


class Following:
    """A folder that holds a job's address and key as the run's own folder does, for this user alone.

    Args:
        url: the mirror.
        seconds: between two looks.

    Raises:
        RemoteError: it cannot be opened.
    """

    def __init__(self, url: str, *, seconds: float = SECONDS) -> None:
        self.url = url
        self._remote = Remote(url, pauses=())
        self._seconds = seconds
        self._next = 0.0
        self._reached = False
        self._lost = False
        self._folder = tempfile.TemporaryDirectory(prefix="lorascope-", ignore_cleanup_errors=True)  # mode 0700
        self.run = Path(self._folder.name)

    def __enter__(self) -> Following:
        return self

    def __exit__(self, *_error: object) -> None:
        self._folder.cleanup()

    def look(self) -> None:
        """Make the folder hold what the mirror says now. Called again and again; mostly does nothing.

        Raises:
            RemoteError: the mirror could not be read even once. Later on workers keep what they know, and it is said.
            StorageError: the folder cannot be written.
        """
        if time.monotonic() < self._next:
            return
        try:
            data = self._remote.read(JOIN)
        except RemoteError as error:
            if not self._reached:
                raise
            if not self._lost:
                print(f"lorascope: {error}", file=sys.stderr, flush=True)
            self._lost = True
            return
        finally:
            self._next = time.monotonic() + self._seconds
        self._reached, self._lost = True, False
        invitation = decode(data) if data is not None else None
        if invitation is None:
            withdraw(self.run)
        elif invitation.contact != read_contact(self.run):
            invitation.accept(self.run)
