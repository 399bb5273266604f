"""Sums, means and medians by frame and region, against loops over masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.scoring.groups import Groups

CPU = torch.device("cpu")
# Cell 0 lies in the first and second region, cell 1 in the first and third, cell 2 in the first alone.
REGIONS = ((0, 1, 2), (0,), (1,), ())


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=4), st.integers()
)
@settings(max_examples=60, deadline=None)
def test_agrees_with_masks(sizes: list[tuple[int, int, int]], seed: int) -> None:
    groups = Groups.build(sizes, REGIONS, CPU)
    count = sum(map(sum, sizes))
    values = torch.rand(2, count, generator=torch.Generator().manual_seed(seed % 2**31))
    frame = np.repeat(np.arange(len(sizes)), [sum(size) for size in sizes])
    cell = np.concatenate([np.repeat(np.arange(3), size) for size in sizes])
    sums, means, medians = groups.sums(values), groups.means(values), groups.medians(values)
    shares = groups.means(values < 0.5)
    assert groups.frame_sizes == tuple(map(sum, sizes))
    for f in range(len(sizes)):
        for r, held in enumerate(REGIONS):
            mask = (frame == f) & np.isin(cell, held)
            assert int(groups.counts[f, r]) == mask.sum()
            for row in range(2):
                inside = values[row].numpy()[mask].astype(float)
                assert float(sums[row, f, r]) == pytest.approx(inside.sum(), rel=1e-6)
                if mask.any():
                    assert float(means[row, f, r]) == pytest.approx(inside.mean(), rel=1e-6)
                    assert float(medians[row, f, r]) == pytest.approx(np.median(inside), rel=1e-6)
                    assert float(shares[row, f, r]) == pytest.approx((inside < 0.5).mean())
                else:
                    assert means[row, f, r].isnan()
                    assert medians[row, f, r].isnan()


def test_many_points_do_not_lose_digits() -> None:
    groups = Groups.build([(3_000_000,)], [(0,)], CPU)
    values = torch.full((3_000_000,), 0.1)
    assert float(groups.means(values)) == pytest.approx(0.1, rel=1e-6)


def test_medians_of_repeated_values() -> None:
    values = torch.tensor([[1.0, 1, 1, 2], [1, 2, 2, 3], [1, 1, 2, 2], [5, 5, 5, 5]])
    assert Groups.build([(4,)], [(0,)], CPU).medians(values).flatten().tolist() == [1, 2, 1.5, 5]
