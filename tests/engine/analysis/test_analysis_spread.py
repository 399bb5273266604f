"""Quantiles and histograms of per-frame values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.spread import BINS, SPREAD, histogram, spread

Values = Mapping[str, Sequence[float]]


def frame(values: Values) -> pl.DataFrame:
    rows = [(name, float(value)) for name, own in values.items() for value in own]
    return pl.DataFrame(rows, schema={"checkpoint": pl.String, "value": pl.Float64}, orient="row")


def test_spread_by_hand() -> None:
    table = spread(frame({"b": [4.0, 1.0, 3.0, 2.0, 5.0], "a": [7.0]}))
    assert table.schema == SPREAD
    first, second = table.rows(named=True)
    assert first["checkpoint"] == "b"
    assert (first["least"], first["q1"], first["median"], first["q3"], first["greatest"]) == (1, 2, 3, 4, 5)
    assert (first["p05"], first["p95"]) == pytest.approx((1.2, 4.8))
    assert (first["mean"], first["std"], first["count"]) == (3.0, pytest.approx(2**0.5), 5)
    assert second["q1"] == second["median"] == second["p95"] == 7.0


def test_a_histogram_by_hand() -> None:
    counted = histogram(frame({"a": [0.12, 0.11, 0.19, 0.2, 0.31, 0.4], "b": [0.4]}))
    assert counted.bins.schema == BINS
    own = counted.bins.filter(checkpoint="a")
    assert counted.width == pytest.approx(0.025)
    assert own["low"][0] == 0.1
    assert own["high"][-1] == 0.4
    assert own["count"].to_list() == [2, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1]
    assert own["share_pct"].sum() == pytest.approx(100.0)
    assert counted.bins.filter(checkpoint="b")["count"].to_list() == [0] * 11 + [1]
    assert counted.beyond == {"a": (0, 0), "b": (0, 0)}


def test_a_few_far_values_do_not_press_the_others_into_one_bin() -> None:
    near = [0.1 + 0.001 * step for step in range(100)]
    counted = histogram(frame({"a": [*near, 50.0], "b": [*near, -9.0]}))
    assert counted.bins["high"].max() < 0.3
    assert counted.beyond == {"a": (0, 1), "b": (1, 0)}
    # Those beyond are frames, too.
    assert counted.bins.filter(checkpoint="a")["share_pct"].sum() == pytest.approx(100 * 100 / 101)


def test_many_far_values_are_a_part_of_the_distribution() -> None:
    counted = histogram(frame({"a": [0.1 + 0.001 * step for step in range(90)] + [5.0] * 10}))
    assert counted.beyond == {"a": (0, 0)}
    assert counted.bins["high"].max() >= 5.0


def test_equal_values_are_one_bin_and_no_values_none() -> None:
    counted = histogram(frame({"a": [0.25] * 8}))
    assert counted.bins["count"].to_list() == [8]
    assert counted.bins["low"][0] < 0.25 < counted.bins["high"][0]
    assert histogram(frame({"a": [0.0, 0.0]})).bins["count"].to_list() == [2]
    assert histogram(frame({})).bins.is_empty()
    assert spread(frame({})).is_empty()


@pytest.mark.parametrize(("count", "bins"), [(8, 12), (64, 12), (12240, 40)])
def test_more_values_more_bins(count: int, bins: int) -> None:
    found = histogram(frame({"a": np.linspace(0.013, 0.987, count).tolist()})).bins.height
    assert bins / 2 <= found <= bins


numbers = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-6)
samples = st.dictionaries(st.sampled_from("abc"), st.lists(numbers, min_size=1, max_size=60), min_size=1)


@given(samples)
def test_every_value_is_counted_once(values: Values) -> None:
    counted = histogram(frame(values))
    for name, own in values.items():
        rows = counted.bins.filter(checkpoint=name)
        edges = [*rows["low"], rows["high"][-1]]
        assert edges == sorted(edges)
        assert rows["high"].to_list()[:-1] == rows["low"].to_list()[1:]
        below, above = counted.beyond[name]
        assert rows["count"].sum() + below + above == len(own)
        assert rows["count"].to_list() == np.histogram(own, edges)[0].tolist()
        assert below == sum(value < edges[0] for value in own)


@given(samples)
def test_quantiles_are_those_of_numpy(values: Values) -> None:
    table = spread(frame(values))
    for row in table.rows(named=True):
        own = np.array(values[row["checkpoint"]])
        expected = np.quantile(own, [0.05, 0.25, 0.5, 0.75, 0.95])
        assert [row[name] for name in ("p05", "q1", "median", "q3", "p95")] == pytest.approx(expected, rel=1e-9)
        assert row["least"] <= row["p05"] <= row["q1"] <= row["median"] <= row["q3"] <= row["p95"] <= row["greatest"]
