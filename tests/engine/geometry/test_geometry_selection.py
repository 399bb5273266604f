"""Medians without sorting: exact for every order of values, also where a sample of them misleads."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.geometry import selection
from engine.geometry.selection import masked_median, medians


def of(values: np.ndarray) -> float:
    return float(medians([torch.from_numpy(values)]))


@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), max_size=30))
@settings(max_examples=100, deadline=None)
def test_few_values(values: list[float]) -> None:
    array = np.array(values, dtype=np.float32)
    found = of(array)
    if not values:
        assert np.isnan(found)
    else:
        middle = np.sort(array)[[(len(values) - 1) // 2, len(values) // 2]].astype(float)
        assert found == pytest.approx(middle.mean(), rel=1e-6)


SHAPES = {
    "noise": lambda rng, n: rng.normal(size=n),
    "rising": lambda _, n: np.arange(n, dtype=float),
    "falling": lambda _, n: -np.arange(n, dtype=float),
    "one value": lambda _, n: np.full(n, 3.25),
    "two values": lambda rng, n: (rng.random(n) < 0.5).astype(float),
    "few values": lambda rng, n: rng.integers(0, 4, n).astype(float),
    "two heaps": lambda rng, n: rng.normal(size=n) + 100.0 * (np.arange(n) < n // 2),
    "every size": lambda rng, n: 10.0 ** rng.uniform(-30, 30, n),
    "infinite": lambda rng, n: np.where(rng.random(n) < 0.6, np.inf, rng.random(n)),
    "periodic": lambda _, n: (np.arange(n) % 17).astype(float),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [4096, 4097, 5000, 30001, 100000])
@pytest.mark.parametrize("shape", SHAPES)
def test_many_values(shape: str, count: int, dtype: type) -> None:
    values = SHAPES[shape](np.random.default_rng(count), count).astype(dtype)
    ordered = np.sort(values)
    low, high = ordered[(count - 1) // 2], ordered[count // 2]
    assert of(values) == (low if low == high else (low + high) / 2)


@pytest.mark.parametrize("where", ["below", "above"])
def test_a_sample_that_misleads_is_noticed(where: str) -> None:
    """The values that the sample takes are all on one side of the middle."""
    count = 50000
    rng = np.random.default_rng(0)
    values = rng.random(count)
    values[:: int(count ** (1 / 3) / 2)] += -5.0 if where == "below" else 5.0
    narrowed, below = selection._narrowed(values, (count - 1) // 2, count // 2)
    assert (len(narrowed), below) == (count, 0)
    assert of(values) == np.median(values)


def test_a_good_sample_leaves_few_values() -> None:
    values = np.random.default_rng(0).random(100000)
    narrowed, below = selection._narrowed(values, 49999, 50000)
    assert len(narrowed) < 8000
    assert np.sort(narrowed)[50000 - below] == np.sort(values)[50000]


def test_several_parts_and_rows_are_one() -> None:
    rng = np.random.default_rng(1)
    parts = [rng.random((3, 2, n)).astype(np.float32) for n in (5000, 0, 1, 777)]
    found = medians([torch.from_numpy(part) for part in parts])
    assert np.allclose(found.numpy(), np.median(np.concatenate(parts, axis=-1), axis=-1), rtol=1e-6)
    nothing = medians([torch.from_numpy(parts[1]), torch.from_numpy(parts[1])])
    assert nothing.shape == (3, 2)
    assert nothing.isnan().all()


@pytest.mark.parametrize("count", [1, 2, 11, 20000])
def test_the_way_of_other_devices_agrees(count: int) -> None:
    rng = np.random.default_rng(count)
    for values in (rng.random((2, count)), rng.integers(0, 3, (2, count)).astype(float)):
        tensor = torch.from_numpy(values.astype(np.float32))
        halves = [tensor[:, : count // 2], tensor[:, count // 2 :]]
        assert torch.equal(selection._medians_on_device(halves), medians(halves))


@given(st.lists(st.tuples(st.floats(0, 2.0**20, width=32), st.booleans()), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_only_valid_values_count(pairs: list[tuple[float, bool]]) -> None:
    values = torch.tensor([value if kept else np.nan for value, kept in pairs])
    valid = torch.tensor([kept for _, kept in pairs])
    found = float(masked_median(values, valid))
    kept = [value for value, keep in pairs if keep]
    assert np.isnan(found) if not kept else found == pytest.approx(np.median(kept), rel=1e-6)
