"""Rolling variation, jumps and plateaus on curves whose jumps are known."""

from __future__ import annotations

import math
import statistics

import numpy as np
import polars as pl
import pytest
from analysis_frames import curve, run
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.trends import jumps, plateau, rolling_variation, trend
from engine.config import TrendConfig
from engine.errors import UnknownNameError

D1, AR, RATIO = "depth.building.delta1", "depth.building.abs_rel", "scale.building.log_ratio"


def variation(values: list[float | None], window: int = 5) -> list[float | None]:
    return rolling_variation(pl.Series("x", values, dtype=pl.Float64), window).to_list()


def jump_indices(values: list[float | None], jump_pct: float = 10.0) -> list[int]:
    return [jump.index for jump in jumps(values, [f"c_{i}" for i in range(len(values))], jump_pct=jump_pct)]


def test_variation_by_hand() -> None:
    found = variation([1.0, 2.0, 3.0, None, 4.0, -4.0, -4.0, -2.0], window=3)
    third = 100 * math.sqrt(2 / 3) / 2
    fourth = 100 * math.sqrt(2 / 3) / 3
    last = 100 * statistics.pstdev([-4, -4, -2]) / (10 / 3)
    assert found == [None, None, pytest.approx(third), None, pytest.approx(fourth), None, None, pytest.approx(last)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.0, 0.0], [None, 0.0, 0.0]),  # zeros do not vary
        ([5.0, 5.0, 5.0], [None, 0.0, 0.0]),
        ([1.0, -1.0, 1.0], [None, None, None]),  # a mean of zero says nothing of the size
        ([0.0, 2.0, 2.0], [None, 100.0, 0.0]),
        ([1e308, 1e308, 1e308], [None, 0.0, 0.0]),
        ([5e-324, 5e-324, 5e-324], [None, 0.0, 0.0]),
        ([1.0], [None]),
        ([], []),
        ([None, None], [None, None]),
    ],
)
def test_variation_at_the_edges(values: list[float | None], expected: list[float | None]) -> None:
    assert variation(values, window=2) == expected


positive = st.floats(0.01, 100)


@given(st.lists(st.one_of(st.none(), positive), max_size=30), st.integers(2, 6), st.floats(1e-3, 1e3), st.booleans())
def test_variation_laws(values: list[float | None], window: int, factor: float, negative: bool) -> None:
    """Against the standard library; bounded; the same at any scale and for either sign."""
    found = variation(values, window)
    measured: list[float] = []
    for value, percent in zip(values, found, strict=True):
        if value is not None:
            measured.append(value)
        if value is None or len(measured) < window:
            assert percent is None
            continue
        last = measured[-window:]
        assert percent == pytest.approx(100 * statistics.pstdev(last) / statistics.mean(last), abs=1e-9)
        assert 0 <= percent <= 100 * math.sqrt(window - 1) + 1e-9
    scale = -factor if negative else factor
    scaled = variation([None if value is None else scale * value for value in values], window)
    assert [value is None for value in scaled] == [value is None for value in found]
    for one, other in zip(scaled, found, strict=True):
        assert one is None or one == pytest.approx(other, abs=1e-9)


def noisy(levels: list[tuple[int, float]], noise: float, seed: int, slope: float = 0.0) -> list[float | None]:
    """Levels of (length, value) with normal noise (standard deviation relative to the value) and a slope on top."""
    generator = np.random.default_rng(seed)
    level = np.concatenate([np.full(length, value) for length, value in levels])
    values: list[float | None] = (
        level * (1 + noise * generator.standard_normal(len(level))) + slope * np.arange(len(level))
    ).tolist()
    return values


@given(st.integers(8, 40), st.integers(8, 40), st.floats(0, 0.02), st.integers(0, 10_000), st.sampled_from([2.0, 0.4]))
def test_a_step_is_found_where_it_is(before: int, after: int, noise: float, seed: int, factor: float) -> None:
    """Noise is bounded: within +-2 % no difference reaches 10 %, and the step stays beyond five robust deviations."""
    level = np.concatenate([np.full(before, 0.2), np.full(after, 0.2 * factor)])
    values = level * (1 + noise * np.random.default_rng(seed).uniform(-1, 1, len(level)))
    assert jump_indices(values.tolist()) == [before]


@given(st.integers(0, 300), st.floats(0.001, 0.15), st.floats(0, 0.02))
def test_noise_and_slopes_are_no_jumps(seed: int, noise: float, slope: float) -> None:
    assert jump_indices(noisy([(50, 0.4)], noise, seed, slope)) == []


def test_two_jumps_and_a_gap() -> None:
    values = noisy([(15, 0.2), (15, 0.5), (15, 0.3)], 0.01, seed=1)
    values[15] = None  # the first value of the new level is missing: the next one is where the jump is seen
    assert jump_indices(values) == [16, 30]


