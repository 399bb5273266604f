"""The numerical core: arrays of windows, blocks, statistics with their resamples, errors: by hand and brute force."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from window_frames import KEY, ar1, arrays, drives_of, frame_rows, sample_of, single_windows, window_rows

from engine.analysis.resampling.blocks import (
    autocorrelation,
    block_length,
    block_sums,
    draw,
    split,
)
from engine.analysis.resampling.judging import LEAST_WINDOWS, judge, plan
from engine.analysis.resampling.products import product
from engine.analysis.resampling.sample import tabulate
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.resampling.studentised import critical, long_run_factor, p_value, plain_error
from engine.config import Config
from engine.errors import DataError, UnknownNameError, UsageError

AR = "depth.building.abs_rel"
WEIGHTS = Config().score.weights


def test_arrays_by_hand() -> None:
    rows = window_rows({"b": {KEY: [[1.0, 3.0], [5.0]]}, "a": {KEY: [[0.0, 1.0], []]}}, ["y", "x"])
    sample = tabulate(rows)
    assert sample.checkpoints == ("a", "b")
    assert sample.drives == ("x", "y")  # by drive, whatever the numbers of their windows
    assert sample.windows.tolist() == [1, 0]
    metric = sample.metric(KEY)
    assert metric.shift == 2.0  # (1 + 3 + 5 + 0 + 1) / 5
    assert metric.present.tolist() == [[False, True], [True, True]]
    assert metric.counts.tolist() == [1.0, 2.0]
    assert metric.sums.tolist() == [[0.0, -3.0], [3.0, 0.0]]
    assert metric.squares.tolist() == [[0.0, 5.0], [9.0, 2.0]]  # (0 - 2)^2 + (1 - 2)^2, and so on
    with pytest.raises(UnknownNameError, match="unknown checkpoint"):
        sample.row("c")
    with pytest.raises(UnknownNameError, match="unknown metric"):
        sample.metric("depth.building.mae")


def test_arrays_refuse_what_cannot_be() -> None:
    rows = window_rows({"a": {KEY: [[1.0], [2.0]]}}, ["x", "x"])
    with pytest.raises(DataError, match="occurs twice"):
        tabulate(rows.vstack(rows))
    other = window_rows({"b": {KEY: [[1.0, 2.0], [2.0]]}}, ["x", "x"])
    with pytest.raises(DataError, match="different numbers of frames"):
        tabulate(rows.vstack(other))
    with pytest.raises(DataError, match="no per-frame rows"):
        tabulate(rows, metrics=[AR])
    assert set(tabulate(rows, metrics=[KEY, AR]).metrics) == {KEY}


def test_small_drives_are_put_together() -> None:
    assert [places.tolist() for places in split(["a"] * 3 + ["b"] * 4)] == [[0, 1, 2], [3, 4, 5, 6]]
    assert [places.tolist() for places in split(["a", "b", "c", "d", "d", "d"])] == [[3, 4, 5], [0, 1, 2]]
    assert [places.tolist() for places in split(["a", *"bbbb", *"ccc"])] == [[1, 2, 3, 4], [0, 5, 6, 7]]
    assert [places.tolist() for places in split(["a", "b"])] == [[0, 1]]


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=5), length=st.integers(1, 12), seed=st.integers(0, 2**32)
)
def test_every_resample_is_as_large_as_the_sample(sizes: list[int], length: int, seed: int) -> None:
    drives = [f"d{drive}" for drive, size in enumerate(sizes) for _ in range(size)]
    blocks = draw(drives, length, resamples=20, seed=seed)
    assert blocks.weights.shape == (len(drives), 20)
    assert (blocks.weights >= 0).all()
    for stratum in blocks.strata:
        assert blocks.weights[stratum.windows].sum(axis=0) == pytest.approx(len(stratum.windows))
        assert stratum.draws.sum(axis=0).tolist() == [stratum.blocks] * 20
        assert stratum.length <= max(1, len(stratum.windows) // 2)
        assert stratum.blocks >= min(2, len(stratum.windows))
    again = draw(drives, length, resamples=20, seed=seed)
    assert (again.weights == blocks.weights).all()


def test_blocks_are_neighbours_in_a_circle() -> None:
    blocks = draw(["d"] * 6, 3, resamples=1000, seed=1)
    (stratum,) = blocks.strata
    assert block_sums(np.array([[1.0, 2, 3, 4, 5, 6]]), stratum).tolist() == [[6, 9, 12, 15, 12, 9]]
    # A window's weight is the number of drawn blocks that hold it: those that start at it or at the two before.
    starts = stratum.draws
    assert (blocks.weights[0] == starts[0] + starts[5] + starts[4]).all()
    assert set(np.unique(blocks.weights)) <= {0.0, 1.0, 2.0}


def test_correlation_and_length_of_blocks() -> None:
    random = np.random.default_rng(0)
    strata = split(drives_of(9, 200))
    for rho in (0.0, 0.3, 0.6):
        found = autocorrelation(ar1(random, (40, 9, 200), rho).reshape(40, -1), strata)
        assert found.mean() == pytest.approx(rho + 0.5 * np.sqrt((1 - rho**2) / 1800), abs=0.02)
    assert autocorrelation(np.zeros((1, 1800)), strata)[0] == 0.0
    assert autocorrelation(np.tile([1.0, -1.0], 900)[None], strata)[0] < 0.02  # negative counts as none
    assert [block_length(rho, strata) for rho in (0.0, 0.3, 0.5)] == [1, 11, 17]  # (6 rho^2/(1-rho^2)^2 n)^(1/3)
    assert block_length(0.9, split(drives_of(2, 8))) == 1  # ten degrees of freedom are left
    # Differences are what is looked at: their correlation, not that of the values.
    common = ar1(random, (4, 50), 0.95).reshape(-1)
    names = {"baseline": common, **{f"c_{i}": common + 0.3 * random.standard_normal(200) for i in range(20)}}
    sample = sample_of({name: {KEY: values} for name, values in names.items()}, drives_of(4, 50))
    assert plan(sample, baseline="baseline", resamples=1).strata[0].length <= 3
    assert plan(sample, resamples=1).strata[0].length >= 6


def _expanded(values: list[list[float]], weights: np.ndarray) -> np.ndarray:
    """The frames of a resample of whole windows, each as often as its window counts."""
    return np.concatenate([np.repeat(frames, int(weight)) for frames, weight in zip(values, weights, strict=True)])


def test_resampled_statistics_are_those_of_resampled_frames() -> None:
    """Mean, spread and score of a resample equal those of its frames written out."""
    random = np.random.default_rng(1)
    windows = [int(random.integers(1, 5)) for _ in range(12)]
    values = {
        name: {key: [list(random.uniform(0.0, 1.6, count)) for count in windows] for key in WEIGHTS}
        for name in ("baseline", "c")
    }
    sample = tabulate(window_rows(values, drives_of(2, 6)))
    blocks = draw(sample.drives, 2, resamples=50, seed=3)
    assert (blocks.weights == blocks.weights.round()).all()  # 6 windows are 3 blocks of 2
    statistics = Statistics(sample, blocks, weights=WEIGHTS)
    rows = sample.rows(["baseline", "c"])
    mean, spread, score = (
        statistics.level(KEY, rows),
        statistics.level(KEY, rows, spread=True),
        statistics.level("score", rows),
    )
    assert mean.frames.tolist() == [sum(windows)] * 2
    assert mean.windows.tolist() == [12, 12]
    for row, name in enumerate(("baseline", "c")):
        original = {key: np.concatenate(values[name][key]) for key in WEIGHTS}
        assert mean.value[row] == pytest.approx(original[KEY].mean())
        assert spread.value[row] == pytest.approx(original[KEY].std())
        assert score.value[row] == pytest.approx(_score(original))
        for resample in range(50):
            drawn = {key: _expanded(values[name][key], blocks.weights[:, resample]) for key in WEIGHTS}
            assert mean.value[row] + mean.deviations[row, resample] == pytest.approx(drawn[KEY].mean())
            assert spread.value[row] + spread.deviations[row, resample] == pytest.approx(drawn[KEY].std())
            assert score.value[row] + score.deviations[row, resample] == pytest.approx(_score(drawn))


def _score(frames: dict[str, np.ndarray]) -> float:
    means = {key: float(values.mean()) for key, values in frames.items()}
    return sum(weight * (1.0 - min(means[key], 1.0) if key == AR else means[key]) for key, weight in WEIGHTS.items())


def test_influence_is_the_derivative() -> None:
    """What a window contributes is how the statistic changes with the window's weight."""
    random = np.random.default_rng(2)
    values = {"c": {key: [list(random.uniform(0.1, 0.9, 3)) for _ in range(5)] for key in WEIGHTS}}
    sample = tabulate(window_rows(values, ["d"] * 5))
    statistics = Statistics(sample, None, weights=WEIGHTS)
    rows = sample.rows(["c"])
    step = 1e-6
    for key, spread in ((KEY, False), (KEY, True), ("score", False)):
        level = statistics.level(key, rows, spread=spread)
        nudged = Statistics(sample, single_windows(sample, 5))
        nudged._weights = np.ones((5, 5)) + step * np.eye(5)
        nudged.weights, nudged._directions, nudged.keys = statistics.weights, statistics._directions, statistics.keys
        derivative = nudged.level(key, rows, spread=spread).deviations / step
        assert derivative[0] == pytest.approx(level.influence[0], rel=1e-4, abs=1e-7)


