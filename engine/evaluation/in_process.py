"""Computes shards in the driver's own process, one after the other, with windows read ahead of the model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from engine.dataset.model import Window
from engine.evaluation.ahead import ReadyWindow, reading
from engine.evaluation.executor import Facts, Outcome, ShardDone, ShardFailed, Work, WorkerNews
from engine.evaluation.plan import Plan
from engine.evaluation.predictors import choose_device
from engine.evaluation.shard_function import ShardFunction


class InProcess:
    """The executor that needs nothing but this process."""

    def __init__(self) -> None:
        self._plan: Plan | None = None
        self._function: ShardFunction | None = None

    def load(self, plan: Plan) -> Facts:
        """Load the models into this process; as :meth:`engine.evaluation.executor.Executor.load`."""
        self._plan = plan
        self._function = ShardFunction(plan, choose_device(plan.config.devices[0]))
        return self._function.facts

    def run(self, work: Work) -> Iterator[Outcome | WorkerNews]:
        """Compute the shards; as :meth:`engine.evaluation.executor.Executor.run`."""
        function, plan = self._function, self._plan
        assert function is not None and plan is not None, "load() comes first"  # noqa: S101 - a mistake of the caller's
        function.begin(work.chance_depth)
        left = deque(work.todo)
        attempt = 1
        while left and not work.stopping():
            upcoming = [window for number in left for window in function.windows(number)]
            with reading(_reader(function, work), upcoming, plan.config.readers) as take:
                while left and not work.stopping():
                    number = left[0]
                    work.began(number, "")
                    loads = take(function.windows(number))
                    outcome = function.attempt(number, loads, dropped=work.dropped, attempt=attempt)
                    if isinstance(outcome, ShardDone) or outcome.set_aside:
                        left.popleft()
                        attempt = 1
                    else:
                        attempt += 1
                    yield outcome
                    if isinstance(outcome, ShardFailed):
                        break  # what was read ahead of it is in disorder: begin anew

    def close(self) -> None:
        """Let go of the models."""
        self._function = None


def _reader(function: ShardFunction, work: Work) -> Callable[[Window], ReadyWindow]:
    return lambda window: function.read(window, work.prepared.pop(window.id, None))
