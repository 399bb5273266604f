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
from engine.geometry.normals import angles, facing_normals
from engine.geometry.patch_kernel import PatchFrame, PatchRows, patch_angles

SIZE = (23, 31)
BOUNDS = (1e-9, 1e30)
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


def by_kernel(
    maps: list[tuple[float, float]], *clouds: Cloud, depth: np.ndarray | None = None, normal: torch.Tensor | None = None
) -> torch.Tensor:
    """Angles to normals [3, Q] (by default, some direction), [T, Q] of all clouds, of maps a * depth + b."""
    frames = []
    for cloud in clouds:
        centres = len(cloud.hood.place)
        other = torch.tensor([0.48, -0.6, 0.64])[:, None].expand(3, centres)
        frames.append(
            PatchFrame(
                PatchRows.of(cloud.hood),
                cloud.rays,
                centre_rays(cloud).contiguous(),
                (other if normal is None else normal).contiguous(),
                torch.arange(centres, dtype=torch.int32),
            )
        )
    points = [torch.from_numpy(cloud.depth if depth is None else depth).float() for cloud in clouds]
    scale, shift = torch.tensor(maps).float().t().contiguous()
    return patch_angles(points, [scale] * len(clouds), [shift] * len(clouds), BOUNDS, frames)


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
@pytest.mark.parametrize("size", [(1, 40), (23, 31), (40, 600)])  # within a tile, and over several
def test_the_kernel_gives_what_the_operations_give(window: int, share: float, drop: int, size: tuple[int, int]) -> None:
    cloud = Cloud(4, share, drop, size, window)
    maps = [(1.0, 0.0), (0.3, 4.0)]
    aligned = torch.stack([cloud.padded(a * cloud.depth.astype(np.float32) + b) for a, b in maps]).float()
    aligned[:, 0] = 0.0
    # Fewer than four points, or points of one row, determine no plane: rounding decides, and no truth holds them.
    firm = (cloud.hood.count >= 12) & torch.tensor(min(size) >= 3 and window >= 5)
    expected = by_operations(cloud, aligned)
    for index, one in enumerate(expected):
        found = by_kernel(maps, cloud, normal=one)
        assert found.shape == (2, len(cloud.hood.place))
        assert found.isfinite().all()
        assert (found[index, firm] < 2e-3).all()
        assert torch.allclose(found[:, firm], angles(expected, one)[:, firm], atol=2e-3)


def test_angles_are_put_where_they_belong() -> None:
    cloud = Cloud(7)
    straight = by_kernel([(1.0, 0.0)], cloud)
    rank = torch.randperm(len(cloud.hood.place), generator=torch.Generator().manual_seed(0)).int()
    other = torch.tensor([0.48, -0.6, 0.64])[:, None].expand(3, len(rank)).contiguous()
    frame = PatchFrame(PatchRows.of(cloud.hood), cloud.rays, centre_rays(cloud).contiguous(), other, rank)
    one, zero = torch.ones(1), torch.zeros(1)
    found = patch_angles([torch.from_numpy(cloud.depth).float()], [one], [zero], BOUNDS, [frame])
    assert torch.equal(found[:, rank.long()], straight)


def test_depth_is_moved_within_its_bounds() -> None:
    """What is not valid is as near as can be, as what is too near; what is too far is as far as can be."""
    cloud = Cloud(8)
    wild, tame = cloud.depth.astype(np.float32), cloud.depth.astype(np.float32)
    wild[::7], tame[::7] = 0.0, BOUNDS[0]
    wild[1::7], tame[1::7] = 1e-12, BOUNDS[0]
    wild[2::7], tame[2::7] = 1e33, BOUNDS[1]
    assert torch.equal(by_kernel([(1.0, 0.0)], cloud, depth=wild), by_kernel([(1.0, 0.0)], cloud, depth=tame))


def test_no_direction_is_a_right_angle() -> None:
    """All points in the camera's own place: every direction is as good."""
    cloud = Cloud(9)
    nothing = patch_angles(
        [torch.zeros(len(cloud.depth))],
        [torch.ones(1)],
        [torch.zeros(1)],
        (0.0, 1.0),
        [
            PatchFrame(
                PatchRows.of(cloud.hood),
                cloud.rays,
                centre_rays(cloud).contiguous(),
                torch.ones(3, len(cloud.hood.place)),
                torch.arange(len(cloud.hood.place), dtype=torch.int32),
            )
        ],
    )
    assert (nothing == 90.0).all()


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = Cloud(5, size=(40, 600))
    found = []
    for threads in (1, 2, 8):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        found.append(by_kernel([(1.0, 0.0)], cloud, cloud, cloud))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
    one = by_kernel([(1.0, 0.0)], cloud)
    assert torch.equal(found[0], torch.cat([one] * 3, dim=-1))
    assert torch.equal(by_kernel([(0.3, 4.0), (1.0, 0.0)], cloud)[1:], one)


def test_what_is_far_away_does_not_matter() -> None:
    """A neighbourhood beside depths of 1e30 is what it is beside nothing: nothing was added and taken away again."""
    cloud = Cloud(6, size=(40, 600))
    huge = cloud.depth.copy()
    pixel = cloud.pixel.numpy()
    huge[(pixel // 600 < 10) | (pixel % 600 < 130)] = 1e30
    found = [by_kernel([(1.0, 0.0)], cloud, depth=depth)[0] for depth in (cloud.depth, huge)]
    place = cloud.hood.place.numpy() + pixel.min() // 600 * 600
    clear = torch.from_numpy((place // 600 >= 14) & (place % 600 >= 134))
    assert clear.sum() > 1000
    assert torch.equal(found[0][clear], found[1][clear])
    assert not torch.equal(found[0], found[1])


@given(st.integers(0, 2**31), st.floats(-3, 3))
@settings(max_examples=15, deadline=None)
def test_normals_over_a_huge_range_of_depth(seed: int, power: float) -> None:
    """Millimetres beside hundreds of metres in one frame: a sum holds only what its own neighbourhood holds."""
    rng = np.random.default_rng(seed)
    cloud = Cloud(seed % 100)
    cloud.depth = 10.0 ** rng.uniform(-3, 3, len(cloud.depth)) * 10.0**power
    cloud.depth = cloud.depth.astype(np.float32).astype(float)
    operations = by_operations(cloud, cloud.padded(cloud.depth)[None])[0].numpy()
    expected, firm = np.zeros((3, len(cloud.hood.centre)), dtype=np.float32), []
    for index, centre in enumerate(cloud.hood.centre.tolist()):
        points = (cloud.ray * cloud.depth[:, None])[cloud.near(centre)].astype(float)
        if len(points) < 4:
            continue
        _, values, axes = np.linalg.svd(points - points.mean(0), full_matrices=False)
        towards = axes[2] @ cloud.ray[centre]
        if values[1] > 1e-3 * values[0] and values[2] < 0.9 * values[1] and abs(towards) > 1e-2:
            expected[:, index] = -np.sign(towards) * axes[2]
            assert operations[:, index] == pytest.approx(expected[:, index], abs=1e-4)
            firm.append(index)
    found = by_kernel([(1.0, 0.0)], cloud, normal=torch.from_numpy(expected))[0]
    assert (found[firm] < np.degrees(1e-4)).all()


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
    lonely.hood = hood
    assert by_kernel([(1.0, 0.0)], lonely).shape == (1, 0)
