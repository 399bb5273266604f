"""Painting and scrolling of a grid: what is on the screen, without the keys that move it."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui.text import ELLIPSIS
from tui.widgets import grid_paint as paint
from tui.widgets.grid_bar import PlainBar, ThinBar, settled
from tui.widgets.grid_layout import GridLayout, lay_out
from tui.widgets.grid_model import Column, GridSource
from tui.widgets.grid_rows import first_heading_above
from tui.widgets.grid_style import COMPONENTS, GRID_CSS, Palette


class GridView(ScrollView, can_focus=True, inherit_bindings=False):
    """The visible part of a `GridSource` with its header, marks and cursor.

    Args:
        frozen: how many leading columns stay when the table scrolls sideways.
        cell_cursor: whether the cursor is a cell instead of a row.
        empty: text shown in the middle when there are no rows.
        id: the widget's id.
        classes: the widget's CSS classes.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS)
    DEFAULT_CSS = GRID_CSS

    plain: reactive[bool] = reactive(False, repaint=False)
    """ASCII instead of box drawing and a cursor in reverse video; follows the app's ``plain_mode`` where it has one."""

    # Style updates may come before __init__ has run to its end.
    _view: paint.View | None = None
    _palette: Palette | None = None

    def __init__(self, *, frozen: int, cell_cursor: bool, empty: str, id: str | None, classes: str | None) -> None:
        super().__init__(id=id, classes=classes)
        self.empty = empty
        self._frozen = frozen
        self._cell_cursor = cell_cursor
        self._source: GridSource | None = None
        self._columns: tuple[Column, ...] = ()
        self._placing: GridLayout = lay_out((), 0, 0)
        self._first = 0
        self._row = -1
        self._column = 0
        self._marked: frozenset[str] = frozenset()
        self._sort: tuple[str | None, bool] = (None, False)
        self._painted: dict[int, Strip] = {}

    # -- contents ----------------------------------------------------------------------------------------------------

    @property
    def source(self) -> GridSource | None:
        """The rows that are shown."""
        return self._source

    def refresh_row(self, row: int) -> None:
        """Show new contents of one row."""
        y = row - self.scroll_offset.y + self._header_height
        if self._header_height <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def cell_region(self, row: int, column_key: str) -> Region | None:
        """Where a cell lies in the widget; ``None`` where it is out of view."""
        y = row - self.scroll_offset.y + self._header_height
        for slot in self._current_view().slots:
            if self._columns[slot.column].key == column_key and self._header_height <= y < self.size.height:
                return Region(slot.x, y, slot.width, 1)
        return None

    def set_sort(self, column_key: str | None, descending: bool = False) -> None:
        """Show in the header by which column the rows are sorted."""
        self._sort = (column_key, descending)
        self._repaint()

    def set_marked(self, keys: Collection[str]) -> None:
        """Draw the mark before the rows with these keys."""
        self._marked = frozenset(keys)
        self._repaint()

    # -- scrolling ---------------------------------------------------------------------------------------------------

    @property
    def _header_height(self) -> int:
        if not self._columns:
            return 0
        wanted = 2 if any(column.group for column in self._columns) else 1
        return max(0, min(wanted, self.size.height - 1))

    @property
    def _body_height(self) -> int:
        return max(0, self.size.height - self._header_height)

    def _arrange(self) -> None:
        """Lay the columns out and tell Textual how high the table is."""
        if self.is_mounted:
            self._take_plain_mode()
        self._placing = lay_out(self._columns, self.size.width, self._frozen)
        self._show_first(self._first)
        self._view = None
        rows = 0 if self._source is None else self._source.row_count
        size = Size(1, self._header_height + rows)
        if size == self.virtual_size:
            return
        shown = size.height > self.container_size.height
        if self.styles.auto_dimensions or shown != self.show_vertical_scrollbar or not self.is_mounted:
            self.virtual_size = size
        else:  # the widget's own place stays, so that a growing table costs no layout of the whole screen
            self.set_reactive(Widget.virtual_size, size)
            if shown:
                self.vertical_scrollbar.window_virtual_size = size.height
        self._scroll_rows(self.scroll_offset.y)

    def _scroll_rows(self, top: int) -> None:
        if self.is_mounted:
            self.scroll_to(y=max(0, min(top, self.max_scroll_y)), animate=False, force=True)

    def _reveal(self) -> None:
        """Scroll just as far as needed to show the cursor's row, with the headings above it where they fit."""
        body, top = self._body_height, self.scroll_offset.y
        if self._source is None or self._row < 0 or not body:
            return
        heading = first_heading_above(self._source, self._row)
        wanted = heading if self._row - heading < body else self._row
        if wanted < top:
            self._scroll_rows(wanted)
        elif self._row >= top + body:
            self._scroll_rows(self._row - body + 1)

    def _show_first(self, first: int) -> None:
        """Make ``first`` the leftmost column after the frozen ones, as far as that shows more."""
        layout = self._placing
        first = max(layout.frozen, min(first, layout.last_first))
        if first != self._first:
            self._first = first
            self._view = None
            self._repaint()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Repaint the body, not the header, and the scrollbar only when its thumb moves."""
        if self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            bar.position = settled(bar.size.height, bar.window_virtual_size, bar.window_size, new_value)
        if round(old_value) != round(new_value):
            self.refresh(Region(0, self._header_height, self.size.width, self._body_height))

    # -- events ------------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Take the app's plain mode and the thin scrollbar."""
        self._take_plain_mode()
        self._choose_bar()

    def watch_plain(self) -> None:
        """Draw anew with the other glyphs."""
        self._view = self._palette = None
        if self.is_mounted:
            self._choose_bar()
            self.refresh()

    def notify_style_update(self) -> None:
        """Resolve the colours again: the theme or the CSS has changed, and perhaps the app's plain mode."""
        super().notify_style_update()
        self._view = self._palette = None
        if self.is_mounted:
            self._take_plain_mode()

    def _take_plain_mode(self) -> None:
        self.plain = bool(getattr(self.app, "plain_mode", self.plain))

    def _choose_bar(self) -> None:
        # Textual documents the renderer as settable per bar, but declares it as a class variable.
        setattr(self.vertical_scrollbar, "renderer", PlainBar if self.plain else ThinBar)  # noqa: B010
        self.vertical_scrollbar.refresh()

    def on_resize(self) -> None:
        """Lay out for the new width."""
        self._painted.clear()
        self._arrange()
        self._reveal()
        self.refresh()

    # -- painting ----------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """Line ``y`` of the widget."""
        strip = self._painted[y] = self._paint(y)
        return strip

    def _repaint(self) -> None:
        """Refresh the parts of lines that would look different now."""
        for y in range(self.size.height):
            begin, end = paint.changed(self._painted.get(y), self._paint(y))
            if begin < end:
                self.refresh(Region(begin, y, end - begin, 1))

    def _current_view(self) -> paint.View:
        if self._view is None:
            # The terminal's own sixteen colours cannot be mixed into a background that keeps the roles readable.
            monochrome = self.plain or self.app.no_color or self.app.native_ansi_color
            if self._palette is None:
                self._palette = Palette(self, monochrome)
            layout = self._placing
            slots = layout.slots(self._first)
            self._view = paint.View(
                width=self.size.width,
                columns=self._columns,
                slots=slots,
                more_left=self._first > layout.frozen,
                more_right=layout.hides_right(slots),
                palette=self._palette,
                glyphs=paint.PLAIN if self.plain else paint.MONOCHROME if monochrome else paint.FANCY,
            )
        return self._view

    def _paint(self, y: int) -> Strip:
        strip = self._paint_any(y)
        if not self.plain:
            return strip
        # What was cut to fit ends in an ellipsis, which plain terminals may not have.
        return Strip(
            [Segment(segment.text.replace(ELLIPSIS, "~"), segment.style) for segment in strip], strip.cell_length
        )

    def _paint_any(self, y: int) -> Strip:
        view, header = self._current_view(), self._header_height
        if y < header:
            return paint.paint_titles(view, *self._sort) if y == header - 1 else paint.paint_groups(view)
        source = self._source
        if source is None or not source.row_count:
            return paint.paint_message(view, self.empty, y - header, self._body_height)
        row = self.scroll_offset.y + y - header
        if row >= source.row_count:
            return paint.paint_blank(view)
        if source.row_kind(row) == "heading":
            cells = source.cells(row)
            return paint.paint_heading(view, cells[0].text, cells[0].role) if cells else paint.paint_blank(view)
        marked = bool(self._marked) and source.row_key(row) in self._marked
        surface, cell = "row", -1
        if row == self._row:
            surface = "cursor" if self.has_focus and not self._cell_cursor else "blurred"
            cell = self._column if self.has_focus and self._cell_cursor else -1
        return paint.paint_row(view, source.cells(row), surface, marked, cell)
