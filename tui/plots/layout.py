"""How the panels of a figure share a rectangle of cells, and in how many pages."""

from __future__ import annotations

import math
from dataclasses import dataclass

TWO_COLUMNS_FROM = 100
THREE_COLUMNS_FROM = 150
PANEL_ROWS = 12
_GAP = 2


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of cells."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The boxes of each page, in reading order."""

    pages: tuple[tuple[Box, ...], ...]

    def page_of(self, panel: int) -> int:
        """The page on which the ``panel``-th panel (0-based) stands; the last page where there are fewer panels."""
        seen = 0
        for page, boxes in enumerate(self.pages):
            seen += len(boxes)
            if panel < seen:
                return page
        return max(0, len(self.pages) - 1)


def arrange(count: int, width: int, height: int) -> Layout:
    """Boxes for ``count`` panels in ``width`` x ``height`` cells.

    Two columns from 100 cells (three for three panels from 150), as many rows of 12 lines as fit, one page after
    another where they do not.
    """
    columns = 1
    if count > 1 and width >= TWO_COLUMNS_FROM:
        columns = 3 if count == 3 and width >= THREE_COLUMNS_FROM else 2
    rows = min(max(1, height // PANEL_ROWS), max(1, math.ceil(count / columns)))
    per_page = columns * rows
    pages = []
    for first in range(0, count, per_page):
        members = min(per_page, count - first)
        page_columns = min(columns, members)
        page_rows = math.ceil(members / page_columns)
        pages.append(tuple(_box(index, members, page_columns, page_rows, width, height) for index in range(members)))
    return Layout(tuple(pages))


def _box(index: int, members: int, columns: int, rows: int, width: int, height: int) -> Box:
    row, column = divmod(index, columns)
    top = height * row // rows
    bottom = height * (row + 1) // rows
    if index == members - 1 and column == 0 and columns > 1:
        return Box(0, top, width, bottom - top)  # alone in its row: it takes the row
    usable = width - _GAP * (columns - 1)
    left = usable * column // columns + _GAP * column
    right = usable * (column + 1) // columns + _GAP * column
    return Box(left, top, right - left, bottom - top)
