"""Paired differences: the table, its laws, and what cannot be said."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from window_frames import KEY, Floats, arrays, drives_of, frame_rows, planned, sample_of, window_rows

from engine.analysis.differences import DIFFERENCES
from engine.analysis.paired import LEVELS, levels_frame, paired_differences
from engine.analysis.resampling.sample import tabulate
from engine.analysis.resampling.statistics import Statistics
from engine.catalogue import Catalogue
from engine.config import Config
from engine.errors import UnknownNameError, UsageError

CATALOGUE = Catalogue()
AR = "depth.building.abs_rel"
SCALE = "scale.building.log_ratio"
WEIGHTS = Config().score.weights
DRIVES = drives_of(3, 8)


def noise(seed: int, scale: float = 1.0) -> Floats:
    return scale * np.random.default_rng(seed).standard_normal(len(DRIVES))


def differences(values: dict[str, dict[str, Floats]], **more: object) -> pl.DataFrame:
    statistics = planned(sample_of(values, DRIVES))
    names = [name for name in values if name != "baseline"]
    return paired_differences(statistics, baseline="baseline", checkpoints=names, catalogue=CATALOGUE, **more)  # type: ignore[arg-type]


def row_of(rows: pl.DataFrame, checkpoint: str, metric: str) -> dict[str, object]:
    return rows.row(by_predicate=(pl.col("checkpoint") == checkpoint) & (pl.col("metric") == metric), named=True)


def test_the_table() -> None:
    base = 2.0 + noise(0)
    values = {
        "baseline": {KEY: base, AR: base, SCALE: base},
        "up": {KEY: base + 0.5 + noise(1, 0.1), AR: base + 0.5 + noise(1, 0.1), SCALE: base + 0.5},
        "same": {KEY: base + noise(2, 0.1), AR: base.copy(), SCALE: base},
    }
    rows = differences(values)
    assert rows.schema == DIFFERENCES
    assert rows["metric"].to_list() == [AR] * 2 + [KEY] * 2 + [SCALE] * 2
    assert rows["checkpoint"].to_list() == ["up", "same"] * 3
    up = row_of(rows, "up", KEY)
    assert up["value"] == pytest.approx(values["up"][KEY].mean())
    assert up["baseline"] == pytest.approx(base.mean())
    assert up["delta"] == pytest.approx((values["up"][KEY] - base).mean())
    assert up["delta_pct"] == pytest.approx(100 * (values["up"][KEY] - base).mean() / base.mean())
    assert (up["windows"], up["frames"], up["unmatched"], up["looks"]) == (24, 192, 0, 2)
    assert (up["statistic"], up["kind"]) == ("mean", "paired")
    assert up["verdict"] == "better"
    assert 0.4 < up["joint_low"] < up["ci95_low"] < up["delta"] < up["ci95_high"] < up["joint_high"] < 0.6
    assert row_of(rows, "up", AR)["verdict"] == "worse"
    assert row_of(rows, "same", KEY)["verdict"] == "tied"
    # A metric without a direction has an interval and no verdict.
    assert row_of(rows, "up", SCALE)["verdict"] is None
    assert row_of(rows, "up", SCALE)["ci95_low"] == pytest.approx(0.5)


def test_pairing_is_what_tells_small_differences() -> None:
    """A difference of a fiftieth of the spread between windows is seen, as every window shows it."""
    base = noise(3)
    rows = differences({"baseline": {KEY: base}, "c": {KEY: base + 0.02 + noise(4, 0.01)}})
    assert rows["verdict"].to_list() == ["better"]
    assert rows["error"][0] < 0.01 < 0.15 < base.std() / np.sqrt(24)


def test_an_identical_checkpoint_is_tied_exactly() -> None:
    base = noise(5)
    rows = differences({"baseline": {KEY: base}, "c": {KEY: base.copy()}, "d": {KEY: base + 0.1}})
    same, shifted = rows.to_dicts()
    assert [same[name] for name in ("delta", "ci95_low", "ci95_high", "joint_low", "joint_high", "error")] == [0.0] * 6
    assert (same["p"], same["p_adjusted"], same["verdict"]) == (1.0, 1.0, "tied")
    # So is one that differs by the same in every window: certain.
    assert shifted["verdict"] == "better"
    assert shifted["p"] < 0.01
    assert [shifted["ci95_low"], shifted["joint_high"]] == pytest.approx([0.1, 0.1])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(1e-6, 1e6), shift=st.floats(-100.0, 100.0), flip=st.booleans())
def test_laws(seed: int, scale: float, shift: float, flip: bool) -> None:
    """Antisymmetric, equivariant under changes of unit, consistent in itself, whatever the order of the rows."""
    random = np.random.default_rng(seed)
    base = random.standard_normal(len(DRIVES))
    other = base + random.normal(0.0, 0.3) + random.uniform(0.01, 1.0) * random.standard_normal(len(DRIVES))
    rows = differences({"baseline": {KEY: base}, "c": {KEY: other}})
    plain = rows.to_dicts()[0]

    factor = -scale if flip else scale
    scaled = differences({"baseline": {KEY: factor * base + shift}, "c": {KEY: factor * other + shift}}).to_dicts()[0]
    ends = sorted(factor * plain[name] for name in ("ci95_low", "ci95_high"))
    tolerance = {"rel": 1e-4, "abs": 1e-4 * scale + 1e-12 * abs(shift)}
    assert scaled["delta"] == pytest.approx(factor * plain["delta"], **tolerance)
    assert [scaled["ci95_low"], scaled["ci95_high"]] == pytest.approx(ends, **tolerance)
    assert scaled["p"] == pytest.approx(plain["p"], abs=0.01)

    swapped = differences({"baseline": {KEY: other}, "c": {KEY: base}}).to_dicts()[0]
    assert swapped["delta"] == pytest.approx(-plain["delta"], rel=1e-12)
    assert [swapped["ci95_low"], swapped["ci95_high"]] == pytest.approx([-plain["ci95_high"], -plain["ci95_low"]])
    assert swapped["p"] == pytest.approx(plain["p"], abs=0.002)  # a resample may change sides by rounding
    opposite = {"better": "worse", "worse": "better", "tied": "tied"}
    assert swapped["verdict"] == opposite[str(plain["verdict"])]

    assert plain["p_adjusted"] == plain["p"]  # one look
    assert (plain["verdict"] == "tied") == (plain["joint_low"] <= 0.0 <= plain["joint_high"])
    sums = arrays({"c": {KEY: other}, "baseline": {KEY: base}}, DRIVES).sample(fraction=1.0, shuffle=True, seed=seed)
    shuffled = paired_differences(planned(tabulate(sums)), baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE)
    assert_frame_equal(shuffled, rows)


def test_more_looks_need_more_evidence() -> None:
    base = noise(6)
    values = {"baseline": {KEY: base, AR: base}} | {
        f"c_{i}": {key: base + noise(10 + i + offset, 0.5) for key, offset in ((KEY, 0), (AR, 50))} for i in range(20)
    }
    alone = differences({name: values[name] for name in ("baseline", "c_0")})
    many = differences(values)
    everything = differences(values, family="everything")
    for key in (KEY, AR):
        one, twenty, forty = (row_of(rows, "c_0", key) for rows in (alone, many, everything))
        assert one["ci95_low"] == pytest.approx(twenty["ci95_low"])
        assert (one["looks"], twenty["looks"], forty["looks"]) == (1, 20, 40)
        assert one["p_adjusted"] <= twenty["p_adjusted"] <= forty["p_adjusted"]
        assert one["joint_low"] > twenty["joint_low"] > forty["joint_low"]
    for rows in (many, everything):
        assert (rows["p"] <= rows["p_adjusted"]).all()
        inside = (rows["joint_low"] <= 0) & (rows["joint_high"] >= 0)
        assert ((rows["verdict"] == "tied") == inside).all()


def test_frames_that_only_one_has_do_not_count() -> None:
    """The checkpoint lacks the frames that are bad for the baseline, too: unpaired it would look better."""
    random = np.random.default_rng(16)
    good, bad = random.uniform(0.7, 0.9, 10), random.uniform(0.0, 0.2, 10)
    full = [{8 * w: good[w], 8 * w + 1: bad[w]} for w in range(10)]
    part = [{8 * w: good[w] - random.uniform(0.04, 0.08)} for w in range(10)]
    sample = tabulate(frame_rows({"baseline": {KEY: full}, "c": {KEY: part}}, ["d"] * 10))
    (row,) = paired_differences(planned(sample), baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE).to_dicts()
    assert row["value"] > np.mean([good, bad])  # what the baseline has over all of its frames
    assert row["baseline"] == pytest.approx(good.mean())
    assert -0.08 < row["delta"] < -0.04
    assert (row["frames"], row["unmatched"], row["windows"]) == (10, 10, 10)
    assert row["verdict"] == "worse"


def test_an_unfinished_checkpoint_is_compared_on_the_windows_it_has() -> None:
    base = noise(7)
    sums = arrays({"baseline": {KEY: base}, "c": {KEY: base + 1.0 + noise(8, 0.1)}}, DRIVES)
    part = sums.filter(~((pl.col("checkpoint") == "c") & (pl.col("window") >= 10)))
    (row,) = paired_differences(
        planned(tabulate(part)), baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE
    ).to_dicts()
    assert (row["windows"], row["frames"], row["unmatched"]) == (10, 80, 14 * 8)
    assert row["baseline"] == pytest.approx(base[:10].mean())
    assert row["verdict"] == "better"


def test_too_few_windows_say_nothing() -> None:
    values = {
        "baseline": {KEY: [[1.0], [2.0], [3.0]]},
        "c": {KEY: [[2.0], [3.5], [4.0]]},
        "d": {KEY: [[1.0], [2.0], [3.0]]},
    }
    sample = tabulate(window_rows(values, ["d"] * 3))
    rows = paired_differences(planned(sample), baseline="baseline", checkpoints=["c", "d"], catalogue=CATALOGUE)
    assert rows["delta"].to_list() == pytest.approx([7.0 / 6.0, 0.0])
    for name in ("ci95_low", "ci95_high", "joint_low", "joint_high", "error", "p", "p_adjusted"):
        assert rows[name].null_count() == 2
    assert rows["verdict"].to_list() == [None, "tied"]  # the same values are tied whatever else


@pytest.mark.parametrize(("measured", "said"), [(4, False), (12, True)])
def test_a_metric_that_few_windows_have(measured: int, said: bool) -> None:
    """Many resamples of one large drive hold none of 4 windows out of 60; of 12, nearly all hold some."""
    random = np.random.default_rng(17)
    base, drives = random.standard_normal(60), ["d"] * 60
    sums = arrays(
        {
            name: {KEY: base + shift, AR: base + shift}
            for name, shift in (("baseline", 0.0), ("c", random.normal(0.5, 0.05, 60)))
        },
        drives,
    )
    part = sums.filter((pl.col("metric") == AR) | (pl.col("window") % (60 // measured) == 0))
    rows = paired_differences(planned(tabulate(part)), baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE)
    few, all_windows = row_of(rows, "c", KEY), row_of(rows, "c", AR)
    assert few["windows"] == measured
    assert few["verdict"] == ("better" if said else None)
    assert (few["ci95_low"] is not None) == said
    assert all_windows["verdict"] == "worse"


def test_a_difference_in_one_window_is_not_significant() -> None:
    """Most resamples lack it or count it alone; that must spoil neither its own verdict nor that of the others."""
    base = noise(9)
    once = base.copy()
    once[3] += 5.0
    rows = differences({"baseline": {KEY: base}, "once": {KEY: once}, "better": {KEY: base + 0.3 + noise(10, 0.05)}})
    assert rows["verdict"].to_list() == ["tied", "better"]


def test_the_score_is_compared_as_it_is_computed() -> None:
    random = np.random.default_rng(11)
    base = {key: random.uniform(0.3, 0.6, 24) for key in WEIGHTS}
    base[AR] = random.uniform(1.4, 2.0, 24)  # clipped to 1: contributes nothing
    better = {key: values + 0.05 + 0.01 * random.standard_normal(24) for key, values in base.items()}
    better[AR] = random.uniform(1.2, 1.5, 24)  # better, and still clipped
    statistics = planned(sample_of({"baseline": base, "c": better}, DRIVES), weights=WEIGHTS)
    rows = paired_differences(statistics, baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE)
    assert rows["metric"][0] == "score"
    row = rows.row(0, named=True)
    expected = sum(weight * (better[key] - base[key]).mean() for key, weight in WEIGHTS.items() if key != AR)
    assert row["delta"] == pytest.approx(expected)
    assert row["verdict"] == "better"
    assert row["ci95_low"] < expected < row["ci95_high"]
    only = paired_differences(
        statistics, baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE, metrics=["score", "nowhere"]
    )
    assert_frame_equal(only, rows.head(1))


def test_the_spread_over_frames_is_compared_with_less_being_better() -> None:
    random = np.random.default_rng(12)
    frames = random.standard_normal((24, 6))
    values = {
        "baseline": {KEY: frames.tolist()},
        "even": {KEY: (0.5 * frames).tolist()},
        "wild": {KEY: (1.5 * frames).tolist()},
    }
    statistics = planned(tabulate(window_rows(values, DRIVES)))
    rows = paired_differences(
        statistics, baseline="baseline", checkpoints=["even", "wild"], catalogue=CATALOGUE, spread=True
    )
    assert rows["statistic"].to_list() == ["std", "std"]
    assert rows["baseline"].to_list() == pytest.approx([frames.std()] * 2)
    assert rows["delta"].to_list() == pytest.approx([-0.5 * frames.std(), 0.5 * frames.std()])
    assert rows["verdict"].to_list() == ["better", "worse"]


def test_values_have_intervals_of_their_own() -> None:
    base = noise(13)
    statistics = planned(sample_of({"baseline": {KEY: base}, "c": {KEY: base + 0.05}}, DRIVES))
    levels = levels_frame(statistics, checkpoints=["c", "nobody", "baseline"], metrics=[KEY])
    assert levels.schema == LEVELS
    assert levels["checkpoint"].to_list() == ["c", "baseline"]
    c, baseline = levels.to_dicts()
    assert c["ci95_low"] < c["value"] < c["ci95_high"]
    assert c["ci95_low"] < baseline["value"]  # they overlap, although every window shows the difference
    rows = paired_differences(statistics, baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE)
    assert rows["verdict"].to_list() == ["better"]
    assert levels_frame(statistics, checkpoints=["nobody"]).is_empty()


def test_names_and_resamples_that_are_missing() -> None:
    sample = sample_of({"baseline": {KEY: noise(14)}, "c": {KEY: noise(15)}}, DRIVES)
    statistics = planned(sample)
    with pytest.raises(UnknownNameError, match="unknown checkpoint 'base'"):
        paired_differences(statistics, baseline="base", checkpoints=["c"], catalogue=CATALOGUE)
    for names in ([], ["baseline"], ["unmeasured"]):
        rows = paired_differences(statistics, baseline="baseline", checkpoints=names, catalogue=CATALOGUE)
        assert rows.is_empty()
        assert rows.schema == DIFFERENCES
    with pytest.raises(UsageError, match="no resamples"):
        paired_differences(Statistics(sample, None), baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE)
