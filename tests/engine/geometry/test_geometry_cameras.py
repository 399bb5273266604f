"""Cameras: projection and its inverse, rigid motions, intrinsics of a resized image."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.room import pose

from engine.geometry.cameras import (
    compose,
    homogeneous,
    project,
    rays,
    rigid_inverse,
    transform_intrinsics,
    transform_positions,
    unproject,
)

K = torch.tensor([[500.0, 2.0, 320.5], [0.0, 510.0, 240.25], [0.0, 0.0, 1.0]], dtype=torch.float64)
coordinate = st.floats(-50, 50)


@given(st.lists(st.tuples(coordinate, coordinate, st.floats(0.1, 80)), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_projecting_undoes_unprojecting(points: list[tuple[float, float, float]]) -> None:
    xyz = torch.tensor(points, dtype=torch.float64)
    uv, z = project(xyz, K)
    assert torch.allclose(unproject(uv, z, K), xyz, rtol=1e-9, atol=1e-9)


def test_a_projection_by_hand() -> None:
    uv, z = project(torch.tensor([[2.0, 1.0, 4.0]], dtype=torch.float64), K)
    assert uv.tolist() == [[(500 * 2 + 2 * 1) / 4 + 320.5, 510 / 4 + 240.25]]
    assert z.tolist() == [4.0]


def test_rays_are_those_of_the_inverse_matrix() -> None:
    uv = torch.rand(30, 2, dtype=torch.float64) * 600
    expected = np.column_stack([uv.numpy(), np.ones(30)]) @ np.linalg.inv(K.numpy()).T
    assert np.allclose(rays(uv, K).numpy(), expected, atol=1e-12)


def test_a_rigid_motion_and_its_inverse_compose_to_nothing() -> None:
    motion = torch.from_numpy(np.stack([pose(1, 2, 3, 40, 5), pose(-7, 0, 1, 170, -20)]))
    assert torch.allclose(compose(rigid_inverse(motion), motion), torch.eye(4, dtype=torch.float64).expand(2, 4, 4))
    assert torch.allclose(rigid_inverse(motion[:, :3]), torch.linalg.inv(motion))
    assert torch.equal(homogeneous(motion[:, :3]), motion)
    assert torch.allclose(compose(motion[0], motion[1]), motion[0] @ motion[1])


def test_intrinsics_follow_an_affine_map_of_pixels() -> None:
    affine = torch.tensor([[0.4, 0.01, -0.3], [0.0, 0.38, 5.0]], dtype=torch.float64)
    points = torch.tensor([[0.5, -0.2, 3.0], [1.0, 1.0, 9.0]], dtype=torch.float64)
    moved = transform_positions(project(points, K)[0], affine)
    assert torch.allclose(project(points, transform_intrinsics(K, affine))[0], moved)
