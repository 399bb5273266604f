"""Where the columns of a grid lie: widths, gaps, the frozen block and sideways scrolling. Plain arithmetic on cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tui.widgets.grid_model import Column

GUTTER = 2  # cursor and mark
MARGIN = 1  # right of the last column; holds the hint that more columns follow
RULE_SPACE = 3  # blank, rule, blank
_NARROWEST_CUT = 6  # a thinner slice of a text tells nothing
_NARROWEST_FROZEN = 6


@dataclass(frozen=True, slots=True)
class Slot:
    """A painted column: its index, the first cell of its text, the cells it has, and the cell of its rule or -1."""

    column: int
    x: int
    width: int
    rule_x: int = -1

    @property
    def end(self) -> int:
        """The cell after the last one."""
        return self.x + self.width


@dataclass(frozen=True)
class GridLayout:
    """The columns of a grid laid out for one width.

    Attributes:
        available: cells of the widget.
        widths: cells of each column's text.
        spaces: cells before each column's text.
        rules: whether a rule stands before the column.
        texts: whether the column holds text that may be cut by the right edge; a number shown in part would mislead.
        frozen: how many leading columns stay when the table scrolls sideways.
        last_first: the largest useful value of ``first``: from there on all columns fit.
    """

    available: int
    widths: tuple[int, ...]
    spaces: tuple[int, ...]
    rules: tuple[bool, ...]
    texts: tuple[bool, ...]
    frozen: int
    last_first: int = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.widths)
        room = self.available - MARGIN - self._extent(0, self.frozen) - GUTTER
        first, used = count, 0
        while first > self.frozen and used + self._extent(first - 1, first) <= room:
            first -= 1
            used += self._extent(first, first + 1)
        object.__setattr__(self, "last_first", max(self.frozen, min(first, count - 1)))

    def _extent(self, start: int, stop: int) -> int:
        return sum(self.widths[start:stop]) + sum(self.spaces[start:stop])

    @property
    def total(self) -> int:
        """Cells that all columns take with gutter and margin."""
        return GUTTER + self._extent(0, len(self.widths)) + MARGIN

    def slots(self, first: int) -> list[Slot]:
        """The painted columns when ``first`` is the leftmost column after the frozen ones."""
        slots: list[Slot] = []
        limit = self.available - MARGIN
        x = GUTTER
        for column in (*range(self.frozen), *range(max(first, self.frozen), len(self.widths))):
            text_x = x + self.spaces[column]
            width = min(self.widths[column], limit - text_x)
            clipped = width < self.widths[column]
            useful = self.texts[column] and width >= _NARROWEST_CUT
            if width <= 0 or (clipped and not useful and len(slots) > self.frozen):
                break
            slots.append(Slot(column, text_x, width, text_x - 2 if self.rules[column] else -1))
            x = text_x + width
            if clipped:
                break
        return slots

    def hides_right(self, slots: Sequence[Slot]) -> bool:
        """Whether columns on the right are missing or cut."""
        if not slots:
            return bool(self.widths)
        last = slots[-1]
        return last.column < len(self.widths) - 1 or last.width < self.widths[last.column]

    def first_showing(self, column: int, first: int) -> int:
        """The value of ``first`` nearest to the given one that shows ``column`` whole (or as far as there is room)."""
        if column < self.frozen:
            return first
        if column < first:
            return column
        while first < column:
            if any(slot.column == column and slot.width == self.widths[column] for slot in self.slots(first)):
                return first
            first += 1
        return first


def lay_out(columns: Sequence[Column], available: int, frozen: int) -> GridLayout:
    """Share ``available`` cells among the columns.

    Where there is room the gaps are two cells and flexible columns share the rest; else the gaps are one cell, then
    columns shrink towards ``min_width`` in proportion to what they can give, and only then the table scrolls
    sideways. Frozen columns that would take more than half of a scrolling table are narrowed, or let go.
    """
    rules = tuple(column.rule and index > 0 for index, column in enumerate(columns))
    texts = tuple(column.align == "left" for column in columns)
    wanted = [max(1, column.width) for column in columns]
    room = available - GUTTER - MARGIN
    spaces = _spaces(rules, 2)
    if sum(wanted) + sum(spaces) > room:
        spaces = _spaces(rules, 1)
    spare = room - sum(wanted) - sum(spaces)
    frozen = min(frozen, len(columns))
    if spare >= 0:
        widths = _grow(wanted, [column.flex for column in columns], spare)
        return GridLayout(available, tuple(widths), spaces, rules, texts, frozen)
    floors = [
        min(width, max(1, width if column.min_width is None else column.min_width))
        for width, column in zip(wanted, columns, strict=True)
    ]
    widths = _shrink(wanted, floors, -spare)
    missing = sum(widths) + sum(spaces) - room
    while missing > 0 and frozen:
        excess = min(missing, sum(widths[:frozen]) + sum(spaces[:frozen]) - (available // 2 - GUTTER))
        narrow = [min(width, _NARROWEST_FROZEN) for width in widths[:frozen]]
        if excess <= sum(widths[:frozen]) - sum(narrow):
            widths[:frozen] = _shrink(widths[:frozen], narrow, max(0, excess))
            break
        frozen -= 1
    return GridLayout(available, tuple(widths), spaces, rules, texts, frozen)


def _spaces(rules: Sequence[bool], gap: int) -> tuple[int, ...]:
    return tuple(RULE_SPACE if rule else (gap if index else 1) for index, rule in enumerate(rules))


def _grow(widths: list[int], shares: list[int], spare: int) -> list[int]:
    total = sum(shares)
    grown = list(widths)
    for index, share in enumerate(shares):
        if share > 0:
            given = spare * share // total  # what rounding leaves goes to the last share
            grown[index] += given
            spare -= given
            total -= share
    return grown


def _shrink(widths: Sequence[int], floors: Sequence[int], excess: int) -> list[int]:
    slack = [width - floor for width, floor in zip(widths, floors, strict=True)]
    total = sum(slack)
    excess = min(excess, total)
    shrunk = list(widths)
    for index, share in enumerate(slack):
        if share:
            taken = -(-excess * share // total)  # rounded up, so that the sum is exact in the end
            taken = min(taken, share)
            shrunk[index] -= taken
            excess -= taken
            total -= share
    return shrunk
