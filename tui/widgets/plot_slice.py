"""A vertical slice of a plot.

A partial repaint sends each changed line from the left edge of its widget to the last changed cell, so a cursor at the
right of a wide plot would send almost all of it at every step. In slices it sends a fraction.
"""

from __future__ import annotations

from collections.abc import Callable

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from engine.i18n import active

_SLICES = 5


def slices() -> int:
    """How many slices a plot has.

    One where texts have wide characters: Textual cuts what lies above widgets, such as a notification, at their edges,
    and a wide character across an edge is lost.
    """
    return _SLICES if active() == "en" else 1


class PlotSlice(Widget):
    """Shows its part of the plot's lines.

    Args:
        line: gives the whole line ``y`` of the plot.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    PlotSlice { width: 1fr; height: 1fr; }
    """

    def __init__(self, line: Callable[[int], Strip]) -> None:
        super().__init__()
        self._line = line

    @property
    def left(self) -> int:
        """The plot's column at which this slice begins."""
        parent = self.parent
        return self.region.x - parent.content_region.x if isinstance(parent, Widget) else 0

    def render_line(self, y: int) -> Strip:
        """This slice's part of one line."""
        left = self.left
        return self._line(y).crop(left, left + self.size.width)

    def refresh_cells(self, row: int, first: int, last: int) -> None:
        """Repaint the cells of one row from column ``first`` to ``last`` of the plot, as far as they are in here."""
        left = self.left
        start, end = max(first - left, 0), min(last + 1 - left, self.size.width)
        if start < end:
            self.refresh(Region(start, row, end - start, 1))
