"""Colours of a grid: style roles on row surfaces, taken from CSS once per theme and made readable."""

from __future__ import annotations

from rich.style import Style
from textual.color import BLACK, WHITE, Color
from textual.widget import Widget

from tui.widgets.grid_model import ROLES

#: Least contrast (WCAG 2 ratio, 1 to 21) of text on its background; muted text may be fainter.
CONTRAST = 4.5
MUTED_CONTRAST = 3.0

SURFACES = ("row", "header", "group", "title", "cursor", "blurred", "cell")
COMPONENTS = frozenset(
    {*(f"grid--{role}" for role in (*ROLES, "rule")), *(f"grid--surface-{name}" for name in SURFACES)}
)
GRID_CSS = """
GridView {
    overflow-x: hidden;
    overflow-y: auto;
    scrollbar-size-vertical: 1;
    scrollbar-color: $foreground 35%;
    scrollbar-color-hover: $foreground 60%;
    scrollbar-color-active: $primary;
    scrollbar-background: $background 0%;
    scrollbar-background-hover: $background 0%;
    scrollbar-background-active: $background 0%;
    & > .grid--surface-header { background: $panel; text-style: bold; }
    & > .grid--surface-group { background: $panel; color: $accent; text-style: bold; }
    & > .grid--surface-title { color: $accent; text-style: bold; }
    & > .grid--surface-cursor { background: $primary 32%; }
    & > .grid--surface-blurred { background: $foreground 9%; }
    & > .grid--surface-cell { background: $primary 75%; text-style: bold; }
    & > .grid--better { color: $success; }
    & > .grid--worse { color: $error; }
    & > .grid--tied { color: $foreground 70%; }
    & > .grid--muted { color: $foreground 55%; }
    & > .grid--accent { color: $accent; }
    & > .grid--warning { color: $warning; }
    & > .grid--error { color: $error; text-style: bold; }
    & > .grid--heading { color: $accent; text-style: bold; }
    & > .grid--best { color: $success; text-style: bold; }
    & > .grid--mark { color: $accent; }
    & > .grid--rule { color: $foreground 22%; }
    &:ansi > .grid--muted, &:ansi > .grid--rule { text-style: dim; }
}
"""
"""Default CSS: theme variables only, so that every theme works."""

_REVERSED = frozenset({"cursor", "cell"})


class Palette:
    """Resolved styles of one widget, by surface and role, filled on demand.

    Surfaces are ``row``, ``header``, ``group``, ``title`` (a heading row), ``cursor``, ``blurred``, ``cell``; each is
    the component class ``grid--surface-<surface>``, roles are ``grid--<role>``.

    Args:
        widget: the grid, whose CSS decides.
        monochrome: show the cursor by reverse video, without colours of roles on it.
    """

    def __init__(self, widget: Widget, monochrome: bool) -> None:
        self._widget = widget
        self._monochrome = monochrome
        self._styles: dict[tuple[str, str], Style] = {}

    def style(self, surface: str, role: str = "") -> Style:
        """The style of text with ``role`` on ``surface``.

        Raises:
            KeyError: the widget has no component class of that name.
        """
        found = self._styles.get((surface, role))
        if found is None:
            found = self._styles[surface, role] = self._resolve(surface, role)
        return found

    def _resolve(self, surface: str, role: str) -> Style:
        _, _, background, foreground = self._widget.colors
        ground = self._widget.get_component_styles(f"grid--surface-{surface}")
        attributes = ground.text_style
        reverse = self._monochrome and surface in _REVERSED
        if not self._monochrome or surface not in ("cursor", "blurred", "cell"):
            background = background + ground.background
        if ground.has_rule("color"):
            foreground = background.get_contrast_text(ground.color.a) if ground.auto_color else ground.color
        if role:
            words = self._widget.get_component_styles(f"grid--{role}")
            attributes = attributes + words.text_style
            if words.has_rule("color") and not reverse:
                foreground = background.get_contrast_text(words.color.a) if words.auto_color else words.color
        least = 1.0 if role == "rule" else MUTED_CONTRAST if role == "muted" else CONTRAST
        foreground = readable(background + foreground, background, least)
        style = Style.from_color(foreground.rich_color, background.rich_color) + attributes
        return style + Style(reverse=True) if reverse else style


def readable(foreground: Color, background: Color, least: float) -> Color:
    """``foreground``, moved towards white or black until its contrast with ``background`` is at least ``least``.

    Contrast is the WCAG 2 ratio of relative luminances. Colours of the terminal's own palette, whose values are
    unknown, are returned as they are.
    """
    if foreground.ansi is not None or background.ansi is not None:
        return foreground
    pole = max((WHITE, BLACK), key=lambda colour: contrast(colour, background))
    for step in range(11):
        candidate = foreground.blend(pole, step / 10)
        if contrast(candidate, background) >= least:
            return candidate
    return pole


def contrast(one: Color, other: Color) -> float:
    """WCAG 2 contrast ratio of two opaque colours, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
