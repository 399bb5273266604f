"""Scans: reading, projecting, the z-buffer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.ground_truth import depth_image_points, lidar_points
from engine.dataset.lidar import nearest_per_pixel, project, read_scan, transform
from engine.errors import DataError

INTRINSICS = np.array([[10.0, 0, 4], [0, 10.0, 3], [0, 0, 1]])
SIZE = (7, 9)


def test_scan_round_trip(tmp_path: Path) -> None:
    points = np.array([[1, 2, 3, 0.5], [4, np.nan, 6, 0.5], [7, 8, 9, 0]], dtype=np.float32)
    points.tofile(tmp_path / "a.bin")
    np.testing.assert_array_equal(read_scan(tmp_path / "a.bin"), points[[0, 2], :3])


@pytest.mark.parametrize(("data", "message"), [(b"", "0 bytes"), (b"x" * 17, "17 bytes"), (None, "cannot be read")])
def test_bad_scans_are_named(tmp_path: Path, data: bytes | None, message: str) -> None:
    path = tmp_path / "scan.bin"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(DataError, match=message) as raised:
        read_scan(path)
    assert str(path) in raised.value.message


def test_projection_by_hand() -> None:
    points = np.array(
        [
            [0.0, 0, 5],  # the principal point
            [0.123, -0.05, 1],  # (5.23, 2.5): halfway goes to the even row
            [0.45, 0, 1],  # 8.5: halfway to column 9, which is outside; the even column is 8
            [0.46, 0, 1],  # 8.6: outside
            [-0.45, 0, 1],  # -0.5: column 0
            [0, 0, 0.1],  # at the near limit
            [0, 0, 80],  # at the far limit
            [0, 0, -5],  # behind
        ]
    )
    uv, depth, pixel = project(points, INTRINSICS, SIZE, 0.1, 80)
    np.testing.assert_allclose(uv, [[4, 3], [5.23, 2.5], [8.5, 3], [-0.5, 3]])
    assert depth.tolist() == [5, 1, 1, 1]
    assert pixel.tolist() == [3 * 9 + 4, 2 * 9 + 5, 3 * 9 + 8, 3 * 9 + 0]


def test_transform_keeps_double_precision() -> None:
    matrix = np.eye(4)
    matrix[:3, 3] = (1e6, 0, 0)
    assert transform(np.array([[0.25, 0, 0]], dtype=np.float32), matrix)[0, 0] == 1_000_000.25


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([1.0, 2.0, 2.5, 7.0])), max_size=40))
def test_z_buffer_against_a_plain_loop(points: list[tuple[int, float]]) -> None:
    best: dict[int, int] = {}
    for index, (pixel, depth) in enumerate(points):
        if pixel not in best or depth < points[best[pixel]][1]:
            best[pixel] = index
    found = nearest_per_pixel(
        np.array([point[0] for point in points], dtype=np.int64), np.array([point[1] for point in points]), 6
    )
    assert found.tolist() == [best[pixel] for pixel in sorted(best)]


def test_each_scan_moves_by_its_own_transform_and_the_nearest_wins() -> None:
    shifted = np.eye(4)
    shifted[2, 3] = 2.0
    scans = [
        (np.array([[0, 0, 10], [1, 0, 5]], dtype=np.float32), np.eye(4)),
        (np.array([[0, 0, 5]], dtype=np.float32), shifted),
    ]
    labels = np.arange(63, dtype=np.uint8).reshape(SIZE)
    points = lidar_points(scans, INTRINSICS, SIZE, labels, 1)
    np.testing.assert_allclose(points.uv, [[4, 3], [6, 3]])
    assert points.depth.tolist() == [7, 5]
    assert points.label.tolist() == [31, 33]


def test_points_beside_the_sky_are_not_usable() -> None:
    scans = [(np.array([[0, 0, 10], [2, 0, 10], [-4, 0, 10]], dtype=np.float32), np.eye(4))]
    labels = np.zeros(SIZE, dtype=np.uint8)
    labels[2, 7] = 23
    points = lidar_points(scans, INTRINSICS, SIZE, labels, 1)
    assert points.uv[:, 0].tolist() == [0, 4, 6]
    assert points.usable.tolist() == [True, True, False]


def test_no_scan_gives_no_points() -> None:
    points = lidar_points([], INTRINSICS, SIZE, np.zeros(SIZE, dtype=np.uint8), 1)
    assert len(points.depth) == 0 and points.uv.shape == (0, 2)


def test_depth_image_points() -> None:
    depth = np.full((3, 4), 2.0)
    depth[0, 0], depth[1, 1], depth[2, 3] = 0.0, 80.0, 0.1
    points = depth_image_points(depth, 1)
    assert len(points.depth) == 9 and points.usable.all() and (points.label == -1).all()
    assert points.uv[0].tolist() == [1, 0] and points.uv[-1].tolist() == [2, 2]
