"""Times the first window of a plan."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from engine.errors import LorascopeError
from engine.evaluation.ahead import ReadyWindow
from engine.evaluation.plan import BASELINE, Plan
from engine.evaluation.predictors import ModelPredictors, choose_device
from engine.evaluation.shard import ShardWorker
from engine.evaluation.shard_function import preparation

_TRIED = 2  # checkpoints that are loaded to see what one more costs


def time_window(plan: Plan) -> tuple[float, float]:
    """Time the first window, with the baseline and the first checkpoints.

    Returns:
        As in :class:`engine.evaluation.forecast.WindowTime`: seconds once, and for one checkpoint more.

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
        return reading + baseline, 0.0
    every = _seconds(worker, ready, predictors.names)
    return reading + baseline, max(0.0, every - baseline) / (len(predictors.names) - 1)


def _seconds(worker: ShardWorker, ready: ReadyWindow, names: Sequence[str]) -> float:
    """Of the second time: the first one fills caches and finds out what can be shared."""
    worker.compute_window(ready, names)
    begin = time.perf_counter()
    worker.compute_window(ready, names)
    return time.perf_counter() - begin
