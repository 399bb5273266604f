"""Lines of a grid as strips: one segment per run of equal style, exactly as wide as the widget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.text import cell_width, fit, fit_middle, wrap
from tui.widgets.grid_layout import GUTTER, Slot
from tui.widgets.grid_model import Cell, Column
from tui.widgets.grid_style import Palette

_NO_CELL = Cell("")


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The characters that a grid draws besides its texts."""

    cursor: str
    mark: str
    rule: str
    ascending: str
    descending: str
    more_left: str
    more_right: str


FANCY = Glyphs("▌", "●", "│", "▲", "▼", "‹", "›")
MONOCHROME = Glyphs(">", "●", "│", "▲", "▼", "‹", "›")
PLAIN = Glyphs(">", "*", "|", "^", "v", "<", ">")


@dataclass(frozen=True, slots=True)
class View:
    """What the painter needs to know of a grid: its columns as they lie now, and how to draw them."""

    width: int
    columns: Sequence[Column]
    slots: Sequence[Slot]
    more_left: bool
    more_right: bool
    palette: Palette
    glyphs: Glyphs


def paint_row(view: View, cells: Sequence[Cell], surface: str, marked: bool, cursor_column: int = -1) -> Strip:
    """One row of cells.

    Args:
        view: the grid.
        cells: one per column of the source.
        surface: ``row``, or ``cursor`` or ``blurred`` where the cursor stands.
        marked: whether the mark is drawn.
        cursor_column: the column of the cell cursor, which gets the surface ``cell``, or -1.
    """
    style = view.palette.style
    glyphs = view.glyphs
    base = style(surface)
    line = _Line(base)
    line.put(glyphs.cursor if surface != "row" else " ", style(surface, "accent"))
    line.put(glyphs.mark if marked else " ", style(surface, "mark"))
    for slot in view.slots:
        if slot.rule_x >= 0:
            line.pad(slot.rule_x, base)
            line.put(glyphs.rule, style(surface, "rule"))
        line.pad(slot.x, base)
        cell = cells[slot.column] if slot.column < len(cells) else _NO_CELL
        column = view.columns[slot.column]
        fitted = (fit if column.ellipsis == "end" else fit_middle)(cell.text, slot.width, column.align)
        line.put(fitted, style("cell" if slot.column == cursor_column else surface, cell.role), slot.width)
    return line.strip(view.width, base)


def paint_heading(view: View, title: str, role: str = "") -> Strip:
    """The title of a group of rows across all columns; rules go on where the title has ended."""
    style = view.palette.style
    base = style("row")
    line = _Line(base)
    line.pad(GUTTER - 1, base)
    room = max(0, view.width - GUTTER)
    cells = min(cell_width(title), room)
    line.put(fit(title, cells), style("row", role) if role else style("title"), cells)
    for slot in view.slots:
        if slot.rule_x > line.x:
            line.pad(slot.rule_x, base)
            line.put(view.glyphs.rule, style("row", "rule"))
    return line.strip(view.width, base)


def paint_titles(view: View, sort_key: str | None, descending: bool) -> Strip:
    """The header line with the columns' titles, the sort indicator, and hints that columns lie beyond the edges."""
    style = view.palette.style
    base = style("header")
    line = _Line(base)
    scrolled = next((slot for index, slot in enumerate(view.slots) if slot.column != index), None)
    for slot in view.slots:
        _rule(line, view, slot, "header")
        if view.more_left and slot is scrolled:
            line.pad(slot.x - 1, base)
            line.put(view.glyphs.more_left, style("header", "accent"))
        line.pad(slot.x, base)
        column = view.columns[slot.column]
        if column.key == sort_key:
            arrow = view.glyphs.descending if descending else view.glyphs.ascending
            line.put(_sorted_title(column, slot.width, arrow), style("header", "accent"), slot.width)
        else:
            line.put(fit(column.title, slot.width, column.align), base, slot.width)
    if view.more_right:
        line.pad(view.width - 1, base)
        line.put(view.glyphs.more_right, style("header", "accent"))
    return line.strip(view.width, base)


def paint_groups(view: View) -> Strip:
    """The super-header: each group's text once, above the visible columns that share it."""
    style = view.palette.style
    base = style("header")
    line = _Line(base)
    index = 0
    while index < len(view.slots):
        slot = view.slots[index]
        group = view.columns[slot.column].group
        _rule(line, view, slot, "header")
        line.pad(slot.x, base)
        while index + 1 < len(view.slots) and group:
            following = view.columns[view.slots[index + 1].column]
            if following.group != group or following.rule:
                break
            index += 1
        cells = view.slots[index].end - slot.x
        line.put(fit_middle(group, cells), style("group"), cells)
        index += 1
    return line.strip(view.width, base)


