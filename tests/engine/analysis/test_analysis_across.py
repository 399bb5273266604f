"""Runs beside each other: the error of a change in percent, differences of changes, and runs of one sample as one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from support.reporting import (
    AR,
    CATALOGUE,
    CONFIG,
    D1,
    N30,
    PH,
    PL,
    SCORED,
    joint_sums,
    paired_run,
    simulated,
    summary_run,
)

from engine.analysis.across import gain, gain_differences
from engine.analysis.advising import Asked, advise
from engine.analysis.joined import Part, join
from engine.analysis.purposes import Purpose
from engine.results.sums import joint_name

BASE = {D1: 0.40, AR: 0.60, N30: 0.12, PL: 0.14, PH: 0.65}


def test_a_change_in_percent_has_the_error_of_a_ratio() -> None:
    run = summary_run("a", {"baseline": {D1: 0.40}, "c_1": {D1: 0.50}}, std=0.2, count=800)
    found = gain(run.evidence, "a", "c_1", D1)
    assert found is not None and found.percent == pytest.approx(25.0) and found.kind == "unpaired"
    error = 0.2 * math.sqrt(800 / 799 / 100)
    assert found.error == pytest.approx(100 * 1.25 * math.hypot(error / 0.5, error / 0.4))
    random = np.random.default_rng(0)
    drawn = 100 * (random.normal(0.5, error, 200_000) / random.normal(0.4, error, 200_000) - 1)
    assert found.error == pytest.approx(drawn.std(), rel=0.02)


def test_pairing_takes_out_what_windows_have_in_common() -> None:
    values = simulated({"baseline": {D1: 0.4}, "c_1": {D1: 0.5}}, noise=0.01, shared=0.1)
    found = gain(paired_run("a", values).evidence, "a", "c_1", D1)
    assert found is not None and found.kind == "paired" and found.error is not None
    ratios = [_ratio(values, np.random.default_rng(seed)) for seed in range(400)]
    assert found.error == pytest.approx(np.std(ratios), rel=0.25)


def _ratio(values: dict[str, dict[str, np.ndarray]], random: np.random.Generator) -> float:
    drawn = random.integers(0, 60, 60)
    return 100 * float(values["c_1"][D1][drawn].mean() / values["baseline"][D1][drawn].mean())


def test_what_has_no_error_is_not_judged() -> None:
    bare = summary_run("a", {"baseline": {D1: 0.4}, "c_1": {D1: 0.5}}, std=None, count=None)
    found = gain(bare.evidence, "a", "c_1", D1)
    assert found is not None and found.error is None
    (one,) = gain_differences([found, found], CATALOGUE)
    assert (one.points, one.ci95, one.ahead) == (0.0, None, None)
    near_zero = summary_run("a", {"baseline": {D1: 0.01}, "c_1": {D1: 0.5}}, std=0.2, count=80)
    loose = gain(near_zero.evidence, "a", "c_1", D1)
    assert loose is not None and loose.error is None
    assert gain(summary_run("a", {"c_1": {D1: 0.5}}).evidence, "a", "c_1", D1) is None
    assert gain(summary_run("a", {"baseline": {D1: 0.0}, "c_1": {D1: 0.5}}).evidence, "a", "c_1", D1) is None


def test_differences_are_corrected_for_every_pair_that_could_have_been_chosen() -> None:
    def run(label: str, best: float) -> object:
        means = {"baseline": {AR: 1.0}} | {f"c_{i}": {AR: 0.9} for i in range(9)} | {"c_9": {AR: best}}
        return gain(summary_run(label, means, std=0.3, count=3200).evidence, label, "c_9", AR)

    (one,) = gain_differences([run("a", 0.5), run("b", 0.8)], CATALOGUE)  # type: ignore[list-item]
    assert one.points == pytest.approx(-30.0)
    assert one.ahead == "a"  # less is better
    errors = math.hypot(one.first.error or 0, one.second.error or 0)
    reach = stats.t.ppf(1 - 0.05 / 100 / 2, 399) * errors
    assert one.ci95 == pytest.approx((-30 - reach, -30 + reach), rel=1e-3)
    (tied,) = gain_differences([run("a", 0.79), run("b", 0.8)], CATALOGUE)  # type: ignore[list-item]
    assert tied.ahead is None and tied.ci95 is not None


def test_runs_of_one_sample_are_paired_and_advised_as_one() -> None:
    both = simulated(
        {
            "baseline": BASE,
            "a/c_1": BASE | {D1: 0.50},
            "a/c_2": BASE | {D1: 0.45},
            "b/c_1": BASE | {D1: 0.52},
            "b/c_2": BASE | {N30: 0.20, PL: 0.20},
        },
        noise=0.005,
    )
    runs = [
        paired_run(
            label,
            {"baseline": both["baseline"]}
            | {name.partition("/")[2]: own for name, own in both.items() if name.startswith(f"{label}/")},
        )
        for label in ("a", "b")
    ]
    parts = [Part(run.label, run.analysis, run.summary) for run in runs]
    joined = join(parts, joint_sums(*runs), catalogue=CATALOGUE, weights=CONFIG.score.weights)
    assert joined.origin[joint_name("b", "c_2")] == ("b", "c_2")
    assert joined.analysis.baseline == "a/baseline" and set(joined.evidence.checkpoints) == set(joined.origin)
    found = advise(joined.analysis, joined.evidence, Asked(list(SCORED)), catalogue=CATALOGUE)
    depth, geometry = found.pick(Purpose.DEPTH), found.pick(Purpose.GEOMETRY)
    assert depth is not None and (depth.checkpoint, depth.group, depth.kind) == ("b/c_1", ("b/c_1",), "paired")
    assert geometry is not None and geometry.checkpoint == "b/c_2"
    gains = [gain(run.evidence, run.label, "c_1", D1) for run in runs]
    (apart,) = gain_differences(gains, CATALOGUE)  # type: ignore[arg-type]
    (paired,) = gain_differences(gains, CATALOGUE, joined.evidence)  # type: ignore[arg-type]
    assert paired.points == apart.points == pytest.approx(-5.0, abs=0.5)
    assert paired.ahead == "b"
    assert paired.ci95 is not None and apart.ci95 is not None
    assert paired.ci95[1] - paired.ci95[0] < apart.ci95[1] - apart.ci95[0]
