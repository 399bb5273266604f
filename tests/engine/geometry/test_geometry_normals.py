"""Normals of scattered points: neighbourhoods and planes against plain loops, and when a normal is not given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.geometry.cameras import rays
from engine.geometry.normals import (
    NormalRule,
    PixelCloud,
    angles,
    count_around,
    fit_patches,
    native_pixels,
    neighbourhoods,
    trusted,
    window_sums,
)

SIZE = (40, 60)
K = torch.tensor([[80.0, 0, 30.2], [0, 85.0, 18.7], [0, 0, 1]], dtype=torch.float64)
RULE = NormalRule()


def scattered(share: float, seed: int = 0) -> torch.Tensor:
    """Positions in random order, about one per ``1 / share`` pixels."""
    rng = np.random.default_rng(seed)
    v, u = np.nonzero(rng.random(SIZE) < share)
    uv = np.column_stack([u, v]) + rng.uniform(-0.49, 0.49, (len(u), 2))
    return torch.from_numpy(np.clip(rng.permutation(uv), 0, [SIZE[1] - 1, SIZE[0] - 1]))


def cloud(uv: torch.Tensor, depth: torch.Tensor) -> PixelCloud:
    return PixelCloud(depth, rays(uv, K), native_pixels(uv, SIZE), SIZE[1])


def plane_depth(uv: torch.Tensor, normal: tuple[float, float, float], offset: float) -> torch.Tensor:
    return offset / (rays(uv, K) * torch.tensor(normal, dtype=torch.float64)).sum(1)


def around(uv: torch.Tensor, index: int, window: int = 9) -> np.ndarray:
    pixel = np.floor(uv.numpy() + 0.5)
    return np.flatnonzero((np.abs(pixel - pixel[index]) <= window // 2).all(1))


def given_normals(points: PixelCloud, rule: NormalRule = RULE) -> torch.Tensor:
    hood = neighbourhoods(points.pixel, SIZE, rule.window)
    return trusted(fit_patches(points.depth[None], points.ray, hood), hood, points, rule)


def test_native_pixels_are_the_nearest_ones() -> None:
    uv = torch.tensor([[0.0, 0.0], [0.49, 0.51], [58.6, 38.7], [-0.3, 39.4]], dtype=torch.float64)
    assert native_pixels(uv, SIZE).tolist() == [0, 60, 39 * 60 + 59, 39 * 60]


@pytest.mark.parametrize("window", [3, 9])
@pytest.mark.parametrize("share", [0.02, 0.3, 1.0])
def test_sums_over_neighbourhoods_are_those_of_plain_loops(share: float, window: int) -> None:
    uv = scattered(share)
    hood = neighbourhoods(native_pixels(uv, SIZE), SIZE, window)
    values = torch.rand(2, len(uv), dtype=torch.float64)
    found = window_sums(values[:, hood.order], hood)
    for index in range(0, len(uv), 7):
        near = around(uv, index, window)
        assert int(hood.count[index]) == len(near)
        assert found[:, index].tolist() == pytest.approx(values[:, near].sum(1).tolist(), abs=1e-9)


def test_others_are_counted_in_the_same_window() -> None:
    uv, others = scattered(0.1), scattered(0.05, seed=1)
    found = count_around(native_pixels(uv, SIZE), native_pixels(others, SIZE), SIZE, 9)
    pixel, other = np.floor(uv.numpy() + 0.5), np.floor(others.numpy() + 0.5)
    expected = [(np.abs(other - here) <= 4).all(1).sum() for here in pixel]
    assert found.tolist() == expected


@pytest.mark.parametrize("unit", [1.0, 1e-3, 250.0])
def test_planes_are_those_of_a_singular_value_decomposition(unit: float) -> None:
    uv = scattered(0.4)
    rng = np.random.default_rng(5)
    depth = torch.from_numpy(rng.uniform(3, 5, len(uv))) * unit
    points = cloud(uv, depth)
    hood = neighbourhoods(points.pixel, SIZE, 9)
    patches = fit_patches(torch.stack([depth, depth * 2 + unit]), points.ray, hood)
    for row, z in enumerate((depth, depth * 2 + unit)):
        xyz = (points.ray * z[:, None]).numpy()
        for index in range(0, len(uv), 11):
            near = xyz[around(uv, index)]
            _, values, axes = np.linalg.svd(near - near.mean(0), full_matrices=False)
            normal = axes[2] * -np.sign(axes[2] @ points.ray[index].numpy())
            assert patches.normal[row, :, index].numpy() @ normal == pytest.approx(1, abs=1e-9)
            variance = patches.variance[:, row, index].numpy()
            assert variance == pytest.approx(np.sort(values**2) / len(near), rel=1e-6, abs=1e-9 * unit**2)
            assert float(patches.depth_variance[row, index]) == pytest.approx(near[:, 2].var(), rel=1e-8)


def test_a_slanted_plane_has_its_normal_everywhere() -> None:
    uv = scattered(0.5)
    normal = np.array([0.6, 0.0, 0.8])
    points = cloud(uv, plane_depth(uv, (0.6, 0.0, 0.8), 5.0))
    hood = neighbourhoods(points.pixel, SIZE, 9)
    patches = fit_patches(points.depth[None], points.ray, hood)
    kept = trusted(patches, hood, points, RULE)
    inside = (hood.count >= 12) & (uv > 4).all(1)
    assert kept[inside].float().mean() > 0.99
    found = patches.normal[0][:, kept]
    assert angles(found, torch.from_numpy(-normal)[:, None].expand_as(found)).max() < 1e-5


def test_a_road_at_a_grazing_angle_keeps_its_normals() -> None:
    uv = scattered(0.5)
    uv = uv[uv[:, 1] > 24]
    points = cloud(uv, plane_depth(uv, (0.0, 1.0, 0.0), 1.5))  # up to 23 m away
    hood = neighbourhoods(points.pixel, SIZE, 9)
    kept = given_normals(points)
    assert kept[hood.count >= 20].float().mean() > 0.95


def test_too_few_points_give_no_normal() -> None:
    uv = scattered(0.5)
    points = cloud(uv, plane_depth(uv, (0.0, 0.0, 1.0), 5.0))
    hood = neighbourhoods(points.pixel, SIZE, 9)
    assert not given_normals(points)[hood.count < RULE.points].any()
    assert not given_normals(points, replace(RULE, points=60)).any()


def test_one_scan_line_gives_no_normal() -> None:
    uv = torch.stack([torch.arange(60.0), torch.full((60,), 20.0)], dim=1).double()
    wavy = uv + torch.stack([torch.zeros(60), 0.4 * torch.sin(torch.arange(60.0))], dim=1)
    points = cloud(wavy, plane_depth(wavy, (0.1, 0.2, 1.0), 5.0))
    assert not given_normals(points, replace(RULE, points=5)).any()


@pytest.mark.parametrize("step", [0.5, 3.0, 20.0])
def test_a_depth_jump_gives_no_normal(step: float) -> None:
    uv = scattered(0.6)
    depth = torch.where(uv[:, 0] < 30, 5.0, 5.0 + step).double()
    kept = given_normals(cloud(uv, depth))
    across = (uv[:, 0] - 30).abs() < 2.5
    assert not kept[across].any()
    assert kept[((uv[:, 0] - 30).abs() > 6) & (uv > 4).all(1)].any()


def test_a_thin_pole_in_front_gives_no_normal_around_it() -> None:
    uv = scattered(0.9)
    pole = (uv[:, 0] - 30).abs() < 1
    kept = given_normals(cloud(uv, torch.where(pole, 3.0, 8.0).double()))
    assert not kept[(uv[:, 0] - 30).abs() < 3].any()


def test_a_rough_heap_gives_no_normal() -> None:
    uv = scattered(0.6)
    rng = np.random.default_rng(0)
    kept = given_normals(cloud(uv, torch.from_numpy(rng.uniform(4, 5, len(uv)))))
    assert not kept.any()


def test_angles_by_hand_and_near_their_ends() -> None:
    x = torch.tensor([[1.0], [0.0], [0.0]], dtype=torch.float64)
    tiny = torch.tensor([[1.0], [1e-7], [0.0]], dtype=torch.float64)
    assert float(angles(x, torch.tensor([[0.0], [1.0], [0.0]], dtype=torch.float64))) == pytest.approx(90)
    assert float(angles(x, -x)) == pytest.approx(180)
    assert float(angles(x, tiny)) == pytest.approx(np.degrees(1e-7), rel=1e-6)
    assert float(angles(x, torch.zeros_like(x))) == pytest.approx(90)


def test_a_frame_without_centres_or_points_is_allowed() -> None:
    uv = scattered(0.2)
    points = cloud(uv, plane_depth(uv, (0.0, 0.0, 1.0), 5.0))
    hood = neighbourhoods(points.pixel, SIZE, 9).subset(torch.zeros(len(uv), dtype=torch.bool))
    assert fit_patches(points.depth[None], points.ray, hood).normal.shape == (1, 3, 0)
    none = cloud(uv[:0], points.depth[:0])
    assert given_normals(none).shape == (0,)
