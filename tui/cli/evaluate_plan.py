"""What an evaluation would do, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.text import counted
from tui.cli.gather import some
from tui.cli.output import print_json
from tui.cli.screen import Screen
from tui.format import duration

if TYPE_CHECKING:
    from engine.evaluation.forecast import Forecast
    from engine.evaluation.plan import Plan

_FINGERPRINT_DIGITS = 16


def tell_plan(plan: Plan, *, as_json: bool, plain: bool | None) -> int:
    """Print the plan and about how long it takes; writes nothing.

    Raises:
        UsageError: the run's folder holds something else.
    """
    from engine.evaluation.forecast import forecast, plan_document

    expected = forecast(plan)
    if as_json:
        print_json({**plan_document(plan, expected), "estimate": _estimate(expected)})
    else:
        _draw(Screen(plain=plain), plan, expected)
    return 0


def _draw(screen: Screen, plan: Plan, expected: Forecast) -> None:
    config = plan.config
    chosen = f"{len(plan.windows)} of {counted(plan.available, 'window')} of {counted(config.seq_len, 'frame')}"
    drawn = f"{config.sampling}, seed {config.seed}" if len(plan.windows) < plan.available else "all"
    names = some([source.name for source in plan.checkpoints])
    done = f", {expected.shards_done} done already" if expected.shards_done else ""
    facts = {
        "to": str(config.to),
        "data": f"{plan.dataset.root_name} ({plan.dataset.name}), split {config.split}",
        "windows": f"{chosen} ({drawn})",
        "strata": ", ".join(f"{name} {count}" for name, count in plan.strata.items()),
        "left out": ", ".join(f"{count} × {reason}" for reason, count in plan.left_out.items()),
        "sample": plan.fingerprint[:_FINGERPRINT_DIGITS],
        "model": f"{config.model}, {config.base.name if config.base else f'random weights, seed {config.base_seed}'}",
        "checkpoints": f"{len(plan.checkpoints)}{f': {names}' if names else ''}; and the baseline",
        "shards": f"{len(plan.shards)} of up to {counted(config.shard, 'window')}{done}",
        "time": _estimate(expected),
    }
    screen.outside(f"plan of {config.run_name}; nothing was written", "bold")
    for name, fact in facts.items():
        if fact:
            screen.paragraph(screen.words(f"{name:<13}{fact}"), indent="  ")


def _estimate(expected: Forecast) -> str:
    if expected.window is None or expected.seconds is None:
        return f"not estimated: {expected.why_not}"
    each = (
        f" and {expected.window.checkpoint:.2g} s for each of {counted(expected.checkpoints, 'checkpoint')}"
        if expected.checkpoints
        else ""
    )
    return (
        f"about {duration(expected.seconds)}: {expected.window.once:.2g} s for a window and the baseline{each}, "
        f"measured on the first one, times {counted(expected.windows_left, 'window')}"
        f"{f' on {expected.devices} devices' if expected.devices > 1 else ''}"
    )
