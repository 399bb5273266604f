"""Sums over neighbourhoods against plain loops, and the compiled kernel against them and against singular vectors."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.geometry.moments import laid_out, point_moments
from engine.geometry.neighbourhoods import Neighbourhoods, box_sums, neighbourhoods, window_sums
from engine.geometry.normals import facing_normals
from engine.geometry.patch_kernel import PatchRows, patch_normals

SIZE = (23, 31)
PAIRS = [(i, j) for i in range(3) for j in range(i, 3)]


class Cloud:
    """Points in some pixels of an image, as a frame's ground truth has them; one in ``drop`` is no centre."""

    def __init__(
        self, seed: int, share: float = 0.4, drop: int = 0, size: tuple[int, int] = SIZE, window: int = 9
    ) -> None:
        rng = np.random.default_rng(seed)
        self.columns, self.reach = size[1], window // 2
        held = np.flatnonzero(rng.random(size[0] * size[1]) < share)
        self.pixel = torch.from_numpy(rng.permutation(held))
        self.depth = rng.uniform(2, 40, len(held))
        self.ray = np.column_stack([rng.normal(0, 0.5, (len(held), 2)), np.ones(len(held))]).astype(np.float32)
        hood = neighbourhoods(self.pixel, size, window)
        kept = hood.place.argsort()
        self.hood: Neighbourhoods = hood.subset(kept[torch.arange(len(kept)) % drop != 0] if drop else kept)
        self.rays = laid_out(torch.from_numpy(self.ray[:, :2].T.copy())[:, self.hood.order], self.hood)

    def padded(self, depth: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.concatenate([[0.0], depth[self.hood.order.numpy()]]))

    def near(self, centre: int) -> np.ndarray:
        row, column = self.pixel.numpy() // self.columns, self.pixel.numpy() % self.columns
        near = (abs(row - row[centre]) <= self.reach) & (abs(column - column[centre]) <= self.reach)
        return np.flatnonzero(near)

    def expected(self, depth: np.ndarray) -> np.ndarray:
        """[9, Q], by loops."""
        found = []
        for centre in self.hood.centre.tolist():
            points = (self.ray * depth[:, None])[self.near(centre)].astype(float)
            found.append([*points.sum(0), *((points[:, i] * points[:, j]).sum() for i, j in PAIRS)])
        return np.array(found).reshape(-1, 9).T


def centre_rays(cloud: Cloud) -> torch.Tensor:
    return torch.from_numpy(cloud.ray[cloud.hood.centre.numpy(), :2].T.astype(float))


def by_operations(cloud: Cloud, depth: torch.Tensor) -> torch.Tensor:
    """[T, 3, Q], from the sums that are checked against loops."""
    moments = point_moments(depth, cloud.rays, cloud.hood)
    return facing_normals(moments.unbind(), cloud.hood.count, centre_rays(cloud).unbind()).movedim(0, -2)


def by_kernel(depth: torch.Tensor, *clouds: Cloud) -> torch.Tensor:
    """[T, 3, Q] of all clouds; each has the same depth."""
    rows = [PatchRows.of(cloud.hood) for cloud in clouds]
    rays = torch.cat([centre_rays(cloud) for cloud in clouds], dim=1)
    return patch_normals([depth] * len(clouds), [cloud.rays for cloud in clouds], rows, rays)


