"""Limits as a filter, sliders, what remains, and the front."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.judged import write_judged_run

from engine.catalogue import Catalogue
from engine.errors import UsageError
from engine.results.discovery import discover
from engine.schema import MEASURED_COST
from tui.evidence import gather_evidence, single_passes
from tui.library import Library, Loaded
from tui.pick_table import PickSource
from tui.picking import (
    STEPS,
    Limit,
    command_text,
    default_axes,
    default_terms,
    limit_rows,
    moved,
    parse_limit,
    pick,
    term,
    usable_objective,
    value_range,
    where_text,
)

CATALOGUE = Catalogue()
DELTA1 = term("depth.building.delta1", CATALOGUE)
ABS_REL = term("depth.building.abs_rel", CATALOGUE)


def test_the_kept_side_is_the_good_side() -> None:
    assert DELTA1.operator == ">="
    assert ABS_REL.operator == "<="
    assert term("vram_gb", CATALOGUE).operator == "<="
    assert term("performance.fps", CATALOGUE).operator == ">="


def test_limits_begin_with_quality_and_cost_that_the_run_has(alpha: Loaded) -> None:
    names = [entry.name for entry in default_terms(alpha.analysis.metrics, CATALOGUE)]
    assert names == [
        "depth.building.delta1",
        "depth.building.abs_rel",
        "planarity.building.inlier_ratio",
        "performance.fps",
        "vram_gb",
    ]
    assert [entry.name for entry in default_terms(["depth.full.abs_rel"], CATALOGUE)] == ["depth.full.abs_rel"]
    assert default_terms(["own.metric"], CATALOGUE) == []


def test_a_limit_of_ones_own_joins_the_rows(alpha: Loaded) -> None:
    limits = [Limit("pose.ate_trans", "<=", 3600.0), Limit("not.here", "<=", 1.0)]
    rows = limit_rows(limits, alpha.analysis.metrics, CATALOGUE)
    assert [entry.name for entry, _ in rows][-1] == "pose.ate_trans"
    assert [limit for _, limit in rows if limit] == limits[:1]


def test_range_is_in_the_unit_that_is_shown(alpha: Loaded) -> None:
    span = value_range(alpha, term("vram_gb", CATALOGUE))
    assert span is not None
    own = alpha.analysis.table.filter(pl.col("role") == "checkpoint")["performance.vram_mb"]
    assert span == pytest.approx((own.min() / 1000, own.max() / 1000))  # type: ignore[operator]


def test_a_slider_leaves_off_only_towards_the_strict_side() -> None:
    assert moved(None, DELTA1, 0.0, 1.0, -1) is None
    assert moved(None, DELTA1, 0.0, 1.0, 1) == Limit("depth.building.delta1", ">=", 0.025)
    assert moved(None, ABS_REL, 0.0, 1.0, 1) is None
    assert moved(None, ABS_REL, 0.0, 1.0, -1) == Limit("depth.building.abs_rel", "<=", 0.975)


@given(st.integers(1, STEPS - 1), st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_forth_and_back_ends_where_it_began(steps: int, low: float, width: float) -> None:
    limit = moved(None, DELTA1, low, low + width, steps)
    assert limit is not None
    assert low < limit.value <= low + width * 1.01
    assert moved(limit, DELTA1, low, low + width, -steps) is None


def test_no_range_no_slider() -> None:
    assert moved(None, DELTA1, 0.5, 0.5, 1) is None


def test_where_text_is_a_filter_that_the_command_takes() -> None:
    limits = [Limit("depth.building.delta1", ">=", 0.42), Limit("vram_gb", "<=", 24.0)]
    assert where_text(limits) == "depth.building.delta1 >= 0.42 AND vram_gb <= 24"
    assert where_text(limits[:1], "a OR b") == "depth.building.delta1 >= 0.42 AND (a OR b)"
    assert where_text([], " a OR b ") == "a OR b"
    assert where_text([]) == ""


def test_pick_keeps_what_meets_the_limits(library: Library, alpha: Loaded) -> None:
    table = alpha.analysis.table.filter(pl.col("role") == "checkpoint")
    middle = float(table["depth.building.delta1"].median())  # type: ignore[arg-type]
    limit = Limit("depth.building.delta1", ">=", middle)
    picked = pick(library, alpha, objective="score", limits=[limit], extra="", axes=[])
    expected = table.filter(pl.col("depth.building.delta1") >= float(f"{middle:g}"))["checkpoint"].to_list()
    assert sorted(picked.ranking.rows["checkpoint"].to_list()) == sorted(expected)
    assert picked.ranking.rows["checkpoint"][0] == "checkpoint_4"
    assert picked.ranking.total == table.height
    assert picked.front <= set(expected)
    assert picked.axes == ("performance.fps", "depth.building.abs_rel")


def test_a_broken_condition_is_said_and_filters_nothing(library: Library, alpha: Loaded) -> None:
    picked = pick(library, alpha, objective="score", limits=[], extra="deltaa1 > 0", axes=[])
    assert "deltaa1" in picked.error
    assert picked.ranking.kept == picked.ranking.total


def test_an_unknown_objective_is_an_error(library: Library, alpha: Loaded) -> None:
    with pytest.raises(UsageError):
        pick(library, alpha, objective="no.such", limits=[], extra="", axes=[])


def test_default_axes_need_two_metrics_with_a_direction() -> None:
    assert default_axes(["depth.full.abs_rel"], CATALOGUE) is None
    assert default_axes(["score", "depth.full.rmse", "depth.full.mae"], CATALOGUE) == (
        "depth.full.rmse",
        "depth.full.mae",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.42", Limit("m", ">=", 0.42)),
        ("<= 3", Limit("m", "<=", 3.0)),
        ("≥0,5", Limit("m", ">=", 0.5)),
        ("", None),
        (">=", None),
    ],
)
def test_typed_limits(text: str, expected: Limit | None) -> None:
    assert parse_limit(text, "m", ">=") == expected


@pytest.mark.parametrize("text", ["abc", "nan", "1e999", ">= x"])
def test_typed_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_limit(text, "m", ">=")


def test_the_copied_command_survives_a_shell(library: Library, alpha: Loaded) -> None:
    import shlex

    picked = pick(library, alpha, objective="score", limits=[Limit("vram_gb", "<=", 24.0)], extra="", axes=[])
    words = shlex.split(command_text("/a folder/it's", picked))
    assert words == ["lorascope", "rank", "/a folder/it's", "--objective", "score", "--where", "vram_gb <= 24"]


def test_a_run_without_a_score_is_ranked_by_what_it_has() -> None:
    assert usable_objective("score", ["score", "depth.building.delta1"], CATALOGUE) == "score"
    assert usable_objective("score", ["depth.full.abs_rel"], CATALOGUE) == "depth.full.abs_rel"
    assert usable_objective("score", ["own.metric"], CATALOGUE) == "score"


def test_the_tie_group_is_shown_only_once_it_is_known(library: Library, alpha: Loaded) -> None:
    evidence = gather_evidence(library, alpha, alpha.analysis.metrics)

    def ranks() -> tuple[list[str], str]:
        picked = pick(library, alpha, objective="score", limits=[], extra="", axes=[], evidence=evidence)
        source = PickSource(picked, alpha.analysis, [], CATALOGUE)
        return [source.cells(row)[0].text for row in range(source.row_count)], picked.advice

    assert ranks() == (["1", "2", "2", "4", "5", "6"], "")
    names = ["checkpoint_4", "checkpoint_3", "checkpoint_5", "checkpoint_2", "checkpoint_1", "checkpoint_0"]
    evidence.ties("score", names)
    shown, advice = ranks()
    assert shown[:2] == ["1", "="]
    assert f"{shown.count('=') + 1} of 6 tied; take checkpoint_" in advice
    assert evidence.differences(["score"])["verdict"].null_count() == 0


def test_advice_goes_by_passes_that_were_timed_alone(library: Library, tmp_path: Path) -> None:
    path = write_judged_run(tmp_path / "judged")
    times = {"checkpoint_1": 0.9, "checkpoint_2": 0.7, "checkpoint_3": 0.9}
    rows = [
        {"checkpoint": name, "merged": merged, "latency_sec": value, "times_sec": [value + 0.001 * n for n in range(9)]}
        for name, value in times.items()
        for merged in (False, True)
    ]
    pl.DataFrame(rows, schema=MEASURED_COST).write_parquet(path / "cost.parquet")
    loaded = library.load(next(iter(discover([path]))))
    assert single_passes(loaded)["checkpoint_2"][:2] == pytest.approx([0.7, 0.701])
    objective = "planarity.building.inlier_ratio"  # the same everywhere
    evidence = gather_evidence(library, loaded, [objective])
    names = pick(library, loaded, objective=objective, limits=[], extra="", axes=[]).ranking.rows["checkpoint"]
    evidence.ties(objective, names.to_list())
    picked = pick(library, loaded, objective=objective, limits=[], extra="", axes=[], evidence=evidence)
    assert picked.advice == "3 of 3 tied; take checkpoint_2, the cheapest (0.704 s, timed alone)"
