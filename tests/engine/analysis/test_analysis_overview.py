"""Wide tables and the composite score."""

from __future__ import annotations

import polars as pl
import pytest
from analysis_frames import CATALOGUE, WEIGHTS, frames, run
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.overview import analyse
from engine.analysis.score import composite_score
from engine.catalogue import Catalogue
from engine.errors import DataError, UnknownNameError, UsageError
from engine.schema import CHECKPOINTS, SUMMARY, empty

D1, AR = "depth.building.delta1", "depth.building.abs_rel"
NORMALS, PLANE, PHOTO = (
    "normals.building.inlier_30",
    "planarity.building.inlier_ratio",
    "photometric.building.inlier_ratio",
)
SCORED = {D1: 0.5, AR: 0.25, NORMALS: 0.2, PLANE: 0.4, PHOTO: 0.6}


def test_wide_table_by_hand() -> None:
    analysis = run(
        {
            "baseline": {**SCORED, "performance.fps": 2.0},
            "c_0": {PHOTO: 0.1, D1: 0.3},
            "c_1": {},
            "oracle": {D1: 1.0},
        },
        roles={"oracle": "oracle"},
    )
    assert analysis.table.columns == [
        "checkpoint",
        "role",
        "step",
        "score",
        AR,
        D1,
        NORMALS,
        PLANE,
        PHOTO,
        "performance.fps",
    ]
    assert analysis.names == ["baseline", "c_0", "c_1", "oracle"]
    # 0.30 * 0.5 + 0.20 * (1 - 0.25) + 0.20 * 0.2 + 0.15 * 0.4 + 0.15 * 0.6
    assert analysis.table["score"].to_list() == [pytest.approx(0.49), None, None, None]
    assert analysis.table[D1].to_list() == [0.5, 0.3, None, 1.0]
    assert analysis.table["step"].to_list() == [None, 0, 1, None]
    assert analysis.stds[D1].to_list() == [0.05, 0.03, None, 0.1]
    assert analysis.counts[D1].to_list() == [10, 10, None, 10]
    assert "score" not in analysis.stds.columns
    assert analysis.metrics == ("score", AR, D1, NORMALS, PLANE, PHOTO, "performance.fps")
    assert analysis.score_missing == ()
    assert analysis.trained["checkpoint"].to_list() == ["c_0", "c_1"]
    assert analysis.value("baseline", D1) == 0.5
    assert analysis.value("c_1", D1) is None
    assert analysis.value(None, D1) is None
    assert analysis.value("nobody", D1) is None
    assert analysis.frames("c_0")[PHOTO] == 10


def test_no_score_without_its_metrics() -> None:
    analysis = run({"baseline": {D1: 0.4, AR: 1.0}, "c_0": {D1: 0.5, PHOTO: None}})
    assert analysis.score_missing == (NORMALS, PLANE, PHOTO)
    assert analysis.metrics == (AR, D1)
    assert analysis.table["score"].to_list() == [None, None]


def test_no_score_where_the_weighted_metrics_never_meet() -> None:
    analysis = run({"c_0": {D1: 0.4}, "c_1": {AR: 0.4}}, baseline=None, weights={D1: 0.5, AR: 0.5})
    assert analysis.score_missing == ()
    assert "score" not in analysis.metrics


def test_abs_rel_above_one_contributes_nothing() -> None:
    analysis = run({"c_0": {AR: 1.7, D1: 0.4}, "c_1": {AR: 0.25, D1: 0.4}}, baseline=None, weights={D1: 1.0, AR: 2.0})
    assert analysis.table["score"].to_list() == pytest.approx([0.4, 0.4 + 2.0 * 0.75])


def test_stored_columns_that_bear_a_reserved_name_are_kept_apart() -> None:
    analysis = run({"c_0": {**SCORED, "score": 7.0, "step": 3.0, "role": 1.0, "": 9.0}}, baseline=None)
    assert analysis.value("c_0", "score") == pytest.approx(0.49)
    assert analysis.value("c_0", "stored.score") == 7.0
    assert analysis.value("c_0", "stored.step") == 3.0
    assert analysis.value("c_0", "stored.") == 9.0
    assert analysis.table["role"].to_list() == ["checkpoint"]


@pytest.mark.parametrize("key", ["*", "^a.*$", "a b", "δ", "[bold]", 'q"t', "value", "rank", "metric", "\x1b[31m"])
def test_metric_names_are_only_names(key: str) -> None:
    analysis = run({"c_0": {key: 1.0, D1: 0.5}, "c_1": {key: 2.0}}, baseline="c_0")
    assert analysis.value("c_1", key) == 2.0
    assert set(analysis.metrics) == {D1, key}


def test_a_run_without_anything() -> None:
    analysis = analyse(empty(SUMMARY), empty(CHECKPOINTS), baseline=None, catalogue=CATALOGUE, weights=WEIGHTS)
    assert analysis.table.columns == ["checkpoint", "role", "step", "score"]
    assert (analysis.table.height, analysis.metrics, analysis.score_missing) == (0, (), tuple(WEIGHTS))


def test_what_cannot_be_analysed() -> None:
    summary, checkpoints = frames({"baseline": {D1: 0.4}, "c_0": {D1: 0.5}})
    with pytest.raises(UnknownNameError, match="did you mean baseline"):
        analyse(summary, checkpoints, baseline="basline", catalogue=CATALOGUE, weights=WEIGHTS)
    with pytest.raises(DataError, match=r"baseline: the metric 'depth.building.delta1' occurs twice"):
        analyse(pl.concat([summary, summary]), checkpoints, baseline=None, catalogue=CATALOGUE, weights=WEIGHTS)


def test_scores_need_weights_and_directions() -> None:
    with pytest.raises(UsageError, match="no weights"):
        composite_score({}, CATALOGUE)
    with pytest.raises(UsageError, match=r"'my\.metric', which has no direction"):
        composite_score({"my.metric": 1.0}, CATALOGUE)
    own = Catalogue({"my.metric": {"direction": CATALOGUE.get(AR).direction}})
    frame = pl.DataFrame({"my.metric": [0.25, None]})
    assert frame.select(composite_score({"my.metric": 1.0}, own))["score"].to_list() == [0.75, None]


@given(
    st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1)
)
def test_score_against_plain_arithmetic(rows: list[tuple[float, float, float, float, float]]) -> None:
    analysis = run(
        {f"c_{i}": dict(zip((AR, D1, NORMALS, PLANE, PHOTO), row, strict=True)) for i, row in enumerate(rows)},
        baseline=None,
    )
    for score, (abs_rel, delta1, normals, plane, photo) in zip(analysis.table["score"], rows, strict=True):
        by_hand = 0.30 * delta1 + 0.20 * (1 - min(abs_rel, 1)) + 0.20 * normals + 0.15 * plane + 0.15 * photo
        assert score == pytest.approx(by_hand, abs=1e-12)
        assert -1e-12 <= score <= 1 + 1e-12
