"""A list in which several lines are marked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.i18n import gettext as _
from engine.text import visible
from tui.evaluations.job_rows import TextRows
from tui.format import plain_text
from tui.widgets.grid import Cell, Column, Grid


class MarkDialog(ModalScreen[tuple[str, ...] | None]):
    """Names to mark. Returns the marked ones in their order, or None.

    Args:
        title: what is asked.
        names: what there is; outside text.
        marked: those that are marked at first.
        plain: ASCII alone.
    """

    BINDINGS: ClassVar = [
        Binding("escape,q", "cancel", "cancel", show=False),
        Binding("space", "mark", "mark", show=False),
        Binding("a", "all", "all or none", show=False),
        Binding("i", "invert", "the others", show=False),
    ]

    def __init__(self, title: str, names: Sequence[str], marked: Collection[str], *, plain: bool) -> None:
        super().__init__()
        self._title = title
        self._names = list(names)
        self._marked = {row for row, name in enumerate(self._names) if name in marked}
        self._plain = plain

    def compose(self) -> ComposeResult:
        """Title, list, keys."""
        with Vertical(classes="dialog", id="mark"):
            yield Static(Content(visible(self._title)), classes="dialog-title")
            yield Grid(frozen=1, id="mark-grid")
            yield Static(id="line-hint")

    def on_mount(self) -> None:
        """Show the names."""
        grid = self.query_one(Grid)
        rows = [(Cell(name),) for name in self._names]
        columns = (Column("name", _("checkpoint"), 30, flex=1, ellipsis="middle"),)
        grid.set_source(TextRows(columns, rows, plain=self._plain))
        grid.styles.height = min(len(rows) + 1, 16)
        grid.focus()
        self._draw()

    def _draw(self) -> None:
        self.query_one(Grid).set_marked({str(row) for row in self._marked})
        keys = _("{count} of {all} · space mark · a all/none · i invert · enter take · esc cancel")
        text = keys.format(count=len(self._marked), all=len(self._names))
        self.query_one("#line-hint", Static).update(Content(plain_text(text) if self._plain else text))

    def action_mark(self) -> None:
        """Mark the line under the cursor or take its mark away, and go on."""
        grid = self.query_one(Grid)
        self._marked ^= {grid.cursor_row}
        grid.move_cursor(row=min(grid.cursor_row + 1, len(self._names) - 1))
        self._draw()

    def action_all(self) -> None:
        """All or none."""
        self._marked = set() if self._marked else set(range(len(self._names)))
        self._draw()

    def action_invert(self) -> None:
        """The others."""
        self._marked = set(range(len(self._names))) - self._marked
        self._draw()

    def on_grid_selected(self, event: Grid.Selected) -> None:
        """Take what is marked; nothing marked is no choice."""
        event.stop()
        if self._marked:
            self.dismiss(tuple(self._names[row] for row in sorted(self._marked)))

    def action_cancel(self) -> None:
        """Leave everything as it was."""
        self.dismiss(None)
