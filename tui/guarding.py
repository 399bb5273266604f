"""Which views of a comparison are allowed, and what is said about runs that may not be compared. Textual-free.

Values of such runs do not stand beside one another unless the user asks for it; then it is said that they may not be
compared, and why. Changes against each run's own baseline are shown in any case.
"""

from __future__ import annotations

from engine.analysis.comparison import Comparison
from engine.i18n import gettext as _
from tui.state import VIEWS, View

# Views in which values of one run are read against values of another.
_OF_VALUES: tuple[View, ...] = ("scale", "absolute")


def allowed_views(comparison: Comparison, *, anyway: bool) -> tuple[View, ...]:
    """The views that make sense of a comparison.

    Args:
        comparison: the figures.
        anyway: whether the user wants to see values side by side although they may not be compared.
    """
    scaled = any(cell.scale is not None for column in comparison.columns for cell in column.cells.values())
    return tuple(
        view
        for view in VIEWS
        if (comparison.comparable or anyway or view not in _OF_VALUES) and (scaled or view != "scale")
    )


def shown_view(comparison: Comparison, wanted: View, *, anyway: bool) -> View:
    """The view that is wanted where it is allowed, else the changes in percent."""
    return wanted if wanted in allowed_views(comparison, anyway=anyway) else "percent"


def next_view(comparison: Comparison, current: View, *, anyway: bool) -> View:
    """The view after ``current`` among those that are allowed."""
    views = allowed_views(comparison, anyway=anyway)
    return views[(views.index(current) + 1) % len(views)] if current in views else views[0]


def guard_words(comparison: Comparison, wanted: View, *, anyway: bool, remedy: str) -> str:
    """Why values may not be compared, and what is done about it; empty where they may.

    Args:
        comparison: the figures.
        wanted: the view that is asked for.
        anyway: whether the user overrode the guard for this view.
        remedy: what overrides it: a key, an option.
    """
    if comparison.comparable:
        return ""
    reasons = ", ".join(comparison.reasons)
    if anyway:
        return _("compared anyway, though not comparable: {reasons}").format(reasons=reasons)
    if wanted in _OF_VALUES:
        return _("{reasons}: changes are shown, not values (for those: {remedy})").format(
            reasons=reasons, remedy=remedy
        )
    return comparison.headline
