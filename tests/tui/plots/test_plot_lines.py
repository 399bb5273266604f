"""Clipping, thinning and dashing in cell coordinates."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.plots import lines
from tui.plots.lines import Frame

coordinates = st.floats(-50, 50).map(lambda value: round(value, 3))


def length(points: lines.Polyline) -> float:
    return sum(math.hypot(2 * (b[0] - a[0]), 4 * (b[1] - a[1])) for a, b in pairwise(points))


def distance(point: lines.Point, start: lines.Point, end: lines.Point) -> float:
    """From a point to a segment, by projection."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    size = dx * dx + dy * dy
    share = 0.0 if size == 0 else ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / size
    share = min(max(share, 0.0), 1.0)
    return math.hypot(point[0] - start[0] - share * dx, point[1] - start[1] - share * dy)


@given(st.tuples(coordinates, coordinates), st.tuples(coordinates, coordinates))
def test_what_is_clipped_is_inside_and_on_the_line(start: lines.Point, end: lines.Point) -> None:
    width, height = 20, 8
    found = lines.clip([start, end], width, height)
    samples = [(start[0] + i / 500 * (end[0] - start[0]), start[1] + i / 500 * (end[1] - start[1])) for i in range(501)]
    inside = [p for p in samples if 0 <= p[0] <= width - 1 and 0 <= p[1] <= height - 1]
    if inside:
        assert found
    for piece in found:
        for point in piece:
            assert 0 <= point[0] <= width - 1
            assert 0 <= point[1] <= height - 1
            assert distance(point, start, end) < 1e-6
    for point in inside:
        assert any(distance(point, a, b) < 1e-6 for piece in found for a, b in pairwise(piece))


def test_a_curve_that_leaves_and_returns_is_two_pieces() -> None:
    found = lines.clip([(0.0, 1.0), (2.0, 9.0), (4.0, 1.0)], 5, 4)
    assert found == [[(0.0, 1.0), (0.5, 3.0)], [(3.5, 3.0), (4.0, 1.0)]]


def test_a_lone_point_is_drawn_or_left_out() -> None:
    assert lines.clip([(1.0, 1.0)], 4, 4) == [[(1.0, 1.0)]]
    assert lines.clip([(9.0, 1.0)], 4, 4) == []


def test_gaps_break_a_curve_and_x_orders_it() -> None:
    x = (3.0, 0.0, 1.0, 2.0, 4.0, 5.0)
    y = (3.0, 0.0, 1.0, None, math.inf, 5.0)
    assert lines.pieces(x, y) == [[(0.0, 0.0), (1.0, 1.0)], [(3.0, 3.0)], [(5.0, 5.0)]]


def test_thinning_keeps_every_peak_in_two_points_per_column() -> None:
    points = [(i / 100, float((i * 7919) % 1009)) for i in range(2000)]  # 20 columns
    kept = lines.thin(points, 20)
    assert len(kept) <= 2 * 21
    assert max(y for _, y in kept) == max(y for _, y in points)
    assert min(y for _, y in kept) == min(y for _, y in points)
    assert [x for x, _ in kept] == sorted(x for x, _ in kept)
    assert lines.thin(points[:40], 20) == points[:40]


@given(st.floats(0.5, 60), st.floats(0, 30))
def test_dashes_have_their_share_of_the_length(size: float, skip: float) -> None:
    pattern = (6.0, 4.0)
    dashes = lines.dash([(0.0, 1.0), (size / 3, 1.0), (size, 1.0)], pattern, skip=skip)
    total = 2 * size
    # Count the "on" stretches of the pattern between skip and skip + total directly.
    steps = 20_000
    on = sum((skip + (i + 0.5) / steps * total) % 10 < 6 for i in range(steps)) / steps * total
    assert sum(map(length, dashes)) == pytest.approx(on, abs=total / steps * (total / 5 + 2))


def test_cells_of_values() -> None:
    frame = Frame(0, 9, 0, 1, 10, 5)
    assert [frame.column(x) for x in (-3, 0, 0.4, 0.6, 9, 99)] == [0, 0, 0, 1, 9, 9]
    assert [frame.row(y) for y in (1, 0.5, 0, -7)] == [0, 2, 4, 4]
    assert frame.side(4, 0.5) == "inside"
    assert frame.side(4, 2) == "above"
    assert frame.side(4, -2) == "below"
    assert frame.side(40, 0.5) == "beside"
    assert frame.cell_y(1e90) <= 4e6  # a far outlier is brought near before anything is computed with it
