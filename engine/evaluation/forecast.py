"""How much work an evaluation is, and about how long it takes; measured, and nothing is written."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import LorascopeError
from engine.evaluation.plan import Plan
from engine.evaluation.runner import prior_state, time_per_window


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is left of a plan.

    Attributes:
        shards_done: that an earlier start finished.
        windows_left: windows that are still to be computed.
        models: the baseline and the checkpoints.
        seconds_per_window: of the baseline alone, measured on one window; ``None`` where it could not be.
        why_not: why it was not measured; empty where it was.
    """

    shards_done: int
    windows_left: int
    models: int
    seconds_per_window: float | None
    why_not: str = ""

    @property
    def seconds(self) -> float | None:
        """Seconds for what is left: the baseline's time x (checkpoints + 1) x windows. Reading and the ground truth are
        counted for every checkpoint though they are done once, so that it rather takes less."""
        if self.seconds_per_window is None:
            return None
        return self.seconds_per_window * self.models * self.windows_left


def forecast(plan: Plan) -> Forecast:
    """Look at what is done already, and time the baseline on one window where its weights can be read.

    Raises:
        UsageError: the run's folder holds something else.
        DataError: its journal cannot be read.
    """
    state = prior_state(plan)
    left = sum(len(shard) for number, shard in enumerate(plan.shards) if number not in state.shards)
    models = len(plan.checkpoints) + 1
    if left == 0:
        return Forecast(len(state.shards), 0, models, None, "nothing is left to do")
    try:
        return Forecast(len(state.shards), left, models, time_per_window(plan))
    except LorascopeError as error:
        return Forecast(len(state.shards), left, models, None, str(error))
