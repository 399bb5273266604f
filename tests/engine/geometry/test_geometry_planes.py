"""Planes in clouds: found again, seeded, and not where there are none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.geometry.planes import PlaneRule, find_planes, least_squares_plane

RULE = PlaneRule()


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sheet(
    normal: list[float], offset: float, count: int, seed: int, noise: float = 0.01, size: float = 4
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    axis = np.array(normal) / np.linalg.norm(normal)
    points = rng.uniform(-size, size, (count, 3))
    points -= np.outer(points @ axis - offset, axis)
    return points + np.outer(rng.normal(0, noise, count), axis)


def test_least_squares_agrees_with_svd() -> None:
    points = sheet([1, 2, 3], 2.0, 500, 0, noise=0.3)
    normal, offset = least_squares_plane(torch.from_numpy(points))
    _, _, axes = np.linalg.svd(points - points.mean(0))
    assert abs(normal.numpy() @ axes[2]) == pytest.approx(1, abs=1e-10)
    assert float(offset) == pytest.approx(normal.numpy() @ points.mean(0))


@pytest.mark.parametrize("seed", range(4))
def test_facades_are_found_again_in_clutter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sheets = [sheet([1, 0, 0.1], 6, 3000, 1), sheet([0.2, 0, 1], 3, 1500, 2), sheet([-1, 0, 0.5], 5, 400, 3)]
    cloud = torch.from_numpy(np.concatenate([*sheets, rng.uniform(-6, 6, (600, 3))]))
    planes = find_planes(cloud, seeded(seed), RULE)
    assert len(planes) == 3
    starts = [0, 3000, 4500, 4900]
    for index, plane in enumerate(planes):  # by support
        inside = (plane.member >= starts[index]) & (plane.member < starts[index + 1])
        assert int(inside.sum()) > 0.93 * (starts[index + 1] - starts[index])
        distance = (cloud[plane.member] @ plane.normal - plane.offset).abs()
        assert float(distance.max()) < RULE.tolerance
        assert float(plane.normal.norm()) == pytest.approx(1)
    members = torch.cat([plane.member for plane in planes])
    assert len(members.unique()) == len(members)


def test_the_seed_decides() -> None:
    cloud = torch.from_numpy(np.concatenate([sheet([1, 0, 0], 3, 800, 0), sheet([0, 0, 1], 5, 700, 1)]))
    first, again = find_planes(cloud, seeded(7), RULE), find_planes(cloud, seeded(7), RULE)
    assert [plane.member.tolist() for plane in first] == [plane.member.tolist() for plane in again]


@pytest.mark.parametrize("count", [0, 1, 3, 199])
def test_few_points_are_no_plane(count: int) -> None:
    assert find_planes(torch.from_numpy(sheet([0, 0, 1], 5, count, 0)), seeded(), RULE) == []


def test_a_cloud_without_planes_has_none() -> None:
    cloud = torch.from_numpy(np.random.default_rng(0).uniform(-9, 9, (3000, 3)))
    assert find_planes(cloud, seeded(), RULE) == []


@pytest.mark.parametrize("points", [np.ones((300, 3)), np.outer(np.linspace(0, 9, 300), [1, 2, 3])])
def test_points_in_one_place_or_on_one_line_are_no_plane(points: np.ndarray) -> None:
    assert find_planes(torch.from_numpy(points), seeded(), RULE) == []


def test_at_most_six() -> None:
    sheets = [sheet([np.cos(a), 0, np.sin(a)], 20, 300, index) for index, a in enumerate(np.linspace(0, 2.8, 9))]
    assert len(find_planes(torch.from_numpy(np.concatenate(sheets)), seeded(), RULE)) == 6
