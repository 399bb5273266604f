"""How many windows separate two checkpoints: paired from resamples, unpaired from a summary."""

from __future__ import annotations

import math

import pytest
from scipy import stats
from support.reporting import AR, D1, N30, PH, PL, paired_run, simulated, summary_run

from engine.analysis.separation import resolved_with, seen_from, separations, with_objective
from engine.catalogue import SCORE_KEY

BASE = {D1: 0.40, AR: 0.60, N30: 0.12, PL: 0.14, PH: 0.65}


def test_a_summary_needs_as_many_windows_as_the_textbook_says() -> None:
    """Two independent means of 100 windows (800 frames) each, standard deviation 0.2: n grows with (z / delta)^2."""
    run = summary_run("run", {"baseline": {D1: 0.40}, "c_1": {D1: 0.45}, "c_2": {D1: 0.44}}, std=0.2, count=800)
    (one,) = separations(run.evidence, D1, "c_1", ["c_2"])
    error = math.sqrt(2 * 0.2**2 * 800 / 799 / 100)
    half = stats.t.ppf(0.975, 198) * error
    assert one.delta == pytest.approx(0.01) and one.windows == 100 and one.kind == "unpaired"
    assert one.ci95 == pytest.approx((0.01 - half, 0.01 + half), rel=1e-3)
    assert one.needed == pytest.approx(100 * ((half + stats.norm.ppf(0.8) * error) / 0.01) ** 2, rel=1e-3)


def test_pairing_needs_fewer_windows_than_the_same_summary() -> None:
    made = {"baseline": BASE, "c_1": BASE | {D1: 0.42}, "c_2": BASE | {D1: 0.415}}
    values = simulated(made, noise=0.02, shared=0.15)
    (paired,) = separations(paired_run("run", values).evidence, D1, "c_1", ["c_2"])
    means = {name: {key: float(v.mean()) for key, v in own.items()} for name, own in values.items()}
    (unpaired,) = separations(summary_run("run", means, std=0.15, count=480).evidence, D1, "c_1", ["c_2"])
    assert paired.kind == "paired" and unpaired.kind == "unpaired"
    assert paired.windows == unpaired.windows == 60
    assert paired.delta == pytest.approx(unpaired.delta)
    assert paired.needed is not None and unpaired.needed is not None
    assert paired.needed * 10 < unpaired.needed


def test_equal_values_are_never_separated_and_order_is_kept() -> None:
    run = summary_run("run", {"baseline": {D1: 0.4}, "c_1": {D1: 0.5}, "c_2": {D1: 0.5}, "c_3": {D1: 0.1}})
    same, far = separations(run.evidence, D1, "c_1", ["c_2", "c_3"])
    assert (same.second, same.delta, same.needed) == ("c_2", 0.0, None)
    assert far.delta == pytest.approx(0.4) and far.needed is not None and far.needed < far.windows
    assert resolved_with([same, far], (1, 10)) == [(1, 1), (10, 1)]


def test_another_objective_and_another_side() -> None:
    run = summary_run("run", {"baseline": BASE, "c_1": BASE | {D1: 0.6}, "c_2": BASE})
    evidence = with_objective(run.evidence, {D1: 1.0})
    rows = seen_from(evidence, "c_2", ["c_1", "c_2"]).differences([SCORE_KEY])
    assert rows.select("checkpoint", "baseline", "value").row(0) == ("c_1", 0.4, 0.6)
    assert rows.height == 1 and rows["looks"][0] == 1
    assert with_objective(run.evidence, run.evidence.weights) is run.evidence
