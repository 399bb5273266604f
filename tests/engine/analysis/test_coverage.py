"""Simulated runs whose truth is known: intervals cover it as often as they say, and noise is not called a difference.

Every simulation is seeded; the limits leave room for their size (400 samples: one standard error is 1.1 %).
"""

from __future__ import annotations

import numpy as np
import pytest
from window_frames import KEY, Floats, ar1, drives_of, planned, sample_of

from engine.analysis.paired import paired_differences
from engine.analysis.power import with_windows_needed
from engine.analysis.resampling.blocks import autocorrelation, block_length, draw, split
from engine.analysis.resampling.judging import judge, plan
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.ties import tie_group
from engine.catalogue import Catalogue

SAMPLES = 400
CATALOGUE = Catalogue()


def simulated(random: np.random.Generator, samples: int, drives: int, windows: int, rho: float) -> Floats:
    """Means of windows, [samples, drives * windows]: AR(1) within drives, each drive about a mean of its own.

    The mean over the drives, which the sample estimates, is 0.
    """
    drive_means = 0.5 * (np.arange(drives) - (drives - 1) / 2)
    return (ar1(random, (samples, drives, windows), rho) + drive_means[:, None]).reshape(samples, -1)


def coverage(drives: int, windows: int, rho: float, *, skewed: bool = False) -> float:
    """How often the 95 % interval of a mean holds the truth."""
    values = simulated(np.random.default_rng(1), SAMPLES, drives, windows, rho)
    if skewed:  # log-normal windows of mean 0
        values = np.exp(values) - np.exp(0.5 + 0.5 * (np.arange(drives) - (drives - 1) / 2)).mean()
    names = drives_of(drives, windows)
    strata = split(names)
    sample = sample_of({f"{row:03}": {KEY: series} for row, series in enumerate(values)}, names)
    lengths = [block_length(float(rho_hat), strata) for rho_hat in autocorrelation(values, strata)]
    covered = 0
    for row, length in enumerate(lengths):  # each sample by itself, as a user would
        blocks = draw(names, length, resamples=300, seed=row)
        low, high = judge(blocks, Statistics(sample, blocks).level(KEY, np.array([row]))).interval()
        covered += int(low[0] <= 0.0 <= high[0])
    return covered / SAMPLES


@pytest.mark.parametrize(
    ("drives", "windows", "rho"), [(9, 55, 0.0), (9, 55, 0.5), (4, 25, 0.3), (4, 25, 0.6), (2, 20, 0.3), (1, 100, 0.4)]
)
def test_intervals_cover_what_they_promise(drives: int, windows: int, rho: float) -> None:
    assert 0.92 <= coverage(drives, windows, rho) <= 0.98


@pytest.mark.parametrize("rho", [0.0, 0.3])
def test_intervals_over_eight_windows_cover_roughly(rho: float) -> None:
    assert 0.9 <= coverage(2, 4, rho) <= 0.99


def test_intervals_of_skewed_windows_cover_roughly() -> None:
    assert coverage(4, 25, 0.3, skewed=True) >= 0.88


def test_single_windows_and_percentiles_would_not_do() -> None:
    """What blocks and studentising are for: resampling single windows, with percentile intervals, covers 75 %."""
    random = np.random.default_rng(2)
    values = simulated(random, SAMPLES, 4, 25, 0.5)
    covered = 0
    for series in values:
        drawn = series[random.integers(0, 100, (400, 100))].mean(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975])
        covered += int(low <= 0.0 <= high)
    assert covered / SAMPLES < 0.85
    assert coverage(4, 25, 0.5) > 0.92


def equal_checkpoints(random: np.random.Generator, count: int, rho: float) -> dict[str, dict[str, Floats]]:
    """A baseline and checkpoints that are all equally good: the same windows, and noise of their own."""
    common = simulated(random, 1, 4, 25, 0.6)
    noise = 0.5 * ar1(random, (count, 4, 25), rho).reshape(count, -1)
    return {"baseline" if row == 0 else f"c_{row}": {KEY: values} for row, values in enumerate(common + noise)}


