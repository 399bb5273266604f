"""A drawn plot: a grid of characters with roles, which becomes ANSI text or styled cells without being drawn again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len, get_character_cell_size

from engine.text import visible
from tui.format import plain_text
from tui.plots.lines import Frame
from tui.plots.palette import PlotPalette
from tui.plots.spec import BAND
from tui.text import fit

BOLD_ROLES = frozenset({"title", "best"})
_UNDERLAY = frozenset({"", "grid"})


class Canvas:
    """A grid of cells to draw on. What falls outside is left out.

    Args:
        width: columns.
        height: rows.
        plain: whether text is reduced to ASCII.
    """

    def __init__(self, width: int, height: int, *, plain: bool = False) -> None:
        self.width = width
        self.height = height
        self.plain = plain
        self.chars = [[" "] * width for _ in range(height)]
        self.roles = [[""] * width for _ in range(height)]

    def put(self, row: int, column: int, char: str, role: str) -> None:
        """Set one cell."""
        if 0 <= row < self.height and 0 <= column < self.width:
            self.chars[row][column] = char
            self.roles[row][column] = role

    def words(self, text: str) -> str:
        """``text`` as it may stand on this canvas: one line, nothing hidden, ASCII alone in plain mode."""
        shown = visible(text)
        return plain_text(shown).encode("ascii", "replace").decode() if self.plain else shown

    def text(self, row: int, column: int, text: str, role: str) -> None:
        """Write ``text`` (already through :meth:`words`), cut at the right edge; wide characters take two cells."""
        for char in text:
            size = get_character_cell_size(char)
            if size == 0:
                if 0 < column <= self.width and 0 <= row < self.height:
                    self.chars[row][column - 1] += char
                continue
            if column + size > self.width:
                return
            self.put(row, column, char, role)
            for follower in range(1, size):
                self.put(row, column + follower, "", role)
            column += size

    def covered(self, row: int, column: int, length: int) -> int:
        """How many of these cells already hold data or text; all of them where they are not on the canvas."""
        if not 0 <= row < self.height or column < 0 or column + length > self.width:
            return length
        return sum(not _is_underlay(role) for role in self.roles[row][column : column + length])


def _is_underlay(role: str) -> bool:
    return role in _UNDERLAY or role.startswith(BAND)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A plot, drawn.

    Attributes:
        chars: one string per cell and row; the second cell of a wide character is empty.
        roles: the colour role of each cell; empty where nothing is drawn.
        frame: how data maps to the cells of the data area; ``None`` where there is none.
        left: column of the data area's first cell.
        top: row of the data area's first cell.
        notes: what the drawing leaves out, such as ``2 points above``.
        plain: whether it is ASCII alone.
    """

    chars: tuple[tuple[str, ...], ...]
    roles: tuple[tuple[str, ...], ...]
    frame: Frame | None = None
    left: int = 0
    top: int = 0
    notes: tuple[str, ...] = ()
    plain: bool = False

    @property
    def height(self) -> int:
        """Rows."""
        return len(self.chars)

    def column(self, x: float) -> int | None:
        """The column at which ``x`` is drawn; ``None`` where the plot has no data area or ``x`` lies outside it."""
        if self.frame is None or not self.frame.x_low <= x <= self.frame.x_high:
            return None
        return self.left + self.frame.column(x)

    def ansi(self, palette: PlotPalette) -> str:
        """Lines of text with 24-bit SGR colours (none where the palette has none), without blanks at their ends.

        For a terminal with fewer colours pass it through ``rich.text.Text.from_ansi``.
        """
        lines = []
        for chars, roles in zip(self.chars, self.roles, strict=True):
            line = "".join(_sgr(text, "" if self.plain else _codes(role, palette)) for text, role in runs(chars, roles))
            lines.append(line)
        return "\n".join(lines)


def runs(chars: tuple[str, ...], roles: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """A row as stretches of text with one role. Blanks join the stretch before them; those at the end are left out."""
    text, role = "", ""
    blanks = ""
    for char, own in zip(chars, roles, strict=True):
        if char == " ":
            blanks += char
            continue
        if own != role and (text or blanks):
            if text:
                yield text + blanks, role
            else:
                yield blanks, ""
            text = ""
        elif blanks:
            text += blanks
        blanks = ""
        text += char
        role = own
    if text:
        yield text, role


def _codes(role: str, palette: PlotPalette) -> str:
    colour = palette.colour(role) if role else None
    codes = ["1"] if role in BOLD_ROLES else []
    if colour is not None:
        codes.append("38;2;{};{};{}".format(*colour))
    return ";".join(codes)


def _sgr(text: str, codes: str) -> str:
    return f"\x1b[{codes}m{text}\x1b[0m" if codes and text.strip() else text


def cut(text: str, width: int, *, plain: bool = False) -> str:
    """``text`` shortened to ``width`` cells, with a sign at its end where something is missing."""
    if cell_len(text) <= width:
        return text
    short = fit(text, width)
    return plain_text(short) if plain else short
