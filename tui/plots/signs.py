"""The characters that plots are drawn with: braille and box drawing, or ASCII alone; and the legend."""

from __future__ import annotations

from dataclasses import dataclass

from engine.i18n import gettext as _
from tui.plots.lines import DASH_DOT, DOTTED
from tui.plots.raster import BRAILLE
from tui.plots.spec import BASELINE, SERIES_SLOTS, THRESHOLD, Figure, LegendEntry, Series, band_role

_LONG_DASH = (16.0, 4.0)
_PATTERNS: tuple[tuple[float, ...], ...] = ((), DOTTED, DASH_DOT, _LONG_DASH)
_PATTERN_GLYPHS = ("──", "··", "─·", "╶─")
_POINTS = "•+×o▪△◦▽"
_MARKERS = "◆◇■□▲△●○"
_ASCII = "*+xo%@&="


def slot(role: str) -> int:
    """The 0-based slot of a role ``series-N``; 0 for any other role."""
    return (int(role[7:]) - 1) % SERIES_SLOTS if role.startswith("series-") else 0


@dataclass(frozen=True, slots=True)
class Signs:
    """One set of characters, each one cell wide."""

    plain: bool
    distinct: bool
    vertical: str = "│"
    horizontal: str = "─"
    corner: str = "└"
    tick_left: str = "┤"
    tick_down: str = "┬"
    grid: str = "·"
    vline: str = "┊"
    diamond: str = "◆"
    above: str = "▲"
    below: str = "▼"
    cursor: str = "●"
    caret: str = "▲"
    band: str = "░"
    # A box: end of a whisker, whisker, box, median, other end; arrows where a whisker leaves the frame.
    box: tuple[str, ...] = ("├", "─", "█", "◆", "┤", "←", "→")

    def hline(self, style: str) -> str:
        """What a horizontal line is drawn with."""
        if not self.plain:
            return BRAILLE
        return "-" if style == "dashed" else "."

    def curve(self, role: str) -> str:
        """What a curve is drawn with."""
        return _ASCII[slot(role)] if self.plain else BRAILLE

    def point(self, role: str) -> str:
        """The sign of one point of a cloud."""
        if self.plain:
            return _ASCII[slot(role)]
        return _POINTS[slot(role)] if self.distinct else _POINTS[0]

    def pattern(self, role: str) -> tuple[float, ...]:
        """Dashes and gaps of a curve; empty for an unbroken one."""
        return _PATTERNS[slot(role) % len(_PATTERNS)] if self.distinct and not self.plain else ()

    def marker(self, role: str) -> str:
        """The sign of a point that stands out; the best checkpoint's diamond is always the same."""
        if not self.distinct or not role.startswith("series-"):
            return self.diamond
        return _ASCII[slot(role)] if self.plain else _MARKERS[slot(role)]

    def stamp(self, role: str) -> str:
        """A sign set on a curve now and then where its pattern alone would not tell it apart; empty otherwise."""
        needed = self.distinct and not self.plain and slot(role) >= len(_PATTERNS)
        return _POINTS[slot(role)] if needed else ""

    def legend(self, series: Series) -> str:
        """The sign of a curve in the legend."""
        if series.style == "scatter":
            return self.point(series.role)
        if self.plain:
            return _ASCII[slot(series.role)] * 2
        if series.style == "dashed":
            return "┄┄"
        glyph = _PATTERN_GLYPHS[slot(series.role) % len(_PATTERNS)] if self.distinct else "──"
        return glyph + self.stamp(series.role)


_UNICODE = Signs(plain=False, distinct=False)
_DISTINCT = Signs(plain=False, distinct=True, grid=" ")
_PLAIN = Signs(
    plain=True,
    distinct=True,
    vertical="|",
    horizontal="-",
    corner="+",
    tick_left="+",
    tick_down="+",
    grid=" ",
    vline=":",
    diamond="#",
    above="^",
    below="v",
    cursor="O",
    caret="^",
    band=".",
    box=tuple("|-=#|<>"),
)


def signs_for(*, plain: bool = False, distinct: bool = False) -> Signs:
    """The characters for a terminal: ASCII alone, or braille with curves told apart by line or by colour."""
    if plain:
        return _PLAIN
    return _DISTINCT if distinct else _UNICODE


def legend(figure: Figure, *, plain: bool = False, distinct: bool = False) -> tuple[LegendEntry, ...]:
    """What the curves, lines and markers of a figure are, each once, in the order of drawing.

    Args:
        figure: the plots.
        plain: ASCII signs.
        distinct: whether curves differ by their line rather than by colour.

    Returns:
        One entry per different name and sign; without a colour of its own where several curves share it.
    """
    signs = signs_for(plain=plain, distinct=distinct)
    roles: dict[tuple[str, str], set[str]] = {}

    def add(name: str, role: str, glyph: str) -> None:
        if name:
            roles.setdefault((name, glyph), set()).add(role)

    for panel in figure.panels:
        for series in panel.series:
            add(series.name, series.role, signs.legend(series))
    for panel in figure.panels:
        for series in panel.series:
            if series.band is not None:
                add(series.band_name, band_role(series.role), signs.band * 2)
    for panel in figure.panels:
        for marker in panel.markers:
            add(marker.name, marker.role, signs.marker(marker.role))
    styles = {line.style for panel in figure.panels for line in panel.hlines}
    if "dashed" in styles:
        add(_("baseline"), "baseline", "--" if plain else "╌╌")
    if "dotted" in styles:
        add(_("threshold"), "threshold", ".." if plain else "··")
    roles_of_vlines = {line.role for panel in figure.panels for line in panel.vlines}
    if THRESHOLD in roles_of_vlines:
        add(_("threshold"), THRESHOLD, signs.vline)
    if roles_of_vlines - {BASELINE, THRESHOLD}:
        add(_("jump"), "jump", signs.vline)
    # One name and sign in several colours says nothing of the colours.
    return tuple(
        LegendEntry(name, found.pop() if len(found) == 1 else "text", glyph) for (name, glyph), found in roles.items()
    )
