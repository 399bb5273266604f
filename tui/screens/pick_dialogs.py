"""What Pick asks: the value of a limit, one more metric, a condition, the two metrics of the front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.catalogue import Direction
from engine.i18n import gettext as _
from tui.screens.choosing import ask
from tui.screens.dialogs import Choice, LineDialog
from tui.state import Limit

if TYPE_CHECKING:
    from tui.screens.pick import PickScreen


def edit_limit(screen: PickScreen, name: str) -> None:
    """Type the value of a limit."""
    from tui.picking import parse_limit, term

    library = screen.library
    if library is None:
        return
    entry = term(name, library.catalogue)
    present = screen.limit(name)

    def parse(text: str) -> Limit | None:
        return parse_limit(text, name, present.operator if present else entry.operator)

    def done(text: str | None) -> None:
        if text is not None:
            screen.set_limit(name, parse(text))

    value = f"{present.operator} {present.value:g}" if present else f"{entry.operator} "
    hint = _("a number, or >= or <= and a number; empty switches the limit off")
    title = _("Limit on {metric}").format(metric=entry.label)
    screen.app.push_screen(LineDialog(title, value, check=parse, hint=hint), done)


def add_limit(screen: PickScreen) -> None:
    """Limit one more metric; it begins at its loosest value."""
    from tui.picking import term, value_range

    library, loaded = screen.library, screen.loaded
    if library is None or loaded is None:
        return

    def done(key: str) -> None:
        entry = term(key, library.catalogue)
        span = value_range(loaded, entry)
        if span:
            screen.set_limit(key, Limit(key, entry.operator, span[0] if entry.operator == ">=" else span[1]))
            screen.limits.focus()

    ask(screen, _("Limit on"), _directed(screen), None, done)


def type_where(screen: PickScreen) -> None:
    """Type a further condition, checked while it is typed."""
    from engine.analysis.where import parse_where

    loaded = screen.loaded
    if loaded is None:
        return
    columns = loaded.analysis.table.columns

    def check(text: str) -> None:
        if text.strip():
            parse_where(text, columns, place=_("the condition"))

    def done(text: str | None) -> None:
        if text is not None:
            screen.state.where = text.strip()
            screen.refresh_view()

    hint = _("e.g. planarity > 0.19 AND vram_gb <= 24   (empty: none)")
    screen.app.push_screen(LineDialog(_("Only checkpoints where"), screen.state.where, check=check, hint=hint), done)


def choose_axes(screen: PickScreen) -> None:
    """Choose the two metrics of the Pareto front."""
    choices = _directed(screen)
    axes = (screen.picked.axes if screen.picked else None) or ("", "")

    def first(x_key: str) -> None:
        def second(y_key: str) -> None:
            screen.state.pareto = [x_key, y_key]
            screen.refresh_view()

        ask(screen, _("Pareto front: against"), [c for c in choices if c.value != x_key], axes[1], second)

    ask(screen, _("Pareto front: of"), choices, axes[0], first)


def _directed(screen: PickScreen) -> list[Choice]:
    """The run's metrics that have a direction."""
    library, loaded = screen.library, screen.loaded
    if library is None or loaded is None:
        return []
    metrics = [library.catalogue.get(key) for key in loaded.analysis.metrics]
    return [
        Choice(metric.key, metric.title, f"{metric.direction.arrow} {metric.key}")
        for metric in metrics
        if metric.direction is not Direction.NONE
    ]
