"""How much work an evaluation is, and about how long it takes; measured, and nothing is written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from engine.errors import LorascopeError
from engine.evaluation.ahead import ReadyWindow
from engine.evaluation.plan import BASELINE, Plan
from engine.evaluation.predictors import ModelPredictors, choose_device
from engine.evaluation.runner import prior_state
from engine.evaluation.shard import ShardWorker
from engine.evaluation.shard_function import preparation

_TRIED = 2  # checkpoints that are loaded to see what one more costs


@dataclass(frozen=True, slots=True)
class WindowTime:
    """What one window takes.

    Attributes:
        once: seconds to read it, to prepare its ground truth, and to run and score the baseline.
        checkpoint: seconds to run and score one checkpoint more, with what it shares with the baseline.
    """

    once: float
    checkpoint: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is left of a plan.

    Attributes:
        shards_done: that an earlier start finished.
        windows_left: windows that are still to be computed.
        checkpoints: besides the baseline.
        window: measured on the first window; ``None`` where it could not be.
        why_not: why it was not measured; empty where it was.
        devices: that compute side by side.
    """

    shards_done: int
    windows_left: int
    checkpoints: int
    window: WindowTime | None
    why_not: str = ""
    devices: int = 1

    @property
    def seconds_per_window(self) -> float | None:
        """Seconds for one window and all models."""
        return None if self.window is None else self.window.once + self.window.checkpoint * self.checkpoints

    @property
    def seconds(self) -> float | None:
        """Seconds for what is left, on all devices."""
        each = self.seconds_per_window
        return None if each is None else each * self.windows_left / self.devices


def forecast(plan: Plan, *, timed: bool = True) -> Forecast:
    """Look at what is done already, and time the first window where it can be read.

    Args:
        plan: the work.
        timed: whether to; it loads the model.

    Raises:
        UsageError: the run's folder holds something else.
        DataError: its journal cannot be read.
    """
    state = prior_state(plan)
    left = sum(len(shard) for number, shard in enumerate(plan.shards) if number not in state.shards)
    count = len(plan.checkpoints)
    if left == 0:
        return Forecast(len(state.shards), 0, count, None, "nothing is left to do")
    if not timed:
        return Forecast(len(state.shards), left, count, None, "nobody asked for it")
    try:
        return Forecast(len(state.shards), left, count, time_window(plan), devices=len(plan.config.devices))
    except LorascopeError as error:
        return Forecast(len(state.shards), left, count, None, str(error))


def plan_document(plan: Plan, expected: Forecast) -> dict[str, object]:
    """The plan as plain data for programs."""
    config = plan.config
    return {
        "run": config.run_name,
        "to": str(config.to),
        "protocol": config.protocol,
        "dataset": {"name": plan.dataset.name, "root": plan.dataset.root_name, "split": config.split},
        "windows": len(plan.windows),
        "available": plan.available,
        "strata": dict(plan.strata),
        "seq_len": config.seq_len,
        "sampling": config.sampling,
        "seed": config.seed,
        "fingerprint": plan.fingerprint,
        "left_out": plan.left_out,
        "model": config.model,
        "checkpoints": [source.name for source in plan.checkpoints],
        "shards": len(plan.shards),
        "shards_done": expected.shards_done,
        "seconds_per_window": expected.seconds_per_window,
        "seconds": expected.seconds,
        "why_not": expected.why_not,
    }


def time_window(plan: Plan) -> WindowTime:
    """Time the first window, with the baseline and the first checkpoints.

    Raises:
        DataError: the base weights or the window cannot be read.
    """
    device = choose_device(plan.config.devices[0])
    predictors = ModelPredictors(plan.config, device)
    for source in plan.checkpoints:
        if len(predictors.names) > _TRIED:
            break
        with suppress(LorascopeError):  # the evaluation names it and goes on
            predictors.add(source)
    worker = ShardWorker(plan, predictors, device, chance_depth=10.0)
    prepare = preparation(plan.config, predictors)
    plan.dataset.load(plan.windows[0], prepare)  # fills the file cache, as later windows are read ahead
    begin = time.perf_counter()
    ready = ReadyWindow(plan.dataset.load(plan.windows[0], prepare))
    reading = time.perf_counter() - begin
    baseline = _seconds(worker, ready, (BASELINE,))
    if len(predictors.names) == 1:
        return WindowTime(reading + baseline, 0.0)
    every = _seconds(worker, ready, predictors.names)
    return WindowTime(reading + baseline, max(0.0, every - baseline) / (len(predictors.names) - 1))


def _seconds(worker: ShardWorker, ready: ReadyWindow, names: Sequence[str]) -> float:
    """Of the second time: the first one fills caches and finds out what can be shared."""
    worker.compute_window(ready, names)
    begin = time.perf_counter()
    worker.compute_window(ready, names)
    return time.perf_counter() - begin