def test_error_of_independent_windows_is_the_textbook_one() -> None:
    values = np.random.default_rng(4).normal(3.0, 2.0, 80)
    sample = sample_of({"c": {KEY: values}}, ["d"] * 80)
    blocks = single_windows(sample)
    level = Statistics(sample, blocks).level(KEY, sample.rows(["c"]))
    assert plain_error(blocks, level.influence)[0] == pytest.approx(scipy.stats.sem(values))


def test_interval_agrees_with_scipy_on_independent_windows() -> None:
    """Where windows are independent and plenty, the interval is SciPy's bootstrap interval of windows."""
    values = np.random.default_rng(5).gamma(4.0, 0.1, 400)
    sample = sample_of({"c": {KEY: values}}, ["d"] * 400)
    blocks = single_windows(sample, 4000)
    judged = judge(blocks, Statistics(sample, blocks).level(KEY, sample.rows(["c"])))
    reference = scipy.stats.bootstrap((values,), np.mean, n_resamples=4000, method="BCa", rng=np.random.default_rng(6))
    (low,), (high,) = judged.interval()
    width = reference.confidence_interval.high - reference.confidence_interval.low
    factor = long_run_factor(blocks, (values - values.mean())[None] / 400)[0]
    assert judged.error[0] / factor == pytest.approx(reference.standard_error, rel=0.04)
    assert (high - low) / factor == pytest.approx(width, rel=0.06)
    assert low + (high - low) / 2 == pytest.approx(values.mean())
    assert 1.0 <= factor < 1.1  # the caution: half a standard error of the correlation


