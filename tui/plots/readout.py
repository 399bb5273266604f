"""The line of words under the cursor."""

from __future__ import annotations

import math

from engine.i18n import gettext as _
from tui.format import number
from tui.plots.spec import Figure, PlotSpec, Series


def readout(figure: Figure, index: int) -> str:
    """What the curves say at one position, and how that differs from the position before.

    Args:
        figure: the plots; only panels with a numeric y are read.
        index: index into ``figure.positions()``.

    Returns:
        For example ``checkpoint 20: δ<1.25 0.3467, +143 % on 19``; several curves are separated by ``│``, and the
        position before is named again only where it differs. Empty where the figure has no such position.
    """
    positions = figure.positions()
    if not 0 <= index < len(positions):
        return ""
    x = positions[index]
    parts: list[str] = []
    before: float | None = None
    for panel in figure.panels:
        for series in panel.series if not panel.y_names else ():
            text, previous = _series(panel, series, x)
            if previous is not None and previous != before:
                text += f" {_('on {place}').format(place=_name(panel, previous))}"
                before = previous
            if text:
                parts.append(text)
    label = next((panel.x_label for panel in figure.panels if panel.x_label), "x")
    place = f"{label} {_name_of(figure, x)}"
    return f"{place}: {' │ '.join(parts) or _('no value')}"


def _series(panel: PlotSpec, series: Series, x: float) -> tuple[str, float | None]:
    """The words for one curve, and the position that its change is against."""
    name = series.label or series.name
    value = previous = None
    for position, y in sorted(series.points()):
        if position == x:
            value = y
        elif position < x:
            previous = (position, y)
    if value is None:
        return (f"{name} –".strip() if x in series.x else ""), None
    text = f"{name} {number(value, panel.digits)}{_reach(panel, series, x)} {panel.unit}".strip()
    if previous is None or previous[1] == 0 or panel.unit == "%" or not panel.changes:
        return text, None
    change = (value - previous[1]) / abs(previous[1]) * 100
    if not math.isfinite(change):
        return text, None
    digits = 0 if abs(change) >= 100 else 1
    return f"{text}, {change:+.{digits}f} %", previous[0]


def _reach(panel: PlotSpec, series: Series, x: float) -> str:
    """Half the width of the band at a position."""
    if series.band is None or x not in series.x:
        return ""
    low, high = (side[series.x.index(x)] for side in series.band)
    return "" if low is None or high is None else f" ±{number((high - low) / 2, panel.digits)}"


def _name(panel: PlotSpec, x: float) -> str:
    return next((name for at, name in panel.x_names if at == x), f"{x:g}")


def _name_of(figure: Figure, x: float) -> str:
    return next((name for panel in figure.panels for at, name in panel.x_names if at == x), f"{x:g}")
