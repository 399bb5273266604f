"""The Pareto front against its definition."""

from __future__ import annotations

import polars as pl
import pytest
from analysis_frames import CATALOGUE
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.pareto import pareto_front
from engine.errors import UnknownNameError, UsageError

D1, AR, FPS, VRAM = "depth.building.delta1", "depth.building.abs_rel", "performance.fps", "performance.vram_mb"


def front(columns: dict[str, list[float | None]], *keys: str) -> list[bool]:
    table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64))
    return pareto_front(table, keys or tuple(columns), CATALOGUE).to_list()


def test_by_hand() -> None:
    columns: dict[str, list[float | None]] = {
        D1: [0.9, 0.8, 0.9, 0.7, None, 0.9, 0.1],
        AR: [0.5, 0.4, 0.5, 0.4, 0.1, 0.6, 0.3],
    }
    assert front(columns) == [True, True, True, False, False, False, True]
    assert front(columns, D1) == [True, False, True, False, False, True, False]
    assert front(columns, AR) == [False, False, False, False, True, False, False]
    assert front({D1: []}) == []
    assert front({D1: [None], AR: [1.0]}) == [False]


def test_zero_has_one_sign() -> None:
    assert front({D1: [0.0, -0.0], AR: [-0.0, 0.0]}) == [True, True]


def test_oracle_and_chance_are_no_choices() -> None:
    table = pl.DataFrame(
        {"role": ["baseline", "checkpoint", "oracle", "chance"], D1: [0.1, 0.2, 1.0, 0.0], FPS: [2.0, 1.0, 9.0, 9.0]}
    )
    assert pareto_front(table, [D1, FPS], CATALOGUE).to_list() == [True, True, False, False]
    assert pareto_front(table, [D1, FPS], CATALOGUE).name == "on_front"


def test_what_cannot_be_weighed() -> None:
    table = pl.DataFrame({D1: [1.0], "own": [1.0]})
    with pytest.raises(UsageError, match="at least one metric"):
        pareto_front(table, [], CATALOGUE)
    with pytest.raises(UsageError, match="no direction"):
        pareto_front(table, ["own"], CATALOGUE)
    with pytest.raises(UnknownNameError, match="did you mean"):
        pareto_front(table, ["depth.building.delta"], CATALOGUE)


number = st.one_of(st.none(), st.integers(0, 4).map(float), st.floats(-1, 1))


@given(st.integers(1, 4).flatmap(lambda k: st.lists(st.lists(number, min_size=k, max_size=k), max_size=40)))
def test_the_definition(rows: list[list[float | None]]) -> None:
    """On the front is exactly who has all values and whom nobody dominates; others are dominated by someone on it."""
    keys = [D1, AR, FPS, VRAM][: len(rows[0])] if rows else [D1]
    found = front({key: [row[i] for row in rows] for i, key in enumerate(keys)})
    signs = [CATALOGUE.get(key).direction.sign for key in keys]
    better = [None if None in row else [sign * value for sign, value in zip(signs, row, strict=True)] for row in rows]

    def dominates(one: list[float] | None, other: list[float] | None) -> bool:
        if one is None or other is None:
            return False
        return all(a >= b for a, b in zip(one, other, strict=True)) and any(
            a > b for a, b in zip(one, other, strict=True)
        )

    assert found == [row is not None and not any(dominates(rival, row) for rival in better) for row in better]
    chosen = [row for row, on_front in zip(better, found, strict=True) if on_front]
    for row, on_front in zip(better, found, strict=True):
        assert on_front or row is None or any(dominates(rival, row) for rival in chosen)


def test_fronts_larger_than_a_block() -> None:
    """700 points on a line of trade-offs, each with a dominated twin."""
    up = [float(i) for i in range(700)]
    columns: dict[str, list[float | None]] = {D1: [*up, *up], AR: [*up, *(value + 0.5 for value in up)]}
    assert front(columns) == [True] * 700 + [False] * 700
