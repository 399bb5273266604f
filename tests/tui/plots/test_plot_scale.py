"""Limits and ticks: round, distinct, exact."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.plots import scale

numbers = st.floats(-1e30, 1e30, allow_nan=False).map(lambda v: 0.0 if abs(v) < 1e-30 else v)


@given(st.lists(numbers, min_size=1, max_size=12), st.integers(2, 50))
def test_rows_hold_every_value_and_ticks_lie_on_rows(values: list[float], rows: int) -> None:
    wanted_low, wanted_high = scale.extent(values)
    low, high, ticks = scale.row_scale(wanted_low, wanted_high, rows)
    tolerance = 1e-6 * (high - low)
    assert low <= wanted_low + tolerance
    assert high >= wanted_high - tolerance
    assert ticks.values
    assert len(set(ticks.labels)) == len(ticks.labels)
    row = (high - low) / (rows - 1)
    for value in ticks.values if rows > 2 else ():
        position = (value - low) / row
        assert position == pytest.approx(round(position), abs=1e-3)


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(1, 12))
@example(879609.9999999999, 1e-6, 6)
def test_ticks_are_inside_few_and_labelled_with_their_value(low: float, span: float, count: int) -> None:
    high = low + span
    ticks = scale.ticks(low, high, count)
    assert len(ticks.values) <= count
    slack = 1e-6 * span + math.ulp(max(abs(low), abs(high)))  # a tick is the float nearest to its label
    for value, label in zip(ticks.values, ticks.labels, strict=True):
        assert low - slack <= value <= high + slack
        assert float(label) == pytest.approx(value, rel=1e-9, abs=1e-9 * span)


def test_labels_have_no_float_noise() -> None:
    assert scale.ticks(0.0, 0.4, 5).labels == ("0.0", "0.1", "0.2", "0.3", "0.4")
    assert scale.ticks(0.2, 0.31, 4).labels == ("0.20", "0.25", "0.30")
    assert scale.ticks(-0.1, 0.1, 3).labels == ("-0.1", "0.0", "0.1")
    assert scale.ticks(0, 49, 10, integer=True).labels == ("0", "5", "10", "15", "20", "25", "30", "35", "40", "45")
    assert scale.ticks(0, 3, 12, integer=True).labels == ("0", "1", "2", "3")
    assert scale.ticks(3599.0, 3601.0, 3).labels == ("3599", "3600", "3601")
    assert scale.ticks(0.0, 3e7, 4).labels == ("0", "1e7", "2e7", "3e7")


def test_labels_tell_close_large_values_apart() -> None:
    labels = scale.ticks(1e9, 1e9 + 4, 5).labels
    assert len(set(labels)) == 5
    assert [Decimal(label) for label in labels] == [Decimal(10**9 + i) for i in range(5)]


def test_one_far_value_is_left_out_but_a_step_is_not() -> None:
    bulk = [0.5 + 0.01 * math.sin(i) for i in range(40)]
    assert scale.extent([*bulk, 1e6])[1] < 1.0
    assert scale.extent([*bulk, *[40.0] * 5])[1] == 40.0
    assert scale.extent([1.0, 2.0, 1e6])[1] == 1e6  # too few to call anything an outlier


def test_a_reference_line_is_taken_in_unless_it_would_crush_the_curves() -> None:
    assert scale.extent([1.0, 2.0], [3.0]) == (1.0, 3.0)
    assert scale.extent([1.0, 2.0], [30.0]) == (1.0, 2.0)
    assert scale.extent([], [5.0]) == (4.5, 5.5)
    assert scale.extent([0.0, 0.0]) == (-1.0, 1.0)
    assert scale.extent([]) == (-1.0, 1.0)


@pytest.mark.parametrize(("count", "rows", "apart"), [(8, 12, 1), (8, 24, 3), (3, 20, 6), (1, 5, 5)])
def test_names_are_whole_rows_apart(count: int, rows: int, apart: int) -> None:
    low, high = scale.name_scale(count, rows)
    row = (high - low) / (rows - 1)
    assert 1 / row == pytest.approx(apart)
    assert (0 - low) / row == pytest.approx(round((0 - low) / row))
    assert low <= 0 <= count - 1 <= high


@pytest.mark.parametrize(
    ("value", "yes"), [(0.0, True), (-1e99, True), (1e101, False), (math.nan, False), (math.inf, False), (None, False)]
)
def test_drawable(value: float | None, yes: bool) -> None:
    assert scale.drawable(value) is yes
