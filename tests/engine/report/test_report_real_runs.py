"""The report that a person wrote of two real runs, claim by claim: what the data support, qualify and contradict."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.analysis.advice import Absence, Decided, Pick
from engine.analysis.deltas import Verdict
from engine.analysis.known_limits import Limit
from engine.analysis.purposes import Purpose
from engine.config import Config
from engine.report.compose import compose
from engine.report.facts import ReportFacts, RunFacts, find_facts
from tui.cli.gather import find_runs, load_readable
from tui.cli.report import gather
from tui.library import Library

D1, AR, RMSE = "depth.building.delta1", "depth.building.abs_rel", "depth.building.rmse"
ANGLE, N30 = "normals.building.angular_mean", "normals.building.inlier_30"
PL, PH = "planarity.building.inlier_ratio", "photometric.building.inlier_ratio"
POSE = ("pose.ate_trans", "pose.ate_rot_deg", "pose.rpe_trans", "pose.rpe_rot_deg")


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> ReportFacts:
    library = Library(Config())
    refs, _ = find_runs([shared_data / "kitti360_lora"])
    runs, _ = load_readable(library, refs)
    return find_facts(gather(library, runs))


@pytest.fixture(scope="module")
def aggressive(facts: ReportFacts) -> RunFacts:
    return facts.runs[0]


@pytest.fixture(scope="module")
def soft(facts: ReportFacts) -> RunFacts:
    return facts.runs[1]


@pytest.fixture(scope="module")
def english(facts: ReportFacts) -> str:
    return "\n".join(line.text for line in compose(facts, "en").lines())


@pytest.fixture(scope="module")
def chinese(facts: ReportFacts) -> str:
    return "\n".join(line.text for line in compose(facts, "zh").lines())


def pick(run: RunFacts, purpose: Purpose) -> Pick:
    found = run.advice.pick(purpose)
    assert found is not None
    return found


def pct(run: RunFacts, key: str) -> tuple[str, str, str]:
    """Change and joint interval in percent of the baseline, as printed."""
    cell = run.changes[key]
    assert cell.joint95 is not None and cell.baseline is not None
    scale = 100 / abs(cell.baseline)
    return f"{cell.delta_pct:.1f}", f"{cell.joint95[0] * scale:.1f}", f"{cell.joint95[1] * scale:.1f}"


# What the data support.


def test_supported_the_best_score_of_the_first_run_and_its_gain(aggressive: RunFacts, english: str) -> None:
    assert aggressive.best == "checkpoint_34"
    assert aggressive.changes["score"].verdict is Verdict.BETTER
    assert pct(aggressive, "score") == ("30.9", "12.8", "49.0")
    assert "checkpoint_34 has the highest composite score, 0.3455 (baseline 0.2640, +30.9 %" in english


def test_supported_depth_errors_fell_in_both_runs(aggressive: RunFacts, soft: RunFacts) -> None:
    for run, key, printed in (
        (aggressive, AR, "-64.5"),
        (soft, AR, "-61.4"),
        (aggressive, RMSE, "-33.2"),
        (soft, RMSE, "-35.2"),
    ):
        assert run.changes[key].verdict is Verdict.BETTER
        assert pct(run, key)[0] == printed


def test_supported_photometric_consistency_fell_at_every_checkpoint(
    aggressive: RunFacts, soft: RunFacts, english: str
) -> None:
    for run, printed in ((aggressive, ("-23.3", "-30.6", "-16.0")), (soft, ("-25.8", "-34.7", "-16.9"))):
        assert pct(run, PH) == printed
        assert run.payment is not None
        (loss,) = run.payment.lost
        assert (loss.cell.key, loss.times, loss.judged, loss.since) == (PH, 50, 50, "checkpoint_0")
        # ... of a metric that is near chance by construction.
        assert run.limits[PH].limit is Limit.NEAR_CHANCE
    assert "It is worse at 50 of 50 checkpoints, at all of them from checkpoint_0 on." in english


def test_supported_the_rest_of_the_image_was_not_harmed(aggressive: RunFacts, soft: RunFacts) -> None:
    assert {cell.verdict for cell in aggressive.rest.values()} == {Verdict.BETTER}
    verdicts = {key.rpartition(".")[2]: cell.verdict for key, cell in soft.rest.items()}
    assert verdicts == {"abs_rel": "better", "rmse": "better", "mae": "better", "delta1": "tied"}


def test_supported_variation_peaks_at_the_jump_and_stays_low(aggressive: RunFacts) -> None:
    trend = aggressive.courses[D1].trend
    most = max(
        (value, name) for value, name in zip(trend.variation, trend.checkpoints, strict=True) if value is not None
    )
    assert (f"{most[0]:.1f}", most[1], trend.plateau_from) == ("47.5", "checkpoint_21", "checkpoint_25")


def test_supported_the_runs_are_not_comparable_by_value(facts: ReportFacts, english: str) -> None:
    assert not facts.comparability.comparable and not facts.comparability.costs_comparable
    assert facts.joined is None and facts.advice is None
    assert "Values may not be compared between these runs" in english


# What they support with a reservation.


def test_qualified_34_is_one_of_thirty_that_are_tied(aggressive: RunFacts, english: str, chinese: str) -> None:
    """ "34 or 36": by value 34 leads by 0.0001; 30 of 50 checkpoints cannot be told apart."""
    found = pick(aggressive, Purpose.BALANCED)
    assert (found.leader, len(found.group), found.total) == ("checkpoint_34", 30, 50)
    # No other is steadier beyond chance, so that the best value is what to take.
    assert found.group[1] == "checkpoint_36" and (found.checkpoint, found.decided) == ("checkpoint_34", Decided.ORDER)
    assert found.nearest is not None and f"{found.nearest.delta:.4f}" == "0.0001"
    assert found.nearest.needed is not None and found.nearest.needed > 50_000_000
    depth = pick(aggressive, Purpose.DEPTH)
    assert depth.leader == "checkpoint_34" and {"checkpoint_34", "checkpoint_36"} <= set(depth.group)
    assert "29 of the 49 other checkpoints cannot be told from it: checkpoint_36" in english
    assert "其余 49 个 checkpoint 中有 29 个无法与其区分：checkpoint_36" in chinese


def test_qualified_the_soft_run_s_best_is_not_shown_to_beat_its_baseline(soft: RunFacts, english: str) -> None:
    assert soft.best == "checkpoint_37" and soft.changes["score"].verdict is Verdict.TIED
    assert pct(soft, "score") == ("15.8", "-8.7", "40.3")
    assert len(pick(soft, Purpose.BALANCED).group) == 49
    assert "0.2999 (baseline 0.2589, +15.8 %, 95 % interval -8.7 to +40.3 %: no difference shown)" in english


def test_qualified_delta1_rose_in_neither_run_for_certain(aggressive: RunFacts, soft: RunFacts) -> None:
    """The report calls +8.6 % a gain and +0.9 % "underfitting"; neither is told from its baseline."""
    assert aggressive.changes[D1].verdict is Verdict.TIED and soft.changes[D1].verdict is Verdict.TIED
    assert pct(aggressive, D1) == ("8.6", "-5.0", "22.2")
    assert pct(soft, D1) == ("0.9", "-15.7", "17.5")


def test_qualified_the_jump_at_20_brings_delta1_back_to_the_baseline(aggressive: RunFacts, english: str) -> None:
    """It is a jump, and it ends a collapse: up to checkpoint 19 every checkpoint is worse than the baseline."""
    course = aggressive.courses[D1]
    (jump,) = course.jumps
    assert (jump.jump.from_checkpoint, jump.jump.to_checkpoint, jump.verdict) == (
        "checkpoint_19",
        "checkpoint_20",
        Verdict.BETTER,
    )
    assert course.standing.worse == tuple(f"checkpoint_{index}" for index in range(20)) and course.standing.better == ()
    assert (
        "A jump from 0.1428 (checkpoint_19) to 0.3474 (checkpoint_20), +143.3 %: for the better, told from noise."
        in english
    )
    assert "20 worse (checkpoint_0 to checkpoint_19) and 30 without a difference shown" in english


def test_qualified_geometry_got_better_but_for_the_first_run_s_mean_angle(aggressive: RunFacts, soft: RunFacts) -> None:
    assert [aggressive.changes[key].verdict for key in (ANGLE, N30, PL)] == ["tied", "better", "better"]
    assert [soft.changes[key].verdict for key in (ANGLE, N30, PL)] == ["better", "better", "better"]
    assert {aggressive.limits[key].limit for key in (ANGLE, N30, PL)} == {Limit.NEAR_CHANCE}


def test_qualified_the_soft_run_ahead_in_geometry_is_direction_only(facts: ReportFacts) -> None:
    rows = {row.metric: row.differences[0] for row in facts.gains}
    points = {key: f"{rows[key].points:+.1f}" for key in (ANGLE, N30, PL)}
    assert points == {ANGLE: "+1.7", N30: "-17.4", PL: "-11.2"}  # first less second: the second is ahead in all three
    assert all(rows[key].ahead is None and rows[key].ci95 is not None for key in points)


def test_qualified_the_soft_run_s_plateau_begins_at_8(soft: RunFacts, english: str) -> None:
    found = soft.courses[D1].settling
    assert found is not None and (found.checkpoint, found.later, found.worse) == ("checkpoint_8", 41, ())
    assert (
        "Gains are shown up to checkpoint_8; none of the 41 later checkpoints is shown to be better than it." in english
    )


def test_qualified_poses_cannot_be_judged_and_say_little(aggressive: RunFacts, soft: RunFacts) -> None:
    """ "Insensitive": one value of each is all there is, of metrics that are near chance; and RPE rotation is +65 %."""
    for run in (aggressive, soft):
        assert all(run.changes[key].verdict is None and run.limits[key].limit is Limit.NEAR_CHANCE for key in POSE)
    assert f"{aggressive.changes['pose.ate_trans'].delta_pct:.1f}" == "-1.3"
    assert f"{aggressive.changes['pose.rpe_rot_deg'].delta_pct:.1f}" == "65.3"


# What they contradict.


def test_contradicted_the_first_run_is_clearly_ahead_in_depth(facts: ReportFacts, english: str, chinese: str) -> None:
    rows = {row.metric: row.differences[0] for row in facts.gains}
    found = {
        key: (f"{rows[key].points:+.1f}", *(f"{end:+.1f}" for end in rows[key].ci95 or ())) for key in (AR, RMSE, D1)
    }
    assert found == {
        AR: ("-3.1", "-28.2", "+22.0"),
        RMSE: ("+2.0", "-14.0", "+18.0"),  # by value it is the other run that is ahead
        D1: ("+7.7", "-21.1", "+36.5"),
    }
    assert not any(one.ahead for row in facts.gains for one in row.differences)
    assert "no difference is shown in any of the 8 metrics that can be judged" in english
    assert "By value alone, direction only, strategy_b_soft is ahead in RMSE" in english
    assert "在可判断的 8 项指标上均未显示差异" in chinese


def test_contradicted_34_has_the_least_rmse(aggressive: RunFacts) -> None:
    found = {one.metric: one for one in pick(aggressive, Purpose.DEPTH).behind}
    assert found[AR].leader == "checkpoint_34"
    assert found[D1].leader == "checkpoint_36"
    assert (found[RMSE].leader, f"{found[RMSE].leader_value:.3f}") == ("checkpoint_43", "10.707")


def test_contradicted_late_soft_weights_are_best_for_geometry(aggressive: RunFacts, soft: RunFacts) -> None:
    """The very first checkpoints have the best normals and planes, told from all late ones."""
    found = pick(soft, Purpose.GEOMETRY)
    assert (found.checkpoint, found.decided, found.group) == ("checkpoint_0", Decided.VALUE, ("checkpoint_0",))
    first = pick(aggressive, Purpose.GEOMETRY)
    assert (first.checkpoint, set(first.group)) == ("checkpoint_0", {"checkpoint_0", "checkpoint_1", "checkpoint_2"})
    # And what that costs: depth, in which it is worse than even the baseline.
    assert D1 in {cell.key for cell in found.worse} and D1 in {cell.key for cell in first.worse}
    gaps = {one.metric: one for one in found.behind}
    assert gaps[D1].told and f"{gaps[D1].value:.4f}" == "0.1308"


def test_contradicted_abs_rel_went_on_falling_after_the_jump(aggressive: RunFacts) -> None:
    found = aggressive.courses[AR].settling
    assert found is not None and (found.checkpoint, found.later) == ("checkpoint_0", 49)
    settled = aggressive.courses[D1].settling
    assert settled is not None and (settled.checkpoint, settled.later) == ("checkpoint_21", 28)


def test_contradicted_the_soft_run_is_smooth(soft: RunFacts) -> None:
    jumps = [(one.jump.from_checkpoint, one.jump.to_checkpoint, one.verdict) for one in soft.courses[D1].jumps]
    assert jumps == [("checkpoint_4", "checkpoint_5", Verdict.BETTER), ("checkpoint_5", "checkpoint_6", Verdict.BETTER)]
    assert soft.courses[D1].standing.worse == tuple(f"checkpoint_{index}" for index in range(7))


def test_contradicted_lora_doubles_memory_and_halves_speed(aggressive: RunFacts, soft: RunFacts, english: str) -> None:
    """It does so in the first run's figures, not in the second's; neither measures a model alone."""
    changes = {
        run.label: tuple(f"{run.costs[key].delta_pct:+.1f}" for key in ("performance.vram_mb", "performance.fps"))
        for run in (aggressive, soft)
    }
    assert changes == {"strategy_b": ("+90.5", "-52.0"), "strategy_b_soft": ("+0.2", "-3.6")}
    assert aggressive.advice.missing[Purpose.CHEAPEST] is Absence.COSTS_UNUSABLE
    assert "The figures of strategy_b and strategy_b_soft do not measure a model alone" in english


def test_scores_beyond_a_perfect_prediction_are_said(aggressive: RunFacts, english: str) -> None:
    """Planarity at its best is three times what a perfect prediction gets: it measures something else."""
    limit = aggressive.limits[PL]
    assert limit.perfect == 0.07 and (aggressive.changes[PL].value or 0) > 0.19
    assert "A perfect prediction of a synthetic street gets planarity inliers 0.07" in english
    assert "A perfect prediction of a synthetic street gets AbsRel 1.1 and δ<1.25 0.41" in english
