"""Numbers, verdicts and short names."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.format import MISSING, number, percent, plain_text, short_names, signed, verdict_mark


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (0.34551, 4, "0.3455"),
        (3603.2402, 3, "3603.24"),
        (20790.3, 0, "20790"),
        (12345.678, 3, "12345.7"),
        (12345678.0, 1, "1.23e+07"),
        (0.00001, 4, "1.00e-05"),
        (0.0, 4, "0.0000"),
        (-2.5, 2, "-2.50"),
        (None, 4, MISSING),
        (math.nan, 4, MISSING),
        (math.inf, 4, MISSING),
    ],
)
def test_number(value: float | None, digits: int, expected: str) -> None:
    assert number(value, digits) == expected


def test_signs_of_differences() -> None:
    assert signed(0.0815, 4) == "+0.0815"
    assert signed(-1.0, 1) == "-1.0"
    assert signed(0.0, 1) == "0.0"
    assert signed(None, 1) == MISSING


def test_percent_keeps_one_decimal_where_it_means_something() -> None:
    assert percent(30.868) == "+30.9"
    assert percent(-64.5) == "-64.5"
    assert percent(1433.0) == "+1433"
    assert percent(-0.012) == "-0.01"
    assert percent(0.0) == "+0.0"
    assert percent(None) == MISSING


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 6))
def test_any_number_fits_a_column(value: float, digits: int) -> None:
    assert len(number(value, digits)) <= 12
    assert len(percent(value)) <= 9


def test_marks_do_not_rely_on_colour() -> None:
    marks = [verdict_mark(verdict) for verdict in ("better", "worse", "tied", None)]
    assert len(set(marks)) == 4
    assert len({plain_text(mark) for mark in marks}) == 4
    assert all(plain_text(mark).isascii() for mark in marks)


def test_short_names_lose_their_common_words() -> None:
    assert short_names(["lora_kitti360_strategy_b", "lora_kitti360_strategy_b_soft"]) == [
        "strategy_b",
        "strategy_b_soft",
    ]
    assert short_names(["lora_a", "lora_b"]) == ["lora_a", "lora_b"]
    assert short_names(["one"]) == ["one"]
    assert short_names(["same", "same"]) == ["same", "same"]
    assert short_names(["run_", "run_x"]) == ["run_", "run_x"]


@given(st.lists(st.text(min_size=1), min_size=2, max_size=6, unique=True))
def test_short_names_stay_distinct_ends_of_the_names(names: list[str]) -> None:
    short = short_names(names)
    assert len(set(short)) == len(names)
    assert all(name.endswith(end) and end for name, end in zip(names, short, strict=True))
