"""From data to finite pieces of line inside the frame, in cells: clipped, thinned out, and dashed where asked."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from tui.plots.scale import LARGEST, drawable

Point = tuple[float, float]
Polyline = list[Point]

# On and off lengths in dots of a braille cell (two across, four down).
DASHED = (3.0, 3.0)
DOTTED = (1.0, 3.0)
DASH_DOT = (9.0, 3.0, 1.0, 3.0)
BASELINE_DASH = 6.0


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of a plot where data is drawn, and how data maps to its cells.

    Cell coordinates count from the centre of the lower left cell: x from 0 to ``width - 1``, y upwards from 0 to
    ``height - 1``.
    """

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    width: int
    height: int

    def cell_x(self, x: float) -> float:
        """The horizontal cell coordinate of ``x``; outside the frame it is beyond 0 to ``width - 1``."""
        return _place(x, self.x_low, self.x_high, self.width)

    def cell_y(self, y: float) -> float:
        """The vertical cell coordinate of ``y``, upwards; outside the frame it is beyond 0 to ``height - 1``."""
        return _place(y, self.y_low, self.y_high, self.height)

    def column(self, x: float) -> int:
        """The column of ``x``, 0 at the left; the nearest one for values outside."""
        return min(max(math.floor(self.cell_x(x) + 0.5), 0), self.width - 1)

    def row(self, y: float) -> int:
        """The row of ``y``, 0 at the top; the nearest one for values outside."""
        return self.height - 1 - min(max(math.floor(self.cell_y(y) + 0.5), 0), self.height - 1)

    def side(self, x: float, y: float) -> str:
        """Where a point lies: ``inside``, ``above``, ``below`` or ``beside`` the frame (half a cell is allowed)."""
        if not -0.5 <= self.cell_x(x) < self.width - 0.5:
            return "beside"
        cell = self.cell_y(y)
        if cell < -0.5:
            return "below"
        return "above" if cell >= self.height - 0.5 else "inside"


def _place(value: float, low: float, high: float, cells: int) -> float:
    if not high > low:
        return (cells - 1) / 2
    # Far outliers are brought near: the slope of a line that leaves the frame is all that is left of them.
    share = (value - low) / (high - low)
    return min(max(share, -1e6), 1e6) * (cells - 1)


def pieces(x: Sequence[float], y: Sequence[float | None]) -> list[Polyline]:
    """The unbroken stretches of a curve, in the order of x; missing and undrawable values break it."""
    order = sorted((position, index) for index, position in enumerate(x) if abs(position) <= LARGEST)
    found: list[Polyline] = []
    open_piece = False
    for position, index in order:
        value = y[index]
        if value is None or not drawable(value):
            open_piece = False
            continue
        if not open_piece:
            found.append([])
            open_piece = True
        found[-1].append((position, value))
    return found


def outline(points: Sequence[Point], width: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The outline of bars that stand on 0.

    Args:
        points: middle and height of each bar, by x.
        width: of the bars; those that touch have no line between them.

    Returns:
        The corners' x and y, in the order of drawing.
    """
    xs: list[float] = []
    ys: list[float] = []
    for x, y in points:
        left = x - width / 2
        if xs and left - xs[-1] < 0.5 * width:
            left = xs[-1]
        else:
            if xs:
                xs.append(xs[-1])
                ys.append(0.0)
            xs.append(left)
            ys.append(0.0)
        xs += [left, x + width / 2]
        ys += [y, y]
    if xs:
        xs.append(xs[-1])
        ys.append(0.0)
    return tuple(xs), tuple(ys)


def to_cells(points: Iterable[Point], frame: Frame) -> Polyline:
    """The points in cell coordinates, which may lie outside the frame."""
    return [(frame.cell_x(x), frame.cell_y(y)) for x, y in points]


def thin(points: Polyline, width: int) -> Polyline:
    """At most two points per column, its least and its greatest, where there are more than ``2 * width``."""
    if len(points) <= 2 * width:
        return points
    kept: Polyline = []
    for _, group in groupby(points, key=lambda point: math.floor(point[0] + 0.5)):
        column = list(group)
        low = min(range(len(column)), key=lambda index: column[index][1])
        high = max(range(len(column)), key=lambda index: column[index][1])
        kept += [column[index] for index in sorted({low, high})]
    return kept


def clip(points: Polyline, width: int, height: int) -> list[Polyline]:
    """What of a curve lies inside the frame, as pieces; a lone point is a piece of one.

    Liang and Barsky, "A new concept and method for line clipping", ACM Transactions on Graphics 3 (1984).
    """
    if len(points) == 1:
        inside = -0.5 <= points[0][0] < width - 0.5 and -0.5 <= points[0][1] < height - 0.5
        return [[_into(points[0], width, height)]] if inside else []
    found: list[Polyline] = []
    for start, end in pairwise(points):
        part = _clip_segment(start, end, width - 1.0, height - 1.0)
        if part is None:
            continue
        if found and found[-1][-1] == part[0]:
            found[-1].append(part[1])
        else:
            found.append(list(part))
    return found


def _into(point: Point, width: int, height: int) -> Point:
    return min(max(point[0], 0.0), width - 1.0), min(max(point[1], 0.0), height - 1.0)


def _clip_segment(start: Point, end: Point, right: float, top: float) -> tuple[Point, Point] | None:
    dx, dy = end[0] - start[0], end[1] - start[1]
    enter, leave = 0.0, 1.0
    for change, room in ((-dx, start[0]), (dx, right - start[0]), (-dy, start[1]), (dy, top - start[1])):
        if change == 0:
            if room < 0:
                return None
        elif change < 0:
            enter = max(enter, room / change)
        else:
            leave = min(leave, room / change)
    if enter > leave:
        return None
    # Rounding may leave an end a hair outside; the frame's own edge is exact.
    first = start if enter == 0 else (start[0] + enter * dx, start[1] + enter * dy)
    last = end if leave == 1 else (start[0] + leave * dx, start[1] + leave * dy)
    return _into(first, int(right) + 1, int(top) + 1), _into(last, int(right) + 1, int(top) + 1)


def dash(points: Polyline, pattern: Sequence[float], *, skip: float = 0.0) -> list[Polyline]:
    """A curve cut into dashes along its length.

    Args:
        points: cell coordinates inside the frame.
        pattern: lengths of dash and gap in braille dots, alternating, an even number of them.
        skip: how far into the pattern the curve starts; negative to start before it.

    Returns:
        The dashes, each a piece of at least one point.
    """
    dashes: list[Polyline] = []
    slot, left = 0, pattern[0]
    ahead = skip % sum(pattern)
    while ahead >= left:
        ahead -= left
        slot = (slot + 1) % len(pattern)
        left = pattern[slot]
    left -= ahead
    current = points[:1]
    for start, end in pairwise(points):
        length = math.hypot(2 * (end[0] - start[0]), 4 * (end[1] - start[1]))
        done = 0.0
        while length - done > left:
            done += left
            share = done / length
            turn = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
            if slot % 2 == 0:
                dashes.append([*current, turn])
            slot = (slot + 1) % len(pattern)
            left = pattern[slot]
            current = [turn]
        left -= length - done
        if slot % 2 == 0:
            current.append(end)
    return [*dashes, current] if slot % 2 == 0 and current else dashes
