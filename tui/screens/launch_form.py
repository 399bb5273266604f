"""The form of Launch: a line for every field, typed in place, checked in a thread while it is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from tui.evaluations.fields import FIELDS, Kind
from tui.evaluations.form import Form
from tui.evaluations.form_rows import GO, VALUE, FormRows
from tui.screens.form_edit import FieldInput
from tui.widgets.grid import Grid
from tui.widgets.grid_model import EmptySource

if TYPE_CHECKING:
    from engine.evaluation.checks import Checked
    from tui.evaluations.desk import Desk

# Rows from which titles between the groups of fields leave room for all of them.
_TALL = 30


class FormGrid(Grid):
    """The fields; left and right go through choices."""

    class Turned(Message):
        """Left or right was pressed."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    def action_sideways(self, columns: int) -> None:
        """Another choice."""
        self.post_message(self.Turned(columns))


class FormPane(Container):
    """The fields and the line in which one of them is typed.

    Args:
        form: what is filled in.
    """

    class Changed(Message):
        """Something was filled in, or is known to be wrong or right."""

    class Moved(Message):
        """The cursor is on another field, or candidates are to be told."""

        def __init__(self, candidates: tuple[str, ...] = ()) -> None:
            super().__init__()
            self.candidates = candidates

    class Wanted(Message):
        """The plan is asked for, and nothing is known to be wrong."""

        def __init__(self, checked: Checked) -> None:
            super().__init__()
            self.checked = checked

    class _Checked(Message):
        def __init__(self, checked: Checked, values: Mapping[str, object], *, go: bool) -> None:
            super().__init__()
            self.checked = checked
            self.values = values
            self.go = go

    def __init__(self, form: Form) -> None:
        super().__init__(id="launch-form", classes="body")
        self.form = form
        self._drawn = False

    def compose(self) -> ComposeResult:
        """The grid, and above it the line."""
        yield FormGrid(frozen=1, id="form-grid")
        yield FieldInput()

    @property
    def grid(self) -> FormGrid:
        """The fields."""
        return self.query_one(FormGrid)

    @property
    def line(self) -> FieldInput:
        """The line in which a field is typed."""
        return self.query_one(FieldInput)

    @property
    def current(self) -> str:
        """The field under the cursor."""
        return self.grid.cursor_key or ""

    def draw(self, *, plain: bool) -> None:
        """Show what is filled in; a line that is typed follows its field.

        Args:
            plain: ASCII alone.
        """
        size = self.size
        rows = FormRows(self.form, width=size.width, sections=size.height >= _TALL, plain=plain)
        self.grid.set_source(rows)
        self._drawn = True
        if self.line.display:
            self.call_after_refresh(self._place_line)

    def refuse(self, why: str) -> None:
        """Show a sentence in place of the form."""
        self.grid.empty = why
        self.grid.set_source(EmptySource())
        self.grid.refresh()

    def point_at(self, field: str) -> None:
        """Put the cursor on a field."""
        rows = self.grid.source
        found = next((row for row in range(rows.row_count) if rows.row_key(row) == field), -1) if rows else -1
        if found >= 0:
            self.grid.move_cursor(row=found)

    def on_resize(self) -> None:
        """The width decides what is shown beside the values; a line that is typed is taken as it is."""
        if self._drawn:
            if self.line.display:
                self.grid.focus()
            self.post_message(self.Changed())

    def check(self, desk: Desk, *, go: bool = False) -> None:
        """Have the form checked in a thread; with ``go`` the plan is asked for where nothing is wrong."""
        values = self.form.values()

        def work() -> None:
            self.post_message(self._Checked(desk.check(values), values, go=go))

        self.run_worker(work, thread=True, group="check", exclusive=True)

    @on(_Checked)
    def _take(self, event: _Checked) -> None:
        event.stop()
        if event.values != self.form.values():
            return  # it was changed meanwhile, and is being checked again
        self.form.checked = event.checked
        self.post_message(self.Changed())
        if event.go and event.checked.config is not None and not event.checked.mistakes:
            self.post_message(self.Wanted(event.checked))
        elif event.go:
            wrong = self.form.mistakes()
            self.call_after_refresh(self.point_at, wrong[0] if wrong else "")

    def edit(self) -> bool:
        """Type the field under the cursor; returns whether it is one that is typed."""
        field = FIELDS.get(self.current)
        if field is None or field.kind is Kind.CHOICE or not self._place_line():
            return False
        self.line.open(field, self.form.text(field.name))
        return True

    def _place_line(self) -> bool:
        """Lay the line over the value under the cursor; returns whether that is in view."""
        region = self.grid.cell_region(self.grid.cursor_row, VALUE)
        if region is not None:
            self.line.styles.offset = (region.x, region.y)
            self.line.styles.width = region.width
        return region is not None

    @on(FieldInput.Done)
    def _done(self, event: FieldInput.Done) -> None:
        event.stop()
        changed = event.text is not None and self.form.put(event.name, event.text)
        if not self.grid.has_focus:
            self.grid.focus()
        if event.by:
            self.grid.action_step(event.by)
        if changed:
            self.post_message(self.Changed())
        self.post_message(self.Moved())

    @on(FieldInput.Candidates)
    def _candidates(self, event: FieldInput.Candidates) -> None:
        event.stop()
        self.post_message(self.Moved(event.names))

    @on(Grid.Highlighted)
    def _moved(self, event: Grid.Highlighted) -> None:
        event.stop()
        self.post_message(self.Moved())

    def turn(self, by: int) -> None:
        """Another choice of the field under the cursor."""
        name = self.current
        if name in FIELDS and self.form.turn(name, by):
            self.post_message(self.Changed())

    def is_go(self) -> bool:
        """Whether the cursor is on the row that starts."""
        return self.current == GO
