"""A vertical cursor laid over a finished drawing, so that moving it draws nothing anew."""

from __future__ import annotations

from tui.plots.drawing import Drawing
from tui.plots.scale import drawable
from tui.plots.signs import signs_for
from tui.plots.spec import BEST, PlotSpec

Cell = tuple[int, int]

_LINE_ROWS = 18


def cursor_cells(drawing: Drawing, spec: PlotSpec, x: float, *, line: bool = True) -> dict[Cell, tuple[str, str]]:
    """The cells that a cursor at ``x`` changes.

    Args:
        drawing: the plot as it is.
        spec: what it shows.
        x: where the cursor stands.
        line: whether a dotted line joins the axis and the points; else only those two are marked.

    Returns:
        (row, column) -> (character, role): a caret on the axis, a dot on every curve that has a value at ``x``, and a
        dotted line on free cells. Empty where ``x`` lies outside the plot.
    """
    column = drawing.column(x)
    frame = drawing.frame
    if column is None or frame is None or spec.y_names:
        return {}
    signs = signs_for(plain=drawing.plain)
    cells: dict[Cell, tuple[str, str]] = {}
    # Every other row: half the bytes of a full line, and still a line to the eye. A tall plot does with the marks.
    line = line and frame.height <= _LINE_ROWS
    for row in range(drawing.top + frame.height - 2, drawing.top - 1, -2) if line else ():
        if drawing.roles[row][column] in ("", "grid"):
            cells[row, column] = (signs.vline, "axis")
    for series in spec.series:
        for position, value in series.points():
            row = drawing.top + frame.row(value) if drawable(value) and position == x else -1
            # The diamond of the best checkpoint stays.
            if row >= 0 and drawing.roles[row][column] != BEST and frame.side(position, value) == "inside":
                cells[row, column] = (signs.cursor, series.role)
    cells[drawing.top + frame.height, column] = (signs.caret, "axis")
    return cells
