"""Changes against the baseline and what they mean."""

from __future__ import annotations

import math

import pytest
from analysis_frames import CATALOGUE, run
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.compare import DELTAS, Verdict, deltas
from engine.errors import UnknownNameError

D1, AR = "depth.building.delta1", "depth.building.abs_rel"


def test_by_hand() -> None:
    analysis = run(
        {
            "baseline": {
                D1: 0.4,
                AR: 2.0,
                "scale.building.log_ratio": 0.5,
                "pose.rpe_trans": 0.0,
                "pose.ate_trans": 3.0,
            },
            "c_0": {D1: 0.5, AR: 2.5, "scale.building.log_ratio": 0.4, "pose.rpe_trans": 1.0, "performance.fps": 1.0},
        },
        counts={"c_0": {D1: 3294}},
    )
    table = deltas(analysis, "c_0", catalogue=CATALOGUE)
    assert table.schema == DELTAS
    rows = {row["metric"]: row for row in table.iter_rows(named=True)}
    assert list(rows) == list(analysis.metrics)
    assert rows[D1]["delta"] == pytest.approx(0.1)
    assert rows[D1]["delta_pct"] == pytest.approx(25.0)
    assert rows[D1]["verdict"] is None  # nothing was judged
    assert rows[D1]["n"] == 3294
    assert rows[AR]["delta_pct"] == pytest.approx(25.0)
    # no direction; a baseline of zero; no value; no baseline
    assert (rows["scale.building.log_ratio"]["delta_pct"], rows["scale.building.log_ratio"]["verdict"]) == (
        pytest.approx(-20.0),
        None,
    )
    assert (rows["pose.rpe_trans"]["delta"], rows["pose.rpe_trans"]["delta_pct"]) == (1.0, None)
    assert [rows["pose.ate_trans"][name] for name in ("value", "delta", "delta_pct", "verdict")] == [None] * 4
    assert [rows["performance.fps"][name] for name in ("baseline", "delta", "delta_pct", "verdict")] == [None] * 4
    assert table["ci95_low"].null_count() == table["ci95_high"].null_count() == table.height


def test_the_baseline_ties_with_itself_and_unmeasured_keys_give_nulls() -> None:
    analysis = run({"baseline": {D1: 0.4, AR: 2.0}})
    table = deltas(analysis, "baseline", catalogue=CATALOGUE, keys=[AR, "pose.ate_trans", D1])
    assert table["metric"].to_list() == [AR, "pose.ate_trans", D1]
    assert table["verdict"].to_list() == [Verdict.TIED, None, Verdict.TIED]
    assert table["delta"].to_list() == [0.0, None, 0.0]


def test_without_a_baseline_there_are_values_only() -> None:
    table = deltas(run({"c_0": {D1: 0.4}}, baseline=None), "c_0", catalogue=CATALOGUE)
    assert table.select("baseline", "value", "delta", "delta_pct", "verdict").row(0) == (None, 0.4, None, None, None)


def test_unknown_checkpoint() -> None:
    with pytest.raises(UnknownNameError, match="did you mean c_0"):
        deltas(run({"c_0": {D1: 0.4}}, baseline=None), "c0", catalogue=CATALOGUE)


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite, finite)
def test_laws(before: float, after: float) -> None:
    """No verdict by direction alone; numbers are finite or null; percent is relative to the baseline's size."""
    keys = ["depth.building.delta1", "depth.building.abs_rel"]
    analysis = run({"baseline": dict.fromkeys(keys, before), "c_0": dict.fromkeys(keys, after)})
    rows = {row["metric"]: row for row in deltas(analysis, "c_0", catalogue=CATALOGUE).iter_rows(named=True)}
    up, down = (rows[key] for key in keys)
    expected = "tied" if after == before else None
    assert (up["verdict"], down["verdict"]) == (expected, expected)
    for row in (up, down):
        assert row["delta"] is None or (math.isfinite(row["delta"]) and row["delta"] == after - before)
        assert row["delta_pct"] is None or math.isfinite(row["delta_pct"])
        if before == 0:
            assert row["delta_pct"] is None
        if row["delta"] and row["delta_pct"]:
            assert (row["delta"] > 0) == (row["delta_pct"] > 0)
