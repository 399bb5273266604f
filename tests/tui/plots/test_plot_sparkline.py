"""Sparklines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.plots.sparkline import sparkline


def test_course_from_least_to_greatest() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([7.0, 0.0], 8) == "█▁"
    assert sparkline([0, 1, 2, 3, 4, 5], 6, plain=True) == "_.-=*#"


def test_more_values_than_cells_are_averaged() -> None:
    assert sparkline([0, 0, 7, 7], 2) == "▁█"
    assert sparkline([0, 0, None, 7, 7, 7], 3) == "▁██"


def test_gaps_constants_and_nothing() -> None:
    assert sparkline([1.0, None, 2.0], 3) == "▁ █"
    assert sparkline([3.0, 3.0], 2) == "▄▄"
    assert sparkline([None, None], 2) == "  "
    assert sparkline([], 5) == ""
    assert sparkline([1.0], 0) == ""
    assert sparkline([float("nan"), 1.0, float("inf"), 2.0], 4) == " ▁ █"


@given(st.lists(st.none() | st.floats(), max_size=40), st.integers(-2, 30), st.booleans())
def test_length_is_exact(values: list[float | None], width: int, plain: bool) -> None:
    text = sparkline(values, width, plain=plain)
    assert len(text) == min(max(width, 0), len(values))
    assert not plain or text.isascii()
