"""Advice: known differences are found, ties are said to be ties, and what decides among them is named."""

from __future__ import annotations

import polars as pl
import pytest
from support.reporting import (
    AR,
    CATALOGUE,
    CONFIG,
    D1,
    LATENCY,
    N30,
    PH,
    PL,
    SCORED,
    paired_run,
    simulated,
    summary_run,
)

from engine.analysis.advice import Absence, Advice, Decided
from engine.analysis.advising import Asked, advise
from engine.analysis.deltas import Verdict
from engine.analysis.purposes import Purpose, objective_of, owned_key
from engine.errors import WhereError
from engine.report.material import RunMaterial
from engine.schema import MEASURED_COST

BASE = {D1: 0.40, AR: 0.60, N30: 0.12, PL: 0.14, PH: 0.65}


def levels(**better: dict[str, float]) -> dict[str, dict[str, float]]:
    """The baseline, and checkpoints that differ from it by so much."""
    return {
        "baseline": BASE,
        **{name: {key: BASE[key] + own.get(key, 0.0) for key in BASE} for name, own in better.items()},
    }


def advice_of(run: RunMaterial, **asked: object) -> Advice:
    keys = [*SCORED]
    return advise(run.analysis, run.evidence, Asked(keys, **asked), catalogue=CATALOGUE)  # type: ignore[arg-type]


def test_the_objectives_are_parts_of_the_score() -> None:
    weights = CONFIG.score.weights
    assert objective_of(Purpose.DEPTH, SCORED, weights, CATALOGUE) == pytest.approx({D1: 0.6, AR: 0.4})
    assert objective_of(Purpose.GEOMETRY, SCORED, weights, CATALOGUE) == pytest.approx({N30: 4 / 7, PL: 3 / 7})
    assert objective_of(Purpose.BALANCED, SCORED, weights, CATALOGUE) == weights
    assert objective_of(Purpose.BALANCED, (D1, AR), weights, CATALOGUE) == {}


def test_what_the_score_does_not_weigh_counts_equally() -> None:
    metrics = ("depth.full.abs_rel", "depth.full.delta1", "normals.full.inlier_30")
    weights = CONFIG.score.weights
    assert objective_of(Purpose.DEPTH, metrics, weights, CATALOGUE) == {metrics[0]: 0.5, metrics[1]: 0.5}
    assert objective_of(Purpose.GEOMETRY, metrics, weights, CATALOGUE) == {metrics[2]: 1.0}
    assert objective_of(Purpose.GEOMETRY, ("performance.fps",), weights, CATALOGUE) == {}
    assert owned_key("delta1", metrics) == metrics[1]
    assert owned_key("fps", metrics) is None


def test_a_clear_winner_is_taken_for_what_it_wins() -> None:
    made = levels(c_1={D1: 0.05, AR: -0.05}, c_2={N30: 0.05, PL: 0.05}, c_3={PH: -0.05})
    found = advice_of(paired_run("run", simulated(made)))
    depth, geometry = found.pick(Purpose.DEPTH), found.pick(Purpose.GEOMETRY)
    assert depth is not None and geometry is not None
    assert (depth.checkpoint, depth.leader, depth.decided, depth.group) == ("c_1", "c_1", Decided.VALUE, ("c_1",))
    assert (geometry.checkpoint, geometry.decided) == ("c_2", Decided.VALUE)
    # 0.6 * 0.05 + 0.4 * 0.05 above the baseline's 0.6 * 0.40 + 0.4 * (1 - 0.60)
    assert depth.value == pytest.approx(0.45, abs=0.005)
    assert depth.change.verdict is Verdict.BETTER and depth.change.delta == pytest.approx(0.05, abs=0.005)
    assert {key: cell.verdict for key, cell in depth.changes.items()} == {D1: Verdict.BETTER, AR: Verdict.BETTER}
    assert depth.kind == "paired"
    # What the depth's best gives up, it gives up to the geometry's best, and for certain.
    gaps = {one.metric: one for one in depth.behind}
    assert (gaps[N30].leader, gaps[N30].told) == ("c_2", True)
    assert gaps[N30].behind == pytest.approx(0.05, abs=0.005)
    low, high = gaps[N30].ci95 or (0.0, 0.0)
    assert 0 < low < 0.05 < high
    assert (gaps[D1].leader, gaps[D1].behind, gaps[D1].told) == ("c_1", 0.0, False)


