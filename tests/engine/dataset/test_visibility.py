"""Which points are hidden, and which lie beside a jump: scenes worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from engine.dataset.visibility import beside_jump, hidden, near_mask, occlusion_radius

SIZE = (40, 60)


def _full(depth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pixel of a depth image as a point: positions, depths, flat pixels."""
    rows, columns = np.mgrid[0 : depth.shape[0], 0 : depth.shape[1]]
    return np.stack([columns, rows], -1).reshape(-1, 2).astype(float), depth.ravel(), np.arange(depth.size)


def _road(focal: float = 50.0, height: float = 1.6) -> np.ndarray:
    """Depth of a level road that fills the image, from 80 m at its top."""
    rows = np.arange(SIZE[0])[:, None] + focal * height / 79
    return np.broadcast_to(focal * height / rows, SIZE).copy()


def test_radius_is_half_a_degree() -> None:
    assert occlusion_radius(552.55) == 5
    assert occlusion_radius(138.1) == 2
    assert occlusion_radius(20.0) == 1


@pytest.mark.parametrize("radius", [1, 2, 5])
def test_behind_a_sparse_plate(radius: int) -> None:
    # Beams on a plate at 8 m, one row in `radius`; between them shine points of a wall at 20 m.
    plate = np.zeros(SIZE, dtype=bool)
    plate[10:30:radius, 20:40] = True
    wall = np.zeros(SIZE, dtype=bool)
    wall[::3, ::2] = True
    depth = np.where(plate, 8.0, np.where(wall, 20.0, np.nan))
    pixel = np.flatnonzero(np.isfinite(depth))
    found = np.zeros(SIZE, dtype=bool)
    found.flat[pixel] = hidden(depth.flat[pixel], pixel, SIZE, radius)
    last = 10 + (29 - 10) // radius * radius
    behind = np.zeros(SIZE, dtype=bool)
    behind[10 : last + 1, 20:40] = True
    seen_wall = wall & ~plate
    assert not found[plate].any()
    assert not found[seen_wall & ~behind].any()
    assert found[seen_wall & behind].all()


def test_slanted_surfaces_hide_nothing() -> None:
    for depth in (_road(), _road().T[: SIZE[0], : SIZE[0]]):
        size = (depth.shape[0], depth.shape[1])
        _, values, pixel = _full(depth)
        assert not hidden(values, pixel, size, 5).any()


def test_one_side_is_not_enough() -> None:
    depth = np.full(SIZE, 30.0)
    depth[:, :25] = 5.0
    _, values, pixel = _full(depth)
    assert not hidden(values, pixel, SIZE, 5).any()


def test_a_little_farther_is_not_hidden() -> None:
    depth = np.full(SIZE, 10.0)
    depth[20, 30], depth[10, 30] = 10.4, 10.6
    _, values, pixel = _full(depth)
    assert np.flatnonzero(hidden(values, pixel, SIZE, 2)).tolist() == [10 * SIZE[1] + 30]


@pytest.mark.parametrize("radius", [1, 2, 4])
def test_jump_between_two_walls(radius: int) -> None:
    depth = np.full(SIZE, 30.0)
    depth[:, :25] = 20.0
    found = beside_jump(*_full(depth), SIZE, radius).reshape(SIZE)
    expected = np.zeros(SIZE, dtype=bool)
    expected[:, 25 - radius : 25 + radius] = True
    np.testing.assert_array_equal(found, expected)


def test_planes_have_no_jump_however_slanted() -> None:
    # The road at its far end grows by 30 % a pixel, far more than the jump ratio.
    road = _road()
    assert (road[:-1] / road[1:]).max() > 1.3
    assert not beside_jump(*_full(road), SIZE, 3).any()


def test_planes_at_subpixel_positions_have_no_jump() -> None:
    random = np.random.default_rng(0)
    uv, _, pixel = _full(np.zeros(SIZE))
    uv = uv + random.uniform(-0.5, 0.5, uv.shape)
    keep = np.sort(random.choice(len(uv), len(uv) * 3 // 4, replace=False))
    depth = 1 / (0.02 + uv[:, 0] * 1e-3 + uv[:, 1] * 2e-3)
    assert not beside_jump(uv[keep], depth[keep], pixel[keep], SIZE, 2).any()


def test_a_single_line_of_points_on_a_plane_has_no_jump() -> None:
    columns = np.arange(SIZE[1])
    uv = np.stack([columns, np.full(SIZE[1], 7)], -1).astype(float)
    pixel = 7 * SIZE[1] + columns
    found = beside_jump(uv, 1 / (0.02 + columns * 2e-3), pixel, SIZE, 3)
    # The outermost have four points about them, which differ and are too few to tell.
    assert np.flatnonzero(found).tolist() == [0]


def test_few_points_that_differ_are_a_jump_and_lonely_ones_are_not() -> None:
    uv = np.array([[5.0, 5.0], [6.0, 5.0], [40.0, 20.0], [50.0, 30.0], [51.0, 30.0]])
    depth = np.array([5.0, 6.0, 9.0, 7.0, 7.1])
    pixel = (uv @ [1, SIZE[1]]).astype(np.int64)
    order = np.argsort(pixel)
    found = beside_jump(uv[order], depth[order], pixel[order], SIZE, 2)
    assert found[np.argsort(order)].tolist() == [True, True, False, False, False]


def test_no_points_at_all() -> None:
    nothing = np.empty(0)
    pixel = np.empty(0, dtype=np.int64)
    assert hidden(nothing, pixel, SIZE, 3).shape == (0,)
    assert beside_jump(np.empty((0, 2)), nothing, pixel, SIZE, 3).shape == (0,)


def test_near_mask() -> None:
    mask = np.zeros((6, 7), dtype=bool)
    mask[2, 3] = True
    expected = np.zeros((6, 7), dtype=bool)
    expected[1:4, 2:5] = True
    np.testing.assert_array_equal(near_mask(mask, 1), expected)
