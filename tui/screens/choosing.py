"""The choices that several screens offer: a run, a checkpoint, an objective, a baseline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.catalogue import Direction
from engine.i18n import gettext as _
from tui.format import metric_number, percent, short_path
from tui.screens.dialogs import Choice, ChooseDialog
from tui.state import BEST

if TYPE_CHECKING:
    from tui.library import Loaded
    from tui.screens.base import LorascopeScreen


def ask(
    screen: LorascopeScreen, title: str, choices: Sequence[Choice], current: str | None, done: Callable[[str], None]
) -> None:
    """Show a list; ``done`` is called with what was chosen, not at all when nothing was."""

    def answered(value: str | None) -> None:
        if value is not None:
            done(value)

    screen.app.push_screen(ChooseDialog(title, choices, current), answered)


def checkpoint_choices(screen: LorascopeScreen, loaded: Loaded, *, best: bool = True) -> list[Choice]:
    """The checkpoints of a run with their value of the objective, in training order."""
    library = screen.library
    objective = screen.state.objective
    analysis = loaded.analysis
    choices: list[Choice] = []
    if best and library:
        found = library.best(loaded, objective) or _("none")
        choices.append(
            Choice(BEST, _("best"), _("by {metric}: {checkpoint}").format(metric=objective, checkpoint=found))
        )
    known = library is not None and objective in analysis.metrics
    metric = library.catalogue.get(objective) if library else None
    values = dict(zip(analysis.table["checkpoint"], analysis.table[objective], strict=True)) if known else {}
    base = values.get(analysis.baseline)
    for name in analysis.table["checkpoint"].to_list():
        value = values.get(name)
        detail = ""
        if metric is not None and value is not None:
            detail = f"{metric.shown} {metric_number(value, metric)}"
            if base and name != analysis.baseline:
                detail += f"  {percent(100 * (value - base) / abs(base))} %"
        if name == analysis.baseline:
            detail += f"  {_('baseline')}"
        choices.append(Choice(name, name, detail))
    return choices


def choose_checkpoint(
    screen: LorascopeScreen, key: str, current: str, done: Callable[[str], None], *, best: bool = True
) -> None:
    """Ask for a checkpoint of a run."""
    loaded = screen.need([key])
    if loaded:
        title = _("Checkpoint of {run}").format(run=screen.session.name(key))
        ask(screen, title, checkpoint_choices(screen, loaded[0], best=best), current, done)


def choose_objective(screen: LorascopeScreen, runs: Sequence[Loaded], done: Callable[[str], None]) -> None:
    """Ask for the metric that decides which checkpoint is best."""
    library = screen.library
    if library is None:
        return
    keys = library.catalogue.order(key for loaded in runs for key in loaded.analysis.metrics)
    choices = [
        Choice(key, metric.title, f"{metric.direction.arrow} {key}")
        for key in keys
        if (metric := library.catalogue.get(key)).direction is not Direction.NONE
    ]
    ask(screen, _("Objective: the best checkpoint is the best by"), choices, screen.state.objective, done)


def choose_run(
    screen: LorascopeScreen, title: str, done: Callable[[str], None], *, keys: Sequence[str] | None = None
) -> None:
    """Ask for one of the runs."""
    session = screen.session
    offered = [key for key in (keys if keys is not None else session.refs) if session.usable(key)]
    choices = [Choice(key, session.name(key), short_path(Path(key))) for key in offered]
    ask(screen, title, choices, session.current_run(), done)


def choose_baseline(screen: LorascopeScreen, key: str) -> None:
    """Ask for the checkpoint that a run's changes are measured against, and read the run anew with it."""
    session = screen.session

    def chosen(name: str) -> None:
        session.state.baselines[key] = name
        session.forget(key)
        screen.lorascope.request([session.refs[key]])

    loaded = screen.need([key])
    if loaded is None:
        screen.notify(_("still reading this run: try again in a moment"), timeout=2)
        return
    choices = checkpoint_choices(screen, loaded[0], best=False)
    title = _("Baseline of {run}").format(run=session.name(key))
    ask(screen, title, choices, loaded[0].run.baseline, chosen)
