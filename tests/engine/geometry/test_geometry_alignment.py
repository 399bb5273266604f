"""Alignment: against plain least squares, with masks, per frame, and where nothing can be fitted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.geometry import alignment as module
from engine.geometry.alignment import ALIGNMENTS, FARTHEST, Alignment, apply, fit, masked_median

LEAST = 1e-3


def by_kind(alignment: Alignment, group: int = 0) -> dict[str, tuple[float, float, bool]]:
    return {
        kind: (
            float(alignment.scale[index, group]),
            float(alignment.shift[index, group]),
            bool(alignment.degenerate[index, group]),
        )
        for index, kind in enumerate(ALIGNMENTS)
    }


def cloud(seed: int, count: int = 101) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.2, 5, count)
    g = 7 * p + 2 + rng.normal(0, 0.5, count)
    return torch.from_numpy(p).float(), torch.from_numpy(g).float(), torch.from_numpy(rng.random(count) < 0.7)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_numpy(seed: int) -> None:
    p, g, valid = cloud(seed, 100 + seed)
    x, y = p[valid].numpy().astype(float), g[valid].numpy().astype(float)
    found = by_kind(fit(p, g, valid, (len(p),)))
    slope, shift = np.linalg.lstsq(np.column_stack([x, np.ones_like(x)]), y, rcond=None)[0]
    assert found["none"] == (1.0, 0.0, False)
    assert found["scale"] == (pytest.approx((x * y).sum() / (x * x).sum(), rel=1e-9), 0.0, False)
    assert found["median"] == (pytest.approx(np.median(y) / np.median(x), rel=1e-6), 0.0, False)
    assert found["scale_shift"] == (pytest.approx(slope, rel=1e-6), pytest.approx(shift, rel=1e-5), False)


def test_every_frame_has_its_own_fit() -> None:
    p, g, valid = cloud(0, 60)
    whole = fit(p, g, valid, (25, 0, 35))
    for group, part in ((0, slice(0, 25)), (2, slice(25, 60))):
        assert by_kind(whole, group) == by_kind(fit(p[part], g[part], valid[part], (len(p[part]),)))
    assert all(whole.degenerate[1:, 1])
    aligned, _ = apply(whole, p, valid, (25, 0, 35), LEAST)
    alone, _ = apply(fit(p[25:], g[25:], valid[25:], (35,)), p[25:], valid[25:], (35,), LEAST)
    assert torch.allclose(aligned[:, 25:], alone)


@pytest.mark.parametrize(
    ("p", "g", "degenerate"),
    [
        ([], [], "scale median scale_shift"),
        ([2.0], [3.0], "scale_shift"),
        ([2.0, 2.0, 2.0], [1.0, 2.0, 3.0], "scale_shift"),
        ([1.0, 2.0, 3.0], [4.0, 4.0, 4.0], "scale_shift"),
        ([1.0, 2.0, 3.0], [9.0, 5.0, 1.0], "scale_shift"),  # a falling line
    ],
)
def test_what_cannot_be_fitted_is_the_identity_and_flagged(p: list[float], g: list[float], degenerate: str) -> None:
    valid = torch.ones(len(p), dtype=torch.bool)
    found = by_kind(fit(torch.tensor(p), torch.tensor(g), valid, (len(p),)))
    for kind in ALIGNMENTS:
        assert found[kind][2] == (kind in degenerate.split())
        if found[kind][2]:
            assert found[kind][:2] == (1.0, 0.0)


def test_a_constant_depth_is_constant_in_spite_of_rounding() -> None:
    p = torch.full((1000,), 0.7) * (1 + 1e-7 * torch.randn(1000, generator=torch.Generator().manual_seed(0)))
    assert bool(fit(p, torch.rand(1000) + 1, torch.ones(1000, dtype=torch.bool), (1000,)).degenerate[3, 0])


def test_values_that_are_not_valid_do_not_matter() -> None:
    p, g, valid = cloud(3)
    spoiled = torch.where(valid, p, torch.nan)
    assert by_kind(fit(spoiled, g, valid, (len(p),))) == by_kind(fit(p, g, valid, (len(p),)))


@given(st.floats(1e-4, 1e4))
@settings(max_examples=30, deadline=None)
def test_a_unit_of_length_is_undone(unit: float) -> None:
    p, g, valid = cloud(1)
    one, _ = apply(fit(p, g, valid, (101,)), p, valid, (101,), LEAST)
    other, _ = apply(fit(p * unit, g, valid, (101,)), p * unit, valid, (101,), LEAST)
    assert torch.allclose(one[1:], other[1:], rtol=2e-5, atol=1e-5)


def test_clamping_by_hand() -> None:
    one = torch.ones(4, 1, dtype=torch.float64)
    alignment = Alignment(one, one * 0 - 2.0, one > 2)
    predicted, valid = torch.tensor([1.0, 2.0, 2.5, 1e30, 5.0]), torch.tensor([True, True, True, True, False])
    aligned, clamped = apply(alignment, predicted, valid, (5,), LEAST)
    assert aligned[0].tolist() == pytest.approx([LEAST, LEAST, 0.5, FARTHEST, LEAST])
    assert clamped[0].tolist() == [True, True, False, False, True]


def test_a_shift_does_not_make_a_point_valid() -> None:
    one = torch.ones(4, 1, dtype=torch.float64)
    aligned, clamped = apply(Alignment(one, one * 9, one > 2), torch.zeros(1), torch.tensor([False]), (1,), LEAST)
    assert float(aligned[0, 0]) == pytest.approx(LEAST)
    assert bool(clamped[0, 0])


@given(st.lists(st.floats(-100, 100, width=32), max_size=12))
@settings(max_examples=50, deadline=None)
def test_the_median_is_the_mean_of_the_middle_two(values: list[float]) -> None:
    found = float(masked_median(torch.tensor([*values, 999.0]), torch.tensor([True] * len(values) + [False])))
    assert np.isnan(found) if not values else found == pytest.approx(np.median(values), abs=1e-4)
    assert masked_median(torch.zeros(0), torch.zeros(0, dtype=torch.bool)).isnan()


@pytest.mark.parametrize("count", [0, 1, 100, 100000])
def test_the_compiled_sums_are_those_of_the_operations(count: int) -> None:
    rng = np.random.default_rng(count)
    p, g = (torch.from_numpy(rng.uniform(0, 80, count)).float() for _ in range(2))
    valid = torch.from_numpy(rng.random(count) < 0.9)
    found = torch.stack(module._sums(p, g, valid))
    expected = torch.stack(module._sums_by_operations(p, g, valid))
    assert torch.allclose(found, expected, rtol=1e-12, atol=0)
