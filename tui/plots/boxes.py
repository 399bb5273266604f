"""Boxes of distributions, a line each: below the axis, or in the row of their name."""

from __future__ import annotations

from tui.plots import scale
from tui.plots.place import Place
from tui.plots.signs import Signs
from tui.plots.spec import Box, Series


def draw_boxes(place: Place, signs: Signs) -> None:
    """Draw the boxes that there is room for, as far as they are inside the frame; before each its curve's sign."""
    spec = place.spec
    if spec.y_names:
        for box in spec.boxes:
            _draw(place, signs, box, place.top + place.frame.row(float(box.row)))
        return
    for index, box in enumerate(spec.boxes[: place.box_rows]):
        row = place.bottom + 2 + index
        _draw(place, signs, box, row)
        sign = signs.legend(Series("", (), (), box.role))[: place.left]
        place.canvas.text(row, max(0, place.left - 1 - len(sign)), sign, box.role)


def _draw(place: Place, signs: Signs, box: Box, row: int) -> None:
    values = (box.low, box.first, box.middle, box.third, box.high)
    if not all(map(scale.drawable, values)):
        return
    canvas, frame = place.canvas, place.frame
    low, first, middle, third, high = (place.left + frame.column(value) for value in values)
    start, whisker, body, median, end, before, beyond = signs.box
    for column in range(low, high + 1):
        canvas.put(row, column, whisker, box.role)
    # A whisker that goes on beyond the frame ends in an arrow there.
    canvas.put(row, low, start if box.low >= frame.x_low else before, box.role)
    canvas.put(row, high, end if box.high <= frame.x_high else beyond, box.role)
    for column in range(first, third + 1):
        canvas.put(row, column, body, box.role)
    if place.shows_x(box.middle):
        canvas.put(row, middle, median, "text")