def test_interval_of_few_windows_agrees_with_student() -> None:
    """Over a dozen normal windows the studentised quantile is about that of Student's t, far from the normal one."""
    quantiles = []
    for seed in range(60):
        values = np.random.default_rng(seed).standard_normal(12)
        sample = sample_of({"c": {KEY: values}}, ["d"] * 12)
        blocks = single_windows(sample, 500, seed)
        judged = judge(blocks, Statistics(sample, blocks).level(KEY, sample.rows(["c"])))
        quantiles.append(critical(judged.statistics)[0])
    assert np.mean(quantiles) == pytest.approx(scipy.stats.t.ppf(0.975, 11), abs=0.15)


def test_blocks_hold_the_long_run_variance() -> None:
    """The standard error of a mean of correlated windows is that of the AR(1) series, not of independent windows."""
    random = np.random.default_rng(7)
    rho, drives, windows = 0.6, 6, 60
    values = ar1(random, (150, drives, windows), rho).reshape(150, -1)
    sample = sample_of({f"{row:03}": {KEY: series} for row, series in enumerate(values)}, drives_of(drives, windows))
    blocks = plan(sample, resamples=100)
    level = Statistics(sample, blocks).level(KEY, np.arange(150))
    truth = np.sqrt((1 + rho) / (1 - rho) / (drives * windows))
    assert values.mean(axis=1).std() == pytest.approx(truth, rel=0.12)
    assert np.median(judge(blocks, level).error) == pytest.approx(truth, rel=0.06)
    assert np.median(plain_error(single_windows(sample), level.influence)) < 0.6 * truth


def test_p_and_quantile_agree_at_every_place() -> None:
    statistics = np.sort(np.random.default_rng(8).exponential(size=(1, 199))).astype(np.float32)
    limit = critical(statistics)[0]
    for value in statistics[0].tolist():
        assert (p_value(statistics, np.array([value]))[0] <= 0.05) == (value > limit)
    assert p_value(statistics, np.array([0.0]))[0] == 1.0
    assert p_value(statistics, np.array([np.inf]))[0] == 1 / 200
    assert np.isinf(critical(statistics[:, :10]))[0]  # ten resamples settle no 95 % interval


