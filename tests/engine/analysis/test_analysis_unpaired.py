"""Intervals from summaries, beside SciPy's Welch test, and on the real runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from support.results import load_one

from engine.analysis.differences import DIFFERENCES
from engine.analysis.student import quantile, two_sided_p
from engine.analysis.ties import TIES
from engine.analysis.unpaired import unpaired_differences, unpaired_ties
from engine.catalogue import Catalogue
from engine.config import Config
from engine.errors import UsageError
from engine.schema import SUMMARY

CATALOGUE = Catalogue()
WEIGHTS = Config().score.weights
D1, AR, ATE = "depth.building.delta1", "depth.building.abs_rel", "pose.ate_trans"
Moments = tuple[float, float | None, int | None]


def summary(values: Mapping[str, Mapping[str, Moments]]) -> pl.DataFrame:
    """Of ``{checkpoint: {metric: (mean, std, count)}}``."""
    rows = [
        (name, key, mean, std, None, None, None, count)
        for name, metrics in values.items()
        for key, (mean, std, count) in metrics.items()
    ]
    return pl.DataFrame(rows, schema=SUMMARY, orient="row")


@given(st.floats(0.3, 1e6), st.floats(1e-4, 40.0))
def test_student_agrees_with_scipy(freedom: float, t: float) -> None:
    reference = 2.0 * scipy.stats.t.sf(t, freedom)
    assert two_sided_p(t, freedom) == pytest.approx(reference, rel=1e-5, abs=1e-280)
    assert two_sided_p(-t, freedom) == two_sided_p(t, freedom)


@given(st.floats(1.0, 1e6), st.floats(1e-7, 0.9))
def test_quantiles_agree_with_scipy(freedom: float, p: float) -> None:
    assert quantile(p, freedom) == pytest.approx(scipy.stats.t.isf(p / 2.0, freedom), rel=1e-6, abs=1e-9)


def test_student_at_the_ends() -> None:
    assert two_sided_p(0.0, 5.0) == 1.0
    assert two_sided_p(math.inf, 5.0) == 0.0
    assert quantile(0.05, 1e9) == pytest.approx(1.959964, abs=1e-6)


def test_with_independent_frames_it_is_welchs_test() -> None:
    random = np.random.default_rng(0)
    first, second = random.normal(0.5, 0.2, 25), random.normal(0.4, 0.1, 18)
    moments = {"baseline": {D1: _moments(first)}, "c": {D1: _moments(second)}}
    (row,) = unpaired_differences(
        summary(moments), baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE, frames_per_window=1
    ).to_dicts()
    test = scipy.stats.ttest_ind(second, first, equal_var=False)
    interval = test.confidence_interval(0.95)
    assert row["p"] == pytest.approx(test.pvalue, rel=0.05)  # degrees of freedom are rounded down
    assert [row["ci95_low"], row["ci95_high"]] == pytest.approx([interval.low, interval.high], abs=1e-3)
    assert row["error"] == pytest.approx(np.sqrt(first.var(ddof=1) / 25 + second.var(ddof=1) / 18))
    assert (row["kind"], row["windows"], row["unmatched"], row["frames"]) == ("unpaired", None, None, 18)


def _moments(values: np.ndarray) -> Moments:
    return float(values.mean()), float(values.std()), len(values)


def test_a_window_counts_once() -> None:
    moments = {
        "baseline": {D1: (0.40, 0.2, 800), ATE: (3.0, 1.0, 100)},
        "c": {D1: (0.43, 0.2, 800), ATE: (2.0, 1.0, 100)},
    }
    frames, windows = (
        unpaired_differences(
            summary(moments), baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE, frames_per_window=count
        )
        for count in (1, 8)
    )
    assert frames.schema == windows.schema == DIFFERENCES
    assert windows["metric"].to_list() == [D1, ATE]
    assert windows["error"][0] == pytest.approx(math.sqrt(8) * frames["error"][0])
    assert (frames["verdict"][0], windows["verdict"][0]) == ("better", "tied")
    # A pose is a window's already.
    assert windows["error"][1] == pytest.approx(frames["error"][1]) == pytest.approx(math.sqrt(2 / 99))
    with pytest.raises(UsageError, match="0 frames in a window"):
        unpaired_differences(
            summary(moments), baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE, frames_per_window=0
        )


def test_many_looks_are_corrected_for() -> None:
    moments = {"baseline": {D1: (0.4, 0.2, 8000)}} | {f"c_{i}": {D1: (0.415, 0.2, 8000)} for i in range(10)}
    alone, many = (
        unpaired_differences(summary(moments), baseline="baseline", checkpoints=names, catalogue=CATALOGUE)
        for names in (["c_0"], [f"c_{i}" for i in range(10)])
    )
    assert (alone["looks"][0], many["looks"][0]) == (1, 10)
    assert many["p_adjusted"][0] == pytest.approx(10 * alone["p"][0])
    assert many["ci95_low"][0] == pytest.approx(alone["ci95_low"][0])
    assert many["joint_low"][0] < alone["joint_low"][0] == pytest.approx(alone["ci95_low"][0])
    for row in many.iter_rows(named=True):
        assert (row["verdict"] == "tied") == (row["joint_low"] <= 0.0 <= row["joint_high"])


def test_what_summaries_do_not_tell() -> None:
    moments = {
        "baseline": {D1: (0.4, None, 800), AR: (1.0, 0.5, 800), ATE: (9.0, 0.0, 1), "performance.fps": (2.0, 0.0, 1)},
        "c": {D1: (0.5, 0.1, 800), AR: (0.9, 0.5, None), ATE: (9.0, 0.0, 1), "performance.fps": (1.0, 0.0, 1)},
    }
    rows = unpaired_differences(summary(moments), baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE)
    assert rows["delta"].to_list() == pytest.approx([-0.1, 0.1, 0.0, -1.0])
    for name in ("ci95_low", "joint_high", "error", "p", "p_adjusted"):
        assert rows[name].null_count() == 4
    assert rows["verdict"].to_list() == [None, None, "tied", None]
    nothing = unpaired_differences(summary(moments), baseline="nobody", checkpoints=["c"], catalogue=CATALOGUE)
    assert nothing.is_empty()
    assert nothing.schema == DIFFERENCES


def test_the_score_presumes_the_worst() -> None:
    means = dict(zip(WEIGHTS, (0.4, 0.5, 0.2, 0.2, 0.6), strict=True))
    moments = {
        name: {key: (mean + shift, 0.2, 808) for key, mean in means.items()}
        for name, shift in (("baseline", 0.0), ("c", 0.01))
    }
    rows = unpaired_differences(
        summary(moments), baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE, weights=WEIGHTS
    )
    score = rows.row(0, named=True)
    assert score["metric"] == "score"
    assert score["delta"] == pytest.approx(0.01 * (1.0 - 2 * WEIGHTS[AR]))
    independent = unpaired_differences(
        summary(moments),
        baseline="baseline",
        checkpoints=["c"],
        catalogue=CATALOGUE,
        weights=WEIGHTS,
        correlation=0.0,
    ).row(0, named=True)
    single = rows.row(by_predicate=pl.col("metric") == D1, named=True)["error"]
    assert score["error"] == pytest.approx(single * sum(WEIGHTS.values()))
    assert independent["error"] == pytest.approx(single * math.sqrt(sum(weight**2 for weight in WEIGHTS.values())))
    with pytest.raises(UsageError, match=r"1\.5 is not between 0 and 1"):
        unpaired_differences(
            summary(moments), baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE, correlation=1.5
        )
    # A mean far beyond 1 contributes a constant; one near 1 may not.
    far, near = (
        unpaired_differences(
            summary({name: metrics | {AR: (mean, 0.2, 808)} for name, metrics in moments.items()}),
            baseline="baseline",
            checkpoints=["c"],
            catalogue=CATALOGUE,
            weights=WEIGHTS,
        )["error"][0]
        for mean in (1.7, 1.01)
    )
    assert far == pytest.approx(single * (1.0 - WEIGHTS[AR]))
    assert near == pytest.approx(single)


def test_ties_from_summaries() -> None:
    values = {"a": 0.50, "b": 0.49, "c": 0.30, "d": 0.10}
    moments: dict[str, dict[str, Moments]] = {name: {D1: (mean, 0.2, 1600)} for name, mean in values.items()}
    moments["e"] = {D1: (0.2, None, None)}
    table = unpaired_ties(summary(moments), objective=D1, checkpoints=[*moments, "nobody"], catalogue=CATALOGUE)
    assert table.schema == TIES
    assert table["checkpoint"].to_list() == ["a", "b", "c", "e", "d"]
    assert table["tied_with_best"].to_list() == [True, True, False, True, False]
    assert table["behind"].to_list() == pytest.approx([0.0, 0.01, 0.2, 0.3, 0.4])
    p = two_sided_p(0.4 / (0.2 * math.sqrt(2 * 1600 / 1599 / 200)), 398)
    assert table["p"][4] == pytest.approx(p, rel=0.01)
    assert table["p_adjusted"][4] == pytest.approx(10 * p, rel=0.01)  # five checkpoints are ten pairs
    assert table["p_adjusted"].null_count() == 1
    with pytest.raises(UsageError, match="no direction"):
        unpaired_ties(summary(moments), objective="x", checkpoints=["a"], catalogue=CATALOGUE)
    assert unpaired_ties(summary(moments), objective=AR, checkpoints=["a"], catalogue=CATALOGUE).is_empty()


@pytest.mark.parametrize(
    ("run", "best", "score"),
    [
        ("lora_kitti360_strategy_b", "checkpoint_34", "better"),
        # +15.8 %; it would be better if the score's metrics were independent.
        ("lora_kitti360_strategy_b_soft", "checkpoint_37", "tied"),
    ],
)
def test_what_the_real_runs_support(shared_data: Path, run: str, best: str, score: str) -> None:
    """The best checkpoint's abs_rel is better for certain, its delta1 is not; and it is not the only best one."""
    loaded = load_one(shared_data / "kitti360_lora" / run)
    names = [name for name in loaded.checkpoints["checkpoint"] if name != loaded.baseline]
    assert loaded.baseline is not None
    verdicts, independent = (
        dict(
            unpaired_differences(
                loaded.summary,
                baseline=loaded.baseline,
                checkpoints=names,
                catalogue=CATALOGUE,
                weights=WEIGHTS,
                correlation=correlation,
            )
            .filter(checkpoint=best)
            .select("metric", "verdict")
            .rows()
        )
        for correlation in (1.0, 0.0)
    )
    assert verdicts["score"] == score
    assert independent["score"] == "better"
    assert verdicts[AR] == "better"
    assert verdicts["normals.building.inlier_30"] == "better"
    assert verdicts["photometric.building.inlier_ratio"] == "worse"
    assert verdicts[D1] == "tied"
    assert verdicts[ATE] is None
    ties = unpaired_ties(loaded.summary, objective="score", checkpoints=names, catalogue=CATALOGUE, weights=WEIGHTS)
    assert ties["checkpoint"][0] == best
    assert ties["tied_with_best"].sum() > 10
