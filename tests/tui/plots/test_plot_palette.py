"""Colours that can be read."""

from __future__ import annotations

import pytest
from textual.theme import BUILTIN_THEMES

from tui.plots.palette import DARK, LIGHT, PlotPalette, luminance
from tui.plots.spec import series_role
from tui.themes import THEMES


def contrast(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    """WCAG 2 contrast ratio."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_luminance_of_known_colours() -> None:
    assert luminance((255, 255, 255)) == pytest.approx(1.0)
    assert luminance((0, 0, 0)) == 0.0
    assert luminance((255, 0, 0)) == pytest.approx(0.2126)


@pytest.mark.parametrize("palette", [DARK, LIGHT])
def test_every_mark_stands_out_from_its_background(palette: PlotPalette) -> None:
    assert palette.background is not None
    for role in (*(series_role(i) for i in range(8)), "best", "baseline", "threshold", "axis", "title", "note"):
        colour = palette.colour(role)
        assert colour is not None
        assert contrast(colour, palette.background) >= 3.0, role
    assert len(set(palette.series)) == 8


@pytest.mark.parametrize("theme", [*THEMES, *BUILTIN_THEMES.values()], ids=lambda theme: theme.name)
def test_every_theme_has_a_palette(theme: object) -> None:
    variables = theme.to_color_system().generate()  # type: ignore[attr-defined]
    palette = PlotPalette.from_theme(variables)
    if palette.background is None:
        assert palette.distinct_lines
        return
    for role in (*(series_role(i) for i in range(8)), "best", "title"):
        colour = palette.colour(role)
        assert colour is not None
        assert contrast(colour, palette.background) >= 2.5, role


def test_themes_without_colour_tell_curves_apart_by_line() -> None:
    assert PlotPalette.from_theme(
        {"background": "#000000", "foreground": "#eeeeee", "primary": "#ffffff"}
    ).distinct_lines
    assert PlotPalette.from_theme({"background": "ansi_default", "primary": "ansi_blue"}).distinct_lines
    assert not PlotPalette.from_theme(
        {"background": "#ffffff", "foreground": "#111111", "primary": "#0000ff"}
    ).distinct_lines
