"""How much work an evaluation is, and about how long it takes; measured, and nothing is written."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import LorascopeError
from engine.evaluation.plan import Plan, prior_state
from engine.i18n import mark


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
        return Forecast(len(state.shards), 0, count, None, mark("nothing is left to do"))
    if not timed:
        return Forecast(len(state.shards), left, count, None, mark("nobody asked for it"))
    # Timing loads the model; the rest of a plan is known without it.
    from engine.evaluation.timing import time_window

    try:
        return Forecast(
            len(state.shards), left, count, WindowTime(*time_window(plan)), devices=len(plan.config.devices)
        )
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
