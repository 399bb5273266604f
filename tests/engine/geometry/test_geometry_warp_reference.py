"""Warping against plain float64 NumPy, point by point, with any cameras and with pixels that hold no depth."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.geometry.warp import View, warp

HEIGHT, WIDTH = 12, 17
TOLERANCE = 0.05
NEAR = 1e-3  # pixels, or share of a depth: nearer to a limit than this, rounding decides


def intrinsics(rng: np.random.Generator) -> np.ndarray:
    focal = rng.uniform(8, 30, 2)
    return np.array([[focal[0], rng.normal(0, 0.5), 8 + rng.normal()], [0, focal[1], 5.5 + rng.normal()], [0, 0, 1.0]])


def motion(rng: np.random.Generator) -> np.ndarray:
    turn, _ = np.linalg.qr(np.eye(3) + 0.1 * rng.normal(size=(3, 3)))
    found = np.eye(4)
    found[:3, :3] = turn * np.sign(np.diag(turn))
    found[:3, 3] = rng.normal(0, 1.0, 3)
    return found


def bilinear(image: np.ndarray, u: float, v: float) -> np.ndarray:
    x, y = min(int(u), WIDTH - 2), min(int(v), HEIGHT - 2)
    a, b = u - x, v - y
    weights = np.array([[(1 - a) * (1 - b), a * (1 - b)], [(1 - a) * b, a * b]])
    return (weights[..., None] * image[y : y + 2, x : x + 2]).sum((0, 1))


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 1.0, 1e3]))
@settings(max_examples=40, deadline=None)
def test_agrees_with_numpy(seed: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    first, second, moved = intrinsics(rng), intrinsics(rng), motion(rng)
    moved[:3, 3] *= unit
    colour = rng.random((HEIGHT, WIDTH, 3))
    inverse = 1 / (rng.uniform(2, 12, (HEIGHT, WIDTH)) * unit)
    inverse[rng.random((HEIGHT, WIDTH)) < 0.1] = np.nan
    uv = rng.uniform([0, 0], [WIDTH - 1, HEIGHT - 1], (60, 2))
    depth = np.where(rng.random(60) < 0.1, 0.0, rng.uniform(1, 15, 60) * unit)
    view = View(
        torch.from_numpy(colour.reshape(-1, 3)).float(),
        torch.from_numpy(inverse.ravel()).float(),
        torch.from_numpy(second).float(),
        (HEIGHT, WIDTH),
    )
    arguments = [torch.from_numpy(one).float() for one in (uv, depth, first, moved)]
    found, visible = warp(*arguments, view, TOLERANCE)
    assert found.shape == (60, 3)
    assert found.isfinite().all()
    for index in range(60):
        point = moved[:3, :3] @ (np.linalg.inv(first) @ [*uv[index], 1.0] * depth[index]) + moved[:3, 3]
        if depth[index] == 0 or point[2] <= 0:
            assert not visible[index]
            continue
        u, v, w = second @ point
        u, v = u / w, v / w
        beyond = max(-u, u - WIDTH + 1, -v, v - HEIGHT + 1)
        if abs(beyond) < NEAR or w < NEAR * unit:
            continue
        if beyond > 0:
            assert not visible[index]
            continue
        ratio = w * bilinear(inverse[..., None], u, v)[0]
        if abs(ratio - 1 - TOLERANCE) > NEAR:  # also where it is NaN: what holds no depth hides nothing
            assert bool(visible[index]) == (not ratio > 1 + TOLERANCE)
        assert np.allclose(found[index].numpy(), bilinear(colour, u, v), atol=2e-3)


def test_a_pixel_without_depth_hides_nothing_however_little_it_weighs() -> None:
    """The point lies a hair beside the pixel in front of it, whose neighbour holds no depth."""
    inverse = torch.full((HEIGHT, WIDTH), 1.0)
    inverse[:, 9] = torch.nan
    eye, k = torch.eye(4), torch.tensor([[10.0, 0, 8.0], [0, 10.0, 5.0], [0, 0, 1]])
    view = View(torch.zeros(HEIGHT * WIDTH, 3), inverse.flatten(), k, (HEIGHT, WIDTH))
    for u, hidden in ((7.0, True), (8.0001, False), (9.0, False), (10.5, True)):
        _, visible = warp(torch.tensor([[u, 5.0]]), torch.tensor([5.0]), k, eye, view, TOLERANCE)
        assert bool(visible[0]) is not hidden
