"""What a plot tells its screen, and what its thread tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from tui.plots.drawing import Drawing

if TYPE_CHECKING:
    from tui.widgets.plot import PlotView


class PlotMessage(Message, namespace="plot_view"):
    """A message of a plot.

    Attributes:
        plot: the widget.
    """

    def __init__(self, plot: PlotView) -> None:
        super().__init__()
        self.plot = plot

    @property
    def control(self) -> PlotView:
        """The widget that sent it."""
        return self.plot


class CursorMoved(PlotMessage, namespace="plot_view"):
    """The cursor stands at another position.

    Attributes:
        index: index into ``figure.positions()``.
        x: the position.
        text: the readout.
    """

    def __init__(self, plot: PlotView, index: int, x: float, text: str) -> None:
        super().__init__(plot)
        self.index, self.x, self.text = index, x, text


class Drawn(PlotMessage, namespace="plot_view"):
    """The plots of the current page are on the screen, or the reason why they are not."""


class DrawingsReady(Message, bubble=False, namespace="plot_view"):
    """A thread has finished the drawings of one request, or says why it could not.

    Attributes:
        request: the number of the request.
        drawings: one per panel of the page; empty where there was a problem.
        problem: why nothing could be drawn, or empty.
    """

    def __init__(self, request: int, drawings: tuple[Drawing, ...], problem: str = "") -> None:
        super().__init__()
        self.request, self.drawings, self.problem = request, drawings, problem
