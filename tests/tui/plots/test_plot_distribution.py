"""Histograms with boxes, boxes of summaries, and photometric curves."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.store import curves, summary

from engine.analysis.spread import histogram, spread
from engine.catalogue import Catalogue
from tui.plots.distribution import distribution, summary_boxes
from tui.plots.inliers import inlier_curves
from tui.plots.lines import outline
from tui.plots.palette import PlotPalette
from tui.plots.readout import readout
from tui.plots.render import draw, render
from tui.plots.signs import legend
from tui.plots.spec import Box, Figure, PlotSpec, Series

ERROR = Catalogue().get("depth.building.abs_rel")
ATE = Catalogue().get("pose.ate_trans")
NAMES = ["checkpoint_1", "baseline"]


def values(**own: list[float]) -> pl.DataFrame:
    rows = [(name, value) for name, found in own.items() for value in found]
    return pl.DataFrame(rows, schema={"checkpoint": pl.String, "value": pl.Float64}, orient="row")


def figure(table: pl.DataFrame, metric=ERROR) -> Figure:  # type: ignore[no-untyped-def]
    return distribution(metric, NAMES, histogram(table), spread(table))


SAMPLE = values(checkpoint_1=[0.1] * 3 + [0.2] * 4 + [0.3] * 2 + [0.4], baseline=[0.3] * 5 + [0.5] * 4 + [0.6])


def bare(spec: PlotSpec, width: int, height: int, *, plain: bool = False) -> list[str]:
    return (
        render(spec, width, height, PlotPalette.monochrome(), plain=plain)
        .replace("\x1b[1m", "")
        .replace("\x1b[0m", "")
        .split("\n")
    )


def test_a_histogram_in_ascii_exactly() -> None:
    spec = PlotSpec(
        "t",
        series=(Series("a", (0.5, 1.5, 2.5), (50.0, 0.0, 25.0), "series-1", "steps", width=1.0),),
        boxes=(Box(0.0, 0.5, 1.0, 2.0, 3.0),),
        y_limits=(0.0, 50.0),
    )
    assert bare(spec, 34, 10, plain=True) == [
        "t",
        "50+***********",
        "  |*         *",
        "  |*         *",
        "  |*         *        ***********",
        "  |*         *        *         *",
        " 0+*         **********         *",
        "  ++---------+--------+---------+-",
        "   0         1        2         3",
        "** |----=====#=========---------|",
    ]


def test_the_box_stands_below_the_axis_on_its_scale() -> None:
    (panel,) = figure(SAMPLE).panels
    lines = bare(panel, 60, 14, plain=True)
    own, other = lines[-3], lines[-2]
    assert own.startswith("** ")
    assert other.startswith("++ ")
    drawing = draw(panel, 60, 14, plain=True)
    assert own[drawing.column(0.2) or 0] == "#"
    assert own[drawing.column(0.11) or 0] in "|-="
    assert own[drawing.column(0.25) or 0] == "="
    assert own[drawing.column(0.36) or 0] in "-|"
    assert other[drawing.column(0.4) or 0] == "#"


def test_the_note_gives_the_figures_and_the_readout_the_bins() -> None:
    found = figure(SAMPLE)
    assert (
        found.note
        == "median checkpoint_1 0.2000 (0.1250–0.2750) │ baseline 0.4000 (0.3000–0.5000); mean 0.2100 │ 0.4100"
    )
    positions = found.positions()
    assert len(positions) == len(found.panels[0].series[0].x)
    words = readout(found, 0)
    assert words.startswith("AbsRel 0.10 to 0.15: checkpoint_1 30.0 % │ baseline 0.0 %")
    assert [entry.name for entry in legend(found)] == NAMES


def test_figures_of_windows_are_called_so() -> None:
    table = values(checkpoint_1=[1.0, 2.0], baseline=[1.5])
    assert figure(table, ATE).panels[0].y_label == "% of windows"
    assert figure(table).panels[0].y_label == "% of frames"


def test_what_lies_beyond_the_bins_is_said() -> None:
    near = [0.1 + 0.001 * step for step in range(60)]
    panel = figure(values(checkpoint_1=[*near, 9.0], baseline=[*near, 8.0, -3.0])).panels[0]
    assert panel.note == "1 below and 2 above the bins"


def test_one_of_them_without_values() -> None:
    found = figure(values(baseline=[0.5, 0.6]))
    assert [series.name for series in found.panels[0].series] == ["baseline"]
    # The colour of a checkpoint does not depend on whether the other one has values.
    assert found.panels[0].series[0].role == "series-2"


def test_a_summary_is_a_box_of_mean_and_deviation() -> None:
    table = summary(
        ("baseline", ERROR.key, 1.7, 3.6, 0.8, 0.1, 111.0, 500),
        ("checkpoint_1", ERROR.key, 0.6, 0.2, 0.5, 0.1, 2.0, 500),
        ("checkpoint_1", "other", 9.0, 0.2, 0.5, 0.1, 2.0, 500),
    )
    (panel,) = summary_boxes(ERROR, NAMES, table).panels
    assert panel.y_names == ("baseline", "checkpoint_1")
    baseline, own = panel.boxes
    assert (own.low, own.middle, own.high, own.row) == (0.1, 0.5, 2.0, 1)
    assert (own.first, own.third) == pytest.approx((0.4, 0.8))
    # A box ends where the values do.
    assert (baseline.first, baseline.third) == pytest.approx((0.1, 5.3))
    text = bare(panel, 70, 12, plain=True)
    row = next(line for line in text if line.lstrip().startswith("baseline"))
    # The line of the far value leaves the frame instead of pressing the boxes into a cell.
    assert row.rstrip().endswith(">")
    assert row.count("=") > 10
    assert "0.1000 to 111.0000" in summary_boxes(ERROR, NAMES, table).note


def test_a_summary_of_means_alone_has_no_box() -> None:
    table = summary(("baseline", ERROR.key, 1.7, None, None, None, None, None))
    assert summary_boxes(ERROR, NAMES, table).panels == ()


def test_photometric_curves_mark_the_threshold() -> None:
    rows = [
        (name, "photometric_inlier", "building", x, share * x, 8)
        for name, share in (("checkpoint_1", 4.0), ("baseline", 3.0), ("oracle", 5.0))
        for x in (0.01, 0.05, 0.2)
    ]
    names = ["checkpoint_1", "baseline", "oracle", "chance"]
    found = inlier_curves(names, curves(*rows), "building", 0.05, "0.05: the score uses this")
    (panel,) = found.panels
    assert [series.name for series in panel.series] == ["oracle", "baseline", "checkpoint_1"]
    assert (panel.vlines[0].x, panel.vlines[0].role) == (0.05, "threshold")
    assert panel.markers[0].y == pytest.approx(0.2)
    assert found.note == "at 0.05: checkpoint_1 0.2000 │ baseline 0.1500 │ oracle 0.2500"
    assert "0.05: the score uses this" in render(panel, 80, 20, PlotPalette.monochrome())
    assert ("threshold", "┊") in [(entry.name, entry.glyph) for entry in legend(found)]
    assert "jump" not in [entry.name for entry in legend(found)]
    # Beside the value before it a point of a curve says nothing.
    assert readout(found, 1) == "difference of colour below 0.05: oracle 0.2500 │ baseline 0.1500 │ checkpoint_1 0.2000"
    assert inlier_curves(["nobody"], curves(*rows), "building", 0.05, "").panels == ()


def test_outlines() -> None:
    assert outline([], 1.0) == ((), ())
    assert outline([(0.5, 2.0), (1.5, 3.0)], 1.0) == (
        (0.0, 0.0, 1.0, 1.0, 2.0, 2.0),
        (0.0, 2.0, 2.0, 3.0, 3.0, 0.0),
    )
    # Bars that do not touch stand alone.
    assert outline([(0.5, 2.0), (4.5, 1.0)], 1.0) == (
        (0.0, 0.0, 1.0, 1.0, 4.0, 4.0, 5.0, 5.0),
        (0.0, 2.0, 2.0, 0.0, 0.0, 1.0, 1.0, 0.0),
    )


boxes = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=5, max_size=5)


@given(boxes, st.integers(0, 90), st.integers(0, 30), st.booleans(), st.booleans())
def test_no_box_leaves_the_drawing(found: list[float], width: int, height: int, plain: bool, named: bool) -> None:
    spec = PlotSpec(
        "t",
        x_label="x",
        series=(Series("a", (0.0, 1.0), (0.0, 1.0)),),
        boxes=(Box(*found), Box(*sorted(found, key=str), row=1)),
        y_names=("a", "b") if named else (),
    )
    drawing = draw(spec, width, height, plain=plain)
    assert drawing.height == height
    assert all(len(row) == width for row in drawing.chars)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.integers(20, 120), st.integers(5, 40))
def test_any_values_can_be_drawn(found: list[float], width: int, height: int) -> None:
    (panel,) = figure(values(checkpoint_1=found, baseline=found[:1])).panels
    drawing = draw(panel, width, height)
    assert all(len(row) == width for row in drawing.chars)
