"""Warping by hand: where a point goes, and when it cannot be seen."""

from __future__ import annotations

import math

import pytest
import torch

from engine.geometry.warp import View, warp

SIZE = (10, 20)
K = torch.tensor([[10.0, 0, 9.0], [0, 10.0, 4.0], [0, 0, 1]])


def view(depth: float = 5.0) -> View:
    columns = torch.arange(20.0).expand(SIZE)
    colour = torch.stack([columns, torch.zeros(SIZE), torch.ones(SIZE)], dim=-1).reshape(-1, 3)
    inverse = torch.full((200,), 1 / depth if depth else math.nan)
    return View(colour, inverse, K, SIZE)


def motion(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> torch.Tensor:
    found = torch.eye(4)
    found[:3, 3] = torch.tensor([x, y, z])
    return found


def look(uv: tuple[float, float], depth: float, moved: torch.Tensor, seen: View) -> tuple[list[float], bool]:
    colour, visible = warp(torch.tensor([uv]), torch.tensor([depth]), K, moved, seen, 0.05)
    return colour[0].tolist(), bool(visible[0])


def test_a_step_aside_moves_by_focal_length_over_depth() -> None:
    colour, visible = look((9.0, 4.0), 5.0, motion(x=1.0), view())
    assert visible
    assert colour == pytest.approx([11.0, 0.0, 1.0])  # 9 + 10 * 1 / 5


def test_other_intrinsics_are_those_of_the_other_frame() -> None:
    seen = view()
    zoomed = View(seen.colour, seen.inverse_depth, torch.tensor([[20.0, 0, 9], [0, 20.0, 4], [0, 0, 1]]), SIZE)
    assert look((10.5, 4.0), 5.0, motion(), zoomed)[0][0] == pytest.approx(12.0)


@pytest.mark.parametrize("x", [5.01, -4.51])
def test_out_of_view(x: float) -> None:
    assert not look((9.0, 4.0), 5.0, motion(x=x), view())[1]


def test_behind_the_camera() -> None:
    assert not look((9.0, 4.0), 5.0, motion(z=-6.0), view())[1]
    assert not look((9.0, 4.0), 5.0, motion(z=-5.0), view())[1]


@pytest.mark.parametrize(("other", "visible"), [(4.5, False), (4.8, True), (5.0, True), (9.0, True), (0.0, True)])
def test_hidden_by_something_nearer(other: float, visible: bool) -> None:
    assert look((9.0, 4.0), 5.0, motion(x=1.0), view(other))[1] is visible


def test_no_depth_no_place() -> None:
    assert not look((9.0, 4.0), 0.0, motion(), view())[1]


@pytest.mark.parametrize("unit", [1e-3, 1e3])
def test_a_common_scale_cancels(unit: float) -> None:
    for x in (0.7, 5.2):
        expected = look((7.3, 4.6), 5.0, motion(x=x), view(4.9))
        found = look((7.3, 4.6), 5.0 * unit, motion(x=x * unit), view(4.9 * unit))
        assert found[1] == expected[1]
        assert found[0] == pytest.approx(expected[0], abs=1e-4)
