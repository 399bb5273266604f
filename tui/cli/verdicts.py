"""How tables for people show verdicts, and the lines below them that say what the marks mean and rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from engine.i18n import mark
from tui.cli.cells import Cell

if TYPE_CHECKING:
    from tui.cli.screen import Screen

STYLES = {"better": "green", "worse": "red", "tied": "dim"}

_MARKS = mark("▲ better, ▼ worse, ≈ no difference shown, no mark: cannot be judged")
_INTERVALS = mark("95 %: half the width of the change's interval that holds for all checkpoints at once")


def explain(screen: Screen, bases: Sequence[str], *, intervals: bool) -> None:
    """Say what the marks mean and what they are based on, below a table.

    Args:
        screen: where.
        bases: a sentence per sort of evidence; none where nothing was judged.
        intervals: whether the table shows them.
    """
    from tui.cli.screen import wrapped

    based = [_("verdicts: {basis}").format(basis=basis) for basis in bases]
    for text in (_(_MARKS), *([_(_INTERVALS)] if intervals else []), *based):
        for line in wrapped(screen.words(text), screen.width):
            screen.line(Cell(line, "dim"))
