"""Symmetric 3x3 matrices in closed form, against LAPACK."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.geometry.eigen import eigenvalues, null_direction


def triangle(matrices: np.ndarray) -> torch.Tensor:
    rows, columns = np.triu_indices(3)
    return torch.from_numpy(matrices[:, rows, columns].T.copy())


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.floats(-8, 3), st.floats(-8, 3), st.floats(-8, 3)),
)
@settings(max_examples=150, deadline=None)
def test_agrees_with_lapack_over_many_orders_of_magnitude(seed: int, powers: tuple[float, float, float]) -> None:
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    values = np.sort(10.0 ** np.array(powers))
    matrix = turn @ np.diag(values) @ turn.T
    matrix = (matrix + matrix.T) / 2
    found = eigenvalues(triangle(matrix[None]))
    for mine, right in zip(found, np.linalg.eigvalsh(matrix), strict=True):
        assert abs(float(mine) - right) <= 1e-8 * values[2]  # two equal ones: half the digits
    gap = values[1] - values[0]
    if gap > 1e-6 * values[2]:
        direction = null_direction(triangle(matrix[None]), found[0])[:, 0].numpy()
        residual = np.linalg.norm(matrix @ direction - values[0] * direction)
        assert residual <= 1e-8 * values[2]
        assert np.linalg.norm(direction) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("factor", [0.0, 1.0, 3e-7])
def test_a_multiple_of_the_identity_has_no_direction(factor: float) -> None:
    matrix = triangle(factor * np.eye(3)[None])
    values = eigenvalues(matrix)
    assert [float(value) for value in values] == pytest.approx([factor] * 3, abs=1e-15)
    assert null_direction(matrix, values[0]).abs().max() == 0


def test_diagonal_matrices_in_every_order() -> None:
    for order in ([1, 2, 3], [3, 1, 2], [2, 3, 1], [3, 2, 1]):
        matrix = triangle(np.diag(np.array(order, dtype=float))[None])
        low, middle, high = (float(value) for value in eigenvalues(matrix))
        assert (low, middle, high) == pytest.approx((1, 2, 3))
        assert abs(null_direction(matrix, torch.tensor([low]))[order.index(1), 0]) == pytest.approx(1)
