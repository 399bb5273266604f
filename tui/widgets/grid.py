"""The virtual table of the app: only visible lines are formatted, and a cursor move repaints two of them."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from textual import events
from textual.binding import Binding, BindingType

from tui.widgets import grid_messages as messages
from tui.widgets.grid_model import Cell, Column, GridSource
from tui.widgets.grid_rows import find_key, nearest_row
from tui.widgets.grid_view import GridView

__all__ = ["Cell", "Column", "Grid", "GridSource"]


class Grid(GridView):
    """A table over a `GridSource`.

    The cursor is a row or a cell, never stands on a heading, and follows its row's key when the source is replaced.
    Columns shrink before the table scrolls sideways, and it scrolls by whole columns.

    Args:
        frozen: how many leading columns stay when the table scrolls sideways.
        cursor: whether left and right scroll (``row``) or move a cell cursor (``cell``).
        empty: text shown in the middle when there are no rows.
        id: the widget's id.
        classes: the widget's CSS classes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "Row up", show=False),
        Binding("down,j", "step(1)", "Row down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("ctrl+home,g", "edge(-1)", "First row", show=False),
        Binding("ctrl+end,G", "edge(1)", "Last row", show=False),
        Binding("home", "line_edge(-1)", "First row or column", show=False),
        Binding("end", "line_edge(1)", "Last row or column", show=False),
        Binding("left,h", "sideways(-1)", "Left", show=False),
        Binding("right,l", "sideways(1)", "Right", show=False),
        Binding("enter", "select", "Open", show=False),
    ]

    Highlighted: TypeAlias = messages.Highlighted
    Selected: TypeAlias = messages.Selected
    HeaderSelected: TypeAlias = messages.HeaderSelected

    def __init__(
        self,
        *,
        frozen: int = 1,
        cursor: Literal["row", "cell"] = "row",
        empty: str = "",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(frozen=frozen, cell_cursor=cursor == "cell", empty=empty, id=id, classes=classes)
        self._announced: tuple[int, str, int] | None = None
        self._click_moved = False

    # -- contents ----------------------------------------------------------------------------------------------------

    def set_source(self, source: GridSource, *, keep_cursor: bool = True) -> None:
        """Show other rows.

        Args:
            source: the rows.
            keep_cursor: stay on the row and column with the same keys, at the same height on the screen; where they
                are gone, on the same index. Otherwise start again at the top left.
        """
        key, row, height = self.cursor_key, self._row, self._row - self.scroll_offset.y
        column_key = self._columns[self._column].key if self._column < len(self._columns) else None
        self._source = source
        self._columns = tuple(source.columns)
        keys = [column.key for column in self._columns]
        if not keep_cursor:
            self._column, self._first = 0, 0
        elif column_key in keys:
            self._column = keys.index(column_key)
        found = find_key(source, key, row) if keep_cursor and key is not None else -1
        self._row = found if found >= 0 else max(0, row) if keep_cursor else 0
        self._settle_cursor()
        self._arrange()
        if not keep_cursor:
            self._scroll_rows(0)
        elif found >= 0 and found != row:
            self._scroll_rows(found - height)
        self._repaint()
        self._announce()

    def refresh_rows(self) -> None:
        """Show new contents of the same source; only lines that look different are sent to the terminal."""
        self._settle_cursor()
        self._arrange()
        self._repaint()
        self._announce()

    # -- cursor ------------------------------------------------------------------------------------------------------

    @property
    def cursor_row(self) -> int:
        """The row of the cursor, or -1 when there is no row to stand on."""
        return self._row if self._source is not None and self._row < self._source.row_count else -1

    @property
    def cursor_column(self) -> int:
        """The index of the cursor's column; 0 where the cursor is a row."""
        return self._column

    @property
    def cursor_key(self) -> str | None:
        """The key of the cursor's row, or ``None`` when there is no row to stand on."""
        row = self.cursor_row
        return None if row < 0 or self._source is None else self._source.row_key(row)

    def move_cursor(self, row: int | None = None, column: int | None = None) -> None:
        """Put the cursor on the row (or the next one that is no heading) and the column, and show it.

        Indices beyond the table mean its nearest edge.
        """
        if self._source is None:
            return
        before = (self._row, self._column)
        if row is not None:
            step = -1 if row < self._row else 1
            self._row = nearest_row(self._source, row, step)
            if self._row < 0:
                self._row = nearest_row(self._source, row, -step)
        if column is not None and self._cell_cursor:
            self._column = max(0, min(column, len(self._columns) - 1))
            self._show_first(self._placing.first_showing(self._column, self._first))
        self._settle_cursor()
        self._reveal()
        if before != (self._row, self._column):
            self.refresh_row(before[0])
            self.refresh_row(self._row)
        self._announce()

    def action_step(self, rows: int) -> None:
        """Move by a row."""
        if self._source is not None and self._row >= 0:
            row = self._row + rows
            if 0 <= row < self._source.row_count:
                row = nearest_row(self._source, row, rows)
            self.move_cursor(self._row if row < 0 else row)

    def action_page(self, pages: int) -> None:
        """Move by as many rows as are visible, less one."""
        self.move_cursor(self._row + pages * max(1, self._body_height - 1))

    def action_edge(self, side: int) -> None:
        """Move to the first or last row."""
        if self._source is not None:
            self.move_cursor(0 if side < 0 else self._source.row_count - 1)

    def action_line_edge(self, side: int) -> None:
        """Move to the first or last column of a cell cursor, else row."""
        if self._cell_cursor:
            self.move_cursor(column=0 if side < 0 else len(self._columns) - 1)
        else:
            self.action_edge(side)

    def action_sideways(self, columns: int) -> None:
        """Move the cell cursor by a column, or scroll by one."""
        if self._cell_cursor:
            self.move_cursor(column=self._column + columns)
        else:
            self._show_first(self._first + columns)

    def action_select(self) -> None:
        """Say that the cursor's row was chosen."""
        key = self.cursor_key
        if key is not None:
            self.post_message(messages.Selected(self, self._row, key, self._column))

    def _settle_cursor(self) -> None:
        """Bring the cursor back into a table that may have shrunk, or got its first row."""
        if self._source is None:
            return
        row = nearest_row(self._source, self._row, 1)
        self._row = row if row >= 0 else nearest_row(self._source, self._row, -1)
        self._column = max(0, min(self._column, len(self._columns) - 1))

    def _announce(self) -> None:
        key = self.cursor_key
        place = None if key is None else (self._row, key, self._column)
        if place != self._announced:
            self._announced = place
            if place is not None:
                self.post_message(messages.Highlighted(self, *place))

    # -- events ------------------------------------------------------------------------------------------------------

    def on_focus(self) -> None:
        """Brighten the cursor."""
        self.refresh_row(self._row)

    def on_blur(self) -> None:
        """Dim the cursor."""
        self.refresh_row(self._row)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll sideways with shift or control; without, Textual scrolls the rows."""
        if event.shift or event.ctrl:
            event.stop()
            self._show_first(self._first + 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll sideways with shift or control; without, Textual scrolls the rows."""
        if event.shift or event.ctrl:
            event.stop()
            self._show_first(self._first - 1)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Scroll sideways."""
        event.stop()
        self._show_first(self._first + 1)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Scroll sideways."""
        event.stop()
        self._show_first(self._first - 1)

    def on_click(self, event: events.Click) -> None:
        """Header: say so. Row: move the cursor there, or choose the row where it already stands."""
        place = event.get_content_offset(self)
        if place is None or self._source is None:
            return
        column = next((slot.column for slot in self._current_view().slots if place.x < slot.end), None)
        if place.y < self._header_height:
            if column is not None:
                self.post_message(messages.HeaderSelected(self, self._columns[column].key))
            return
        row = self.scroll_offset.y + place.y - self._header_height
        if row >= self._source.row_count or self._source.row_kind(row) == "heading":
            return
        if event.chain == 1:
            before = (self._row, self._column)
            self.move_cursor(row, column)
            self._click_moved = before != (self._row, self._column)
            if not self._click_moved:
                self.action_select()
        elif event.chain == 2 and self._click_moved:
            self.action_select()