def test_a_jump_tells_its_neighbours_and_its_size() -> None:
    names = [f"c_{i}" for i in range(10)]
    (found,) = jumps([2.0] * 6 + [None] + [3.0] * 3, names, jump_pct=10.0)
    assert (found.index, found.from_checkpoint, found.to_checkpoint) == (7, "c_5", "c_7")
    assert (found.before, found.after, found.change_pct) == (2.0, 3.0, 50.0)
    (risen,) = jumps([0.0] * 6 + [3.0] * 4, names, jump_pct=10.0)
    assert risen.change_pct is None
    (fallen,) = jumps([-1.0] * 6 + [-3.0] * 4, names, jump_pct=10.0)
    assert fallen.change_pct == -200.0


def test_small_or_few_changes_are_no_jumps() -> None:
    assert jump_indices([1.0] * 10 + [1.09] * 10) == []  # unusual, but below 10 percent
    assert jump_indices([1.0] * 10 + [1.09] * 10, jump_pct=8.0) == [10]
    assert jump_indices([1.0, 1.0, 1.0, 9.0]) == []  # three differences tell nothing of their spread
    assert jump_indices([1.0] * 20) == []
    assert jump_indices([]) == []
    assert jump_indices([1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]) == []  # that is how this curve is


# Values close together with a few far away: unusual changes are frequent.
curves = st.lists(st.one_of(st.floats(1.0, 1.2), st.sampled_from([0.2, 3.0, 5.0])), min_size=5, max_size=40)


@given(curves, st.integers(-8, 8))
def test_jumps_depend_neither_on_the_unit_nor_on_the_sign(values: list[float | None], exponent: int) -> None:
    factor = 2.0**exponent  # powers of two are exact
    scaled = [factor * value for value in values if value is not None]
    assert jump_indices(list(scaled)) == jump_indices(values)
    assert jump_indices([-value for value in scaled]) == jump_indices(values)


@given(curves)
def test_being_unusual_is_symmetric_in_time(values: list[float | None]) -> None:
    """Being large is not: that is relative to the value before. So every change counts as large here."""
    backwards = [len(values) - index for index in jump_indices(list(reversed(values)), jump_pct=1e-9)]
    assert sorted(backwards) == jump_indices(values, jump_pct=1e-9)


def test_plateau_by_hand() -> None:
    config = {"window": 3, "threshold_pct": 5.0}
    assert plateau([None, None, 9.0, 4.0, 9.0, 4.0, 3.0, 2.0], **config) == 5  # type: ignore[arg-type]
    assert plateau([None, None, 9.0, 4.0, 9.0, 9.0, 3.0, 2.0], **config) is None  # type: ignore[arg-type]
    assert plateau([None, None, 1.0, 1.0, 1.0], **config) == 2  # type: ignore[arg-type]
    assert plateau([1.0, 1.0, 5.0], **config) is None  # type: ignore[arg-type]
    assert plateau([], **config) is None  # type: ignore[arg-type]
    holes = [None, None, 1.0, None, 1.0, 1.0]
    assert plateau(holes, **config) == 2  # type: ignore[arg-type]
    assert plateau(holes, measured=[True] * 6, **config) is None  # type: ignore[arg-type]


def test_a_whole_trend() -> None:
    values: list[float | None] = [0.2] * 10 + [None] + [0.5] * 5 + [0.52] * 5
    analysis = run(
        {"baseline": {D1: 0.4}, **{f"c_{i}": {D1: value} for i, value in enumerate(values)}, "oracle": {D1: 1.0}},
        roles={"oracle": "oracle"},
    )
    course = trend(analysis, D1, TrendConfig())
    assert course.checkpoints == tuple(f"c_{i}" for i in range(21))
    assert course.steps == course.positions == tuple(range(21))
    assert course.values == tuple(values)
    assert [jump.index for jump in course.jumps] == [11]
    assert (course.plateau_from, course.plateau_index) == ("c_15", 15)
    assert course.settled == 0.52
    assert (course.best, course.baseline) == (16, 0.4)
    assert len(course.variation) == 21
    falling = trend(analysis, D1, TrendConfig(threshold_pct=0.001))
    assert (falling.plateau_from, falling.plateau_index, falling.settled) == (None, None, None)


def test_best_knows_the_direction() -> None:
    assert trend(curve(AR, [0.5, 0.2, None, 0.2, 0.9]), AR, TrendConfig()).best == 1
    assert trend(curve(RATIO, [0.5, 0.2]), RATIO, TrendConfig()).best is None


def test_positions_where_steps_do_not_rise() -> None:
    analysis = run({"c_7": {D1: 0.1}, "final": {D1: 0.2}}, baseline=None)
    assert trend(analysis, D1, TrendConfig()).steps == (7, None)
    assert trend(analysis, D1, TrendConfig()).positions == (0, 1)
    repeated = run({"a_7": {D1: 0.1}, "b_7": {D1: 0.2}}, baseline=None)
    assert trend(repeated, D1, TrendConfig()).positions == (0, 1)


def test_unknown_metric() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean depth\.building\.delta1"):
        trend(curve(D1, [0.1]), "depth.building.delta2", TrendConfig())
