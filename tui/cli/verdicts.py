"""How tables for people show verdicts, and the lines below them that say what the marks mean and rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.cli.cells import Cell

if TYPE_CHECKING:
    from tui.cli.screen import Screen

STYLES = {"better": "green", "worse": "red", "tied": "dim"}

_MARKS = "▲ better, ▼ worse, ≈ no difference shown, no mark: cannot be judged"
_INTERVALS = "95 %: half the width of the change's interval that holds for all checkpoints at once"


def explain(screen: Screen, bases: Sequence[str], *, intervals: bool) -> None:
    """Say what the marks mean and what they are based on, below a table.

    Args:
        screen: where.
        bases: a sentence per sort of evidence; none where nothing was judged.
        intervals: whether the table shows them.
    """
    from tui.cli.screen import wrapped

    for text in (_MARKS, *([_INTERVALS] if intervals else []), *(f"verdicts: {basis}" for basis in bases)):
        for line in wrapped(screen.words(text), screen.width):
            screen.line(Cell(line, "dim"))
