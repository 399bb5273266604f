"""What a table for people is made of. Free of rich: a document for programs needs none of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tui.text import Align


class Cell(NamedTuple):
    """Text with a rich style."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        head: its heading.
        align: where its cells stand.
        outside: cells hold text from outside: it is shown literally, and cut in the middle where room is short.
        least: the fewest cells that such a column is cut down to.
        rank: columns of a higher rank are left out first where the table is still too wide; 0 always stays.
        gap: spaces before it.
        group: headings above this column and the following ones without any; a line is drawn before it.
    """

    head: str
    align: Align = "left"
    outside: bool = False
    least: int = 12
    rank: int = 0
    gap: int = 2
    group: tuple[str, ...] = ()

    @property
    def lead(self) -> int:
        """Cells before the column: the gap, or a line with a space on both sides."""
        return 3 if self.group else self.gap


# A cell per column, or a heading across all of them.
Row = Sequence[Cell | str] | Cell