def paint_blank(view: View) -> Strip:
    """A line below the last row."""
    return _Line(view.palette.style("row")).strip(view.width, view.palette.style("row"))


def paint_message(view: View, message: str, y: int, height: int) -> Strip:
    """Line ``y`` of a body of ``height`` lines without rows, with ``message`` in its middle."""
    room = max(1, view.width - 4)
    lines = [part for paragraph in message.splitlines() for part in wrap(paragraph, room) or [""]]
    index = y - max(0, (height - len(lines)) // 2)
    if not 0 <= index < len(lines):
        return paint_blank(view)
    line = _Line(view.palette.style("row"))
    line.put(fit(lines[index], view.width, "center"), view.palette.style("row", "muted"), view.width)
    return line.strip(view.width, view.palette.style("row"))


def changed(before: Strip | None, after: Strip) -> tuple[int, int]:
    """The first cell that looks different, and the one after the last; equal where none does.

    Args:
        before: the line as it was painted; ``None`` where it was not.
        after: the line as it is to be, of the same length.
    """
    if before == after:
        return 0, 0
    if before is None or before.cell_length != after.cell_length:
        return 0, after.cell_length
    old, new = _characters(before), _characters(after)
    least = min(len(old), len(new))
    head = next((at for at in range(least) if old[at] != new[at]), least)
    tail = next((at for at in range(least - head) if old[-1 - at] != new[-1 - at]), least - head)
    begin = sum(cells for _, _, cells in new[:head])
    end = after.cell_length - sum(cells for _, _, cells in new[len(new) - tail :])
    return begin, max(begin, end)


def _characters(strip: Strip) -> list[tuple[str, Style | None, int]]:
    """What stands in a line, with the cells that it takes: characters where they take one each, else whole texts."""
    found: list[tuple[str, Style | None, int]] = []
    for segment in strip:
        cells = segment.cell_length
        if segment.text.isascii() or all(cell_width(character) == 1 for character in segment.text):
            found += [(character, segment.style, 1) for character in segment.text]
        else:
            found.append((segment.text, segment.style, cells))
    return found


def _rule(line: _Line, view: View, slot: Slot, surface: str) -> None:
    if slot.rule_x >= 0:
        line.pad(slot.rule_x, view.palette.style(surface))
        line.put(view.glyphs.rule, view.palette.style(surface, "rule"))


def _sorted_title(column: Column, width: int, arrow: str) -> str:
    taken = cell_width(column.title)
    for space in (" ", ""):
        if taken + len(space) + 1 <= width:
            return fit(f"{column.title}{space}{arrow}", width, column.align)
    return fit(column.title, width - 1) + arrow


class _Line:
    """Collects runs of equal style; blanks join whatever run looks the same."""

    __slots__ = ("_blank", "_pieces", "_segments", "_style", "x")

    def __init__(self, style: Style) -> None:
        self.x = 0
        self._segments: list[Segment] = []
        self._pieces: list[str] = []
        self._style = style
        self._blank = True

    def put(self, text: str, style: Style, cells: int = 1) -> None:
        """Append ``text`` of ``cells`` cells."""
        if not cells:
            return
        self.x += cells
        blank = text.isspace()
        if style is not self._style and not (blank and _blanks_alike(style, self._style)):
            if self._blank and _blanks_alike(style, self._style):
                self._style = style
            else:
                self._flush()
                self._style = style
                self._blank = True
        self._pieces.append(text)
        self._blank = self._blank and blank

    def pad(self, x: int, style: Style) -> None:
        """Blanks up to cell ``x``."""
        if x > self.x:
            self.put(" " * (x - self.x), style, x - self.x)

    def strip(self, width: int, style: Style) -> Strip:
        """The line padded (or, in a widget narrower than the gutter, cut) to ``width`` cells."""
        self.pad(width, style)
        self._flush()
        strip = Strip(self._segments, self.x)
        return strip if self.x == width else strip.crop(0, width)

    def _flush(self) -> None:
        if self._pieces:
            self._segments.append(Segment("".join(self._pieces), self._style))
            self._pieces = []


def _blanks_alike(one: Style, other: Style) -> bool:
    decorated = one.underline or other.underline or one.strike or other.strike or one.reverse or other.reverse
    return one.bgcolor == other.bgcolor and not decorated
