"""What a worker does for a job: loads the models, computes shards. Plain data comes in and goes out."""

from __future__ import annotations

import faulthandler
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from engine.cluster.exits import HUNG
from engine.cluster.parcel import Parcel, pack
from engine.errors import LorascopeError
from engine.evaluation.ahead import reading
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.executor import ATTEMPTS, Facts, Outcome, ShardDone, ShardFailed
from engine.evaluation.plan import make_plan
from engine.evaluation.predictors import choose_device
from engine.evaluation.prior import difference
from engine.evaluation.shard_function import FATAL, ShardFunction

_GRACE_SECONDS = 60.0  # after its time limit a shard that holds the interpreter is ended with its process
_GOODBYE_SECONDS = 3.0  # for an answer to be sent before a process ends


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker must know to load the models.

    Attributes:
        config: the fields of the configuration that were set, as plain data.
        settings: what decides the numbers, by the driver's plan.
    """

    config: dict[str, Any]
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """One shard to compute.

    Attributes:
        job: of which evaluation.
        number: which shard.
        attempt: which attempt at it, from 1.
        chance_depth: metres, the constant depth of ``chance``.
        dropped: checkpoints that are left out.
        weights_sha256: of the base.
        unloadable: checkpoints that the first worker could not load.
    """

    job: Job
    number: int
    attempt: int
    chance_depth: float
    dropped: tuple[str, ...]
    weights_sha256: str
    unloadable: frozenset[str]


@dataclass(frozen=True, slots=True)
class Refused:
    """A worker that cannot work for the job: it sees other data or files than the driver, or cannot load the models.

    Attributes:
        why: in a sentence.
        remedy: what to do about it.
        kind: the class of the error, of :data:`KINDS`.
    """

    why: str
    remedy: str = ""
    kind: str = ""


# What ends the evaluation, and not only the worker that met it.
KINDS: dict[str, type[LorascopeError]] = {kind.__name__: kind for kind in FATAL}


class Workshop:
    """The models of one worker process, loaded once; computes one thing at a time, whoever asks.

    Args:
        name: the worker's.
        device: where it computes.
        apart: a folder of its own where it does not see the run's: what it computes is sent along with the answer.
    """

    def __init__(self, name: str, device: str, apart: Path | None = None) -> None:
        self._apart = apart
        self.name = name
        self.device = device
        self.computing: int | None = None
        self._job: Job | None = None
        self._function: ShardFunction | None = None
        # After a lost connection the shard of before may still be under way, on the same models.
        self._one_at_a_time = threading.Lock()

    def load(self, job: Job) -> Facts | Refused:
        """Load the models of a job, unless they are."""
        with self._one_at_a_time:
            try:
                return self._loaded(job).facts
            except LorascopeError as error:
                return _refusal(error)

    def compute(self, task: Task) -> Outcome | Parcel | Refused:
        """Compute a shard and write its files, or send them along."""
        with self._one_at_a_time:
            try:
                function = self._loaded(task.job)
            except LorascopeError as error:
                return _refusal(error)
            why = _unlike(function.facts, task)
            if why:
                return Refused(why, "it must see the same files as the job")
            self.computing = task.number
            try:
                if self._apart is not None:
                    shutil.rmtree(self._apart, ignore_errors=True)  # what an attempt that failed had written
                found = self._within_limit(function, task)
                if self._apart is not None and isinstance(found, ShardDone):
                    return pack(found, self._apart)
                return found
            except FATAL as error:
                return _refusal(error)
            finally:
                self.computing = None

    def _loaded(self, job: Job) -> ShardFunction:
        if self._function is None or job != self._job:
            self._function = None  # the memory of the former one is needed
            config = EvaluationConfig.model_validate(job.config)
            if self._apart is not None:
                config = config.model_copy(update={"to": self._apart})
            plan = make_plan(config)
            changed = difference(job.settings, plan.settings())
            if changed:
                raise LorascopeError(f"it sees other data than the job ({changed})")
            self._function = ShardFunction(plan, choose_device(self.device))
            self._job = job
        return self._function

    def _within_limit(self, function: ShardFunction, task: Task) -> Outcome:
        assert self._job is not None  # noqa: S101 - it was loaded
        limit = EvaluationConfig.model_validate(self._job.config).shard_timeout
        answer: list[Outcome | BaseException] = []
        thread = threading.Thread(target=_attempt, args=(function, task, self.name, answer), daemon=True)
        # Needs no interpreter: it also ends what never gives it back.
        faulthandler.dump_traceback_later(limit + _GRACE_SECONDS, exit=True, file=2)
        thread.start()
        thread.join(limit)
        faulthandler.cancel_dump_traceback_later()
        if thread.is_alive():
            # A thread cannot be ended: its process is, when the answer is sent.
            leave = threading.Timer(_GOODBYE_SECONDS, partial(os._exit, HUNG))
            leave.daemon = True
            leave.start()
            why = f"it did not end within its time limit of {limit:g} s"
            return ShardFailed(task.number, why, task.attempt, task.attempt >= ATTEMPTS, self.name)
        (found,) = answer
        if isinstance(found, BaseException):
            raise found
        return found


def _attempt(function: ShardFunction, task: Task, worker: str, answer: list[Outcome | BaseException]) -> None:
    try:
        function.begin(task.chance_depth)
        windows = function.windows(task.number)
        with reading(function.read, windows, function.readers) as take:
            loads: Iterator[Any] = take(windows)
            answer.append(
                function.attempt(task.number, loads, dropped=task.dropped, attempt=task.attempt, worker=worker)
            )
    except BaseException as error:
        answer.append(error)


def _unlike(facts: Facts, task: Task) -> str:
    if facts.weights_sha256 != task.weights_sha256:
        return "it has other base weights than the job's first worker"
    other = sorted(facts.problems.keys() ^ task.unloadable)
    return f"checkpoint {other[0]} can be loaded here and not elsewhere, or the other way round" if other else ""


def _refusal(error: LorascopeError) -> Refused:
    kind = next((name for name, kind in KINDS.items() if isinstance(error, kind)), "")
    return Refused(error.message, error.remedy, kind)


def error_of(refused: Refused) -> LorascopeError:
    """The error that a worker met."""
    return KINDS.get(refused.kind, LorascopeError)(refused.why, refused.remedy)
