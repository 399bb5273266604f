"""Sampling: bilinear, in inverse depth, and blind to pixels that it does not touch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support.room import grid

from engine.geometry import sampling
from engine.geometry.sampling import Taps, bilinear_taps, inverse_depth, sample, sample_depth

SIZE = (7, 9)


def taps(positions: list[tuple[float, float]], image: int = 0) -> Taps:
    uv = torch.tensor(positions, dtype=torch.float64)
    return bilinear_taps(uv, SIZE, torch.full((len(positions),), image, dtype=torch.int64))


def depth_at(depth: torch.Tensor, where: Taps) -> tuple[torch.Tensor, torch.Tensor]:
    return sample_depth(inverse_depth(depth), where)


def test_a_plane_is_sampled_exactly() -> None:
    normal, offset = np.array([0.3, 0.9, 0.2]), 1.5
    intrinsics = np.array([[10, 0, 4], [0, 10, -6.0], [0, 0, 1]])

    def depth(uv: np.ndarray) -> np.ndarray:
        return offset / (np.column_stack([uv, np.ones(len(uv))]) @ np.linalg.inv(intrinsics).T @ normal)

    uv = np.random.default_rng(0).uniform([0, 0], [8, 6], (50, 2))
    where = bilinear_taps(torch.from_numpy(uv), SIZE, torch.zeros(50, dtype=torch.int64))
    found, valid = depth_at(torch.from_numpy(depth(grid(SIZE))).float(), where)
    assert valid.all()
    assert np.allclose(found.numpy(), depth(uv), rtol=1e-6)


def test_between_two_depths_by_hand() -> None:
    depth = torch.ones(SIZE)
    depth[2, 3], depth[2, 4] = 2.0, 6.0
    found, _ = depth_at(depth.flatten(), taps([(3.25, 2.0)]))
    assert float(found) == pytest.approx(1 / (0.75 / 2 + 0.25 / 6))


def test_the_second_image_is_its_own() -> None:
    values = torch.stack([torch.zeros(SIZE), torch.arange(63.0).reshape(SIZE)])
    assert sample(values.flatten(), taps([(2.5, 1.5)], image=1)).tolist() == pytest.approx([1.5 * 9 + 2.5])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 0.0, -3.0])
def test_a_bad_pixel_spoils_only_what_it_is_part_of(bad: float) -> None:
    depth = torch.full(SIZE, 4.0)
    depth[2, 3] = bad
    found, valid = depth_at(depth.flatten(), taps([(3.0, 2.0), (2.5, 2.0), (4.0, 2.0), (2.0, 2.0), (3.0, 3.0)]))
    assert valid.tolist() == [False, False, True, True, True]
    assert found.tolist() == [0.0, 0.0, 4.0, 4.0, 4.0]


def test_the_corners_are_pixels() -> None:
    values = torch.arange(63.0)
    assert sample(values, taps([(0, 0), (8, 0), (0, 6), (8, 6)])).tolist() == [0.0, 8.0, 54.0, 62.0]
    assert sample(values, taps([(9.5, -2.0)])).tolist() == [8.0]  # outside: the edge


def test_colours_are_sampled_channel_by_channel() -> None:
    values = torch.rand(63, 3)
    where = taps([(1.3, 2.7), (5.0, 5.5)])
    expected = torch.stack([sample(values[:, channel], where) for channel in range(3)], dim=1)
    assert torch.allclose(sample(values, where), expected)


def test_inverse_depth_of_what_is_no_depth_is_nan() -> None:
    found = inverse_depth(torch.tensor([2.0, 0.0, -1.0, math.nan, math.inf, 1e-42]))
    assert found[0] == 0.5
    assert found[1:].isnan().all()


def test_a_single_pixel_is_an_image() -> None:
    where = bilinear_taps(torch.zeros(1, 2), (1, 1), torch.zeros(1, dtype=torch.int64))
    assert depth_at(torch.tensor([3.0]), where)[0].tolist() == [3.0]


@pytest.mark.parametrize("count", [0, 1, 17, 5000])
def test_the_compiled_loop_gives_what_the_operations_give(count: int) -> None:
    """Whatever holds no depth, and over several spans."""
    rng = np.random.default_rng(count)
    inverse = torch.from_numpy(10.0 ** rng.uniform(-3, 3, 60)).float()
    inverse[::9] = torch.nan
    where = bilinear_taps(torch.from_numpy(rng.uniform(0, [9, 5], (count, 2))), (6, 10), torch.zeros(count).long())
    found, valid = sample_depth(inverse, where)
    expected, expected_valid = sampling._sample_depth(inverse, where)
    assert torch.equal(valid, expected_valid)
    assert torch.allclose(found, expected, rtol=3e-7, atol=0)
