"""The executor that hands shards out to workers, by Dask: on this machine and on any that reach the run's folder.

Dask carries the messages, notices who dies and does their shard again; when a shard is done and what is done next is
decided here. Every worker gets one shard at a time, so that a death costs one shard and its blame falls on it alone.
"""

from __future__ import annotations

import os
import queue
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from engine.cluster.contact import announce, withdraw
from engine.cluster.hub import Hub, WorkerState
from engine.cluster.keys import make_keys
from engine.cluster.local import LocalWorkers, slots_for
from engine.cluster.machine import cores
from engine.cluster.parcel import Parcel, unpack
from engine.cluster.tasks import Job, Refused, Task, error_of
from engine.cluster.worker import compute_shard, load_models
from engine.errors import DataError, StorageError
from engine.evaluation.executor import ATTEMPTS, Facts, Outcome, ShardDone, ShardFailed, Work, WorkerNews
from engine.evaluation.plan import Plan
from engine.evaluation.shard_function import FATAL
from engine.jobs.files import JobFiles
from engine.jobs.presence import Presence
from engine.jobs.start import plain_settings

_POLL_SECONDS = 0.2
DEATHS = 3  # a shard that cost more workers than this is set aside


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A shard that a worker was given."""

    number: int
    attempt: int
    address: str
    name: str
    future: Any


class Spread:
    """Computes shards by workers.

    Args:
        presence: of the driver's process; is told who works.
    """

    compute: Callable[[Any], Any] = staticmethod(
        compute_shard
    )  # what workers are given to do; a simulation has its own

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._plan: Plan | None = None
        self._hub: Hub | None = None
        self._local: LocalWorkers | None = None
        self._facts: Facts | None = None
        self._job: Job | None = None
        self._known: dict[str, str] = {}  # address -> name, of the workers that were there when it was looked last
        self._unwanted: set[str] = set()  # addresses
        self._deaths: dict[int, int] = {}  # shard -> workers that died while computing it
        self._news: deque[WorkerNews] = deque()
        presence.workers = self._reports

    def load(self, plan: Plan) -> Facts:
        """Start the scheduler and the workers, and load the models in one; as :meth:`.Executor.load`."""
        config, run = plan.config, plan.config.to.absolute()
        self._plan = plan
        self._job = Job(plain_settings(config), plan.settings())
        make_keys(run)
        self._hub = Hub(run, everywhere=config.cluster, listen=config.listen)
        contact = announce(run, self._hub.address)
        if config.mirror is not None:
            from engine.cluster.mirror import invite

            invite(run, config.mirror, contact)
        slots = slots_for(config.devices, config.local_workers, os.environ, cores())
        self._local = LocalWorkers(run, slots, log=JobFiles(run).log)
        self._facts = self._load_somewhere()
        return self._facts

    def _load_somewhere(self) -> Facts:
        """The facts of the first worker that can load the models; waits until there is one.

        Raises:
            LorascopeError: a worker of this machine cannot: others would fail alike.
            KeyboardInterrupt: somebody asked to stop meanwhile.
        """
        hub, local = self._the_hub(), self._local
        done: queue.Queue[tuple[str, Any]] = queue.Queue()
        asked = ""
        while True:
            if local is not None:
                local.keep()
            if self._presence.stopping():
                raise KeyboardInterrupt
            workers = {state.address: state for state in self._look()}
            self._presence.enter("loading" if workers else "waiting")
            if asked not in workers:
                asked = next((address for address in workers if address not in self._unwanted), "")
                if asked:
                    hub.submit(load_models, self._job, key=f"load-{asked}-{time.monotonic_ns()}", at=asked, done=done)
            try:
                _key, found = done.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if isinstance(found, Facts):
                return found
            name = workers[asked].name if asked in workers else asked
            if isinstance(found, Refused):
                if local is not None and name in local.pids:
                    raise error_of(found)
                self._refuse(asked, name, found.why)
            asked = ""

    def run(self, work: Work) -> Iterator[Outcome | WorkerNews]:
        """Compute the shards; as :meth:`.Executor.run`."""
        local = self._local
        left = deque((number, 1) for number in work.todo)
        under_way: dict[str, _UnderWay] = {}
        done: queue.Queue[tuple[str, Any]] = queue.Queue()
        while left or under_way:
            if local is not None:
                local.keep()
            if work.stopping():
                left.clear()
            workers = self._look()
            yield from self._bury(workers, left, under_way)
            yield from self._told()
            self._hand_out(workers, left, under_way, work, done)
            for key, found in _arrived(done):
                what = under_way.pop(key, None)
                if what is None:
                    continue  # it was given up when its worker seemed lost
                outcome = self._outcome(found, what)
                if isinstance(outcome, ShardDone) and local is not None:
                    local.saw_work()
                if outcome is None:
                    left.appendleft((what.number, what.attempt))
                    continue
                if isinstance(outcome, ShardFailed) and not outcome.set_aside and not work.stopping():
                    left.append((what.number, what.attempt + 1))
                yield outcome
        yield from self._told()

    def close(self) -> None:
        """End the workers and the scheduler."""
        if self._plan is not None:
            run, mirror = self._plan.config.to.absolute(), self._plan.config.mirror
            withdraw(run)
            if mirror is not None:
                from engine.cluster.mirror import disinvite

                disinvite(run, mirror)
        if self._hub is not None:
            self._hub.close()
            self._hub = None
        if self._local is not None:
            self._local.stop()
            self._local = None

    def _hand_out(
        self,
        workers: list[WorkerState],
        left: deque[tuple[int, int]],
        under_way: dict[str, _UnderWay],
        work: Work,
        done: queue.Queue[tuple[str, Any]],
    ) -> None:
        """Give every free worker a shard."""
        busy = {what.address for what in under_way.values()}
        for worker in workers:
            if not left:
                return
            if not worker.free or worker.address in busy or worker.address in self._unwanted:
                continue
            number, attempt = left.popleft()
            key = f"shard-{number}-{attempt}-{time.monotonic_ns()}"
            task = self._task(number, attempt, work)
            future = self._the_hub().submit(self.compute, task, key=key, at=worker.address, done=done)
            under_way[key] = _UnderWay(number, attempt, worker.address, worker.name, future)
            work.began(number, worker.name)

    def _bury(
        self, workers: list[WorkerState], left: deque[tuple[int, int]], under_way: dict[str, _UnderWay]
    ) -> Iterator[ShardFailed]:
        """What lost workers had to do is done again, unless it has cost too many of them."""
        alive = {worker.address for worker in workers}
        for key, what in list(under_way.items()):
            if what.address in alive:
                continue
            del under_way[key]
            self._the_hub().drop(what.future)
            deaths = self._deaths[what.number] = self._deaths.get(what.number, 0) + 1
            if deaths > DEATHS:
                why = f"{deaths} workers died while computing it"
                yield ShardFailed(what.number, why, what.attempt, True, what.name)
            else:
                left.appendleft((what.number, what.attempt))

    def _task(self, number: int, attempt: int, work: Work) -> Task:
        assert self._job is not None and self._facts is not None  # noqa: S101 - load() comes first
        return Task(
            self._job,
            number,
            attempt,
            work.chance_depth,
            tuple(sorted(work.dropped)),
            self._facts.weights_sha256,
            frozenset(self._facts.problems),
        )

    def _outcome(self, found: Any, what: _UnderWay) -> Outcome | None:
        """What became of an attempt; ``None`` where it does not count.

        Raises:
            LorascopeError: nobody could compute any shard.
        """
        if isinstance(found, ShardDone | ShardFailed):
            return found
        if isinstance(found, Parcel):
            return self._unpacked(found, what)
        if isinstance(found, Refused):
            error = error_of(found)
            if isinstance(error, FATAL):
                raise error
            self._refuse(what.address, what.name, found.why)
            return None
        if isinstance(found, BaseException):
            why = f"{type(found).__name__}: {found}".partition("\n")[0]
            return ShardFailed(what.number, why, what.attempt, what.attempt >= ATTEMPTS, what.name)
        raise DataError(f"a worker gave an answer that is none: {type(found).__name__}", "use one version everywhere")

    def _unpacked(self, parcel: Parcel, what: _UnderWay) -> Outcome:
        """Write what a worker sent that does not see the run's folder.

        Raises:
            StorageError: nothing can be written there.
        """
        assert self._plan is not None  # noqa: S101 - load() comes first
        try:
            return unpack(parcel, self._plan.config.to.absolute())
        except StorageError:
            raise
        except DataError as error:
            return ShardFailed(what.number, str(error), what.attempt, what.attempt >= ATTEMPTS, what.name)

    def _refuse(self, address: str, name: str, why: str) -> None:
        self._unwanted.add(address)
        self._news.append(WorkerNews("worker_refused", name, why))
        self._the_hub().dismiss(address, why)

    def _look(self) -> list[WorkerState]:
        workers = self._the_hub().workers()
        now = {worker.address: worker.name for worker in workers}
        for address, name in now.items():
            if address not in self._known:
                self._news.append(WorkerNews("worker_joined", name))
        for address, name in self._known.items():
            if address not in now and address not in self._unwanted:
                self._news.append(WorkerNews("worker_lost", name))
        self._known = now
        return workers

    def _told(self) -> Iterator[WorkerNews]:
        while self._news:
            yield self._news.popleft()

    def _reports(self) -> list[dict[str, Any]]:
        hub = self._hub
        return hub.reports() if hub is not None else []

    def _the_hub(self) -> Hub:
        assert self._hub is not None, "load() comes first"  # noqa: S101 - a mistake of the caller's code
        return self._hub


def _arrived(done: queue.Queue[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """What is over; waits a moment where nothing is."""
    found: list[tuple[str, Any]] = []
    with suppress(queue.Empty):
        found.append(done.get(timeout=_POLL_SECONDS))
        while True:
            found.append(done.get_nowait())
    return found