def test_the_best_of_many_equals_is_not_called_better() -> None:
    """Of 30 checkpoints without a difference some looks significant in most runs; corrected, in about 5 % of them."""
    random = np.random.default_rng(3)
    runs, single, corrected, excluded = 120, 0, 0, 0
    for _ in range(runs):
        values = equal_checkpoints(random, 31, 0.3)
        statistics = planned(sample_of(values, drives_of(4, 25)), resamples=300)
        names = [name for name in values if name != "baseline"]
        rows = paired_differences(statistics, baseline="baseline", checkpoints=names, catalogue=CATALOGUE)
        single += int((rows["p"] <= 0.05).any())
        corrected += int((rows["verdict"] != "tied").any())
        # Looked at 10 of them only, for time.
        ties = tie_group(statistics, objective=KEY, checkpoints=names[:10], catalogue=CATALOGUE)
        excluded += int(len(ties.group) < 10)
    assert single / runs > 0.35
    assert corrected / runs <= 0.08
    assert excluded / runs <= 0.08


def test_known_differences_are_ranked_and_tied_as_they_should_be() -> None:
    """Three checkpoints share the best value, others are worse by known steps, the last ones than the baseline."""
    truth = [0.0, 0.6, 0.6, 0.6, 0.1, -0.5]  # baseline first
    expected = ["better", "better", "better", "tied", "worse"]
    random = np.random.default_rng(4)
    runs, groups, verdicts, wrong = 40, 0, 0, 0
    for _ in range(runs):
        values = equal_checkpoints(random, len(truth), 0.3)
        for (_, metrics), shift in zip(values.items(), truth, strict=True):
            metrics[KEY] += shift
        statistics = planned(sample_of(values, drives_of(4, 25)), resamples=300)
        names = [name for name in values if name != "baseline"]
        ties = tie_group(statistics, objective=KEY, checkpoints=names, catalogue=CATALOGUE)
        groups += int(set(ties.group) == {"c_1", "c_2", "c_3"})
        assert ties.rows["best_share"].sum() == pytest.approx(1.0)
        rows = paired_differences(statistics, baseline="baseline", checkpoints=names, catalogue=CATALOGUE)
        verdicts += sum(found == wanted for found, wanted in zip(rows["verdict"], expected, strict=True))
        wrong += sum(
            {found, wanted} == {"better", "worse"} for found, wanted in zip(rows["verdict"], expected, strict=True)
        )
    assert groups / runs >= 0.85
    assert verdicts / (runs * len(expected)) >= 0.95
    assert wrong == 0


def test_the_winner_is_flattered_by_about_the_optimism() -> None:
    """Of ten equals the best looks better than it is; the estimate of that is of the right size."""
    random = np.random.default_rng(5)
    flattery, optimism = [], []
    for _ in range(60):
        noise = 0.5 * random.standard_normal((10, 100))
        values = {f"c_{row}": {KEY: series} for row, series in enumerate(noise)}
        statistics = planned(sample_of(values, drives_of(4, 25)), baseline=None, resamples=300)
        ties = tie_group(statistics, objective=KEY, checkpoints=list(values), catalogue=CATALOGUE)
        flattery.append(max(series.mean() for series in noise))  # their true value is 0
        optimism.append(ties.optimism)
    assert 0.4 * np.mean(flattery) < np.mean(optimism) < 1.2 * np.mean(flattery)


def test_the_windows_that_are_said_to_be_needed_suffice() -> None:
    """Enough windows for 80 % power find the difference in about 80 % of samples."""
    random = np.random.default_rng(6)
    shift, size = 0.25, 80
    pilot = {"baseline": {KEY: np.zeros(size)}, "c": {KEY: shift + random.standard_normal(size)}}
    pilot["c"][KEY] += shift - pilot["c"][KEY].mean()  # a pilot that sees the true difference
    needed = _needed(pilot, size)
    assert needed == pytest.approx((1.96 + 0.84) ** 2 / shift**2, rel=0.35)
    windows = -(-needed // 4)
    found = 0
    for seed in range(200):
        values = {"baseline": {KEY: np.zeros(4 * windows)}, "c": {KEY: shift + random.standard_normal(4 * windows)}}
        sample = sample_of(values, drives_of(4, windows))
        statistics = Statistics(sample, plan(sample, baseline="baseline", resamples=300, seed=seed))
        rows = paired_differences(statistics, baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE)
        found += int(rows["verdict"][0] == "better")
    assert 0.72 <= found / 200 <= 0.95


def _needed(values: dict[str, dict[str, Floats]], size: int) -> int:
    statistics = planned(sample_of(values, drives_of(4, size // 4)), resamples=1000)
    rows = paired_differences(statistics, baseline="baseline", checkpoints=["c"], catalogue=CATALOGUE)
    return int(with_windows_needed(rows)["windows_needed"][0])
