"""Tie groups and the Pareto front over resamples."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from window_frames import KEY, Floats, arrays, drives_of, planned, sample_of

from engine.analysis.frontier import FRONT, front_frequency
from engine.analysis.pareto import pareto_front
from engine.analysis.power import windows_needed, with_windows_needed
from engine.analysis.resampling.judging import judge
from engine.analysis.resampling.sample import tabulate
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.ties import TIES, tie_group
from engine.catalogue import Catalogue
from engine.errors import UnknownNameError, UsageError

CATALOGUE = Catalogue()
AR = "depth.building.abs_rel"
DRIVES = drives_of(3, 8)


def values_of(steps: dict[str, float], *, key: str = KEY, spread: float = 0.1) -> dict[str, dict[str, Floats]]:
    """Checkpoints that share their windows' difficulty and lie these steps apart."""
    common = np.random.default_rng(0).standard_normal(24)
    return {
        name: {key: common + step + spread * np.random.default_rng(place + 1).standard_normal(24)}
        for place, (name, step) in enumerate(steps.items())
    }


def test_the_group_and_its_table() -> None:
    values = values_of({"a": 0.0, "b": 1.0, "c": 1.02, "d": 0.5})
    ties = tie_group(
        planned(sample_of(values, DRIVES), baseline=None), objective=KEY, checkpoints=values, catalogue=CATALOGUE
    )
    assert ties.rows.schema == TIES
    assert set(ties.group) == {"b", "c"}
    assert ties.best == ties.group[0]
    means = {name: metrics[KEY].mean() for name, metrics in values.items()}
    assert ties.rows["value"].to_list() == pytest.approx(sorted(means.values(), reverse=True))
    assert ties.rows["behind"].to_list() == pytest.approx([max(means.values()) - v for v in ties.rows["value"]])
    first = ties.rows.row(0, named=True)
    assert (first["behind"], first["ci95_low"], first["ci95_high"], first["p_adjusted"]) == (0.0, 0.0, 0.0, 1.0)
    assert ties.rows["ci95_low"][3] < 1.0 < ties.rows["ci95_high"][3] + 0.1
    assert ties.rows["best_share"].sum() == pytest.approx(1.0)
    assert ties.rows["best_share"].to_list()[2:] == [0.0, 0.0]
    assert ties.optimism is not None
    assert 0.0 <= ties.optimism < 0.1


def test_less_can_be_better() -> None:
    values = values_of({"a": 0.0, "b": 1.0, "c": 0.01}, key=AR)
    ties = tie_group(
        planned(sample_of(values, DRIVES), baseline=None), objective=AR, checkpoints=values, catalogue=CATALOGUE
    )
    assert set(ties.group) == {"a", "c"}
    assert (ties.rows["behind"] >= 0.0).all()
    last = ties.rows.row(2, named=True)
    assert last["checkpoint"] == "b"
    assert 0.0 < last["ci95_low"] < last["behind"] < last["ci95_high"]


def test_equals_are_tied_and_listed_in_the_order_given() -> None:
    same = np.random.default_rng(1).standard_normal(24)
    values = {name: {KEY: same.copy()} for name in ("x", "y", "z")}
    ties = tie_group(
        planned(sample_of(values, DRIVES), baseline=None),
        objective=KEY,
        checkpoints=["z", "x", "y"],
        catalogue=CATALOGUE,
    )
    assert ties.group == ("z", "x", "y")
    assert ties.rows["p_adjusted"].to_list() == [1.0] * 3
    assert ties.rows["best_share"].to_list() == pytest.approx([1 / 3] * 3)
    assert ties.optimism == 0.0


def test_step_down_by_brute_force() -> None:
    """P-values follow the definition: the clearest against all pairs, the next without it, never a smaller one."""
    values = values_of({f"c_{place}": step for place, step in enumerate((0.0, 0.02, 0.05, 0.1, 0.3))}, spread=0.15)
    sample = sample_of(values, DRIVES)
    statistics = planned(sample, baseline=None)
    ties = tie_group(statistics, objective=KEY, checkpoints=values, catalogue=CATALOGUE)
    best, *others = ties.rows["checkpoint"]

    def drawn(first: str, second: str) -> tuple[float, Floats]:
        contrast = statistics.contrast(KEY, sample.rows([first]), sample.rows([second]))
        assert statistics.blocks is not None
        judged = judge(statistics.blocks, contrast.difference)
        return float(judged.observed[0]), judged.statistics[0]

    order = sorted(others, key=lambda name: -drawn(best, name)[0])
    largest = 0.0
    for place, name in enumerate(order):
        left = [*order[place:], best]
        pairs = [drawn(a, b)[1] for i, a in enumerate(left) for b in left[i + 1 :]]
        most = np.max(pairs, axis=0)
        p = (1 + (most >= np.float32(drawn(best, name)[0])).sum()) / (1 + len(most))
        largest = max(largest, p)
        found = ties.rows.row(by_predicate=pl.col("checkpoint") == name, named=True)
        assert found["p_adjusted"] == pytest.approx(largest)
        assert found["tied_with_best"] == (largest > 0.05)


