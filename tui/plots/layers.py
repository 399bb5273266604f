"""The data of a plot, from the back to the front: bands, vertical lines, horizontal lines, curves and clouds."""

from __future__ import annotations

import math
from collections.abc import Iterable

from engine.i18n import ngettext
from tui.plots import lines
from tui.plots.lines import Point, Polyline
from tui.plots.place import Place
from tui.plots.raster import BRAILLE, merge_braille, raster
from tui.plots.scale import drawable
from tui.plots.signs import Signs
from tui.plots.spec import HLine, Series, band_role

_STAMP_EVERY = 6  # columns


def draw_layers(place: Place, signs: Signs) -> tuple[str, ...]:
    """Draw everything but markers and words.

    Returns:
        What lies outside the frame, in words.
    """
    for series in place.spec.series:
        _band(place, signs, series)
    for line in place.spec.vlines:
        if place.shows_x(line.x):
            for row in range(place.top, place.bottom):
                place.canvas.put(row, place.left + place.frame.column(line.x), signs.vline, line.role)
    behind = _hlines(place, signs)
    for series, points in zip(place.spec.series, place.points, strict=True):
        if series.style == "scatter":
            for point in points:
                if place.frame.side(*point) == "inside":
                    place.canvas.put(*place.at(*point), signs.point(series.role), series.role)
        else:
            _curve(place, signs, series, points, behind)
    return _outside(place, signs)


def _band(place: Place, signs: Signs, series: Series) -> None:
    """Fill the cells between both ends of a band; between two checkpoints the ends are joined by lines."""
    if series.band is None:
        return
    frame, role = place.frame, band_role(series.role)
    before: tuple[float, float, float] | None = None
    for x, low, high in zip(series.x, *series.band, strict=True):
        if low is None or high is None or not all(map(drawable, (x, low, high))):
            before = None
            continue
        here = frame.cell_x(x), frame.cell_y(low), frame.cell_y(high)
        start = here if before is None else before
        for column in range(max(0, _cell(start[0])), min(frame.width - 1, _cell(here[0])) + 1):
            share = (column - start[0]) / (here[0] - start[0]) if here[0] > start[0] else 1.0
            bottom, top = (a + min(max(share, 0.0), 1.0) * (b - a) for a, b in zip(start[1:], here[1:], strict=True))
            _fill(place, column, bottom, top, signs.band, role)
        before = here


def _fill(place: Place, column: int, bottom: float, top: float, sign: str, role: str) -> None:
    """The cells of a column from one height to another, in cells from the lower edge."""
    last = place.frame.height - 1
    if top < -0.5 or bottom >= last + 0.5:
        return
    for height in range(_cell(max(bottom, 0.0)), _cell(min(top, float(last))) + 1):
        place.canvas.put(place.top + last - height, place.left + column, sign, role)


def _cell(coordinate: float) -> int:
    return math.floor(coordinate + 0.5)


def _hlines(place: Place, signs: Signs) -> set[tuple[int, int]]:
    """Horizontal lines; dashes of several baselines alternate, so that equal ones are all seen. Returns their cells."""
    shown = [line for line in place.spec.hlines if place.shows_y(line.y)]
    dashed = [line for line in shown if line.style == "dashed"]
    on = lines.BASELINE_DASH
    pattern = (on, max(4.0, on * (min(len(dashed), 3) - 1)))
    cells: set[tuple[int, int]] = set()
    for line in shown:
        if line.style == "dashed":
            pieces = lines.dash(_level(place, line), pattern, skip=-on * (dashed.index(line) % 3))
        else:
            pieces = lines.dash(_level(place, line), lines.DOTTED)
        cells |= _stamp(place, pieces, signs.hline(line.style), line.role, set())
    return cells


def _level(place: Place, line: HLine) -> Polyline:
    level = min(max(place.frame.cell_y(line.y), 0.0), place.frame.height - 1.0)
    return [(0.0, level), (place.frame.width - 1.0, level)]


def _curve(place: Place, signs: Signs, series: Series, points: Iterable[Point], behind: set[tuple[int, int]]) -> None:
    pattern = lines.DASHED if series.style == "dashed" else signs.pattern(series.role)
    outline = lines.outline(sorted(points), series.width) if series.style == "steps" else None
    pieces = _pieces(place, *outline) if outline else _pieces(place, series.x, series.y)
    if pattern:
        pieces = [dash for piece in pieces for dash in lines.dash(piece, pattern)]
    _stamp(place, pieces, signs.curve(series.role), series.role, behind)
    sign = signs.stamp(series.role)
    last = -_STAMP_EVERY
    for point in sorted(points) if sign else ():
        row, column = place.at(*point)
        if column - last >= _STAMP_EVERY and place.frame.side(*point) == "inside":
            place.canvas.put(row, column, sign, series.role)
            last = column


def _pieces(place: Place, x: tuple[float, ...], y: tuple[float | None, ...]) -> list[Polyline]:
    frame = place.frame
    found: list[Polyline] = []
    for piece in lines.pieces(x, y):
        points = lines.thin(lines.to_cells(piece, frame), frame.width)
        found += lines.clip(points, frame.width, frame.height)
    return found


def _stamp(
    place: Place, pieces: list[Polyline], sign: str, role: str, behind: set[tuple[int, int]]
) -> set[tuple[int, int]]:
    """Draw pieces of line; dots join those of a curve in the same cell, but replace those of a line behind it."""
    canvas, frame = place.canvas, place.frame
    cells: set[tuple[int, int]] = set()
    for row, text in enumerate(raster(pieces, frame.width, frame.height, sign), place.top):
        for column, char in enumerate(text, place.left):
            if char == " ":
                continue
            cell = row, column
            below = canvas.chars[row][column] if sign == BRAILLE and cell not in behind else ""
            canvas.put(row, column, merge_braille(below, char), role)
            cells.add(cell)
    behind -= cells
    return cells


def _outside(place: Place, signs: Signs) -> tuple[str, ...]:
    """Arrows at the edge for points above and below the frame, and the words for the heading."""
    frame = place.frame
    counts = {"above": 0, "below": 0, "beside": 0}
    for series, points in zip(place.spec.series, place.points, strict=True):
        for x, y in points:
            side = frame.side(x, y)
            if side == "inside":
                continue
            counts[side] += 1
            if side != "beside":
                row, arrow = (place.top, signs.above) if side == "above" else (place.bottom - 1, signs.below)
                place.canvas.put(row, place.left + frame.column(x), arrow, series.role)
    return tuple(_count_outside(side, count) for side, count in counts.items() if count)


def _count_outside(side: str, count: int) -> str:
    if side == "above":
        text = ngettext("{count} point above the frame", "{count} points above the frame", count)
    elif side == "below":
        text = ngettext("{count} point below the frame", "{count} points below the frame", count)
    else:
        text = ngettext("{count} point beside the frame", "{count} points beside the frame", count)
    return text.format(count=count)
