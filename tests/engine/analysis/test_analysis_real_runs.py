"""The figures that a person wrote down of two real runs, to the digits that were printed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from analysis_frames import CATALOGUE, weighed

from engine.analysis.comparability import comparability, count_note, facts_from
from engine.analysis.compare import deltas
from engine.analysis.overview import RunAnalysis
from engine.analysis.ranking import best, rank
from engine.analysis.trends import trend
from engine.config import TrendConfig
from engine.schema import ProtocolInfo, Provenance, RunMetadata

# metric, baseline, best checkpoint (as printed), change in percent (as printed), verdict. The report calls every change
# one for the better or the worse; its means, spreads and counts do not carry all of that, and of poses nothing but one
# value is known.
REPORT_B: list[tuple[str, str, str, str, str | None]] = [
    ("depth.building.abs_rel", "1.7214", "0.6107", "-64.5", "better"),
    ("depth.building.delta1", "0.4030", "0.4375", "8.6", "tied"),
    ("depth.building.rmse", "16.50", "11.02", "-33.2", "better"),
    ("normals.building.angular_mean", "83.76", "82.67", "-1.3", "tied"),
    ("normals.building.inlier_30", "0.122", "0.158", "28.8", "better"),
    ("planarity.building.inlier_ratio", "0.141", "0.200", "42.5", "better"),
    ("photometric.building.inlier_ratio", "0.650", "0.498", "-23.3", "worse"),
    ("pose.ate_trans", "3603", "3556", "-1.3", None),
]
# Three figures of this table are not what rounding gives: the report has 0.118, 46.2 % and 0.655 for 0.118508, 46.146 %
# and 0.654470, one unit in the last digit beside it.
REPORT_SOFT: list[tuple[str, str, str, str, str | None]] = [
    ("depth.building.abs_rel", "2.044", "0.789", "-61.4", "better"),
    ("depth.building.delta1", "0.382", "0.386", "0.9", "tied"),
    ("depth.building.rmse", "18.13", "11.74", "-35.2", "better"),
    ("normals.building.angular_mean", "83.73", "81.19", "-3.0", "better"),
    ("normals.building.inlier_30", "0.119", "0.173", "46.1", "better"),
    ("planarity.building.inlier_ratio", "0.149", "0.229", "53.7", "better"),
    ("photometric.building.inlier_ratio", "0.654", "0.486", "-25.8", "worse"),
    ("pose.ate_trans", "3629", "3639", "0.3", None),
]


def check_table(
    analysis: RunAnalysis, checkpoint: str, expected: Sequence[tuple[str, str, str, str, str | None]]
) -> None:
    keys = [row[0] for row in expected]
    judged = weighed(analysis).differences(keys)
    rows = deltas(analysis, checkpoint, catalogue=CATALOGUE, keys=keys, differences=judged)
    for row, (key, baseline, value, change, verdict) in zip(rows.iter_rows(named=True), expected, strict=True):
        printed = (_as_printed(row["baseline"], baseline), _as_printed(row["value"], value))
        assert printed == (baseline, value), key
        assert f"{row['delta_pct']:.1f}" == change, key
        assert row["verdict"] == verdict, key


def _as_printed(number: float, like: str) -> str:
    return f"{number:.{len(like.partition('.')[2])}f}"


def test_first_table_of_the_report(strategy_b: RunAnalysis) -> None:
    check_table(strategy_b, "checkpoint_34", REPORT_B)


def test_a_tie_is_not_called_a_winner(strategy_b: RunAnalysis) -> None:
    """34 leads 36 by 0.0001, with frames of standard deviation 0.2; the first checkpoints do fall behind."""
    ranking = rank(strategy_b, catalogue=CATALOGUE, evidence=weighed(strategy_b))
    assert ranking.rows["checkpoint"][:2].to_list() == ["checkpoint_34", "checkpoint_36"]
    tied = dict(ranking.rows.select("checkpoint", "tied_with_best").rows())
    assert tied["checkpoint_34"] and tied["checkpoint_36"]
    assert tied["checkpoint_0"] is False
    assert ranking.rows["verdict"][:2].to_list() == ["better", "better"]
    assert ranking.basis and ranking.basis.startswith("unpaired") and "50 checkpoints" in ranking.basis


def test_second_table_of_the_report(strategy_b_soft: RunAnalysis) -> None:
    check_table(strategy_b_soft, "checkpoint_37", REPORT_SOFT)


def test_the_three_figures_that_the_report_rounds_otherwise(strategy_b_soft: RunAnalysis) -> None:
    keys = ["normals.building.inlier_30", "photometric.building.inlier_ratio"]
    normals, photo = deltas(strategy_b_soft, "checkpoint_37", catalogue=CATALOGUE, keys=keys).iter_rows(named=True)
    assert abs(normals["baseline"] - 0.118) < 0.001
    assert abs(normals["delta_pct"] - 46.2) < 0.1
    assert abs(photo["baseline"] - 0.655) < 0.001


def test_cost_of_the_best_checkpoint(strategy_b: RunAnalysis) -> None:
    values = strategy_b.values("checkpoint_34")
    assert f"{values['performance.fps']:.2f}" == "1.12"
    assert f"{values['performance.latency_sec']:.2f}" == "0.90"
    assert f"{values['performance.vram_mb'] / 1000:.1f}" == "20.3"  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "checkpoint", "score", "change"),
    [("strategy_b", "checkpoint_34", "0.3455", "30.9"), ("strategy_b_soft", "checkpoint_37", "0.2999", "15.8")],
)
def test_best_scores(name: str, checkpoint: str, score: str, change: str, request: pytest.FixtureRequest) -> None:
    analysis = request.getfixturevalue(name)
    assert best(analysis, catalogue=CATALOGUE) == checkpoint
    first = rank(analysis, catalogue=CATALOGUE).rows.row(0, named=True)
    assert (first["checkpoint"], f"{first['value']:.4f}", f"{first['delta_pct']:.1f}") == (checkpoint, score, change)


def test_ranking_of_the_first_run(strategy_b: RunAnalysis) -> None:
    ranking = rank(strategy_b, catalogue=CATALOGUE)
    assert ranking.rows["checkpoint"].to_list()[:3] == ["checkpoint_34", "checkpoint_36", "checkpoint_38"]
    assert (ranking.total, ranking.kept, ranking.rows.height, ranking.unranked) == (50, 50, 50, ())
    assert best(strategy_b, objective="delta1", catalogue=CATALOGUE) == "checkpoint_36"
    assert best(strategy_b, objective="abs_rel", catalogue=CATALOGUE) == "checkpoint_34"


def test_the_jump_is_found_without_being_told_where(strategy_b: RunAnalysis) -> None:
    found = trend(strategy_b, "depth.building.delta1", TrendConfig()).jumps
    assert [(jump.from_checkpoint, jump.to_checkpoint) for jump in found] == [("checkpoint_19", "checkpoint_20")]
    assert f"{found[0].change_pct:.0f}" == "143"
    assert (f"{found[0].before:.4f}", f"{found[0].after:.4f}") == ("0.1428", "0.3474")


def test_the_variation_peaks_at_the_jump_and_then_stays_low(strategy_b: RunAnalysis) -> None:
    course = trend(strategy_b, "depth.building.delta1", TrendConfig())
    assert course.variation.index(max(v for v in course.variation if v is not None)) in range(20, 24)
    assert (course.plateau_from, course.plateau_index) == ("checkpoint_25", 25)
    assert all(v is not None and v < 5.0 for v in course.variation[25:])
    assert course.settled is not None
    assert 0.42 < course.settled < 0.43
    assert course.best == 36
    assert course.baseline == pytest.approx(0.40297, abs=1e-5)


def test_the_soft_run_is_not_full_of_jumps(strategy_b_soft: RunAnalysis) -> None:
    """It climbs within the first ten checkpoints; after them no quality metric jumps."""
    late = {}
    for key in strategy_b_soft.metrics:
        found = trend(strategy_b_soft, key, TrendConfig()).jumps
        assert len(found) <= 5, key
        if any(jump.index > 10 for jump in found):
            late[key] = [jump.to_checkpoint for jump in found]
    # Speed does: checkpoints 38 to 43 were measured under other circumstances.
    both = ["checkpoint_38", "checkpoint_44"]
    assert late == {"performance.fps": both, "performance.latency_sec": both}


def test_plateau_of_the_soft_run(strategy_b_soft: RunAnalysis) -> None:
    course = trend(strategy_b_soft, "depth.building.delta1", TrendConfig())
    assert course.plateau_from == "checkpoint_10"
    assert course.settled is not None
    assert 0.37 < course.settled < 0.39


def test_frame_counts_of_the_first_run(strategy_b: RunAnalysis) -> None:
    note = count_note(strategy_b.counts)
    assert note is not None
    assert "depth.building: 3178 to 3418 frames" in note


def test_the_two_runs_were_evaluated_on_different_samples(
    strategy_b: RunAnalysis, strategy_b_soft: RunAnalysis
) -> None:
    facts = [
        facts_from(
            name,
            RunMetadata(run=name, provenance=Provenance.IMPORTED, protocol=ProtocolInfo(name="compat")),
            analysis,
        )
        for name, analysis in (("b", strategy_b), ("soft", strategy_b_soft))
    ]
    verdict = comparability(facts)
    assert not verdict.comparable
    assert verdict.reasons == ("different samples",)
    assert verdict.headline == "different samples: read changes, not values"
    assert any("b: 1.72136, soft: 2.04403" in note for note in verdict.notes)
    assert any("speed and memory" in note for note in verdict.notes)
    assert comparability([facts[0], facts[0]]).comparable
