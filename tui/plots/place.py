"""Where the data area of a plot lies on its canvas, and what its axes span."""

from __future__ import annotations

from rich.cells import cell_len

from tui.plots import scale
from tui.plots.drawing import Canvas, cut
from tui.plots.lines import Frame, Point
from tui.plots.spec import PlotSpec

_LABEL_ROW_FROM = 12  # rows from which x gets a line for its label
_BOXES_FROM = 7  # rows from which there is room for a box
_LEAST_COLUMNS = 12


class Place:
    """The data area of one plot.

    Args:
        spec: what to draw; at least one of its points can be drawn.
        canvas: at least 20 x 5 cells.

    Attributes:
        points: the points of each series that can be drawn.
        frame: how data maps to cells of the data area.
        left: column of its first cell; the vertical axis stands one column before.
        top: row of its first cell.
        bottom: row of the horizontal axis; the ticks' labels stand one row below.
        box_rows: rows for boxes below those.
        x_row: whether x has a row for its label below those.
        y_ticks: ticks of the vertical axis.
        y_labels: what is written there.
    """

    def __init__(self, spec: PlotSpec, canvas: Canvas) -> None:
        self.spec, self.canvas = spec, canvas
        self.points: list[list[Point]] = [
            [(x, y) for x, y in series.points() if scale.drawable(x) and scale.drawable(y)] for series in spec.series
        ]
        self.top = 1 if spec.title or spec.y_label or spec.note else 0
        self.x_row = bool(spec.x_label) and canvas.height >= _LABEL_ROW_FROM
        self.box_rows = 0 if spec.y_names else min(len(spec.boxes), max(0, canvas.height - _BOXES_FROM))
        rows = canvas.height - self.top - 2 - self.box_rows - self.x_row
        self.bottom = self.top + rows
        y_low, y_high, self.y_ticks = self._y_scale(rows)
        labels = [canvas.words(label) for label in self.y_ticks.labels]
        room = min(max(map(cell_len, labels), default=0), canvas.width - 1 - _LEAST_COLUMNS)
        self.y_labels = [cut(label, room, plain=canvas.plain) for label in labels]
        self.left = room + 1
        x_low, x_high = self._x_limits()
        self.frame = Frame(x_low, x_high, y_low, y_high, canvas.width - self.left, rows)

    def at(self, x: float, y: float) -> tuple[int, int]:
        """Row and column on the canvas of a point inside the frame."""
        return self.top + self.frame.row(y), self.left + self.frame.column(x)

    def shows_x(self, x: float) -> bool:
        """Whether a vertical line at ``x`` is inside the frame."""
        return scale.drawable(x) and self.frame.x_low <= x <= self.frame.x_high

    def shows_y(self, y: float) -> bool:
        """Whether a horizontal line at ``y`` is inside the frame."""
        return scale.drawable(y) and self.frame.side(self.frame.x_low, y) == "inside"

    def covered(self, row: int, column: int, length: int) -> int:
        """How many cells of data a text there would cover or touch; ``length`` and more where it leaves the frame."""
        if not self.top <= row < self.bottom or column < self.left or column + length > self.canvas.width:
            return length + 2
        first, last = max(column - 1, self.left), min(column + length + 1, self.canvas.width)
        return self.canvas.covered(row, first, last - first)

    def _x_limits(self) -> tuple[float, float]:
        xs = [x for points in self.points for x, _ in points]
        xs += [
            x + half
            for series, points in zip(self.spec.series, self.points, strict=True)
            if series.style == "steps"
            for x, _ in points
            for half in (-series.width / 2, series.width / 2)
        ]
        if not self.spec.x_is_integer:
            lines = [line.x for line in self.spec.vlines if scale.drawable(line.x)]
            low, high = scale.extent(xs, lines)
            return scale.padded(low, high, scale.WIDE_MARGIN) if self.spec.y_names else scale.padded(low, high)
        # Checkpoints without a value have their place too.
        xs += [x for series in self.spec.series for x in series.x if scale.drawable(x)]
        low, high = min(xs), max(xs)
        return (low, high) if high > low else (low - 1, high + 1)

    def _y_scale(self, rows: int) -> tuple[float, float, scale.Ticks]:
        names = self.spec.y_names
        if names:
            places = scale.Ticks(tuple(map(float, range(len(names)))), names)
            return *scale.name_scale(len(names), rows), places
        given = self.spec.y_limits
        if given and scale.drawable(given[0]) and scale.drawable(given[1]) and given[0] < given[1]:
            return scale.row_scale(*given, rows)
        ys = [y for points in self.points for _, y in points]
        references = [line.y for line in self.spec.hlines if scale.drawable(line.y)]
        # A wide band does not squeeze its curve into a few rows: it leaves the frame.
        ends = (end for series in self.spec.series for side in series.band or () for end in side)
        references += [end for end in ends if end is not None and scale.drawable(end)]
        return scale.row_scale(*scale.extent(ys, references), rows)
