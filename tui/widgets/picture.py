"""Images drawn with half blocks, which every terminal with colours can show."""

from __future__ import annotations

from collections.abc import Sequence

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from engine.i18n import gettext as _
from engine.results.pictures import Panel, Rgb
from tui import halfblocks
from tui.format import plain_text
from tui.plots.palette import PlotPalette, luminance
from tui.text import fit

_LIGHT_FROM = 0.4  # relative luminance of a ground on which ink is dark


class PictureView(Widget):
    """Panels of a picture with their captions.

    It shows each panel as wide as there is room for, as many as fit from one of them on, or all of them at once. It
    scrolls by whole panels: a picture is many bytes, and half of one says little.

    Args:
        plain: ASCII alone.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    PictureView { height: 1fr; width: 1fr; }
    """

    def __init__(self, *, plain: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._plain = plain
        self._panels: Sequence[Panel] = ()
        self._message = ""
        self._together = False
        self._first = 0
        self._tops: list[int] = []
        self._lines: list[Strip] = []
        self._styles: dict[tuple[Rgb, Rgb | None], Style] = {}

    @property
    def together(self) -> bool:
        """Whether all panels are in sight at once."""
        return self._together

    @property
    def hides(self) -> bool:
        """Whether there are panels out of sight."""
        return len(self._lines) > self.size.height

    def show(self, panels: Sequence[Panel], message: str = "") -> None:
        """Show other panels at the same place, or a sentence instead."""
        self._panels = panels
        self._message = message
        self._draw()

    def toggle(self) -> None:
        """All at once, or each as wide as possible."""
        self._together = not self._together
        self._draw()

    def step(self, by: int) -> None:
        """Begin with another panel, as long as that shows more."""
        wanted = min(max(self._first + by, 0), self._last_first())
        if wanted != self._first:
            self._first = wanted
            self.refresh()

    def on_resize(self) -> None:
        """The size decides how large panels are."""
        self._draw()

    def notify_style_update(self) -> None:
        """Another theme has another ground."""
        super().notify_style_update()
        if self.is_mounted and self._lines:
            self._draw()

    def on_mouse_scroll_down(self) -> None:
        """The next panel."""
        self.step(1)

    def on_mouse_scroll_up(self) -> None:
        """The one before."""
        self.step(-1)

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        row = y + (self._tops[self._first] if self._tops else 0)
        width = self.size.width
        if row >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        return self._lines[row].adjust_cell_length(width, self.rich_style)

    def _last_first(self) -> int:
        """The panel from which on everything that follows is in sight."""
        fits = (index for index, top in enumerate(self._tops) if len(self._lines) - top <= self.size.height)
        return next(fits, max(0, len(self._tops) - 1))

    def _draw(self) -> None:
        width, height = self.size
        if width <= 0:
            return
        self._styles.clear()
        self._tops = []
        self._lines = [self._words(self._message)] if self._message else self._make_lines(width, height)
        self._first = min(self._first, self._last_first())
        self.refresh()

    def _words(self, text: str, width: int | None = None) -> Strip:
        text = fit(text, self.size.width if width is None else width)
        return Strip([Segment(plain_text(text) if self._plain else text, self.rich_style + Style(bold=True))])

    def _make_lines(self, width: int, height: int) -> list[Strip]:
        sizes = [panel.size for panel in self._panels]
        places = halfblocks.arrange(sizes, width, height, together=self._together)
        self._tops = sorted({place.top - 1 for place in places})
        lines: dict[int, list[tuple[int, Strip]]] = {}
        for panel, place in zip(self._panels, places, strict=False):
            lines.setdefault(place.top - 1, []).append((place.left, self._words(_(panel.title), place.width)))
            pixels = panel.scaled(place.width, halfblocks.pixel_rows(place, panel.size))
            for offset, strip in enumerate(self._image(pixels)):
                lines.setdefault(place.top + offset, []).append((place.left, strip))
        return [self._line(lines.get(row, [])) for row in range(max(lines, default=-1) + 1)]

    def _line(self, parts: list[tuple[int, Strip]]) -> Strip:
        line = Strip([])
        for left, strip in sorted(parts, key=lambda part: part[0]):
            line = Strip.join([line.adjust_cell_length(left, self.rich_style), strip])
        return line

    def _image(self, pixels: list[list[Rgb]]) -> list[Strip]:
        palette = PlotPalette.from_theme(self.app.theme_variables)
        if self._plain:
            light = palette.background is not None and luminance(palette.background) > _LIGHT_FROM
            return [Strip([Segment(line, self.rich_style)]) for line in halfblocks.ramp(pixels, light=light)]
        return [self._cells(row) for row in halfblocks.halves(pixels, grey=palette.distinct_lines)]

    def _cells(self, row: list[tuple[Rgb, Rgb | None]]) -> Strip:
        """Half blocks, equal neighbours as one segment."""
        segments: list[Segment] = []
        start = 0
        for end in range(1, len(row) + 1):
            if end == len(row) or row[end] != row[start]:
                upper, lower = row[start]
                # One colour needs no block, and half the bytes.
                sign = " " if upper == lower else halfblocks.UPPER_HALF
                segments.append(Segment(sign * (end - start), self._style(upper, lower)))
                start = end
        return Strip(segments)

    def _style(self, upper: Rgb, lower: Rgb | None) -> Style:
        style = self._styles.get((upper, lower))
        if style is None:
            ground = Color.from_rgb(*lower) if lower else self.rich_style.bgcolor
            style = self._styles[upper, lower] = Style(
                color=None if upper == lower else Color.from_rgb(*upper), bgcolor=ground
            )
        return style
