"""Whole plots as text."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from tui.plots.palette import DARK, LIGHT, PlotPalette
from tui.plots.raster import raster
from tui.plots.render import draw, render
from tui.plots.spec import HLine, Marker, PlotSpec, Series, VLine, band_role

MONO = PlotPalette.monochrome()


def bare(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def steps(*values: float | None, **more: object) -> PlotSpec:
    series = Series("a", tuple(float(i) for i in range(len(values))), values)
    return PlotSpec(**{"title": "t", "series": (series,), "x_is_integer": True, **more})  # type: ignore[arg-type]


def test_a_small_plot_exactly() -> None:
    spec = steps(0.0, 1.0, 2.0, 3.0, 4.0, title="AbsRel ↓", markers=(Marker(0, 0.0, "0.0"),))
    assert bare(render(spec, 30, 8, DARK)).split("\n") == [
        "AbsRel ↓",
        "4┤ · · · · · · · · · · · ·⣀⡠⠤⠄",
        " │                 ⢀⣀⠤⠤⠒⠊⠉",
        "2┤ · · · · ·⢀⣀⡠⠤⠔⠒⠉⠁ · · · · ·",
        " │0.0 ⣀⡠⠤⠒⠒⠉⠁",
        "0┤◆⠒⠊⠉ · · · · · · · · · · · ·",
        " └┬─────────────┬────────────┬",
        "  0             2            4",
    ]


def test_the_same_in_ascii() -> None:
    spec = steps(0.0, 1.0, 2.0, 3.0, 4.0, title="δ<1.25 ↑", markers=(Marker(4, 4.0, "4.0"),), x_label="step")
    text = render(spec, 30, 8, DARK, plain=True)
    assert text.split("\n") == [
        "d<1.25 ^",
        "4+                        ***#",
        " |                  ****** 4.0",
        "2+           *******",
        " |    *******",
        "0+****",
        " ++-------------+------------+",
        "  0             2            4",
    ]


def test_a_baseline_out_of_sight_is_said_at_the_edge() -> None:
    spec = steps(1.1, 1.1, 1.0, 1.0, hlines=(HLine(9.0, "baseline 9.0"), HLine(1.05, "other 1.05")))
    rows = bare(render(spec, 40, 12, DARK)).split("\n")
    assert rows[1].endswith("▲ baseline 9.0")
    assert any("other 1.05" in row for row in rows)


def test_outliers_are_clipped_marked_and_counted() -> None:
    values = [0.5 + 0.01 * (i % 5) for i in range(50)]
    values[20] = 1e6
    drawing = draw(steps(*values, title="x"), 60, 12)
    assert drawing.notes == ("1 point above the frame",)
    assert drawing.chars[1][drawing.column(20) or 0] == "▲"
    assert "1 point above the frame" in "".join(drawing.chars[0])
    assert drawing.frame is not None
    assert drawing.frame.y_high < 1


def test_gaps_are_not_bridged() -> None:
    drawing = draw(steps(1.0, 1.0, None, None, None, 1.0, 2.0), 47, 12)
    row = next(r for r, name in zip(drawing.chars, drawing.roles, strict=True) if "series-1" in name)
    left, right = drawing.column(1), drawing.column(5)
    assert left is not None
    assert right is not None
    for chars, roles in zip(drawing.chars, drawing.roles, strict=True):
        assert "series-1" not in roles[left + 1 : right], (chars, row)


def test_the_best_is_drawn_last_with_its_value_in_free_cells() -> None:
    values = [1.0, 3.0, 2.0, 5.0, 4.0]
    drawing = draw(steps(*values, markers=(Marker(3, 5.0, "5.00 (+9.9 %)"),)), 50, 14)
    text = "\n".join("".join(row) for row in drawing.chars)
    assert "5.00 (+9.9 %)" in text
    column = drawing.column(3)
    assert column is not None
    assert any(row[column] == "◆" for row in drawing.chars)


def test_curves_differ_without_colour() -> None:
    x = tuple(float(i) for i in range(30))
    pair = tuple(Series(str(n), x, tuple(float(n + i) for i in range(30)), f"series-{n + 1}") for n in range(4))
    shown = [render(PlotSpec("", series=(series,)), 60, 12, MONO) for series in pair]
    dots = [sum(0x2800 < ord(c) < 0x2900 for c in bare(text)) for text in shown]
    assert len(set(dots)) == 4
    assert not re.search(r"38;|48;", "".join(shown))


def test_lines_and_words_of_lines() -> None:
    spec = steps(
        *[float(i) for i in range(20)],
        vlines=(VLine(10, "+143 %"),),
        hlines=(HLine(5.0, "5 %", "threshold", "dotted"),),
    )
    drawing = draw(spec, 70, 16)
    text = "\n".join("".join(row) for row in drawing.chars)
    assert "+143 %" in text
    assert "5 %" in text
    column = drawing.column(10)
    assert column is not None
    assert sum(row[column] == "┊" for row in drawing.chars) >= 8


def test_a_band_fills_the_cells_between_its_ends() -> None:
    x = tuple(float(i) for i in range(10))
    alone = Series("a", x, (5.0,) * 10)
    # From 3 to 7 in rows of 1, and up to 5 alone at the last but one; nothing is known of the last one.
    ends = ((3.0,) * 9 + (None,), (7.0,) * 8 + (5.0, None))
    band = replace(alone, band=ends, band_name="95 %")
    without, within = (draw(PlotSpec("", series=(series,), y_limits=(0.0, 11.0)), 42, 14) for series in (alone, band))
    assert all("band-1" not in row for row in without.roles)
    frame = within.frame
    assert frame is not None
    rows = [frame.row(value) for value in (7.0, 6.0, 5.0, 4.0, 3.0)]
    columns = {at: within.left + frame.column(float(at)) for at in range(10)}
    filled = {(row, at) for row in range(14) for at, column in columns.items() if within.roles[row][column] == "band-1"}
    # The curve lies upon its band.
    expected = {(row, at) for row in rows for at in range(8) if row != rows[2]} | {(row, 8) for row in rows[3:]}
    assert filled == expected
    assert {within.chars[row][columns[at]] for row, at in filled} == {"░"}
    plain = draw(PlotSpec("", series=(band,), y_limits=(0.0, 11.0)), 42, 14, plain=True)
    assert {plain.chars[row][columns[at]] for row, at in filled} == {"."}
    assert "".join(map("".join, plain.chars)).isascii()


def test_a_band_that_leaves_the_frame_does_not_squeeze_its_curve() -> None:
    x = (0.0, 1.0, 2.0, 3.0)
    series = Series("a", x, (1.0, 1.2, 1.1, 1.4), band=((0.8, 0.9, 0.9, -50.0), (1.3, 1.4, 1.3, 50.0)))
    drawing = draw(PlotSpec("", series=(series,)), 40, 14)
    assert drawing.frame is not None
    assert drawing.frame.y_high - drawing.frame.y_low < 2.0
    last = drawing.left + drawing.frame.column(3.0)
    assert all(drawing.roles[row][last] in ("band-1", "series-1") for row in range(drawing.frame.height))


def test_a_band_is_a_shade_of_its_curve() -> None:
    assert band_role("series-3") == "band-3"
    for palette in (DARK, LIGHT):
        band, curve, background = palette.colour("band-3"), palette.colour("series-3"), palette.background
        assert band is not None and curve is not None and background is not None
        assert all(min(a, b) <= own <= max(a, b) for own, a, b in zip(band, curve, background, strict=True))
    assert MONO.colour("band-3") is None


@pytest.mark.parametrize("values", [(), (None, None), (float("nan"),), (float("inf"), None), (1e300,)])
def test_nothing_to_draw_is_said(values: tuple[float | None, ...]) -> None:
    assert "no values" in render(steps(*values), 40, 9, MONO)


@pytest.mark.parametrize("values", [(1.0,), (2.5, 2.5, 2.5), (0.0, -0.0), (1e-300, 2e-300), (-1e99, 1e99)])
def test_single_and_constant_values_are_drawn(values: tuple[float, ...]) -> None:
    drawing = draw(steps(*values), 40, 10)
    assert any("series-1" in row for row in drawing.roles)
    assert "nan" not in "".join("".join(row) for row in drawing.chars)


@pytest.mark.parametrize(("width", "height"), [(19, 10), (40, 4), (1, 1), (0, 0), (5, 0)])
def test_a_tiny_plot_is_a_sparkline(width: int, height: int) -> None:
    text = render(steps(1.0, 2.0, 3.0), width, height, MONO)
    assert len(text.split("\n")) == max(height, 1)
    assert all(cell_len(row) <= width for row in text.split("\n"))
    if width > 2 and height:
        assert text.startswith("▁▄█") or text.startswith("▁▅█")


words = st.text(st.characters(blacklist_categories=("Cs",)), max_size=30)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 130),
    st.integers(1, 40),
    st.lists(st.none() | st.floats(), max_size=30),
    words,
    st.sampled_from(["line", "dashed", "scatter"]),
    st.booleans(),
)
def test_size_is_exact_whatever_is_drawn(
    width: int, height: int, values: list[float | None], title: str, style: str, plain: bool
) -> None:
    series = Series(title, tuple(float(i) for i in range(len(values))), tuple(values), style=style)  # type: ignore[arg-type]
    spec = PlotSpec(
        title,
        x_label=title,
        y_label=title[:5],
        series=(series,),
        hlines=(HLine(1.0, title),),
        vlines=(VLine(3.0, title),),
        markers=(Marker(2.0, 1.0, title),),
        x_is_integer=True,
        note=title,
    )
    drawing = draw(spec, width, height, plain=plain)
    assert len(drawing.chars) == height
    for row in drawing.chars:
        assert len(row) == width
        assert cell_len("".join(row)) == width
    text = drawing.ansi(DARK)
    assert len(text.split("\n")) == height
    assert all(cell_len(bare(row)) <= width for row in text.split("\n"))
    assert not plain or text.isascii()


def test_ansi_is_read_back_by_rich() -> None:
    text = Text.from_ansi(render(steps(1.0, 2.0, 1.0), 40, 10, DARK))
    styles = {str(span.style) for span in text.spans}
    assert any("#6ea8fe" in style for style in styles)


def test_names_instead_of_a_scale() -> None:
    spec = PlotSpec(
        "",
        series=(Series("r", (10.0, -5.0, 0.0), (2.0, 1.0, 0.0), style="scatter"),),
        y_names=("low", "mid", "top"),
    )
    rows = ["".join(row) for row in draw(spec, 40, 8).chars]
    at = {name: next(i for i, row in enumerate(rows) if name in row) for name in ("top", "mid", "low")}
    assert at["top"] < at["mid"] < at["low"]
    assert [rows[at[name]].index("•") for name in ("mid", "low", "top")] == sorted(
        rows[at[name]].index("•") for name in ("mid", "low", "top")
    )


def test_many_threads_draw_what_one_draws() -> None:
    specs = [steps(*[float((i * k) % 7) for i in range(40)], title=str(k)) for k in range(1, 9)]
    alone = [render(spec, 60, 14, DARK) for spec in specs]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda spec: render(spec, 60, 14, DARK), specs * 3))
    assert together == alone * 3


@pytest.mark.parametrize("point", [(-1.0, 0.0), (5.0, 0.0), (0.0, float("nan")), (0.0, 1e6), (float("inf"), 0.0)])
def test_the_door_to_plotext_refuses_what_could_kill(point: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="outside the canvas"):
        raster([[(0.0, 0.0), point]], 4, 4)


def test_raster_dots_are_where_they_belong() -> None:
    assert raster([[(0.0, 0.0)], [(3.0, 2.0)]], 4, 3, "*") == ["   *", "    ", "*   "]
    assert raster([], 3, 2) == ["   ", "   "]
    assert raster([[(0.0, 0.0), (3.0, 0.0)]], 4, 1, "x") == ["xxxx"]
