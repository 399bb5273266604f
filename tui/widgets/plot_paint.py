"""From cells and runs with roles to the strips that a widget returns, and the legend's lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import get_character_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.format import plain_text
from tui.plots.drawing import BOLD_ROLES, runs
from tui.plots.palette import PlotPalette
from tui.plots.signs import legend
from tui.plots.spec import Figure
from tui.text import cell_width, fit
from tui.widgets.plot_drawings import Look

Runs = tuple[tuple[str, str], ...]
"""Stretches of text, each with a role."""

_LONGEST_NAME = 40


class Painter:
    """Styles by role on one background.

    Args:
        palette: the colours.
        base: the widget's own style, under everything.
        colourless: whether the palette's colours are left out.
    """

    def __init__(self, palette: PlotPalette, base: Style, *, colourless: bool = False) -> None:
        self._palette = palette
        self.base = base
        self._colourless = colourless
        self._styles: dict[str, Style] = {}

    def style(self, role: str) -> Style:
        """The style of a role."""
        found = self._styles.get(role)
        if found is None:
            colour = None if self._colourless or not role else self._palette.colour(role)
            found = self.base + Style(
                color=Color.from_rgb(*colour) if colour else None, bold=True if role in BOLD_ROLES else None
            )
            self._styles[role] = found
        return found

    def cells(self, row: Sequence[tuple[str, str]]) -> Strip:
        """One cell per entry, with as few segments as there are changes of style."""
        chars, roles = tuple(char for char, _ in row), tuple(role for _, role in row)
        return self.runs(runs(chars, roles), len(row))

    def runs(self, row: Iterable[tuple[str, str]], width: int) -> Strip:
        """Stretches of text, filled up to ``width`` cells."""
        strip = Strip([Segment(text, self.style(role)) for text, role in row if text])
        return strip.adjust_cell_length(width, self.style(""))

    def words(self, row: Runs, width: int, edges: Sequence[int]) -> Strip:
        """Stretches of text, filled up to ``width`` cells, no wide character across an edge."""
        if all(len(text) == cell_width(text) for text, _role in row):
            return self.runs(row, width)
        return self.cells(kept_whole(cells_of(row, width), edges))

    def text(self, text: str, role: str, width: int) -> Strip:
        """One text on one line."""
        return self.runs(((fit(text, width), role),), width)


def kept_whole(cells: Sequence[tuple[str, str]], edges: Sequence[int]) -> list[tuple[str, str]]:
    """A row in which no wide character lies across an edge, where a widget would have to cut it in two.

    Args:
        cells: characters with their roles; an empty one belongs to the wide character before it.
        edges: columns at which another widget begins.

    Returns:
        As many cells. A text with a character across an edge is moved on from there by one, into the blank that ends
        it, or back where there is none.
    """
    row = list(cells)
    for edge in edges:
        if not 0 < edge < len(row) or row[edge][0]:
            continue
        blanks = [at for at in range(edge + 1, len(row)) if row[at][0] == " "]
        ends = [at for at in blanks if at + 1 == len(row) or row[at + 1][0] == " "]
        if blanks:
            del row[(ends or blanks)[0]]
            row.insert(edge - 1, (" ", ""))
        elif before := [at for at in range(edge - 1) if row[at][0] == " "]:
            row.insert(edge + 1, (" ", ""))
            del row[before[-1]]
    return row


def cells_of(runs_of_row: Iterable[tuple[str, str]], width: int) -> list[tuple[str, str]]:
    """Stretches of text as single cells, filled up or cut to ``width``."""
    row: list[tuple[str, str]] = []
    for text, role in runs_of_row:
        for char in text:
            size = get_character_cell_size(char)
            if size:
                row += [(char, role), *[("", role)] * (size - 1)]
            elif row:
                row[-1] = (row[-1][0] + char, row[-1][1])
    return (row + [(" ", "")] * (width - len(row)))[:width]


def changed_cells(before: Strip, after: Strip) -> list[int]:
    """The columns in which two lines differ in text or style."""
    old, new = _cells(before), _cells(after)
    if len(old) != before.cell_length or len(new) != after.cell_length or len(old) != len(new):
        # A wide character moves what follows it, so that cells cannot be compared one by one.
        return list(range(after.cell_length))
    return [column for column, (was, now) in enumerate(zip(old, new, strict=True)) if was != now]


def _cells(strip: Strip) -> list[tuple[str, Style | None]]:
    return [(char, segment.style) for segment in strip for char in segment.text]


def last_line(text: str, page: str, width: int, *, plain: bool) -> Runs:
    """The line of words below a plot, with the page at its right end."""
    shown = fit(text, max(0, width - len(page)))
    return (plain_text(shown) if plain else shown, "text"), (page, "note")


def legend_rows(figure: Figure, look: Look, width: int, most: int) -> tuple[Runs, ...]:
    """The legend of a figure on as few lines as it needs.

    Args:
        figure: what to explain.
        look: how it is drawn.
        width: cells per line.
        most: lines at most; what does not fit is counted (``+2``).

    Returns:
        Lines of runs; none where there is nothing to explain or no room.
    """
    entries = legend(figure, plain=look.plain, distinct=look.distinct) if most > 0 else ()
    lines: list[list[tuple[str, str]]] = [[]]
    used = 0
    for index, entry in enumerate(entries):
        name = fit(entry.name, min(cell_width(entry.name), _LONGEST_NAME, max(1, width - 6)))
        name = plain_text(name) if look.plain else name
        size = cell_width(entry.glyph) + 1 + cell_width(name)
        rest = 5 if index < len(entries) - 1 and len(lines) == most else 0
        if used and used + 3 + size + rest > width:
            if len(lines) == most:
                lines[-1].append((f"  +{len(entries) - index}", "note"))
                break
            lines.append([])
            used = 0
        if used:
            lines[-1].append(("   ", ""))
            used += 3
        lines[-1] += [(entry.glyph, entry.role), (f" {name}", "text")]
        used += size
    return tuple(tuple(line) for line in lines if line)
