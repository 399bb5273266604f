"""Sums over neighbourhoods, strip by strip, against plain loops; and what follows from them for shifted depth."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.geometry.moments import laid_out, pencil_moments, point_moments, ray_moments, shifted_moments
from engine.geometry.neighbourhoods import Neighbourhoods, box_sums, neighbourhoods, strips, window_sums
from engine.geometry.normals import facing_normals

SIZE = (23, 31)
PAIRS = [(i, j) for i in range(3) for j in range(i, 3)]


class Cloud:
    """Points in some pixels of an image, as a frame's ground truth has them; one in ``drop`` is no centre."""

    def __init__(self, seed: int, share: float = 0.4, drop: int = 0) -> None:
        rng = np.random.default_rng(seed)
        held = np.flatnonzero(rng.random(SIZE[0] * SIZE[1]) < share)
        self.pixel = torch.from_numpy(rng.permutation(held))
        self.depth = rng.uniform(2, 40, len(held))
        self.ray = np.column_stack([rng.normal(0, 0.5, (len(held), 2)), np.ones(len(held))]).astype(np.float32)
        hood = neighbourhoods(self.pixel, SIZE, 9)
        kept = hood.place.argsort()
        self.hood: Neighbourhoods = hood.subset(kept[torch.arange(len(kept)) % drop != 0] if drop else kept)
        self.rays = laid_out(torch.from_numpy(self.ray[:, :2].T.copy())[:, self.hood.order], self.hood)

    def padded(self, depth: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.concatenate([[0.0], depth[self.hood.order.numpy()]]))

    def near(self, centre: int) -> np.ndarray:
        row, column = self.pixel.numpy() // SIZE[1], self.pixel.numpy() % SIZE[1]
        return np.flatnonzero((abs(row - row[centre]) <= 4) & (abs(column - column[centre]) <= 4))

    def expected(self, depth: np.ndarray) -> np.ndarray:
        """[9, Q], by loops."""
        found = []
        for centre in self.hood.centre.tolist():
            points = (self.ray * depth[:, None])[self.near(centre)].astype(float)
            found.append([*points.sum(0), *((points[:, i] * points[:, j]).sum() for i, j in PAIRS)])
        return np.array(found).reshape(-1, 9).T


def joined(cloud: Cloud, height: int, function: object) -> torch.Tensor:
    return torch.cat([function(strip) for strip in strips(cloud.hood, height)], dim=-1)  # type: ignore[operator]


@given(st.integers(1, 9), st.integers(0, 8), st.integers(0, 8), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_box_sums_are_those_of_loops(window: int, rows: int, columns: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(2, rows + window, columns + window))
    found = box_sums(torch.from_numpy(values), window).numpy()
    assert found.shape == (2, rows + 1, columns + 1)
    for row, column in product(range(rows + 1), range(columns + 1)):
        expected = values[:, row : row + window, column : column + window].sum((1, 2))
        assert found[:, row, column] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("height", [1, 3, 8, 100])
@pytest.mark.parametrize("drop", [0, 3])
def test_strips_hold_every_centre_once(height: int, drop: int) -> None:
    hood = Cloud(0, drop=drop).hood
    cut = strips(hood, height)
    assert [index for strip in cut for index in range(*strip.centres)] == list(range(len(hood.place)))
    for strip in cut:
        inside = hood.place[slice(*strip.centres)] // hood.size[1]
        assert (inside >= strip.rows[0]).all()
        assert (inside < strip.rows[1]).all()


@pytest.mark.parametrize("height", [1, 4, 100])
@pytest.mark.parametrize("share", [0.01, 0.4, 1.0])
def test_moments_are_those_of_loops(height: int, share: float) -> None:
    cloud = Cloud(1, share, drop=2)
    maps = [cloud.depth, cloud.depth * 0.3 + 4]
    depth = torch.stack([cloud.padded(one) for one in maps])
    found = joined(cloud, height, lambda strip: point_moments(depth, cloud.rays, cloud.hood, strip))
    for index, one in enumerate(maps):
        assert np.allclose(found[:, index].numpy(), cloud.expected(one), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.7, -1.9, 300.0])
def test_sums_of_shifted_depth_follow(shift: float) -> None:
    cloud = Cloud(2)
    own = ray_moments(cloud.rays, cloud.hood)

    def shifted(strip: object) -> torch.Tensor:
        pencil = pencil_moments(cloud.padded(cloud.depth), cloud.rays, cloud.hood, strip)  # type: ignore[arg-type]
        centres = slice(*strip.centres)  # type: ignore[attr-defined]
        return torch.stack(list(shifted_moments(pencil, own[:, centres], shift)))

    found = joined(cloud, 5, shifted)
    assert np.allclose(found.numpy(), cloud.expected(cloud.depth + shift), rtol=1e-12, atol=1e-9)


@given(st.integers(0, 2**31), st.floats(-3, 3))
@settings(max_examples=15, deadline=None)
def test_normals_over_a_huge_range_of_depth(seed: int, power: float) -> None:
    """Millimetres beside hundreds of metres in one frame: a sum holds only what its own neighbourhood holds."""
    rng = np.random.default_rng(seed)
    cloud = Cloud(seed % 100)
    cloud.depth = 10.0 ** rng.uniform(-3, 3, len(cloud.depth)) * 10.0**power
    (strip,) = strips(cloud.hood, SIZE[0])
    moments = point_moments(cloud.padded(cloud.depth)[None], cloud.rays, cloud.hood, strip)[:, 0]
    ray = torch.from_numpy(cloud.ray[cloud.hood.centre.numpy(), :2].T.astype(float))
    found = facing_normals(list(moments), cloud.hood.count, list(ray)).numpy()
    for index, centre in enumerate(cloud.hood.centre.tolist()):
        points = (cloud.ray * cloud.depth[:, None])[cloud.near(centre)].astype(float)
        if len(points) < 4:
            continue
        _, values, axes = np.linalg.svd(points - points.mean(0), full_matrices=False)
        towards = axes[2] @ cloud.ray[centre]
        if values[1] > 1e-3 * values[0] and values[2] < 0.9 * values[1] and abs(towards) > 1e-2:
            assert found[:, index] == pytest.approx(-np.sign(towards) * axes[2], abs=1e-5)


def test_points_that_share_a_pixel_count_once() -> None:
    pixel = torch.tensor([65, 65, 66, 3 * 31 + 4])
    hood = neighbourhoods(pixel, SIZE, 9)
    assert hood.count.tolist() == [3, 3, 3, 3]
    values = torch.tensor([[1.0, 10.0, 100.0, 1000.0]], dtype=torch.float64)
    assert window_sums(values[:, hood.order], hood).tolist() == [[1101.0] * 4]
    again = neighbourhoods(pixel, SIZE, 9)
    assert torch.equal(hood.grid, again.grid)


def test_no_point_and_no_centre() -> None:
    none = neighbourhoods(torch.zeros(0, dtype=torch.int64), SIZE, 9)
    assert strips(none, 4) == ()
    assert window_sums(torch.zeros(3, 0), none).shape == (3, 0)
    lonely = Cloud(3)
    hood = lonely.hood.subset(torch.zeros(len(lonely.hood.place), dtype=torch.bool))
    assert strips(hood, 4) == ()
    assert ray_moments(lonely.rays, hood).shape == (6, 0)
