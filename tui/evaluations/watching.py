"""Watches jobs in a thread: a frozen board each time something changed. Textual-free."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.errors import LorascopeError
from engine.jobs.snapshot import JobSnapshot
from engine.results.discovery import discover
from engine.results.layout import METADATA
from engine.results.model import RunRef


class Looks(Protocol):
    """Looks at jobs."""

    def look(self, *, anew: bool) -> tuple[JobSnapshot, ...]:
        """All jobs now; with ``anew`` also those that have ended."""


# Seconds between two looks: while somebody looks on, and while nobody does; where a job is at work, and where none is.
_PACE = {(True, True): 1.0, (True, False): 3.0, (False, True): 5.0, (False, False): 15.0}
# Seconds before the first look, unless somebody waits for it: what is shown first is read first.
_FIRST = 0.5
# The results of a run that is still computed are read again at most so often.
_READ_EVERY = 10.0


@dataclass(frozen=True, slots=True)
class Board:
    """All jobs at one moment.

    Attributes:
        jobs: those at work first.
        fresh: runs whose results are new since the board before.
    """

    jobs: tuple[JobSnapshot, ...] = ()
    fresh: tuple[RunRef, ...] = ()


class Freshness:
    """Tells which runs have results that were not there at the last look.

    Args:
        places: folders; runs elsewhere are none of theirs.
    """

    def __init__(self, places: list[Path]) -> None:
        self._places = places
        self._told: dict[Path, tuple[int, bool]] = {}
        self._at: dict[Path, float] = {}

    def of(self, jobs: tuple[JobSnapshot, ...], now: float) -> tuple[RunRef, ...]:
        """The runs to read, or to read again.

        Args:
            jobs: as they are.
            now: seconds of any clock.
        """
        fresh: list[RunRef] = []
        for job in jobs:
            state = (job.shards_done, job.state.alive)
            before = self._told.get(job.run)
            if before is None and not job.state.alive:
                self._told[job.run] = state  # whoever looks for runs finds it as it is
                continue
            waits = job.state.alive and now - self._at.get(job.run, -_READ_EVERY) < _READ_EVERY
            if state == before or waits or not (job.run / METADATA).is_file() or not self._is_here(job.run):
                continue
            self._told[job.run], self._at[job.run] = state, now
            try:
                fresh += list(discover([job.run]))
            except LorascopeError:
                continue
        return tuple(fresh)

    def _is_here(self, run: Path) -> bool:
        return any(run == place or place in run.parents for place in self._places)


class Watcher:
    """A thread that looks at jobs again and again.

    Args:
        desk: who looks at them; asked for in the thread, as its imports take a moment.
        freshness: which results are new.
        deliver: called in the thread with every board that differs from the one before.
    """

    def __init__(self, desk: Callable[[], Looks], freshness: Freshness, deliver: Callable[[Board], None]) -> None:
        self._desk = desk
        self._freshness = freshness
        self._deliver = deliver
        self._changed = threading.Condition()
        self._poked = False
        self._stopped = False
        self._watched = False
        threading.Thread(target=self._work, name="lorascope-jobs", daemon=True).start()

    def watch(self, *, closely: bool, now: bool = False) -> None:
        """Look often, as somebody looks on, or no longer; ``now``: at once, as something was started or stopped."""
        with self._changed:
            wakes = now or (closely and not self._watched)
            self._watched = closely
            self._poked = self._poked or wakes
            if wakes:
                self._changed.notify()

    def stop(self) -> None:
        """End the thread; does not wait for it."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _work(self) -> None:
        last: Board | None = None
        anew = True
        with self._changed:
            if not self._poked and not self._stopped:
                self._changed.wait(_FIRST)
            self._poked = False
        while not self._stopped:
            try:
                jobs = self._desk().look(anew=anew)
            except OSError:  # a file system that is away for a moment
                jobs = last.jobs if last else ()
            board = Board(jobs, self._freshness.of(jobs, time.monotonic()))
            if not self._stopped and (last is None or board.jobs != last.jobs or board.fresh):
                self._deliver(board)
            last = board
            with self._changed:
                if not self._poked and not self._stopped:
                    self._changed.wait(_PACE[self._watched, any(job.state.alive for job in jobs)])
                anew, self._poked = self._poked, False
