"""What the app asks of evaluations and jobs, in one place: tests give another one. Textual-free.

Everything here reads files or starts processes, and is called in threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import DataError
from engine.jobs import start as starting
from engine.jobs import stop as stopping
from engine.jobs.listing import find_jobs
from engine.jobs.record import job_id, read_record
from engine.jobs.snapshot import JobSnapshot, JobState
from engine.jobs.watch import JobWatch
from tui.evaluations.fields import COST
from tui.evaluations.guessing import as_texts

if TYPE_CHECKING:
    from engine.evaluation.checks import Checked
    from engine.evaluation.config import EvaluationConfig

# What evaluating needs beyond browsing: import names.
_PACKAGES = ("torch", "peft", "safetensors", "cv2", "numba")
_FIND_EVERY = 30.0  # seconds between two searches of the folders
_ENDED_EVERY = 10.0  # seconds between two looks at a job that has ended


class Desk:
    """The jobs of some folders, and those that this user started elsewhere.

    Args:
        places: folders.
        clock: seconds since 1970.
    """

    def __init__(self, places: Sequence[Path], *, clock: Callable[[], float] = time.time) -> None:
        self._places = list(places)
        self._clock = clock
        self._below: list[Path] = []
        self._found_at = 0.0
        self._watches: dict[Path, JobWatch] = {}
        self._seen: dict[Path, tuple[float, JobSnapshot]] = {}

    def missing(self) -> list[str]:
        """The packages that evaluating needs and this installation lacks."""
        return [name for name in _PACKAGES if find_spec(name) is None]

    def check(self, values: Mapping[str, object]) -> Checked:
        """What is wrong with settings."""
        from engine.evaluation.checks import check

        return check(values)

    def plan(self, config: EvaluationConfig, *, timed: bool, given_up: Callable[[], bool]) -> Mapping[str, Any]:
        """What an evaluation would do; as :func:`engine.jobs.ask.ask_plan`."""
        from engine.jobs.ask import ask_plan

        return ask_plan(config, timed=timed, given_up=given_up)

    def start(self, config: EvaluationConfig, *, cost: bool, queue: bool) -> starting.Started:
        """Start a job; as :func:`engine.jobs.start.start`."""
        return starting.start(config, cost=cost, queue=queue)

    def resume(self, run: Path) -> starting.Started:
        """Go on with a job; as :func:`engine.jobs.start.resume`."""
        return starting.resume(run)

    def stop(self, run: Path, *, firmly: bool) -> None:
        """Stop a job; as :func:`engine.jobs.stop.stop`."""
        stopping.stop(run, firmly=firmly)

    def kill(self, run: Path) -> None:
        """End a job's process; as :func:`engine.jobs.stop.kill`."""
        stopping.kill(run)

    def settings(self, run: Path) -> dict[str, str]:
        """A job's settings as texts of the form; empty where it was not started as a job.

        Raises:
            DataError: they cannot be read.
        """
        record = read_record(run)
        if record is None:
            return {}
        return {**as_texts(record.config), **({COST: "yes"} if record.cost else {})}

    def look(self, *, anew: bool = False) -> tuple[JobSnapshot, ...]:
        """All jobs now: those at work first, then by their last start, the latest first.

        Args:
            anew: search the folders and look at ended jobs, too, however long ago that was done last.
        """
        now = self._clock()
        if anew or now - self._found_at >= _FIND_EVERY:
            self._below = find_jobs(self._places, known=False)
            self._found_at = now
        runs = list(dict.fromkeys([*self._below, *find_jobs((), known=True)]))
        for gone in self._watches.keys() - set(runs):
            del self._watches[gone]
            self._seen.pop(gone, None)
        jobs = [self._snapshot(run, now, anew=anew) for run in runs]
        # Stable: two sorts, the more important one last.
        jobs.sort(key=lambda job: job.started, reverse=True)
        jobs.sort(key=lambda job: not job.state.alive)
        return tuple(jobs)

    def _snapshot(self, run: Path, now: float, *, anew: bool) -> JobSnapshot:
        then, seen = self._seen.get(run, (0.0, None))
        if seen is not None and not seen.state.alive and not anew and now - then < _ENDED_EVERY:
            return seen
        watch = self._watches.setdefault(run, JobWatch(run, clock=self._clock))
        try:
            snapshot = watch.snapshot()
        except DataError as error:
            snapshot = JobSnapshot(job_id(run), run, run.name, JobState.FAILED, why=str(error))
        self._seen[run] = now, snapshot
        return snapshot
