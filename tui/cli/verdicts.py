"""How tables for people show verdicts, and the lines below them that say what the marks mean and rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from engine.i18n import mark
from engine.text import visible
from tui.cli.cells import Cell
from tui.parts import LOSES_MARK, NOTHING_MARK, lost_parts

if TYPE_CHECKING:
    from engine.analysis.losses import Loss
    from engine.catalogue import Metric
    from tui.cli.screen import Screen

STYLES = {"better": "green", "worse": "red", "tied": "dim"}
# Lines on lost parts below a table; the documents hold all.
_MOST_LOSSES = 8

_MARKS = mark("▲ better, ▼ worse, ≈ no difference shown, no mark: cannot be judged")
_INTERVALS = mark("95 %: half the width of the change's interval that holds for all checkpoints at once")


def explain(screen: Screen, bases: Sequence[str], *, intervals: bool, nothing: bool = False) -> None:
    """Say what the marks mean and what they are based on, below a table.

    Args:
        screen: where.
        bases: a sentence per sort of evidence; none where nothing was judged.
        intervals: whether the table shows them.
        nothing: whether the table marks metrics that carry no information.
    """
    said = _("{mark} carries no information: within noise of chance, or near chance by construction")
    lines = [_MARKS, *([said.format(mark=NOTHING_MARK)] if nothing else []), *([_INTERVALS] if intervals else [])]
    for text in (*lines, *(f"verdicts: {basis}" for basis in bases)):
        write(screen, text)


def draw_losses(screen: Screen, losses: Sequence[tuple[str, Metric, Sequence[Loss]]]) -> None:
    """Name the parts of the sample in which what is better as a whole is worse, below a table.

    Args:
        screen: where.
        losses: whose, in which metric, which parts.
    """
    if not losses:
        return
    write(screen, _("{mark} better as a whole, but worse in a part:").format(mark=LOSES_MARK))
    for name, metric, parts in losses[:_MOST_LOSSES]:
        write(screen, f"  {visible(name)}  {metric.title}: {lost_parts(parts, changes=True)}")
    if len(losses) > _MOST_LOSSES:
        write(screen, "  " + _("and {count} more: see --format json").format(count=len(losses) - _MOST_LOSSES))


def write(screen: Screen, text: str) -> None:
    """A dim line of the program's own, broken where it is too long."""
    from tui.cli.screen import wrapped

    indent = text[: len(text) - len(text.lstrip())]
    for line in wrapped(screen.words(text.lstrip()), screen.width, indent):
        screen.line(Cell(line, "dim"))
