"""Axes, ticks and the grid of a plot."""

from __future__ import annotations

from rich.cells import cell_len

from tui.plots import scale
from tui.plots.drawing import cut
from tui.plots.place import Place
from tui.plots.signs import Signs

_CELLS_PER_TICK = 6


def draw_axes(place: Place, signs: Signs) -> None:
    """The left and the lower axis with their ticks and labels, and a dotted grid at the height of the ticks."""
    canvas, frame = place.canvas, place.frame
    axis = place.left - 1
    for row in range(place.top, place.bottom):
        canvas.put(row, axis, signs.vertical, "axis")
    taken: set[int] = set()
    for value, label in zip(place.y_ticks.values, place.y_labels, strict=True):
        row = place.top + frame.row(value)
        if row in taken:
            continue
        taken.add(row)
        canvas.text(row, axis - cell_len(label), label, "axis")
        canvas.put(row, axis, signs.tick_left, "axis")
        for column in range(place.left + 1, canvas.width, 2):
            canvas.put(row, column, signs.grid, "grid")
    canvas.put(place.bottom, axis, signs.corner, "axis")
    for column in range(place.left, canvas.width):
        canvas.put(place.bottom, column, signs.horizontal, "axis")
    end = _x_ticks(place, signs)
    _x_label(place, end)


def _x_ticks(place: Place, signs: Signs) -> int:
    """Ticks of the lower axis, as many as fit; returns the column where the last label ends."""
    canvas, frame = place.canvas, place.frame
    found = scale.Ticks((), ())
    for count in range(max(2, frame.width // _CELLS_PER_TICK), 0, -1):
        found = scale.ticks(frame.x_low, frame.x_high, count, integer=place.spec.x_is_integer)
        if len(found.values) < 2:
            break
        if frame.column(found.values[1]) - frame.column(found.values[0]) >= max(map(len, found.labels)) + 2:
            break
    end = 0
    for value, label in zip(found.values, found.labels, strict=True):
        column = place.left + frame.column(value)
        start = min(max(column - len(label) // 2, 0), canvas.width - len(label))
        if start >= end:
            canvas.put(place.bottom, column, signs.tick_down, "axis")
            canvas.text(place.bottom + 1, start, label, "axis")
            end = start + len(label) + 1
    return end


def _x_label(place: Place, end: int) -> None:
    canvas = place.canvas
    label = canvas.words(place.spec.x_label)
    size = cell_len(label)
    if place.x_row:
        start = place.left + max(0, (place.frame.width - size) // 2)
        canvas.text(
            place.bottom + 2 + place.box_rows, start, cut(label, canvas.width - start, plain=canvas.plain), "note"
        )
    elif label and end + 1 + size <= canvas.width:
        canvas.text(place.bottom + 1, canvas.width - size, label, "note")
