"""The band of a trend: intervals of changes upon the baseline's line, or of the values themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from analysis_frames import frames, run, weighed
from window_frames import arrays, drives_of

from engine.analysis.bands import IntervalOf, intervals_of
from engine.analysis.differences import Kind
from engine.analysis.evidence import Evidence
from engine.analysis.levels import KNOWN_LEVELS, summary_levels
from engine.catalogue import Catalogue

D1, ATE = "depth.building.delta1", "pose.ate_trans"


def paired(*, baseline: str | None = "baseline") -> Evidence:
    random = np.random.default_rng(0)
    base = random.uniform(0.2, 0.8, 40)
    values = {
        "baseline": {D1: base},
        "c_0": {D1: base + 0.0005 * random.standard_normal(40)},
        "c_1": {D1: base + 0.02 + 0.002 * random.standard_normal(40)},
    }
    means = {name: {D1: float(metrics[D1].mean())} for name, metrics in values.items()}
    return weighed(run(means, baseline=baseline), arrays(values, drives_of(2, 20)))


def test_the_baseline_is_outside_of_the_band_exactly_where_there_is_a_verdict() -> None:
    found = intervals_of(paired(), D1)
    assert found is not None
    assert (found.of, found.kinds) == (IntervalOf.CHANGE, (Kind.PAIRED,))
    assert {name: row["verdict"] for name, row in found.rows.items()} == {"c_0": "tied", "c_1": "better"}
    ends = found.ends(0.5)
    assert ends["c_0"][0] < 0.5 < ends["c_0"][1]
    assert 0.5 < ends["c_1"][0] < 0.52 < ends["c_1"][1]
    # The band is the joint interval: wider than that of one checkpoint by itself.
    row = found.rows["c_1"]
    assert ends["c_1"] == pytest.approx((0.5 + row["joint_low"], 0.5 + row["joint_high"]))
    assert row["joint_high"] - row["joint_low"] > row["ci95_high"] - row["ci95_low"]
    assert found.ends(None) == {}


def test_without_a_baseline_the_band_is_of_the_values() -> None:
    found = intervals_of(paired(baseline=None), D1)
    assert found is not None
    assert (found.of, found.kinds) == (IntervalOf.VALUE, (Kind.PAIRED,))
    low, high = found.ends(None)["c_0"]
    # Windows between 0.2 and 0.8 are known far worse than their differences.
    assert 0.02 < (high - low) / 2 < 0.1
    assert (found.rows["c_0"]["delta"], found.rows["c_0"]["verdict"]) == (None, None)


def test_a_summary_gives_unpaired_intervals() -> None:
    counts = {name: {D1: 800} for name in ("baseline", "c_0")}
    values = {"baseline": {D1: 0.4}, "c_0": {D1: 0.5}}
    found = intervals_of(weighed(run(values, counts=counts)), D1)
    assert found is not None
    assert found.kinds == (Kind.UNPAIRED,)
    low, high = found.ends(0.4)["c_0"]
    # 800 frames are 100 windows; standard deviations 0.04 and 0.05; Welch's quantile is about 1.97.
    error = math.sqrt((0.04**2 + 0.05**2) * 800 / 799 / 100)
    assert (high - low) / 2 == pytest.approx(1.972 * error, rel=1e-3)
    assert (high + low) / 2 == pytest.approx(0.5)


def test_nothing_is_known_of_a_single_measurement() -> None:
    values = {"baseline": {"performance.fps": 1.0}, "c_0": {"performance.fps": 2.0}}
    assert intervals_of(weighed(run(values)), "performance.fps") is None
    assert intervals_of(weighed(run(values)), "no.such.metric") is None


def test_levels_of_a_summary_by_hand() -> None:
    summary, _ = frames(
        {"c_0": {D1: 0.5, ATE: 2.0}, "c_1": {D1: 0.6}}, counts={"c_0": {D1: 80, ATE: 25}, "c_1": {D1: 8}}
    )
    rows = summary_levels(summary, checkpoints=["c_0", "c_1"], metrics=[D1, ATE], catalogue=Catalogue(), weights={})
    assert rows.schema == KNOWN_LEVELS
    assert rows.select("checkpoint", "metric", "frames", "kind").rows() == [
        ("c_0", D1, 80, "unpaired"),
        ("c_1", D1, 8, "unpaired"),
        ("c_0", ATE, 25, "unpaired"),
    ]
    # Ten windows: t(0.975, 9) = 2.262157; one window says nothing; of poses every count is a window: t(0.975, 24).
    first, second, third = rows.to_dicts()
    assert first["ci95_high"] - 0.5 == pytest.approx(2.262157 * 0.05 * math.sqrt(80 / 79 / 10), rel=1e-6)
    assert (second["ci95_low"], second["ci95_high"]) == (None, None)
    assert 2.0 - third["ci95_low"] == pytest.approx(2.063899 * 0.2 / math.sqrt(24), rel=1e-6)
