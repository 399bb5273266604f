"""Markers and the words inside a plot, each placed where it covers nothing."""

from __future__ import annotations

from rich.cells import cell_len

from engine.i18n import gettext as _
from tui.plots import scale
from tui.plots.place import Place
from tui.plots.signs import Signs
from tui.plots.spec import BEST, Marker

Spot = tuple[int, int]


def draw_labels(place: Place, signs: Signs) -> tuple[str, ...]:
    """Markers with their values, and the words of lines.

    Returns:
        What found no place and has to be said elsewhere.
    """
    shown = [marker for marker in place.spec.markers if _shown(place, marker)]
    for marker in shown:
        place.canvas.put(*place.at(marker.x, marker.y), signs.marker(marker.role), marker.role)
    for marker in shown:
        _marker_text(place, marker)
    homeless = _hline_texts(place, signs)
    for line in place.spec.vlines:
        text = place.canvas.words(line.text)
        if text and place.shows_x(line.x):
            column = place.left + place.frame.column(line.x)
            rows = (place.top, place.top + 1)
            sides = [(row, at) for row in rows for at in (column + 2, column - 1 - cell_len(text))]
            _write(place, text, line.role, sides)
    return homeless


def _shown(place: Place, marker: Marker) -> bool:
    drawable = scale.drawable(marker.x) and scale.drawable(marker.y)
    return drawable and place.frame.side(marker.x, marker.y) == "inside"


def _marker_text(place: Place, marker: Marker) -> None:
    text = place.canvas.words(marker.text)
    size = cell_len(text)
    if not text:
        return
    row, column = place.at(marker.x, marker.y)
    spots = [(row, column + 2), (row, column - 1 - size)]
    if not place.spec.y_names:  # beside a name, another row would be another name's
        spots += [(row + step, column - shift) for step in (-1, 1, -2, 2) for shift in (size // 2, 0, size - 1)]
    costs = [place.covered(*spot, size) for spot in spots]
    least = min(costs)
    # The best value may cover a bit of curve where there is no free place; other words may not.
    if least == 0 or (least <= size and marker.role == BEST):
        place.canvas.text(*spots[costs.index(least)], text, marker.role)


def _hline_texts(place: Place, signs: Signs) -> tuple[str, ...]:
    """Words beside their line; at the edge with an arrow for a line outside the frame."""
    canvas, frame = place.canvas, place.frame
    homeless = []
    for line in place.spec.hlines:
        if not scale.drawable(line.y) or not line.text:
            continue
        side = frame.side(frame.x_low, line.y)
        row = place.top + frame.row(line.y)
        if side == "inside":
            text = canvas.words(line.text)
            right = canvas.width - cell_len(text)
            spots = [(row - 1, right), (row + 1, right), (row - 1, place.left + 1), (row + 1, place.left + 1)]
        else:
            text = canvas.words(f"{signs.above if side == 'above' else signs.below} {line.text}")
            right = canvas.width - cell_len(text)
            inward = row + (1 if side == "above" else -1)
            spots = [(row, right), (row, place.left + 1), (inward, right), (inward, place.left + 1)]
        if not _write(place, text, line.role, spots) and side != "inside":
            said = _("{line} is above") if side == "above" else _("{line} is below")
            homeless.append(said.format(line=line.text))
    return tuple(homeless)


def _write(place: Place, text: str, role: str, spots: list[Spot]) -> bool:
    """Write at the first free spot; whether there was one."""
    size = cell_len(text)
    spot = next((spot for spot in spots if place.covered(*spot, size) == 0), None)
    if spot is not None:
        place.canvas.text(*spot, text, role)
    return spot is not None