def test_what_cannot_be_judged() -> None:
    few = sample_of({"c": {KEY: np.arange(LEAST_WINDOWS - 1.0)}}, ["d"] * (LEAST_WINDOWS - 1))
    blocks = single_windows(few)
    judged = judge(blocks, Statistics(few, blocks).level(KEY, few.rows(["c"])))
    assert np.isnan([judged.error[0], judged.p[0], *np.ravel(judged.interval())]).all()

    constant = sample_of({"c": {KEY: np.full(20, 0.3)}}, drives_of(2, 10))
    blocks = single_windows(constant)
    judged = judge(blocks, Statistics(constant, blocks).level(KEY, constant.rows(["c"])))
    assert judged.error[0] == 0.0
    assert np.ravel(judged.interval()) == pytest.approx([0.3, 0.3])
    assert judged.p[0] == 1 / 501


def test_large_values_keep_the_digits_of_their_spread() -> None:
    values = np.random.default_rng(9).normal(0.0, 1e-3, 40)
    sample = sample_of({"c": {KEY: values}}, ["d"] * 40)
    far = sample_of({"c": {KEY: values + 4e6}}, ["d"] * 40)
    for spread in (False, True):
        near, distant = (Statistics(each, None).level(KEY, each.rows(["c"]), spread=spread) for each in (sample, far))
        assert distant.influence == pytest.approx(near.influence, rel=1e-4, abs=1e-10)
    assert distant.value[0] == pytest.approx(values.std(), rel=1e-5)


def test_pairs_count_the_frames_that_both_have() -> None:
    rows = frame_rows(
        {
            "a": {KEY: [{0: 1.0, 1: 2.0}, {8: 3.0}, {}]},
            "b": {KEY: [{1: 1.0, 2: 7.0}, {8: 1.0}, {16: 9.0}]},
        },
        ["d"] * 3,
    )
    sample = tabulate(rows)
    contrast = Statistics(sample, None).contrast(KEY, sample.rows(["a", "a"]), sample.rows(["b", "a"]))
    assert contrast.left.value.tolist() == [2.5, 2.0]  # frames 1 and 8; all of its own
    assert contrast.right.value.tolist() == [1.0, 2.0]
    assert contrast.difference.value.tolist() == [1.5, 0.0]
    assert contrast.difference.frames.tolist() == [2, 3]
    assert contrast.difference.windows.tolist() == [2, 2]
    assert contrast.unmatched.tolist() == [3, 0]  # frames 0, 2 and 16


def test_statistics_refuse_what_cannot_be() -> None:
    sample = sample_of({"c": {KEY: np.arange(5.0)}}, ["d"] * 5)
    statistics = Statistics(sample, None, weights=WEIGHTS)
    assert statistics.keys == (KEY,)  # the other metrics of the score are missing
    with pytest.raises(UnknownNameError, match="unknown metric 'score'"):
        statistics.level("score", sample.rows(["c"]))
    with pytest.raises(UsageError, match="no direction"):
        Statistics(sample, None, weights={"scale.building.log_ratio": 1.0})
    with pytest.raises(UsageError, match="no spread"):
        Statistics(sample, None, weights={KEY: 1.0}).level("score", sample.rows(["c"]), spread=True)


def test_one_blas_thread_is_restored() -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    before = [info["num_threads"] for info in threadpoolctl.threadpool_info()]
    left, right = np.random.default_rng(0).random((3, 4)), np.random.default_rng(1).random((4, 2))
    assert (product(left, right) == left @ right).all()
    assert [info["num_threads"] for info in threadpoolctl.threadpool_info()] == before


def test_means_of_windows_and_rows_of_frames_agree() -> None:
    """The same values as whole windows and frame by frame give the same statistics."""
    random = np.random.default_rng(10)
    values = [list(random.random(4)) for _ in range(6)]
    whole = tabulate(window_rows({"c": {KEY: values}}, drives_of(2, 3)))
    single = tabulate(frame_rows({"c": {KEY: [dict(enumerate(frames)) for frames in values]}}, drives_of(2, 3)))
    for spread in (False, True):
        levels = [Statistics(s, single_windows(s)).level(KEY, s.rows(["c"]), spread=spread) for s in (whole, single)]
        assert levels[0].value == pytest.approx(levels[1].value)
        assert levels[0].influence == pytest.approx(levels[1].influence)
        assert levels[0].deviations == pytest.approx(levels[1].deviations)


def test_order_of_rows_does_not_matter() -> None:
    random = np.random.default_rng(11)
    rows = arrays({name: {KEY: random.random(12)} for name in ("a", "b")}, drives_of(3, 4))
    first, second = tabulate(rows), tabulate(rows.sample(fraction=1.0, shuffle=True, seed=5))
    assert first.drives == second.drives
    assert (first.metric(KEY).sums == second.metric(KEY).sums).all()
    assert (first.windows == second.windows).all()
