"""Ray casting against an independent description of the shapes: which points of space are solid."""

from __future__ import annotations

import numpy as np
import pytest

from engine.dataset.street_shapes import Box, Cylinder, Openings, Part, Shape, Sphere

OPENINGS = Openings(pitch=2.5, storey=3.0, width=1.2, height=1.5, sill=0.9, depth=0.4)
BOX = Box((3.0, -2.0, 4.0), (6.0, 3.0, 4.0), 0.4)
HOUSE = Box((3.0, -2.0, 4.6), (6.2, 3.1, 4.6), -0.7, OPENINGS)
TRUNK = Cylinder((1.0, 2.0), 0.7, 0.0, 4.0)
CROWN = Sphere((-1.0, 0.5, 3.0), 1.7)


def _in_box(box: Box, points: np.ndarray) -> np.ndarray:
    """Solid points of a box, from the definition: a loop over every window as a box of air."""
    x, y = (points[:, :2] - np.array(box.centre[:2])).T
    cos, sin = np.cos(-box.yaw), np.sin(-box.yaw)
    along, across = cos * x - sin * y, sin * x + cos * y
    height = points[:, 2] - box.centre[2]
    (length, width, tall), openings = box.half, box.openings
    solid = (np.abs(along) < length) & (np.abs(across) < width) & (np.abs(height) < tall)
    if openings is None:
        return solid
    for reach, position, half, depth_of in ((length, along, width, across), (width, across, length, along)):
        columns = int(2 * reach / openings.pitch)
        for column in range(columns):
            middle = (column - (columns - 1) / 2) * openings.pitch
            for storey in range(int(2 * tall / openings.storey)):
                up = -tall + storey * openings.storey + openings.sill + openings.height / 2
                air = (
                    (np.abs(position - middle) < openings.width / 2)
                    & (np.abs(height - up) < openings.height / 2)
                    & (np.abs(depth_of) > half - openings.depth)
                )
                solid &= ~air
    return solid


def _in_cylinder(shape: Cylinder, points: np.ndarray) -> np.ndarray:
    inside = np.hypot(*(points[:, :2] - np.array(shape.foot)).T) < shape.radius
    return inside & (points[:, 2] > shape.bottom) & (points[:, 2] < shape.top)


def _in_sphere(shape: Sphere, points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points - np.array(shape.centre), axis=1) < shape.radius


def _solid(shape: Shape, points: np.ndarray) -> np.ndarray:
    if isinstance(shape, Box):
        return _in_box(shape, points)
    return _in_cylinder(shape, points) if isinstance(shape, Cylinder) else _in_sphere(shape, points)


@pytest.mark.parametrize("shape", [BOX, HOUSE, TRUNK, CROWN], ids=["box", "house", "trunk", "crown"])
@pytest.mark.parametrize("origin", [(-14.0, 6.0, 1.6), (9.0, 11.0, 1.8), (2.0, -17.0, 0.4)])
def test_rays_end_where_the_solid_begins(shape: Shape, origin: tuple[float, float, float]) -> None:
    random = np.random.default_rng(4)
    start = np.array(origin)
    centre, radius = shape.bounding_sphere
    directions = np.array(centre) + random.uniform(-1.3, 1.3, (1500, 3)) * radius - start
    if isinstance(shape, Cylinder):
        # It has no lid: rays that would come in from above are not asked for.
        directions = directions[start[2] + directions[:, 2] * 2 < shape.top]
    hits = shape.meet(start, directions)
    met = np.isfinite(hits.t)
    assert 0.1 < met.mean() < 1
    steps = np.linspace(0, 1, 400)[None, :, None]
    # Nothing solid before the hit, and none at all where there is no hit.
    reach = np.where(met, hits.t - 1e-6, 3.0)[:, None, None]
    walked = start + directions[:, None] * reach * steps
    assert not _solid(shape, walked.reshape(-1, 3)).any()
    # Just behind it the solid begins.
    lengths = np.linalg.norm(directions[met], axis=1)
    grazing = np.abs(np.einsum("ij,ij->i", hits.normal[met], directions[met])) / lengths < 1e-3
    behind = start + directions[met] * (hits.t[met] + 1e-6)[:, None]
    assert _solid(shape, behind)[~grazing].all()
    # Normals are of length 1, look back at the origin, and stepping along them leaves the solid.
    assert np.allclose(np.linalg.norm(hits.normal[met], axis=1), 1)
    assert (np.einsum("ij,ij->i", hits.normal[met], directions[met]) <= 1e-9).all()
    at = start + directions[met] * hits.t[met][:, None]
    assert not _solid(shape, at + 1e-5 * hits.normal[met]).any()
    assert _solid(shape, at - 1e-5 * hits.normal[met]).mean() > 0.999


def test_windows_show_glass_and_reveals() -> None:
    start = np.array([-14.0, 6.0, 1.6])
    directions = np.array(HOUSE.centre) + np.random.default_rng(0).uniform(-4, 4, (4000, 3)) - start
    hits = HOUSE.meet(start, directions)
    parts = [np.count_nonzero(np.isfinite(hits.t) & (hits.part == part)) for part in Part]
    assert min(parts) > 50


def test_a_window_by_hand() -> None:
    # A wall in the plane x = -1 with one window of 1 x 1 m about (y, z) = (0, 1), recessed by 0.5 m.
    box = Box((0.0, 0.0, 1.0), (1.0, 1.0, 1.0), 0.0, Openings(2.0, 2.0, 1.0, 1.0, 0.5, 0.5))
    origin = np.array([-3.0, 0.0, 1.0])
    hits = box.meet(origin, np.array([[2.0, 0, 0], [2.0, 0.8, 0], [2.0, 0.48, 0], [2.0, 0, 1.4], [2.0, -0.48, 0]]))
    # Straight in: to the glass at x = -0.5. Beside the window: the wall. Slanting in: the reveals at y = 0.5 and -0.5.
    np.testing.assert_allclose(hits.t, [1.25, 1.0, 0.5 / 0.48, np.inf, 0.5 / 0.48])
    assert hits.part[[0, 1, 2, 4]].tolist() == [Part.GLASS, Part.BODY, Part.REVEAL, Part.REVEAL]
    np.testing.assert_allclose(hits.normal[[0, 1, 2, 4]], [[-1, 0, 0], [-1, 0, 0], [0, -1, 0], [0, 1, 0]], atol=1e-12)


def test_rays_within_a_side_and_axis_parallel_rays() -> None:
    box = Box((0.0, 0.0, 1.0), (1.0, 1.0, 1.0), 0.0)
    hits = box.meet(np.array([-3.0, 0.0, 1.0]), np.array([[1.0, 0, 0], [0, 1.0, 0], [-1.0, 0, 0], [0, 0, 1.0]]))
    np.testing.assert_array_equal(hits.t, [2, np.inf, np.inf, np.inf])
