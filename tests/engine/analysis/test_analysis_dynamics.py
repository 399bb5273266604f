"""Dynamics: jumps and the end of gains, told from noise; what was lost while something else was gained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.reporting import AR, CATALOGUE, CONFIG, D1, PH, paired_run, simulated, summary_run

from engine.analysis.bands import change_bands, level_bands
from engine.analysis.cells import change_cells
from engine.analysis.deltas import Verdict
from engine.analysis.dynamics import Settling, course, payment, settling
from engine.report.material import RunMaterial

PIXELS = "depth.building.pixels"


def training(
    values: Sequence[float], *, key: str = D1, std: float = 0.2, count: int = 800, base: float = 0.4
) -> RunMaterial:
    means = {"baseline": {key: base}, **{f"c_{index}": {key: value} for index, value in enumerate(values)}}
    return summary_run("run", means, std=std, count=count)


def settled(run: RunMaterial, key: str = D1) -> Settling | None:
    return settling(run.evidence, key, list(run.evidence.checkpoints))


def test_gains_end_where_nothing_later_is_better() -> None:
    found = settled(training([0.1, 0.3, 0.5, 0.7, 0.7, 0.71, 0.7], std=0.1))
    assert found == Settling(D1, "c_3", 3, 3, (), "unpaired")


def test_noise_alone_gains_nothing_and_a_loss_is_said() -> None:
    assert settled(training([0.50, 0.51, 0.49, 0.52])) == Settling(D1, "c_0", 0, 3, (), "unpaired")
    lost = settled(training([0.2, 0.7, 0.3, 0.2], std=0.1))
    assert lost == Settling(D1, "c_1", 1, 2, ("c_2", "c_3"), "unpaired")


def test_a_training_that_still_gains_has_no_plateau() -> None:
    assert settled(training([0.1, 0.3, 0.5, 0.7], std=0.1)) == Settling(D1, "c_3", 3, 0, (), None)


def test_less_is_better_where_the_metric_says_so_and_none_without_direction() -> None:
    assert settled(training([0.7, 0.5, 0.3, 0.3], key=AR, std=0.1), AR) == Settling(AR, "c_2", 2, 1, (), "unpaired")
    assert settled(training([10, 20, 30], key=PIXELS), PIXELS) is None


def test_without_spreads_it_cannot_be_said() -> None:
    run = summary_run("run", {"baseline": {D1: 0.4}, "c_0": {D1: 0.1}, "c_1": {D1: 0.9}}, std=None, count=None)
    assert settling(run.evidence, D1, ["c_0", "c_1"]) is None


@given(st.integers(1, 5), st.integers(1, 5))
def test_steps_without_noise_end_at_the_last_step(rising: int, flat: int) -> None:
    values = [0.1 * index for index in range(rising)] + [0.1 * rising] * flat
    found = settled(training(values, std=1e-6))
    assert found is not None and (found.index, found.later) == (rising, flat - 1)


def test_the_search_seldom_passes_the_true_end() -> None:
    """Of simulated trainings whose gains end at the third checkpoint, at most 5 % (and what chance adds) go past it."""
    random = np.random.default_rng(1)
    truth = np.array([0.2, 0.3, 0.4, *[0.5] * 6])
    # 100 windows of 8 frames, standard deviation 0.2 between windows, none within.
    passed = sum(
        (found := settled(training(list(truth + 0.02 * random.standard_normal(len(truth))), std=0.2))) is None
        or found.index > 3
        for _ in range(100)
    )
    assert passed <= 0.05 * 100 + 2 * (100 * 0.05 * 0.95) ** 0.5


def test_a_jump_is_told_from_noise_or_not() -> None:
    values = [0.20, 0.21, 0.20, 0.205, 0.50, 0.51, 0.50, 0.505]
    clear = course(*_of(training(values, std=0.1)), D1, CONFIG.trends, catalogue=CATALOGUE)
    assert [(one.jump.to_checkpoint, one.verdict, one.kind) for one in clear.jumps] == [
        ("c_4", Verdict.BETTER, "unpaired")
    ]
    low, high = clear.jumps[0].ci95 or (0.0, 0.0)
    assert 0 < low < 0.295 < high
    vague = course(*_of(training(values, std=2.0)), D1, CONFIG.trends, catalogue=CATALOGUE)
    assert [(one.jump.to_checkpoint, one.verdict) for one in vague.jumps] == [("c_4", Verdict.TIED)]
    worse = course(*_of(training(values, key=AR, std=0.1)), AR, CONFIG.trends, catalogue=CATALOGUE)
    assert worse.jumps[0].verdict is Verdict.WORSE
    unknown = summary_run("run", {f"c_{i}": {D1: v} for i, v in enumerate(values)}, std=None, count=None)
    assert course(*_of(unknown), D1, CONFIG.trends, catalogue=CATALOGUE).jumps[0].verdict is None


def test_how_checkpoints_stand_to_the_baseline() -> None:
    found = course(*_of(training([0.2, 0.2, 0.4, 0.6, 0.6], std=0.1)), D1, CONFIG.trends, catalogue=CATALOGUE).standing
    assert (found.worse, found.better, found.judged) == (("c_0", "c_1"), ("c_3", "c_4"), 5)


def test_what_was_paid() -> None:
    means = {"baseline": {D1: 0.4, PH: 0.6}} | {
        f"c_{index}": {D1: 0.6, PH: value} for index, value in enumerate([0.6, 0.3, 0.6, 0.3, 0.3])
    }
    run = summary_run("run", means, std=0.1)
    cells = list(change_cells(run.analysis, "c_4", [D1, PH], run.evidence, CATALOGUE).values())
    found = payment("c_4", cells, run.evidence, list(run.evidence.checkpoints))
    assert [cell.key for cell in found.gained] == [D1]
    (loss,) = found.lost
    assert (loss.cell.key, loss.times, loss.judged, loss.since) == (PH, 3, 5, "c_3")
    nothing = payment("c_2", cells[:1], run.evidence, list(run.evidence.checkpoints))
    assert nothing.lost == ()


def test_bands_come_from_windows_or_from_the_summary() -> None:
    made = {"baseline": {D1: 0.4}, "c_0": {D1: 0.5}, "c_1": {D1: 0.6}}
    values = simulated(made, noise=0.01, shared=0.1)
    paired = level_bands(paired_run("run", values).evidence, D1, ["c_0", "c_1"])
    means = {name: {D1: float(own[D1].mean())} for name, own in values.items()}
    spread = float(values["c_0"][D1].std())
    summary = level_bands(summary_run("run", means, std=spread, count=480).evidence, D1, ["c_0", "c_1"])
    for name in ("c_0", "c_1"):
        low, high = paired[name]
        assert low < means[name][D1] < high
        # 60 independent windows both ways: the same interval but for the resamples.
        assert summary[name] == pytest.approx(paired[name], abs=0.4 * (high - low))
    assert level_bands(summary_run("run", means, std=None).evidence, D1, ["c_0"]) == {}


def test_the_band_leaves_the_baseline_exactly_where_the_verdict_says_so() -> None:
    run = training([0.2, 0.38, 0.41, 0.6], std=0.3)
    found = change_bands(run.evidence, D1, 0.4)
    outside = {name for name, (low, high) in found.items() if not low <= 0.4 <= high}
    told = run.evidence.differences([D1]).filter(verdict="better")["checkpoint"].to_list()
    told += run.evidence.differences([D1]).filter(verdict="worse")["checkpoint"].to_list()
    assert outside == set(told) == {"c_0", "c_3"}
    assert found["c_1"][0] < 0.38 < found["c_1"][1]


def _of(run: RunMaterial) -> tuple[object, object]:
    return run.analysis, run.evidence
