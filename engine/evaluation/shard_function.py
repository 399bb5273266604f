"""The shard function: computes one shard and writes its files. The same wherever shards are computed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator

import torch

from engine.dataset.model import Preparation, PreparedWindow, Window
from engine.errors import LorascopeError, StorageError, UsageError
from engine.evaluation.ahead import ReadyWindow
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.executor import ATTEMPTS, Facts, Outcome, ShardDone, ShardFailed
from engine.evaluation.machine import device_info
from engine.evaluation.plan import Plan
from engine.evaluation.predictors import ModelPredictors, first_line
from engine.evaluation.record import CURVE_SHARDS
from engine.evaluation.shard import ShardResult, ShardWorker
from engine.evaluation.time_limit import time_limit
from engine.results import layout
from engine.results.writer import write_frames, write_slices, write_table

# An error of these kinds is none of the shard: every other one would fail alike.
FATAL = (UsageError, StorageError)

_log = logging.getLogger(__name__)


class ShardFunction:
    """Holds the models, and computes one shard after another.

    Computing a shard again replaces its files with equal ones, so it may be done more than once, by several workers.

    Args:
        plan: the work.
        device: where predicting and scoring happen.

    Raises:
        LorascopeError: the base cannot be loaded. A checkpoint that cannot be is named in :attr:`facts`.
    """

    def __init__(self, plan: Plan, device: torch.device) -> None:
        self._plan = plan
        self._device = device
        self._predictors = ModelPredictors(plan.config, device)
        problems: dict[str, str] = {}
        for source in plan.checkpoints:
            try:
                self._predictors.add(source)
            except LorascopeError as error:
                problems[source.name] = str(error)
        self.facts = Facts(
            preparation(plan.config, self._predictors),
            self._predictors.weights_sha256,
            self._predictors.lora_info(),
            device_info(device, plan.config.dtype),
            problems,
        )
        self._shards = plan.shards
        self._worker: ShardWorker | None = None
        self._chance_depth: float | None = None

    def begin(self, chance_depth: float) -> None:
        """Set the constant depth of ``chance``, in metres, before the first shard is read or computed."""
        if self._worker is None or chance_depth != self._chance_depth:
            self._chance_depth = chance_depth
            self._worker = ShardWorker(self._plan, self._predictors, self._device, chance_depth=chance_depth)

    def windows(self, number: int) -> tuple[Window, ...]:
        """The windows of a shard."""
        return self._shards[number]

    @property
    def readers(self) -> int:
        """Threads that read ahead of the model."""
        return self._plan.config.readers

    def read(self, window: Window, prepared: PreparedWindow | None = None) -> ReadyWindow:
        """Read a window, unless it was; may be called in another thread.

        On a device of its own the model leaves the CPU free, which prepares the truth meanwhile.
        """
        prepared = prepared or self._plan.dataset.load(window, self.facts.preparation)
        return ReadyWindow(prepared, self._begun.truth(prepared) if self._device.type != "cpu" else None)

    def attempt(
        self,
        number: int,
        loads: Iterator[ReadyWindow | str],
        *,
        dropped: Iterable[str] = (),
        attempt: int = 1,
        worker: str = "",
    ) -> Outcome:
        """Compute a shard and write its files, within the time limit.

        Args:
            number: which shard.
            loads: for each of its windows the window, or why it could not be read.
            dropped: checkpoints to leave out from now on.
            attempt: which attempt at this shard it is, from 1.
            worker: who computes.

        Raises:
            UsageError: settings are wrong.
            StorageError: its files cannot be written.
        """
        self._begun.drop(dropped)
        begin = time.perf_counter()
        try:
            with time_limit(self._plan.config.shard_timeout):
                result = self._begun.compute(self.windows(number), loads)
                self._write(number, result)
        except FATAL:
            raise
        except Exception as error:
            # Whatever it is costs only this shard; the log keeps where it came from.
            _log.debug("attempt %d at shard %d failed", attempt, number, exc_info=True)
            why = str(error) if isinstance(error, LorascopeError) else first_line(error)
            return ShardFailed(number, why, attempt, attempt >= ATTEMPTS, worker)
        seconds = time.perf_counter() - begin
        sharing = self._predictors.sharing
        return ShardDone(number, seconds, result.failed_windows, result.failed_checkpoints, sharing, worker)

    @property
    def _begun(self) -> ShardWorker:
        assert self._worker is not None, "begin() comes first"  # noqa: S101 - a mistake of the caller's code
        return self._worker

    def _write(self, number: int, result: ShardResult) -> None:
        shard = f"{number:06d}"
        run = self._plan.config.to
        for name, rows in result.frames.items():
            write_frames(run, name, rows, shard)
        for name, rows in result.slices.items():
            write_slices(run, name, rows, shard)
        if result.curves is not None:
            write_table(run / CURVE_SHARDS / shard, layout.CURVES, result.curves)


def preparation(config: EvaluationConfig, predictors: ModelPredictors) -> Preparation:
    """How images are prepared for this model."""
    model = predictors.model
    return Preparation(config.prepare, config.size or model.default_size, model.patch)
