"""The figures: what they draw, what they leave out, what they say."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from plot_runs import full, run, with_evidence

from engine.analysis.overview import analyse
from engine.analysis.pareto import pareto_front
from engine.catalogue import Catalogue
from engine.config import Config, TrendConfig
from engine.errors import UnknownNameError
from engine.results.load import load_runs
from tui.plots.palette import DARK
from tui.plots.panels import RunSeries
from tui.plots.pareto import pareto_figure
from tui.plots.presets import PRESETS, build, custom, preset_keys
from tui.plots.readout import readout
from tui.plots.render import render
from tui.plots.signs import legend

CATALOGUE = Catalogue()
TRENDS = TrendConfig()


@pytest.fixture(scope="module")
def one() -> list[RunSeries]:
    return [full("alpha", "series-1")]


@pytest.fixture(scope="module")
def two(one: list[RunSeries]) -> list[RunSeries]:
    return [*one, full("beta", "series-2", shift=0.2)]


@pytest.mark.parametrize("preset", [preset.key for preset in PRESETS])
@pytest.mark.parametrize("plain", [False, True])
def test_every_preset_is_drawn_for_one_and_two_runs(
    preset: str, plain: bool, one: list[RunSeries], two: list[RunSeries]
) -> None:
    for runs in (one, two):
        figure = build(preset, runs, CATALOGUE, TRENDS)
        assert 1 <= len(figure.panels) <= 4
        assert figure.note == ""
        for panel in figure.panels:
            text = render(panel, 80, 18, DARK, plain=plain)
            assert len(text.split("\n")) == 18
            assert not plain or text.isascii()


def test_one_run_has_a_colour_per_metric_and_a_grey_baseline(one: list[RunSeries]) -> None:
    abs_rel, delta, _ = build("depth", one, CATALOGUE, TRENDS).panels
    assert abs_rel.title == "AbsRel · building ↓"
    assert [(line.y, line.text, line.role) for line in abs_rel.hlines] == [(1.0, "baseline 1.0000", "baseline")]
    (best,) = abs_rel.markers
    assert (best.x, best.y, best.role) == (11.0, pytest.approx(0.696), "best")
    assert best.text == "0.6960 (-30.4 %)"
    assert delta.title == "δ<1.25 ↑"
    assert [(s.name, s.role, s.style) for s in delta.series] == [
        ("building", "series-1", "line"),
        ("full", "series-2", "line"),
    ]


def test_two_runs_have_a_colour_each_and_the_second_metric_is_dashed(two: list[RunSeries]) -> None:
    abs_rel, delta, _ = build("depth", two, CATALOGUE, TRENDS).panels
    assert [(s.name, s.role) for s in abs_rel.series] == [("alpha", "series-1"), ("beta", "series-2")]
    assert [(line.y, line.role) for line in abs_rel.hlines] == [(1.0, "series-1"), (1.2, "series-2")]
    assert [(s.name, s.role, s.style) for s in delta.series] == [
        ("alpha", "series-1", "line"),
        ("beta", "series-2", "line"),
        ("full", "series-1", "dashed"),
        ("full", "series-2", "dashed"),
    ]
    entries = legend(build("depth", two, CATALOGUE, TRENDS))
    assert [(entry.name, entry.role, entry.glyph) for entry in entries] == [
        ("alpha", "series-1", "──"),
        ("beta", "series-2", "──"),
        ("full", "text", "┄┄"),
        ("best", "best", "◆"),
        ("baseline", "baseline", "╌╌"),
    ]


def test_stability_shows_the_threshold_the_jump_and_the_plateau(one: list[RunSeries]) -> None:
    panels = {panel.title: panel for panel in build("stability", one, CATALOGUE, TRENDS).panels}
    delta = panels["δ<1.25 · building · variation %"]
    assert [(line.y, line.role) for line in delta.hlines] == [(5.0, "threshold")]
    assert [(line.x, line.text) for line in delta.vlines] == [(6.0, "+145.1 %")]
    assert delta.y_limits is not None
    assert delta.y_limits[0] == 0.0
    assert delta.series[0].y[:4] == (None,) * 4


def test_profile_puts_better_to_the_right(one: list[RunSeries]) -> None:
    (panel,) = build("profile", one, CATALOGUE, TRENDS).panels
    at = {panel.y_names[round(marker.y)]: marker.x for marker in panel.markers}
    assert at["AbsRel ↓"] == pytest.approx(100 * (1.0 - 0.696) / 1.0)
    assert at["δ<1.25 ↑"] == pytest.approx(100 * (0.504 - 0.4) / 0.4)
    assert len(at) == len(panel.y_names) == 8


def test_what_no_run_has_is_left_out_and_named() -> None:
    runs = [run("a", "series-1", {"depth.building.abs_rel": [1.0, 0.9, 0.8]})]
    figure = build("depth", runs, CATALOGUE, TRENDS)
    assert [panel.title for panel in figure.panels] == ["AbsRel · building ↓"]
    assert figure.note == "not measured: δ<1.25 · building, δ<1.25 · full, RMSE m · building"
    score = build("score", runs, CATALOGUE, TRENDS)
    assert score.panels == ()
    assert score.note.startswith("no score: it needs δ<1.25 · building, normal <30° · building")
    pose = build("pose", runs, CATALOGUE, TRENDS)
    assert pose.panels == ()


def test_a_run_that_lacks_the_metric_is_named_on_the_panel(one: list[RunSeries]) -> None:
    other = run("bare", "series-2", {"depth.building.abs_rel": [1.0, 0.9, 0.8]})
    figure = build("pose", [*one, other], CATALOGUE, TRENDS)
    assert {panel.note for panel in figure.panels} == {"not measured in bare"}


def test_another_region_is_shown_where_the_wanted_one_is_missing() -> None:
    runs = [run("a", "series-1", {"depth.full.abs_rel": [1.0, 0.9, 0.8], "depth.full.delta1": [0.1, 0.2, 0.3]})]
    figure = build("depth", runs, CATALOGUE, TRENDS)
    assert [panel.title for panel in figure.panels] == ["AbsRel · full ↓", "δ<1.25 · full ↑"]
    assert figure.note.startswith("no building metrics: full is shown")


def test_without_baseline_or_numbers_in_names() -> None:
    names = ["lora_final", "lora_\x1b[31mbest", "lora_1"]
    runs = [
        run("a", "series-1", {"depth.building.abs_rel": [0.9, None, 0.8]}, baseline=False, names=names, steps=False)
    ]
    (panel,) = build("depth", runs, CATALOGUE, TRENDS).panels
    assert panel.hlines == ()
    assert panel.x_names == ((0.0, "lora_final"), (1.0, "lora_␛[31mbest"), (2.0, "lora_1"))
    figure = build("depth", runs, CATALOGUE, TRENDS)
    assert readout(figure, 2) == "checkpoint lora_1: AbsRel 0.8000, -11.1 % on lora_final"
    assert readout(figure, 1) == "checkpoint lora_␛[31mbest: AbsRel –"
    assert build("profile", runs, CATALOGUE, TRENDS).panels == ()


def test_custom_metrics_and_unknown_names(one: list[RunSeries]) -> None:
    figure = custom(["pose.ate_trans", "depth.full.mae", "my.own", "pose.ate_trans"], one, CATALOGUE, TRENDS)
    assert [panel.title for panel in figure.panels] == ["ATE m ↓", "MAE m · full ↓"]
    assert figure.note == "not measured: my.own"
    with pytest.raises(UnknownNameError, match="did you mean pose"):
        build("poses", one, CATALOGUE, TRENDS)
    assert preset_keys("score", one) == ("score",)


def test_readout_says_value_and_change(one: list[RunSeries], two: list[RunSeries]) -> None:
    figure = custom(["depth.building.delta1"], one, CATALOGUE, TRENDS)
    assert readout(figure, 6) == "checkpoint 6: δ<1.25 0.5000, +145 % on 5"
    assert readout(figure, 0) == "checkpoint 0: δ<1.25 0.2000"
    assert readout(figure, 99) == ""
    both = custom(["depth.building.delta1"], two, CATALOGUE, TRENDS)
    assert readout(both, 6) == "checkpoint 6: δ<1.25 alpha 0.5000, +145 % on 5 │ beta 0.5000, +145 %"
    variation = build("stability", one, CATALOGUE, TRENDS)
    assert "% on" not in readout(variation, 8)


def test_the_band_is_that_of_the_first_metric_and_says_what_it_is_of(
    one: list[RunSeries], two: list[RunSeries]
) -> None:
    alone = [with_evidence(one[0])]
    figure = custom(["depth.building.delta1"], alone, CATALOGUE, TRENDS)
    (series,) = figure.panels[0].series
    assert series.band is not None
    low, high = series.band
    # Welch: 2 x 0.1^2 x 800 / 799 / 100 windows; Bonferroni over 12 checkpoints: t(1 - 0.05 / 24, 198) is about 2.90.
    assert low[0] is not None and high[0] is not None
    assert (high[0] - low[0]) / 2 == pytest.approx(2.90 * 0.1 * (2 * 800 / 799 / 100) ** 0.5, rel=0.01)
    assert (high[0] + low[0]) / 2 == pytest.approx(0.2)
    assert [entry.name for entry in legend(figure)] == ["95 % of the change, unpaired", "best", "baseline"]
    assert [entry.glyph for entry in legend(figure, plain=True)] == ["..", "#", "--"]
    reach = (high[6] or 0.0) - 0.5
    assert readout(figure, 6) == f"checkpoint 6: δ<1.25 0.5000 ±{reach:.4f}, +145 % on 5"

    regions = build("regions", alone, CATALOGUE, TRENDS).panels[0].series
    assert [series.band is None for series in regions] == [False, True]
    assert regions[0].band_name == "95 % of the change, unpaired · building"
    of_one = build("regions", [with_evidence(two[0]), two[1]], CATALOGUE, TRENDS).panels[0].series
    assert [series.band is None for series in of_one] == [False, True, True, True]
    assert of_one[0].band_name == "95 % of the change, unpaired · alpha"
    assert all(series.band is None for series in build("stability", alone, CATALOGUE, TRENDS).panels[0].series)


def test_a_run_without_a_baseline_has_the_band_of_its_values() -> None:
    bare = with_evidence(run("alpha", "series-1", {"depth.full.mae": [0.5, 0.6]}, baseline=False))
    (series,) = custom(["depth.full.mae"], [bare], CATALOGUE, TRENDS).panels[0].series
    assert series.band_name == "95 % of the mean, by its spread"
    assert series.band is not None
    # t(0.975, 99) = 1.984217
    assert (series.band[1][0] or 0.0) - 0.5 == pytest.approx(1.984217 * 0.1 * (800 / 799 / 100) ** 0.5, rel=1e-5)


def test_pareto_marks_front_selection_and_direction() -> None:
    table = pl.DataFrame(
        {
            "checkpoint": ["a", "b", "c", "d"],
            "performance.fps": [1.0, 2.0, 1.5, None],
            "depth.building.abs_rel": [0.5, 0.8, 0.9, 0.1],
        }
    )
    front = pareto_front(table, ["performance.fps", "depth.building.abs_rel"], CATALOGUE)
    spec = pareto_figure(table, "performance.fps", "depth.building.abs_rel", front, {"b"}, CATALOGUE)
    others, edge = spec.series
    assert (others.x, others.y) == ((1.5,), (0.9,))
    assert (edge.x, edge.y) == ((1.0, 2.0), (0.5, 0.8))
    assert [(m.x, m.text, m.name) for m in spec.markers] == [
        (1.0, "", "front"),
        (2.0, "", "front"),
        (2.0, "b", "selected"),
    ]
    assert spec.x_label == "FPS 1/s ↑"
    assert spec.title.startswith("AbsRel · building ↓")
    assert spec.note == "best: lower right · 1 not measured"


def test_the_real_runs(shared_data: Path) -> None:
    config = Config()
    catalogue = config.catalogue()
    runs = []
    for index, found in enumerate(load_runs([shared_data / "kitti360_lora"])):
        tables = analyse(
            found.summary, found.checkpoints, baseline=found.baseline, catalogue=catalogue, weights=config.score.weights
        )
        runs.append(RunSeries(found.name, f"series-{index + 1}", tables))
    runs.sort(key=lambda entry: len(entry.name))
    (score,) = build("score", runs, catalogue, config.trends).panels
    assert [(marker.x, marker.text) for marker in score.markers] == [
        (34.0, "0.3455 (+30.9 %)"),
        (37.0, "0.2999 (+15.8 %)"),
    ]
    delta = custom(["depth.building.delta1"], runs[:1], catalogue, config.trends)
    assert readout(delta, 20) == "checkpoint 20: δ<1.25 0.3474, +143 % on 19"
    stability = build("stability", runs[:1], catalogue, config.trends)
    jumps = {panel.title: [line.x for line in panel.vlines] for panel in stability.panels}
    assert 20.0 in jumps["δ<1.25 · building · variation %"]
    (profile,) = build("profile", runs[:1], catalogue, config.trends).panels
    gains = {profile.y_names[round(marker.y)]: marker.text for marker in profile.markers}
    assert gains["AbsRel ↓"] == "+64.5"
    assert gains["plane inlier ↑"] == "+42.5"
    assert gains["photo <0.05 ↑"] == "-23.3"