def test_equal_checkpoints_are_a_tie_and_the_steadier_one_is_taken() -> None:
    values = simulated(levels(c_1={D1: 0.05}, c_2={D1: 0.05}, c_3={}), noise=0.001)
    mean = values["c_2"][D1].mean()
    values["c_2"] = {**values["c_2"], D1: mean + 0.5 * (values["c_2"][D1] - mean)}
    pick = advice_of(paired_run("run", values)).pick(Purpose.DEPTH)
    assert pick is not None
    assert set(pick.group) == {"c_1", "c_2"} and pick.total == 3
    assert (pick.checkpoint, pick.decided) == ("c_2", Decided.SPREAD)
    assert pick.second is not None and pick.second.value == pytest.approx(
        0.6 * values["c_2"][D1].std() + 0.4 * values["c_2"][AR].std()
    )
    assert pick.nearest is not None and {pick.nearest.first, pick.nearest.second} == {"c_1", "c_2"}
    assert pick.nearest.needed is None or pick.nearest.needed > pick.nearest.windows


def test_the_cheaper_one_is_taken_where_costs_differ_and_can_be_used() -> None:
    latencies = (("c_1", 0.8), ("c_2", 0.5), ("c_3", 0.81), ("c_4", 0.82), ("c_5", 0.80), ("c_6", 0.79))
    made = levels(c_1={D1: 0.05}, c_2={D1: 0.05}, c_3={}, c_4={}, c_5={}, c_6={})
    costs = {name: {LATENCY: value} for name, value in latencies}
    run = paired_run("run", simulated(made, noise=0.02), costs=costs)
    pick = advice_of(run).pick(Purpose.DEPTH)
    assert pick is not None
    # Beyond what the six latencies scatter: 3 x sqrt(2) x 1.4826 x 0.01 = 0.063 s.
    assert (pick.checkpoint, pick.decided) == ("c_2", Decided.COST)
    without = advice_of(run, usable_costs=False)
    decided = without.pick(Purpose.DEPTH)
    assert decided is not None and decided.decided is not Decided.COST and decided.checkpoint == decided.leader
    assert without.missing[Purpose.CHEAPEST] is Absence.COSTS_UNUSABLE


def test_the_cheapest_within_limits_is_the_best_of_the_equally_cheap() -> None:
    made = levels(c_1={D1: 0.05}, c_2={D1: 0.03}, c_3={D1: 0.01}, c_4={})
    costs = {name: {LATENCY: value} for name, value in (("c_1", 0.9), ("c_2", 0.500), ("c_3", 0.505), ("c_4", 0.1))}
    run = paired_run("run", simulated(made), costs=costs)
    pick = advice_of(run, limits="delta1 >= 0.405").pick(Purpose.CHEAPEST)
    assert pick is not None and pick.cost is not None
    assert (pick.checkpoint, pick.decided, pick.group, pick.total) == ("c_2", Decided.COST, ("c_2", "c_3"), 3)
    assert (pick.cost.value, pick.cost.least, pick.cost.most, pick.cost.equal) == (0.5, 0.5, 0.9, 2)
    assert not pick.cost.measured
    nothing = advice_of(run, limits="delta1 >= 0.9")
    assert nothing.missing[Purpose.CHEAPEST] is Absence.NOTHING_LEFT
    with pytest.raises(WhereError):
        advice_of(run, limits="delta1 >=")


