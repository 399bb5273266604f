"""What an earlier start of an evaluation left. Imports no model library."""

from __future__ import annotations

from engine.errors import UsageError
from engine.evaluation.journal import Journal, State, replay
from engine.evaluation.plan import Plan, difference
from engine.results import layout


def prior_state(plan: Plan) -> State:
    """What an earlier start of the same evaluation left in its folder; that of nothing where there was none.

    Raises:
        UsageError: the folder holds a run with other settings, or one that was not made by evaluate.
        DataError: its journal cannot be read.
    """
    folder = plan.config.to
    state = replay(Journal(folder / layout.JOURNAL).events())
    if state.settings is not None:
        changed = difference(state.settings, plan.settings())
        if changed:
            raise UsageError(
                f"{folder} holds an evaluation with other settings ({changed})",
                "choose another --to, or use the same settings",
            )
    elif (folder / layout.METADATA).exists():
        raise UsageError(f"{folder} holds a run that was not made by evaluate", "choose another --to")
    return state
