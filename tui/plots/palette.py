"""Colours of a plot by role, for dark and light backgrounds; without colour, curves differ by their line."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass

from tui.plots.spec import BAND, SERIES_SLOTS

Rgb = tuple[int, int, int]

# Told apart with the usual colour deficiencies, in this order; none is near the gold of the best checkpoint.
_ON_DARK: tuple[Rgb, ...] = (
    (110, 168, 254),
    (240, 138, 93),
    (95, 211, 141),
    (214, 132, 226),
    (94, 210, 222),
    (255, 122, 144),
    (177, 186, 108),
    (170, 160, 255),
)
_ON_LIGHT: tuple[Rgb, ...] = (
    (31, 95, 191),
    (190, 75, 10),
    (11, 122, 62),
    (142, 44, 160),
    (0, 120, 138),
    (190, 30, 60),
    (98, 104, 20),
    (86, 70, 190),
)
_GOLD_ON_DARK: Rgb = (255, 203, 71)
_GOLD_ON_LIGHT: Rgb = (148, 94, 0)
# How much of its curve's colour a band has; the rest is background.
_BAND_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class PlotPalette:
    """Colours by role. ``None`` is the terminal's own foreground.

    Attributes:
        background: what the other colours were chosen for; it is never painted.
        foreground: headings and values.
        grid: the dotted grid.
        axis: axes, ticks and remarks.
        series: the colours of the slots ``series-1`` to ``series-8``.
        baseline: the line of a run before fine-tuning.
        best: the best checkpoint.
        jump: vertical lines.
        threshold: the line under which a run is called stable.
        distinct_lines: whether curves must differ by their line, since their colours do not.
    """

    background: Rgb | None
    foreground: Rgb | None
    grid: Rgb | None
    axis: Rgb | None
    series: tuple[Rgb | None, ...]
    baseline: Rgb | None
    best: Rgb | None
    jump: Rgb | None
    threshold: Rgb | None
    distinct_lines: bool = False

    def colour(self, role: str) -> Rgb | None:
        """The colour of a role; roles without one of their own (title, text) are in the foreground."""
        if role.startswith("series-"):
            return self.series[(int(role[7:]) - 1) % len(self.series)]
        if role.startswith(BAND):
            curve = self.series[(int(role.removeprefix(BAND)) - 1) % len(self.series)]
            return None if curve is None or self.background is None else _mix(self.background, curve, _BAND_SHARE)
        if role in ("grid", "axis", "baseline", "best", "jump", "threshold"):
            colour: Rgb | None = getattr(self, role)
            return colour
        return self.axis if role == "note" else self.foreground

    @classmethod
    def for_background(cls, background: Rgb, foreground: Rgb) -> PlotPalette:
        """Colours that can be read on ``background``."""
        dark = luminance(background) < 0.4
        return cls(
            background=background,
            foreground=foreground,
            grid=_mix(background, foreground, 0.28),
            axis=_mix(background, foreground, 0.62),
            series=_ON_DARK if dark else _ON_LIGHT,
            baseline=_mix(background, foreground, 0.66),
            best=_GOLD_ON_DARK if dark else _GOLD_ON_LIGHT,
            jump=_mix(background, foreground, 0.5),
            threshold=_ON_DARK[5] if dark else _ON_LIGHT[5],
        )

    @classmethod
    def monochrome(cls) -> PlotPalette:
        """No colour at all: curves differ by their line, everything else by its sign."""
        nothing: tuple[Rgb | None, ...] = (None,) * SERIES_SLOTS
        return cls(None, None, None, None, nothing, None, None, None, None, distinct_lines=True)

    @classmethod
    def from_theme(cls, variables: Mapping[str, str]) -> PlotPalette:
        """The palette for a Textual theme.

        Args:
            variables: the theme's colours by name: ``background``, ``foreground`` and ``primary`` as ``#rrggbb``.

        Returns:
            Colours for that background; none where the theme's primary is grey or the colours are the terminal's.
        """
        background = _parse(variables.get("background", ""))
        foreground = _parse(variables.get("foreground", ""))
        primary = _parse(variables.get("primary", ""))
        if background is None or foreground is None or primary is None or _grey(primary):
            return cls.monochrome()
        return cls.for_background(background, foreground)


def luminance(colour: Rgb) -> float:
    """Relative luminance of an sRGB colour, 0 (black) to 1 (white), after WCAG 2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _grey(colour: Rgb) -> bool:
    return colorsys.rgb_to_hsv(*(value / 255 for value in colour))[1] < 0.08


def _parse(text: str) -> Rgb | None:
    digits = text.strip().removeprefix("#")
    if not text.strip().startswith("#") or len(digits) not in (6, 8):
        return None
    try:
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
    except ValueError:
        return None


DARK = PlotPalette.for_background((18, 21, 28), (216, 222, 233))
LIGHT = PlotPalette.for_background((251, 251, 248), (27, 31, 39))
