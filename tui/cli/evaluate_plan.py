"""What an evaluation would do, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from engine.i18n import listing, pgettext
from engine.text import counted
from tui.cli.gather import some
from tui.cli.output import print_json
from tui.cli.screen import Screen
from tui.format import duration
from tui.text import fit

if TYPE_CHECKING:
    from engine.evaluation.forecast import Forecast
    from engine.evaluation.plan import Plan

_FINGERPRINT_DIGITS = 16
_LABEL = 13


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
    facts = {
        _("to"): str(config.to),
        _("data"): _("{root} ({name}), split {split}").format(
            root=plan.dataset.root_name, name=plan.dataset.name, split=config.split
        ),
        _("windows"): _windows(plan),
        _("strata"): listing(f"{name} {count}" for name, count in plan.strata.items()),
        _("left out"): listing(f"{count} × {reason}" for reason, count in plan.left_out.items()),
        _("sample"): plan.fingerprint[:_FINGERPRINT_DIGITS],
        _("model"): listing(
            [
                config.model,
                config.base.name if config.base else _("random weights, seed {seed}").format(seed=config.base_seed),
            ]
        ),
        _("checkpoints"): _checkpoints(plan),
        _("shards"): _shards(plan, expected),
        _("time"): _estimate(expected),
    }
    screen.outside(_("plan of {run}; nothing was written").format(run=config.run_name), "bold")
    for name, fact in facts.items():
        if fact:
            screen.paragraph(screen.words(f"{fit(name, _LABEL)}{fact}"), indent="  ")


def _windows(plan: Plan) -> str:
    config = plan.config
    chosen = _("{count} of {available} of {frames}").format(
        count=len(plan.windows),
        available=counted(plan.available, "window"),
        frames=counted(config.seq_len, "frame"),
    )
    drawn = pgettext("of windows", "all")
    if len(plan.windows) < plan.available:
        drawn = _("{sampling}, seed {seed}").format(sampling=config.sampling, seed=config.seed)
    return _("{chosen} ({drawn})").format(chosen=chosen, drawn=drawn)


def _checkpoints(plan: Plan) -> str:
    count, names = len(plan.checkpoints), some([source.name for source in plan.checkpoints])
    said = _("{count}: {names}; and the baseline") if names else _("{count}; and the baseline")
    return said.format(count=count, names=names)


def _shards(plan: Plan, expected: Forecast) -> str:
    said = _("{count} of up to {windows}")
    if expected.shards_done:
        said = _("{count} of up to {windows}, {done} done already")
    windows = counted(plan.config.shard, "window")
    return said.format(count=len(plan.shards), windows=windows, done=expected.shards_done)


def _estimate(expected: Forecast) -> str:
    if expected.window is None or expected.seconds is None:
        return _("not estimated: {reason}").format(reason=expected.why_not)
    said = _("about {duration}: {once} s for a window and the baseline, measured on the first one, times {windows}")
    if expected.checkpoints:
        said = _(
            "about {duration}: {once} s for a window and the baseline and {each} s for each of {checkpoints}, "
            "measured on the first one, times {windows}"
        )
    said = said.format(
        duration=duration(expected.seconds),
        once=f"{expected.window.once:.2g}",
        each=f"{expected.window.checkpoint:.2g}",
        checkpoints=counted(expected.checkpoints, "checkpoint"),
        windows=counted(expected.windows_left, "window"),
    )
    if expected.devices > 1:
        said = _("{estimate} on {count} devices").format(estimate=said, count=expected.devices)
    return said