def test_timings_decide_whether_two_cost_the_same() -> None:
    costs = {name: {LATENCY: value} for name, value in (("c_1", 0.50), ("c_2", 0.54), ("c_3", 0.60))}
    times = {
        "c_1": [0.40, 0.45, 0.50, 0.50, 0.55, 0.60],
        "c_2": [0.50, 0.52, 0.54, 0.54, 0.56, 0.58],
        "c_3": [0.61] * 6,
    }
    timings = pl.DataFrame(
        [{"checkpoint": name, "merged": False, "times_sec": own} for name, own in times.items()],
        schema={name: MEASURED_COST[name] for name in ("checkpoint", "merged", "times_sec")},
    )
    run = paired_run("run", simulated(levels(c_1={}, c_2={D1: 0.02}, c_3={D1: 0.05})), costs=costs, timings=timings)
    pick = advice_of(run, limits="delta1 > 0", costs=timings).pick(Purpose.CHEAPEST)
    assert pick is not None and pick.cost is not None
    # 0.50 and 0.54 differ by 8 %, but their intervals overlap; 0.61 is beyond both.
    assert (pick.checkpoint, pick.group, pick.cost.measured) == ("c_2", ("c_2", "c_1"), True)


def test_without_spreads_nothing_is_judged_and_one_checkpoint_is_no_choice() -> None:
    means = {"baseline": BASE, "c_1": BASE | {D1: 0.5}, "c_2": BASE}
    found = advice_of(summary_run("run", means, std=None, count=None))
    pick = found.pick(Purpose.BALANCED)
    assert pick is not None
    assert (pick.checkpoint, pick.decided, pick.kind, pick.change.verdict) == ("c_1", Decided.UNJUDGED, None, None)
    assert all(one.told is None or one.behind == 0 for one in pick.behind)
    assert found.missing == {Purpose.CHEAPEST: Absence.NO_COSTS, Purpose.STABLE: Absence.NO_SPREAD}
    single = advice_of(summary_run("run", {"baseline": BASE, "c_1": BASE}))
    assert {one.decided for one in single.picks} == {Decided.ONLY}
    assert set(single.missing.values()) == {Absence.ONE_CHECKPOINT}


def test_a_run_without_score_has_advice_for_what_it_measured() -> None:
    means = {"baseline": {D1: 0.4}, "c_1": {D1: 0.8}, "c_2": {D1: 0.4}}
    found = advice_of(summary_run("run", means))
    assert [one.purpose for one in found.picks] == [Purpose.DEPTH]
    assert found.picks[0].checkpoint == "c_1" and found.picks[0].kind == "unpaired"
    assert found.missing[Purpose.BALANCED] is Absence.NO_METRICS
    assert found.missing[Purpose.GEOMETRY] is Absence.NO_METRICS


def test_the_most_stable_is_judged_by_spreads_where_frames_are_paired() -> None:
    # Quiet in every window against one that swings: same mean.
    values = simulated(levels(c_1={D1: 0.05}, c_2={D1: 0.049}, c_3={}), noise=0.0005, shared=0.1)
    for key in SCORED:
        mean = values["c_2"][key].mean()
        values["c_2"][key] = mean + 0.2 * (values["c_2"][key] - mean)
    run = paired_run("run", values)
    pick = advice_of(run, window=2).pick(Purpose.STABLE)
    assert pick is not None and pick.leader == "c_1" and pick.checkpoint == "c_2"
    assert {cell.key: cell.verdict for cell in pick.spreads} == dict.fromkeys(SCORED, Verdict.BETTER)
    assert pick.variation is not None and 0 < pick.variation < 5
    unpaired = summary_run(
        "run", {name: {key: float(v.mean()) for key, v in own.items()} for name, own in values.items()}
    )
    judged = advice_of(unpaired).pick(Purpose.STABLE)
    assert judged is not None and all(cell.verdict is None for cell in judged.spreads)


def test_what_is_best_for_one_thing_may_be_worse_than_the_baseline_in_another() -> None:
    made = levels(c_1={N30: 0.1, PL: 0.1, D1: -0.1}, c_2={D1: 0.02})
    pick = advice_of(paired_run("run", simulated(made))).pick(Purpose.GEOMETRY)
    assert pick is not None and pick.checkpoint == "c_1"
    assert [cell.key for cell in pick.worse] == [D1]