def test_unfinished_and_unmeasured_checkpoints() -> None:
    values = values_of({"a": 0.0, "b": 1.0, "part": 1.0})
    sums = arrays(values, DRIVES)
    # Of the unfinished one the easiest windows are there: it has the best value, and is not better on any of them.
    easy = np.argsort(values["part"][KEY])[-8:]
    part = sums.filter((pl.col("checkpoint") != "part") | pl.col("window").is_in(easy))
    ties = tie_group(
        planned(tabulate(part), baseline=None),
        objective=KEY,
        checkpoints=["a", "b", "part", "nobody"],
        catalogue=CATALOGUE,
    )
    assert ties.best == "part"
    assert set(ties.group) == {"part", "b"}
    assert abs(ties.rows.row(by_predicate=pl.col("checkpoint") == "b", named=True)["behind"]) < 0.2
    nothing = tie_group(
        planned(tabulate(part), baseline=None), objective=KEY, checkpoints=["nobody"], catalogue=CATALOGUE
    )
    assert (nothing.best, nothing.group, nothing.optimism) == (None, (), None)


def test_what_has_no_best() -> None:
    sample = sample_of(values_of({"a": 0.0}), DRIVES)
    with pytest.raises(UsageError, match="no direction"):
        tie_group(
            planned(sample, baseline=None), objective="scale.building.log_ratio", checkpoints=["a"], catalogue=CATALOGUE
        )
    with pytest.raises(UnknownNameError, match="unknown metric"):
        tie_group(planned(sample, baseline=None), objective=AR, checkpoints=["a"], catalogue=CATALOGUE)
    with pytest.raises(UsageError, match="no resamples"):
        tie_group(Statistics(sample, None), objective=KEY, checkpoints=["a"], catalogue=CATALOGUE)


def test_front_frequency_is_that_of_the_resamples() -> None:
    random = np.random.default_rng(2)
    names = [f"c_{place}" for place in range(6)]
    values = {name: {KEY: random.random(24), AR: random.random(24)} for name in names}
    sample = sample_of(values, DRIVES)
    statistics = planned(sample, baseline=None, resamples=60)
    fps = [1.0, 2.0, 3.0, 1.5, 2.5, 0.5]
    table = pl.DataFrame(
        {
            "checkpoint": names,
            KEY: [values[name][KEY].mean() for name in names],
            AR: [values[name][AR].mean() for name in names],
            "performance.fps": fps,
        }
    )
    keys = [KEY, AR, "performance.fps"]
    found = front_frequency(statistics, table, keys, catalogue=CATALOGUE)
    assert found.schema == FRONT
    assert found["on_front"].to_list() == pareto_front(table, keys, CATALOGUE).to_list()
    times = np.zeros(6)
    levels = {key: statistics.level(key, sample.rows(names)) for key in (KEY, AR)}
    for resample in range(60):
        drawn = table.with_columns(
            pl.Series(key, level.value + level.deviations[:, resample]) for key, level in levels.items()
        )
        times += pareto_front(drawn, keys, CATALOGUE).to_numpy()
    assert found["front_share"].to_list() == pytest.approx((times / 60).tolist())


def test_front_of_constants_and_missing_values() -> None:
    sample = sample_of(values_of({"a": 0.0, "b": 1.0, "c": 2.0}), DRIVES)
    table = pl.DataFrame(
        {"checkpoint": ["a", "b", "c", "d"], KEY: [0.0, 1.0, 2.0, None], "performance.fps": [3.0, None, 1.0, 9.0]}
    )
    found = front_frequency(planned(sample, baseline=None), table, [KEY, "performance.fps"], catalogue=CATALOGUE)
    assert found["on_front"].to_list() == [True, False, True, False]
    assert found["front_share"].to_list() == [1.0, None, 1.0, None]
    costs = front_frequency(planned(sample, baseline=None), table, ["performance.fps"], catalogue=CATALOGUE)
    assert costs["front_share"].to_list() == [0.0, None, 0.0, 1.0]


def test_windows_needed_by_hand() -> None:
    rows = pl.DataFrame(
        {
            "delta": [0.5, -0.5, 0.0, 1e-9, None],
            "ci95_high": [0.5 + 1.96, -0.5 + 1.96, 1.0, 1e-9 + 1.96, None],
            "joint_high": [0.5 + 3.0, -0.5 + 3.0, 1.0, 3.0, None],
            "error": [1.0, 1.0, 1.0, 1.0, None],
            "windows": [100, 100, 100, 100, 100],
        }
    )
    # 100 * ((1.96 + 0.8416) / 0.5)^2 and 100 * ((3 + 0.8416) / 0.5)^2
    assert with_windows_needed(rows)["windows_needed"].to_list() == [3140, 3140, None, None, None]
    assert with_windows_needed(rows, joint=True)["windows_needed"][0] == 5904
    certain = windows_needed(pl.lit(1.0), pl.lit(0.0), pl.lit(0.0), pl.lit(8))
    assert pl.select(certain).item() == 1
