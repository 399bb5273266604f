"""The camera encoding: against scipy, there and back, and at its edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from engine.inference.pose_encoding import decode, encode, matrix_to_quaternion, quaternion_to_matrix

COMPONENT = st.floats(-1, 1, allow_nan=False, width=32)
QUATERNION = st.tuples(COMPONENT, COMPONENT, COMPONENT, COMPONENT).filter(lambda q: math.hypot(*q) > 1e-3)


@given(QUATERNION)
def test_matrix_as_scipy_has_it(quaternion: tuple[float, ...]) -> None:
    found = quaternion_to_matrix(torch.tensor(quaternion, dtype=torch.float64))
    np.testing.assert_allclose(found.numpy(), Rotation.from_quat(quaternion).as_matrix(), atol=1e-12)


@given(QUATERNION)
def test_quaternion_as_scipy_has_it(quaternion: tuple[float, ...]) -> None:
    rotation = Rotation.from_quat(quaternion)
    found = matrix_to_quaternion(torch.from_numpy(rotation.as_matrix())).numpy()
    wanted = rotation.as_quat()
    # q and -q are the same rotation; the sign of w is settled, that of the rest only where w is not zero.
    assert found[3] >= 0
    assert min(np.abs(found - wanted).max(), np.abs(found + wanted).max()) < 1e-7


@given(st.lists(QUATERNION, min_size=1, max_size=4), st.floats(0.1, 3.0), st.floats(0.1, 3.0))
def test_there_and_back(quaternions: list[tuple[float, ...]], vertical: float, horizontal: float) -> None:
    rotations = Rotation.from_quat(quaternions).as_matrix()
    count = len(quaternions)
    translation = np.arange(3 * count).reshape(count, 3, 1) * 0.7 - 2
    extrinsics = torch.from_numpy(np.concatenate([rotations, translation], axis=2))[None]
    size = (294, 518)
    k = torch.eye(3, dtype=torch.float64).repeat(1, count, 1, 1)
    k[..., 0, 0] = size[1] / 2 / math.tan(horizontal / 2)
    k[..., 1, 1] = size[0] / 2 / math.tan(vertical / 2)
    k[..., 0, 2], k[..., 1, 2] = size[1] / 2, size[0] / 2
    encoding = encode(extrinsics, k, size)
    assert encoding.shape == (1, count, 9)
    np.testing.assert_allclose(encoding[..., 7:], [[[vertical, horizontal]] * count], atol=1e-12)
    back, intrinsics = decode(encoding, size)
    torch.testing.assert_close(back, extrinsics, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(intrinsics, k, rtol=1e-9, atol=1e-9)


def test_by_hand() -> None:
    # A quarter turn about z takes x to y; 90 degrees of view put the focal length at half the side.
    half = math.sqrt(0.5)
    encoding = torch.tensor([1.0, 2.0, 3.0, 0.0, 0.0, half, half, math.pi / 2, 2 * math.atan(2.0)])
    extrinsics, intrinsics = decode(encoding, (100, 200))
    torch.testing.assert_close(
        extrinsics, torch.tensor([[0.0, -1.0, 0.0, 1.0], [1.0, 0.0, 0.0, 2.0], [0.0, 0.0, 1.0, 3.0]])
    )
    torch.testing.assert_close(intrinsics, torch.tensor([[50.0, 0.0, 100.0], [0.0, 50.0, 50.0], [0.0, 0.0, 1.0]]))


def test_edges_stay_finite() -> None:
    extrinsics, intrinsics = decode(torch.zeros(9), (10, 10))
    assert torch.equal(extrinsics[:, :3], torch.eye(3))
    assert bool(torch.isfinite(intrinsics).all())


def test_half_precision_is_decoded_in_single() -> None:
    encoding = torch.tensor([0.0, 0, 0, 0, 0, 0, 1, 1, 1]).bfloat16()
    extrinsics, intrinsics = decode(encoding, (10, 10))
    assert extrinsics.dtype == intrinsics.dtype == torch.float32
    assert float(intrinsics[0, 0]) == pytest.approx(5 / math.tan(0.5))
