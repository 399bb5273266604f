"""Symmetric 3x3 matrices in closed form, against LAPACK."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.geometry.eigen import direction_along, eigenvalues, null_direction, smallest_eigenvalue


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


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.floats(-8, 3), st.floats(-8, 3), st.floats(-8, 3)),
)
@settings(max_examples=150, deadline=None)
def test_the_smallest_alone_and_its_direction(seed: int, powers: tuple[float, float, float]) -> None:
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    values = np.sort(10.0 ** np.array(powers))
    matrix = turn @ np.diag(values) @ turn.T
    matrix = (matrix + matrix.T) / 2
    parts = list(triangle(matrix[None]))
    found = smallest_eigenvalue(parts)
    assert abs(float(found) - np.linalg.eigvalsh(matrix)[0]) <= 1e-8 * values[2]
    assert abs(float(found) - float(eigenvalues(triangle(matrix[None]))[0])) <= 1e-8 * values[2]
    ray = rng.normal(size=2)
    axis = np.linalg.eigh(matrix)[1][:, 0]
    along = axis @ [*ray, 1.0]
    if values[1] - values[0] > 1e-4 * values[2] and abs(along) > 1e-2:
        direction = direction_along(parts, found, [torch.tensor([ray[0]]), torch.tensor([ray[1]])])
        assert [float(part) for part in direction] == pytest.approx((-np.sign(along) * axis).tolist(), abs=1e-6)


@pytest.mark.parametrize("factor", [0.0, 1.0, 3e-7])
def test_no_direction_of_a_multiple_of_the_identity(factor: float) -> None:
    parts = list(triangle(factor * np.eye(3)[None]))
    found = smallest_eigenvalue(parts)
    assert float(found) == pytest.approx(factor, abs=1e-15)
    one = torch.ones(1, dtype=torch.float64)
    assert [float(part.float()) for part in direction_along(parts, found, [one, one])] == [0, 0, 0]


def test_the_polynomial_is_the_cosine() -> None:
    """A third of every angle between 0 and 180 degrees, by matrices whose eigenvalues are known."""
    angle = np.linspace(0, np.pi / 3, 2001)
    values = 2 * np.cos(angle[:, None] + 2 * np.pi / 3 * np.arange(3))  # of mean 0 and radius 1
    parts = [torch.from_numpy(values[:, 0].copy()), *(torch.zeros(2001, dtype=torch.float64) for _ in range(2))]
    parts += [torch.from_numpy(values[:, 1].copy()), torch.zeros(2001, dtype=torch.float64)]
    parts += [torch.from_numpy(values[:, 2].copy())]
    # Near two equal ones half of the digits are lost in the determinant, as in every closed form.
    assert np.allclose(smallest_eigenvalue(parts).numpy(), values.min(1), rtol=0, atol=4e-8)
    apart = np.diff(np.sort(values, axis=1), axis=1)[:, 0] > 1e-2
    assert np.allclose(smallest_eigenvalue(parts).numpy()[apart], values.min(1)[apart], rtol=0, atol=1e-13)
