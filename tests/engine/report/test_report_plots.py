"""Plots: what is in the data is in the drawing, at its place."""

from __future__ import annotations

import math
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.report.plot import Bar, Curve, IntervalPlot, LinePlot, bar_span, plot_span, tick_texts, ticks
from engine.report.svg import svg
from engine.report.text_plot import COLUMNS, ROWS, text_plot

WORDS = ("baseline", "best", "jump", "band")
FINITE = st.floats(-1e6, 1e6, allow_subnormal=False)


def line_plot(*curves: Curve, threshold: float | None = None) -> LinePlot:
    return LinePlot("title", "checkpoint", "metric", curves, WORDS, threshold)


def drawn(plot: LinePlot | IntervalPlot) -> ElementTree.Element:
    return ElementTree.fromstring(svg(plot, "what it shows", "figure-1"))


def classed(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if name in element.attrib.get("class", "").split()]


@given(FINITE, st.floats(1e-6, 1e6), st.integers(2, 12))
def test_ticks_are_round_and_inside(low: float, size: float, count: int) -> None:
    high = low + size
    if not high > low + 1e-9 * abs(low):
        return
    found = ticks(low, high, count)
    assert found == sorted(found) and len(found) <= 2 * count + 1
    assert all(low - 1e-6 * size <= value <= high + 1e-6 * size for value in found)
    if len(found) > 2:
        steps = [b - a for a, b in pairwise(found)]
        assert max(steps) == pytest.approx(min(steps), rel=1e-3, abs=1e-6 * abs(high))


def test_tick_texts_tell_ticks_apart() -> None:
    assert tick_texts([0.0, 0.25, 0.5]) == ["0.00", "0.25", "0.50"]
    assert tick_texts([-10.0, -0.0, 10.0]) == ["-10", "0", "10"]
    assert tick_texts([0.1 * 3]) == ["0.3"]


def test_every_point_is_drawn_and_marks_are_where_they_belong() -> None:
    curve = Curve("run", (0.0, 1.0, 2.0, 3.0), (0.1, None, 0.3, 0.2), level=0.25, best=2, jumps=(2,))
    root = drawn(line_plot(curve))
    # Three points and one in the legend; a gap parts the line.
    assert len(classed(root, "point")) == 4
    (polyline,) = [element for element in classed(root, "line") if element.tag.endswith("polyline")]
    assert len(polyline.attrib["points"].split()) == 2
    ring = next(element for element in classed(root, "ring") if "s0" in element.attrib["class"])
    points = [(float(e.attrib["cx"]), float(e.attrib["cy"])) for e in classed(root, "point") if "cx" in e.attrib]
    assert (float(ring.attrib["cx"]), float(ring.attrib["cy"])) in points
    # Higher values are further up.
    by_x = sorted(points)[-3:]
    assert by_x[1][1] < by_x[2][1] < by_x[0][1]
    texts = ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("text")]
    assert {"run", "baseline", "best", "jump", "checkpoint", "metric"} <= set(texts)
    assert "band" not in texts  # nothing has one


def test_a_band_that_is_much_wider_than_the_curve_does_not_flatten_it() -> None:
    plot = line_plot(Curve("run", (0.0, 1.0), (0.4, 0.5), band=((-10.0, 10.0), (0.45, 0.55))))
    low, high = plot_span(plot)
    assert low > 0.3 and high < 0.6 and low < 0.4 and high > 0.5
    assert classed(drawn(plot), "band")


@given(st.lists(st.one_of(st.none(), FINITE), min_size=1, max_size=30))
def test_any_curve_can_be_drawn(values: list[float | None]) -> None:
    curve = Curve("run", tuple(map(float, range(len(values)))), tuple(values))
    root = drawn(line_plot(curve))
    for element in root.iter():
        for name in ("x", "y", "cx", "cy", "x1", "y1", "x2", "y2"):
            if name in element.attrib:
                assert math.isfinite(float(element.attrib[name]))
    lines = text_plot(line_plot(curve))
    known = sum(value is not None for value in values)
    assert sum(line.count("o") for line in lines[:ROWS]) >= min(1, known)
    assert all(len(line) <= COLUMNS + 20 for line in lines[:ROWS])


def test_text_plots_put_values_in_their_row() -> None:
    plot = line_plot(Curve("run", (0.0, 1.0, 2.0), (0.0, 1.0, 0.5), level=0.25, best=1), threshold=0.75)
    lines = text_plot(plot)
    rows = [line.partition("|")[2] for line in lines[:ROWS]]
    places = {sign: next(index for index, row in enumerate(rows) if sign in row) for sign in "@o-:"}
    assert places["@"] < places[":"] < places["-"]
    assert rows[places["@"]].index("@") == pytest.approx(COLUMNS / 2, abs=1)
    assert lines[-2:] == ["o run   --- baseline", "@ best"]
    assert all(line.isascii() for line in lines)


def test_intervals_are_drawn_to_scale_and_cut_where_they_leave() -> None:
    bars = (
        Bar("a", 0, 10.0, 5.0, 15.0, "better", "+10"),
        Bar("a", 1, -5.0, -1000.0, 1000.0, "tied", "-5"),
        Bar("b", 0, 2.0, None, None, "", "+2"),
    )
    plot = IntervalPlot("title", "percent", ("one", "two"), bars)
    low, high = bar_span(plot)
    assert -25 < low < -5 and 15 <= high < 30
    root = drawn(plot)
    assert len(classed(root, "better")) == 3  # the span and its ends
    assert sum(element.tag.endswith("path") for element in classed(root, "tied")) == 2  # both ends cut off
    lines = text_plot(plot)
    assert lines[0].startswith("a") and lines[0].endswith("+10") and lines[1].startswith(" ")
    assert "<" in lines[1] and ">" in lines[1] and "o" in lines[0] and "+" in lines[1]