@given(st.integers(1, 9), st.integers(0, 8), st.integers(0, 8), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_box_sums_are_those_of_loops(window: int, rows: int, columns: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(2, rows + window, columns + window))
    found = box_sums(torch.from_numpy(values), window).numpy()
    assert found.shape == (2, rows + 1, columns + 1)
    for row, column in product(range(rows + 1), range(columns + 1)):
        expected = values[:, row : row + window, column : column + window].sum((1, 2))
        assert found[:, row, column] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("share", [0.01, 0.4, 1.0])
def test_moments_are_those_of_loops(share: float) -> None:
    cloud = Cloud(1, share, drop=2)
    maps = [cloud.depth, cloud.depth * 0.3 + 4]
    found = point_moments(torch.stack([cloud.padded(one) for one in maps]), cloud.rays, cloud.hood)
    for index, one in enumerate(maps):
        assert np.allclose(found[:, index].numpy(), cloud.expected(one), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("window", [1, 3, 5, 7, 9, 11, 15])
@pytest.mark.parametrize(("share", "drop"), [(0.02, 0), (0.4, 3), (1.0, 0)])
@pytest.mark.parametrize("size", [(1, 40), (23, 31), (40, 300)])  # within a tile, and over several
def test_the_kernel_gives_what_the_operations_give(window: int, share: float, drop: int, size: tuple[int, int]) -> None:
    cloud = Cloud(4, share, drop, size, window)
    depth = torch.stack([cloud.padded(one) for one in (cloud.depth, cloud.depth * 0.3 + 4)]).float()
    found, expected = by_kernel(depth, cloud), by_operations(cloud, depth)
    # Fewer than four points, or points of one row, determine no plane: rounding decides, and no truth holds them.
    firm = (cloud.hood.count >= 12) & torch.tensor(min(size) >= 3 and window >= 5)
    assert found.shape == expected.shape
    assert found.isfinite().all()
    assert torch.allclose(found[..., firm], expected[..., firm], atol=2e-5)


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(5, size=(40, 300))
    depth = cloud.padded(cloud.depth)[None].float()
    found = []
    for threads in (1, 2, 8):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        found.append(by_kernel(depth, cloud, cloud, cloud))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
    one = by_kernel(depth, cloud)
    assert torch.equal(found[0], torch.cat([one] * 3, dim=-1))


def test_what_is_far_away_does_not_matter() -> None:
    """A neighbourhood beside depths of 1e30 is what it is beside nothing: nothing was added and taken away again."""
    cloud = Cloud(6, size=(40, 300))
    huge = cloud.depth.copy()
    pixel = cloud.pixel.numpy()
    huge[(pixel // 300 < 10) | (pixel % 300 < 130)] = 1e30
    found = by_kernel(torch.stack([cloud.padded(cloud.depth), cloud.padded(huge)]).float(), cloud)
    place = cloud.hood.place.numpy() + pixel.min() // 300 * 300
    clear = torch.from_numpy((place // 300 >= 14) & (place % 300 >= 134))
    assert clear.sum() > 1000
    assert torch.equal(found[0][:, clear], found[1][:, clear])


@given(st.integers(0, 2**31), st.floats(-3, 3))
@settings(max_examples=15, deadline=None)
def test_normals_over_a_huge_range_of_depth(seed: int, power: float) -> None:
    """Millimetres beside hundreds of metres in one frame: a sum holds only what its own neighbourhood holds."""
    rng = np.random.default_rng(seed)
    cloud = Cloud(seed % 100)
    cloud.depth = 10.0 ** rng.uniform(-3, 3, len(cloud.depth)) * 10.0**power
    cloud.depth = cloud.depth.astype(np.float32).astype(float)
    depth = cloud.padded(cloud.depth)[None]
    operations, kernel = by_operations(cloud, depth)[0].numpy(), by_kernel(depth.float(), cloud)[0].numpy()
    for index, centre in enumerate(cloud.hood.centre.tolist()):
        points = (cloud.ray * cloud.depth[:, None])[cloud.near(centre)].astype(float)
        if len(points) < 4:
            continue
        _, values, axes = np.linalg.svd(points - points.mean(0), full_matrices=False)
        towards = axes[2] @ cloud.ray[centre]
        if values[1] > 1e-3 * values[0] and values[2] < 0.9 * values[1] and abs(towards) > 1e-2:
            for found in (operations, kernel):
                assert found[:, index] == pytest.approx(-np.sign(towards) * axes[2], abs=1e-4)


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
    assert window_sums(torch.zeros(3, 0), none).shape == (3, 0)
    lonely = Cloud(3)
    hood = lonely.hood.subset(torch.zeros(len(lonely.hood.place), dtype=torch.bool))
    depth = lonely.padded(lonely.depth)[None].float()
    assert patch_normals([depth], [lonely.rays], [PatchRows.of(hood)], torch.zeros(2, 0).double()).shape == (1, 3, 0)
