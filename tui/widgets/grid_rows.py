"""Which rows the cursor may stand on."""

from __future__ import annotations

from tui.widgets.grid_model import GridSource


def nearest_row(source: GridSource, row: int, step: int) -> int:
    """The first row that is no heading from ``row`` on in steps of ``step`` (1 or -1), inside the table, or -1."""
    count = source.row_count
    row = max(0, min(row, count - 1))
    while 0 <= row < count:
        if source.row_kind(row) != "heading":
            return row
        row += step
    return -1


def find_key(source: GridSource, key: str, hint: int) -> int:
    """The row with ``key``, looked for at ``hint`` first, or -1."""
    count = source.row_count
    if 0 <= hint < count and source.row_key(hint) == key:
        return hint
    return next((row for row in range(count) if source.row_key(row) == key), -1)


def first_heading_above(source: GridSource, row: int) -> int:
    """The topmost of the headings that stand directly above ``row``; ``row`` itself where there is none."""
    while row > 0 and source.row_kind(row - 1) == "heading":
        row -= 1
    return row
