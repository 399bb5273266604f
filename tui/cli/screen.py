"""Tables for people, on a terminal of any width or in a pipe: aligned, cut where they must be, and literal."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from engine.text import visible
from tui.cli.cells import Cell, Column, Row
from tui.format import plain_text
from tui.launch import wants_plain
from tui.text import cell_width, fit, fit_middle, wrap

# Without any terminal (a log, a pipe in a job) there is nothing to fit into, but lines must end somewhere.
_UNBOUNDED = 200
_NARROWEST = 20


class Screen:
    """Where people read: stdout, with colour where it is a terminal that has it and wants it.

    Args:
        plain: ASCII alone for lorascope's own signs; by default where the terminal cannot do better.
        width: columns; by default ``COLUMNS``, else the terminal's, else 200.
    """

    def __init__(self, *, plain: bool | None = None, width: int | None = None) -> None:
        self.plain = wants_plain(plain)
        self.width = max(width or terminal_width(), _NARROWEST)
        self._console = Console(
            file=sys.stdout, width=self.width, highlight=False, markup=False, emoji=False, soft_wrap=True
        )

    @property
    def colour(self) -> bool:
        """Whether colours are shown."""
        return self._console.color_system is not None and not self._console.no_color

    @property
    def is_terminal(self) -> bool:
        """Whether this is a terminal rather than a file or pipe."""
        return self._console.is_terminal

    @property
    def height(self) -> int:
        """Lines of the terminal; 24 where there is none."""
        return self._console.size.height if self._console.is_terminal else 24

    def words(self, text: str) -> str:
        """lorascope's own text as this screen shows it; a name from outside within it stays on its line."""
        return plain_text(visible(text)) if self.plain else visible(text)

    def line(self, *cells: Cell | str) -> None:
        """One line, not cut: its parts one after another."""
        self._console.print(Text.assemble(*(self._styled(cell) for cell in cells)), soft_wrap=True)

    def outside(self, text: str, style: str = "") -> None:
        """A line of text from outside, whole and literal."""
        self._console.print(Text(visible(text), style), soft_wrap=True)

    def paragraph(self, text: str, indent: str = "") -> None:
        """Text from outside, broken into lines on a terminal and indented."""
        for line in wrapped(visible(text), self.width if self.is_terminal else None, indent):
            self._console.print(Text(line), soft_wrap=True)

    def legend(self, entries: Sequence[tuple[str, str, str]]) -> None:
        """A line of lorascope's own signs with their styles, each before a name from outside."""
        parts = [part for sign, style, name in entries for part in ((sign, style), f" {visible(name)}   ")]
        line = Text.assemble(*parts)
        line.rstrip()
        self._console.print(line, soft_wrap=True)

    def ansi(self, text: str) -> None:
        """Text that lorascope itself drew with escape codes; they are dropped where no colour is shown."""
        self._console.print(Text.from_ansi(text), soft_wrap=True)

    def table(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """A table: headings, a rule, the rows. No line is wider than the screen if the columns can be cut to that."""
        heads = [self.words(column.head) for column in columns]
        body = [row if isinstance(row, Cell) else self._cells(row, columns) for row in rows]
        widths = [
            max(cell_width(head), *(cell_width(row[at].text) for row in body if not isinstance(row, Cell)), 1)
            for at, head in enumerate(heads)
        ]
        shown = _fit_widths(columns, widths, self.width)
        layout = _Layout(columns, widths, shown, self.plain)
        layout.widen_for_groups(self.width)
        lines = [
            *layout.group_lines(),
            layout.line([Cell(head, "bold") for head in heads]),
            layout.rule(),
            *(Text(self.words(row.text), row.style) if isinstance(row, Cell) else layout.line(row) for row in body),
        ]
        for line in lines:
            self._console.print(line, soft_wrap=True)

    def _cells(self, row: Sequence[Cell | str], columns: Sequence[Column]) -> list[Cell]:
        cells = [cell if isinstance(cell, Cell) else Cell(cell) for cell in row]
        return [
            cell if column.outside else cell._replace(text=self.words(cell.text))
            for cell, column in zip(cells, columns, strict=True)
        ]

    def _styled(self, cell: Cell | str) -> tuple[str, str] | str:
        return (self.words(cell.text), cell.style) if isinstance(cell, Cell) else self.words(cell)


@dataclass(frozen=True, slots=True)
class _Layout:
    """The lines of a table whose widths are settled; ``shown`` are the places of the columns that are not left out."""

    columns: Sequence[Column]
    widths: list[int]
    shown: Sequence[int]
    plain: bool

    def line(self, cells: Sequence[Cell]) -> Text:
        """A row of the table."""
        line = Text()
        for at in self.shown:
            column = self.columns[at]
            line.append(*self._lead(at))
            cut = fit_middle if column.outside else fit
            line.append(self._cut_sign(cut(cells[at].text, self.widths[at], column.align)), cells[at].style or None)
        line.rstrip()
        return line

    def rule(self) -> Text:
        """The line between headings and rows."""
        sign, cross = ("-", "+") if self.plain else ("─", "┼")
        parts = []
        for at in self.shown:
            lead = sign + cross + sign if self.columns[at].group else " " * self.columns[at].lead
            parts.append((lead if at != self.shown[0] else "") + sign * self.widths[at])
        joined = any(self.columns[at].group for at in self.shown)
        return Text("".join(parts).replace(" ", sign) if joined else "".join(parts), "dim")

    def group_lines(self) -> list[Text]:
        """The headings above the headings, each fitted to the columns that it stands over."""
        lines = []
        for number in range(max((len(column.group) for column in self.columns), default=0)):
            line = Text()
            for name, places in self._spans(number):
                line.append(*self._lead(places[0]))
                line.append(self._cut_sign(fit_middle(name, self._span_width(places))), "bold")
            line.rstrip()
            lines.append(line)
        return lines

    def widen_for_groups(self, room: int) -> None:
        """Use what room is left for group headings that are wider than their columns."""
        spare = room - sum(self.widths[at] + self.columns[at].lead for at in self.shown) + self.columns[0].lead
        for number in range(max((len(column.group) for column in self.columns), default=0)):
            for name, places in self._spans(number):
                missing = min(spare, cell_width(name) - self._span_width(places))
                if missing > 0:
                    self.widths[places[0]] += missing
                    spare -= missing

    def _span_width(self, places: Sequence[int]) -> int:
        return sum(self.widths[at] for at in places) + sum(self.columns[at].lead for at in places[1:])

    def _spans(self, number: int) -> list[tuple[str, list[int]]]:
        spans: list[tuple[str, list[int]]] = []
        for at in self.shown:
            group = self.columns[at].group
            if group or not spans:
                spans.append((group[number] if number < len(group) else "", [at]))
            else:
                spans[-1][1].append(at)
        return spans

    def _lead(self, at: int) -> tuple[str, str | None]:
        if at == self.shown[0]:
            return "", None
        if self.columns[at].group:
            return (" | " if self.plain else " │ "), "dim"
        return " " * self.columns[at].gap, None

    def _cut_sign(self, text: str) -> str:
        return text.replace("…", "~") if self.plain else text


def _fit_widths(columns: Sequence[Column], widths: list[int], room: int) -> list[int]:
    """Leave out columns and shrink outside columns in ``widths`` until all fit; returns the places that stay."""
    shown = list(range(len(columns)))
    least = [
        min(width, column.least) if column.outside else width for column, width in zip(columns, widths, strict=True)
    ]

    def needed(sizes: Sequence[int]) -> int:
        return sum(sizes[at] + columns[at].lead for at in shown) - columns[shown[0]].lead

    while needed(least) > room:
        droppable = [at for at in shown if columns[at].rank]
        if not droppable:
            break
        shown.remove(max(droppable, key=lambda at: columns[at].rank))
    soft = [at for at in shown if columns[at].outside]
    for at in soft:
        widths[at] = max(least[at], min(widths[at], room))
    while needed(widths) > room and any(widths[at] > least[at] for at in soft):
        widths[max((at for at in soft if widths[at] > least[at]), key=lambda at: widths[at])] -= 1
    return shown


def wrapped(text: str, width: int | None, indent: str = "") -> list[str]:
    """``text`` in lines of at most ``width`` characters where its words allow, later lines indented more.

    Args:
        text: one line.
        width: ``None`` leaves it whole.
        indent: before every line.
    """
    if width is None:
        return [indent + text]
    if cell_width(text) != len(text):
        first, *more = wrap(text, max(width, _NARROWEST) - len(indent), hanging=2) or [""]
        return [indent + first, *(f"{indent}  {line}" for line in more)]
    return textwrap.wrap(
        text,
        max(width, _NARROWEST),
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    ) or [indent]


def terminal_width(default: int = _UNBOUNDED) -> int:
    """``COLUMNS``, else the width of the terminal on any standard stream, else ``default``."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    for stream in (sys.__stdout__, sys.__stderr__, sys.__stdin__):
        try:
            if stream is not None and (width := os.get_terminal_size(stream.fileno()).columns) > 0:
                return width
        except (OSError, ValueError):
            continue
    return default
