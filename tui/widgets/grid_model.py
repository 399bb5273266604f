"""What a grid shows: cells, columns and the source that hands them out row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tui.text import Align

#: Style roles that a cell may name; each has the component class ``grid--<role>``.
ROLES = ("better", "worse", "tied", "muted", "accent", "warning", "error", "heading", "best", "mark")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: literal text and the name of a style role (one of `ROLES`, or empty for plain text)."""

    text: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: identity, unique within a source.
        title: header text.
        width: wanted width of the text in cells, without the gap to the neighbours.
        align: of title and cells.
        group: super-header shared by neighbouring columns with the same text.
        min_width: how narrow the column may become before the table scrolls sideways; ``None`` means ``width``.
        flex: share of the width that is left over; 0 keeps ``width``.
        rule: a vertical rule before this column.
        ellipsis: where text that is too long loses characters: at its end, or in its middle (names).
    """

    key: str
    title: str
    width: int
    align: Align = "left"
    group: str = ""
    min_width: int | None = None
    flex: int = 0
    rule: bool = False
    ellipsis: Literal["end", "middle"] = "end"


class GridSource(Protocol):
    """Rows for a grid. Only visible rows are asked for, each time they are painted, so `cells` must be cheap."""

    @property
    def columns(self) -> Sequence[Column]:
        """The columns, from left to right."""

    @property
    def row_count(self) -> int:
        """How many rows there are, headings included."""

    def cells(self, row: int) -> Sequence[Cell]:
        """The cells of a row, one per column (missing ones stay blank); of a heading the first cell is the title."""

    def row_key(self, row: int) -> str:
        """The identity of a row: the cursor stays on it when the source is replaced."""

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        """``heading`` for a title across all columns, which the cursor skips."""


class EmptySource:
    """No rows and no columns: the grid shows its ``empty`` text alone."""

    columns: Sequence[Column] = ()
    row_count = 0

    def cells(self, row: int) -> Sequence[Cell]:
        """Never asked for."""
        raise IndexError(row)

    def row_key(self, row: int) -> str:
        """Never asked for."""
        raise IndexError(row)

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        """Never asked for."""
        raise IndexError(row)
