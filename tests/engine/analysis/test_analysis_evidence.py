"""What verdicts go by: paired where frames allow it, else summaries, and said which."""

from __future__ import annotations

import numpy as np
import polars as pl
from analysis_frames import CATALOGUE, WEIGHTS, frames, run, summary_of, weighed
from window_frames import arrays, drives_of

from engine.analysis.weighing import weigh

D1, FPS = "depth.building.delta1", "performance.fps"


def made_up(windows: int = 40) -> tuple[dict[str, dict[str, np.ndarray]], list[str]]:
    """A baseline, its double, and a checkpoint that is better by a tenth of the windows' own spread, everywhere."""
    random = np.random.default_rng(0)
    base = random.uniform(0.2, 0.8, windows)
    better = base + 0.02 + 0.002 * random.standard_normal(windows)
    values = {"baseline": {D1: base}, "c_0": {D1: base.copy()}, "c_1": {D1: better}}
    return values, drives_of(2, windows // 2)


def test_identical_checkpoints_are_tied_and_a_clear_difference_is_better() -> None:
    values, drives = made_up()
    means = {name: {D1: float(metrics[D1].mean()), FPS: 1.0 + len(name)} for name, metrics in values.items()}
    analysis = run(means)
    evidence = weighed(analysis, arrays(values, drives))
    rows = {(row["checkpoint"], row["metric"]): row for row in evidence.differences([D1, FPS]).iter_rows(named=True)}
    assert rows["c_0", D1]["verdict"] == "tied"
    assert rows["c_1", D1]["verdict"] == "better"
    assert rows["c_1", D1]["kind"] == "paired"
    assert rows["c_1", FPS]["verdict"] is None  # ten times the same machine's clock is no sample
    basis = evidence.basis(evidence.differences([D1]))
    assert basis == "paired over 40 windows in 2 drives; corrected for looking at 2 checkpoints"
    # The same from means alone: the windows' spread hides it.
    unpaired = weighed(analysis).differences([D1])
    assert set(unpaired["kind"]) == {"unpaired"}
    assert set(unpaired["verdict"]) <= {"tied", None}


def test_the_tie_group_is_paired_where_all_have_frames() -> None:
    values, drives = made_up()
    means = {name: {D1: float(metrics[D1].mean())} for name, metrics in values.items()}
    evidence = weighed(run(means), arrays(values, drives))
    ties = evidence.ties(D1, ["c_1", "c_0"])
    assert ties.select("checkpoint", "tied_with_best").rows() == [("c_1", True), ("c_0", False)]


def test_a_checkpoint_with_a_summary_only_is_judged_by_it() -> None:
    values, drives = made_up()
    counts = {name: {D1: 800} for name in (*values, "c_2")}
    means = {name: {D1: float(metrics[D1].mean())} for name, metrics in values.items()} | {"c_2": {D1: 0.9}}
    evidence = weighed(run(means, counts=counts), arrays(values, drives))
    kinds = dict(evidence.differences([D1]).select("checkpoint", "kind").rows())
    assert kinds == {"c_0": "paired", "c_1": "paired", "c_2": "unpaired"}
    assert "paired over" in evidence.basis(evidence.differences([D1])) and "unpaired" in evidence.basis(
        evidence.differences([D1])
    )


def test_too_few_windows_and_no_baseline_are_said() -> None:
    values = {"baseline": {D1: np.array([0.1, 0.2])}, "c_0": {D1: np.array([0.5, 0.6])}}
    means = {name: {D1: float(metrics[D1].mean())} for name, metrics in values.items()}
    few = weighed(run(means), arrays(values, ["a", "a"]))
    rows = few.differences([D1])
    assert rows["verdict"].to_list() == [None]
    assert few.basis(rows) == "no verdicts: fewer than 4 windows"
    none = weighed(run({"c_0": {D1: 0.5}}, baseline=None))
    assert none.differences([D1]).is_empty()
    assert none.basis(none.differences([D1])) == "no verdicts: there is no baseline"


def test_oracle_and_chance_are_no_looks() -> None:
    roles = {"oracle": "oracle", "chance": "chance"}
    values = {"baseline": {D1: 0.4}, "c_0": {D1: 0.5}, "oracle": {D1: 1.0}, "chance": {D1: 0.0}}
    counts = {name: {D1: 800} for name in values}
    rows = weighed(run(values, roles=roles, counts=counts)).differences([D1])
    assert rows.select("checkpoint", "looks").rows() == [("c_0", 1)]


def test_why_frames_are_not_used_is_said() -> None:
    summary, _ = frames({"baseline": {D1: 0.4}, "c_0": {D1: 0.5}}, counts={"baseline": {D1: 80}, "c_0": {D1: 80}})
    analysis = run({"baseline": {D1: 0.4}, "c_0": {D1: 0.5}})
    evidence = weigh(analysis, summary, None, catalogue=CATALOGUE, weights=WEIGHTS, missing="a file is gone")
    assert evidence.basis(evidence.differences([D1])).endswith("(a file is gone)")


def test_the_summary_behind_wide_tables_is_the_one_they_came_from() -> None:
    """The tests' own helper."""
    values = {"baseline": {D1: 0.4, FPS: 2.0}, "c_0": {D1: 0.5}}
    summary, _ = frames(values)
    columns = ["checkpoint", "metric", "mean", "std", "count"]
    assert (
        summary_of(run(values))
        .select(columns)
        .sort(columns[:2])
        .equals(summary.select(pl.col(columns)).sort(columns[:2]))
    )
