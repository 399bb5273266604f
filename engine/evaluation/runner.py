"""Drives an evaluation: the plan, the journal, going on where it was, and finishing the store.

Shards are computed by an executor (:mod:`engine.evaluation.executor`), in this process or anywhere; windows are
outside, checkpoints inside. Only the driver writes the journal.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from engine.atomic import TEMPORARY_SUFFIX
from engine.dataset.model import PreparedWindow, Window
from engine.errors import DataError, StorageError
from engine.evaluation.chance_depth import chance_depth
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.executor import ATTEMPTS, Executor, Facts, Outcome, ShardDone, ShardFailed, Work, WorkerNews
from engine.evaluation.finish import finish_store, merge_unfinished
from engine.evaluation.in_process import InProcess
from engine.evaluation.journal import Event, Journal, State, replay
from engine.evaluation.lock import locked
from engine.evaluation.plan import Plan, make_plan, prior_state
from engine.evaluation.record import Status, describe
from engine.evaluation.reserve import Reserve
from engine.evaluation.shared_so_far import SharedSoFar
from engine.results import layout
from engine.results.writer import write_metadata, write_table
from engine.schema import WINDOWS

JOURNAL = layout.JOURNAL

Watch = Callable[[Event], None]


def evaluate(
    config: EvaluationConfig,
    *,
    watch: Watch = lambda _: None,
    plan: Plan | None = None,
    executor: Executor | None = None,
    stopping: Callable[[], bool] = lambda: False,
    began: Callable[[int, str], None] = lambda _number, _worker: None,
) -> Path:
    """Evaluate, or go on with an evaluation that was interrupted.

    Finished shards are kept; those that were interrupted are computed again and replace what they had written. A bad
    checkpoint, window or frame costs only itself and is named in the journal and in ``metadata.json``. A shard that
    fails :data:`engine.evaluation.executor.ATTEMPTS` times is set aside; the same call tries it again.

    Args:
        config: the settings.
        watch: called with every event of the journal, after it was written.
        plan: made from the same configuration, to save making it twice.
        executor: computes the shards; by default this process.
        stopping: whether to stop when the shards that are under way are done.
        began: called with a shard's number and its worker when it is begun.

    Returns:
        The run's folder. The run is finished where its journal says so; not where it was stopped, or a shard was set
        aside.

    Raises:
        UsageError: the folder holds a run with other settings, or another process works on it.
        StorageError: the disk is full, or the folder cannot be written to; what is done stays.
        DataError: data or base weights cannot be read; no checkpoint is left; no shard could be computed.
    """
    plan = plan or make_plan(config)
    with locked(config.to), contextlib.closing(executor or InProcess()) as computing:
        return _Run(plan, watch, computing, stopping, began).go()


class _Run:
    """One call of :func:`evaluate`."""

    def __init__(
        self,
        plan: Plan,
        watch: Watch,
        executor: Executor,
        stopping: Callable[[], bool],
        began: Callable[[int, str], None],
    ) -> None:
        self._plan = plan
        self._folder = plan.config.to
        self._journal = Journal(self._folder / JOURNAL)
        self._reserve = Reserve(self._folder)
        self._watch = watch
        self._executor = executor
        self._stopping = stopping
        self._began = began
        self._shared = SharedSoFar()
        self._of = len(plan.shards)
        self._done: set[int] = set()
        self._set_aside: dict[int, str] = {}

    def _tell(self, kind: str, **data: Any) -> None:
        self._watch(self._journal.append(kind, **data))

    def go(self) -> Path:
        """Start or resume, compute what is missing, finish."""
        state = prior_state(self._plan)
        if state.finished:
            self._watch(Event("finished", {"already": True}))
            return self._folder
        facts = self._executor.load(self._plan)
        prepared: dict[int, PreparedWindow] = {}
        state = self._begin(state, facts, prepared)
        self._tell_problems(facts, state)
        self._describe("running", facts, state)
        self._done = set(state.shards)
        todo = tuple(number for number in range(self._of) if number not in self._done)
        dropped = set(state.failed_checkpoints)
        work = Work(todo, state.chance_depth or 0.0, dropped, self._stopping, self._began, prepared)
        self._reserve.make()
        try:
            for outcome in self._executor.run(work):
                self._take(outcome, work)
            self._tell_sharing(last=True)
            return self._end(facts)
        except KeyboardInterrupt:
            self._describe("stopped", facts, replay(self._journal.events()))
            self._tell("stopped", done=len(self._done), of=self._of)
            raise
        except StorageError as error:
            self._tell_full(error)
            raise
        finally:
            self._reserve.give()

    def _take(self, outcome: Outcome | WorkerNews, work: Work) -> None:
        if isinstance(outcome, WorkerNews):
            self._tell(outcome.kind, worker=outcome.worker, **({"why": outcome.why} if outcome.why else {}))
            return
        if outcome.number in self._done:
            return  # done twice, by a worker that was thought to be lost: the first one counts
        if isinstance(outcome, ShardFailed):
            self._take_failure(outcome)
            return
        self._done.add(outcome.number)
        self._set_aside.pop(outcome.number, None)
        work.dropped.update(outcome.failed_checkpoints)
        self._tell_shard(outcome)
        self._shared.take(outcome.worker, outcome.sharing)
        self._tell_sharing()

    def _tell_shard(self, outcome: ShardDone) -> None:
        # One line: what failed is part of what the shard is.
        self._tell(
            "shard",
            shard=outcome.number,
            done=len(self._done),
            of=self._of,
            seconds=round(outcome.seconds, 3),
            failed_windows=outcome.failed_windows,
            failed_checkpoints=outcome.failed_checkpoints,
            **({"worker": outcome.worker} if outcome.worker else {}),
        )

    def _take_failure(self, failure: ShardFailed) -> None:
        self._tell(
            "shard_failed",
            shard=failure.number,
            attempt=failure.attempt,
            why=failure.why,
            set_aside=failure.set_aside,
            **({"worker": failure.worker} if failure.worker else {}),
        )
        if not failure.set_aside:
            return
        self._set_aside[failure.number] = failure.why
        # Where nothing ever worked, the rest would only take long to fail as well.
        if not self._done and len(self._set_aside) >= min(ATTEMPTS, self._of):
            number, why = next(iter(self._set_aside.items()))
            raise DataError(f"no shard could be computed; shard {number}: {why}")

    def _tell_sharing(self, *, last: bool = False) -> None:
        report = self._shared.news(last=last)
        if report is not None:
            self._tell(
                "sharing",
                modules=report.modules,
                reused=report.reused,
                peak_mb=round(report.peak_bytes / 1e6, 1),
                limit_mb=round(report.limit_bytes / 1e6, 1),
                notices=report.notices,
            )

    def _tell_full(self, error: StorageError) -> None:
        """Say in the journal why it stops, as far as that can be written."""
        self._reserve.give()
        with contextlib.suppress(DataError):
            self._tell("stopped", done=len(self._done), of=self._of, why=str(error))

    def _begin(self, state: State, facts: Facts, prepared: dict[int, PreparedWindow]) -> State:
        # What a killed process was writing: it never got its name.
        for stale in self._folder.rglob(f".*{TEMPORARY_SUFFIX}"):
            stale.unlink(missing_ok=True)
        if state.settings is None:
            depth = chance_depth(self._plan.dataset, self._plan.windows, facts.preparation, prepared)
            write_table(self._folder, layout.WINDOWS, _window_table(self._plan.windows))
            self._tell("started", settings=self._plan.settings(), chance_depth=depth, windows=len(self._plan.windows))
        else:
            self._tell("resumed", done=len(state.shards), of=self._of)
        return replay(self._journal.events())

    def _tell_problems(self, facts: Facts, state: State) -> None:
        for name, why in facts.problems.items():
            if name not in state.failed_checkpoints:
                self._tell("checkpoint_failed", checkpoint=name, why=why)
        if self._plan.checkpoints and len(facts.problems) == len(self._plan.checkpoints):
            name, why = next(iter(facts.problems.items()))
            raise DataError(f"no checkpoint could be loaded; {name}: {why}")

    def _end(self, facts: Facts) -> Path:
        """Finish the store where every shard is done; else say what is missing."""
        state = replay(self._journal.events())
        if len(self._done) < self._of:
            merge_unfinished(self._folder)
            self._describe("stopped", facts, state)
            self._tell("stopped", done=len(self._done), of=self._of, set_aside=sorted(self._set_aside))
        else:
            apart = finish_store(self._folder, self._plan.config.align)
            self._describe("done", facts, state)
            self._tell("finished", seconds=round(state.seconds, 3), **({"not_joined": apart} if apart else {}))
        return self._folder

    def _describe(self, status: Status, facts: Facts, state: State) -> None:
        problems = {**facts.problems, **state.failed_checkpoints}
        write_metadata(self._folder, describe(self._plan, facts, status, problems, state))


def _window_table(windows: Sequence[Window]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "window": [window.id for window in windows],
            "drive": [window.drive for window in windows],
            "frames": [list(window.frames) for window in windows],
            "stratum": [window.stratum.value if window.stratum else None for window in windows],
        },
        schema=WINDOWS,
    )
