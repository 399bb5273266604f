"""Rankings: order, ties, what is left out and that it is said."""

from __future__ import annotations

import pytest
from analysis_frames import CATALOGUE, run
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.ranking import RANKED, best, rank
from engine.catalogue import Catalogue, Direction
from engine.errors import UnknownNameError, UsageError

D1, AR, VRAM = "depth.building.delta1", "depth.building.abs_rel", "performance.vram_mb"


def test_by_hand() -> None:
    analysis = run(
        {
            "baseline": {D1: 0.4, AR: 2.0},
            "c_0": {D1: 0.3, AR: 1.0},
            "c_1": {D1: 0.5, AR: 0.5},
            "c_2": {AR: 0.1},
            "c_3": {D1: 0.5, AR: 0.7},
            "oracle": {D1: 1.0, AR: 0.0},
            "chance": {D1: 0.0, AR: 9.0},
        },
        roles={"oracle": "oracle", "chance": "chance"},
    )
    ranking = rank(analysis, objective="delta1", catalogue=CATALOGUE)
    assert ranking.rows.schema == RANKED
    assert ranking.objective == D1
    rows = ranking.rows.select("rank", "checkpoint", "step", "value", "tied_with_best").rows()
    assert rows == [(1, "c_1", 1, 0.5, True), (1, "c_3", 3, 0.5, True), (3, "c_0", 0, 0.3, None)]
    assert ranking.rows["delta_pct"].to_list() == pytest.approx([25.0, 25.0, -25.0])
    assert ranking.unranked == ("c_2",)
    assert (ranking.total, ranking.kept, ranking.rejected, ranking.best) == (4, 4, 0, "c_1")
    wide = ranking.wide(analysis)
    assert wide["checkpoint"].to_list() == ["c_1", "c_3", "c_0"]
    assert wide[AR].to_list() == [0.5, 0.7, 1.0]
    assert wide.columns == analysis.table.columns

    lower = rank(analysis, objective=AR, catalogue=CATALOGUE, include_baseline=True, top=4)
    assert lower.rows["checkpoint"].to_list() == ["c_2", "c_1", "c_3", "c_0"]
    assert lower.total == 5
    assert rank(analysis, objective=AR, catalogue=CATALOGUE, include_baseline=True).rows["checkpoint"][-1] == "baseline"


def test_a_checkpoint_that_serves_as_baseline_is_not_ranked() -> None:
    analysis = run({"c_0": {D1: 0.9}, "c_1": {D1: 0.5}}, baseline="c_0")
    assert best(analysis, objective=D1, catalogue=CATALOGUE) == "c_1"
    assert rank(analysis, objective=D1, catalogue=CATALOGUE).rows["delta"].to_list() == [pytest.approx(-0.4)]


def test_blank_filters_and_objectives_by_any_name() -> None:
    analysis = run({"c_0": {VRAM: 2048.0}, "c_1": {VRAM: 1024.0}}, baseline=None)
    for objective in (VRAM, "vram_mb", "VRAM_GB"):
        ranking = rank(analysis, objective=objective, catalogue=CATALOGUE, where="  ")
        assert (ranking.objective, ranking.where, ranking.best) == (VRAM, None, "c_1")
        assert ranking.rows["delta"].to_list() == [None, None]


def test_wrong_objectives() -> None:
    analysis = run({"c_0": {D1: 0.9, "own": 1.0, "scale.building.log_ratio": 0.1}}, baseline=None)
    with pytest.raises(UsageError, match=r"no score \(missing: depth\.building\.abs_rel, normals"):
        rank(analysis, catalogue=CATALOGUE)
    with pytest.raises(UnknownNameError, match=r"did you mean depth\.building\.delta1"):
        rank(analysis, objective="depth.building.delta", catalogue=CATALOGUE)
    with pytest.raises(UsageError, match="'own' has no direction"):
        rank(analysis, objective="own", catalogue=CATALOGUE)
    with pytest.raises(UsageError, match="no direction"):
        best(analysis, objective="scale.building.log_ratio", catalogue=CATALOGUE)
    with pytest.raises(UsageError, match="--top 0"):
        rank(analysis, objective=D1, catalogue=CATALOGUE, top=0)
    own = Catalogue({"own": {"direction": Direction.LOWER}})
    assert best(analysis, objective="own", catalogue=own) == "c_0"


def test_best_is_empty_where_a_run_merely_lacks_the_objective() -> None:
    analysis = run({"baseline": {D1: 0.9}}, baseline="baseline")
    assert best(analysis, catalogue=CATALOGUE) is None
    assert best(analysis, objective="pose.ate_trans", catalogue=CATALOGUE) is None
    assert best(analysis, objective="fps", catalogue=CATALOGUE) is None
    assert best(analysis, objective=D1, catalogue=CATALOGUE) is None  # only the baseline has it
    with pytest.raises(UnknownNameError):
        best(analysis, objective="nonsense", catalogue=CATALOGUE)


values = st.lists(
    st.one_of(st.none(), st.sampled_from([0.0, -0.0, 0.5, 1.0]), st.floats(-10, 10)), min_size=1, max_size=12
)


@given(values, st.randoms(use_true_random=False), st.sampled_from([D1, AR]))
def test_the_order_of_the_table_does_not_matter(numbers: list[float | None], random: object, key: str) -> None:
    entries = {f"c_{i}": {key: value, "pose.ate_trans": 1.0} for i, value in enumerate(numbers)}
    shuffled = list(entries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    if all(value is None for value in numbers):
        return
    one = rank(run(entries, baseline=None), objective=key, catalogue=CATALOGUE)
    two = rank(run({name: entries[name] for name in shuffled}, baseline=None), objective=key, catalogue=CATALOGUE)
    assert one.rows.equals(two.rows)
    assert set(one.unranked) == set(two.unranked)
    assert one.rows.height + len(one.unranked) == one.kept == len(numbers)
    # Independent: a rank is one more than the number of strictly better values.
    sign = CATALOGUE.get(key).direction.sign
    for rank_, value in one.rows.select("rank", "value").rows():
        assert rank_ == 1 + sum(sign * other > sign * value for other in one.rows["value"])
