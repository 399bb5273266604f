"""What the pictures of an evaluation show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.dataset.model import Preparation
from engine.dataset.open import open_dataset
from engine.evaluation.previews import PANELS, normal_colours, write_preview
from engine.results.pictures import find_pictures, read_picture

INTRINSICS = np.array([[50.0, 0, 31.5], [0, 50.0, 15.5], [0, 0, 1]])
SIZE = (32, 64)


def plane(normal: tuple[float, float, float], offset: float) -> np.ndarray:
    """Depth of the plane ``normal @ x = offset`` in the camera's frame; NaN where a ray does not hit it."""
    v, u = np.mgrid[: SIZE[0], : SIZE[1]]
    rays = np.stack([(u - 31.5) / 50, (v - 15.5) / 50, np.ones(SIZE)], axis=-1)
    depth = offset / (rays @ np.array(normal))
    return np.where(depth > 0, depth, np.nan).astype(np.float32)


@pytest.mark.parametrize(
    ("normal", "offset", "colour"),
    [
        ((0.0, 0.0, 1.0), 9.0, (128, 128, 255)),  # a wall that is looked at straight
        ((0.0, 1.0, 0.0), 1.5, (128, 255, 128)),  # the ground below
        ((-1.0, 0.0, 0.0), 4.0, (255, 128, 128)),  # a wall on the left, whose normal points right
        ((1.0, 0.0, 0.0), 4.0, (0, 128, 128)),
    ],
)
def test_normals_of_planes(normal: tuple[float, float, float], offset: float, colour: tuple[int, int, int]) -> None:
    colours = normal_colours(plane(normal, offset), INTRINSICS)
    assert colours.shape == (*SIZE, 3)
    seen = colours[colours.any(axis=-1)]
    assert len(seen) > 100
    assert np.abs(seen.astype(int) - colour).max() <= 1
    # The unit of depth does not matter, but for rounding.
    scaled = normal_colours(plane(normal, offset) * 7, INTRINSICS)
    assert np.abs(scaled.astype(int) - colours).max() <= 1


def test_where_there_is_no_normal_it_is_black() -> None:
    depth = plane((0.0, 0.0, 1.0), 9.0)
    depth[4, 5], depth[10, 10] = np.nan, -1.0
    colours = normal_colours(depth, INTRINSICS)
    black = {(int(y), int(x)) for y, x in np.argwhere(~colours.any(axis=-1)) if y < SIZE[0] - 1 and x < SIZE[1] - 1}
    assert black == {(4, 5), (3, 5), (4, 4), (10, 10), (9, 10), (10, 9)}
    assert not colours[-1].any()
    assert not colours[:, -1].any()


def test_a_picture_has_its_panels(street: Path, tmp_path: Path) -> None:
    dataset = open_dataset(street)
    window = dataset.windows("val", seq_len=4, stride=4)[0]
    prepared = dataset.load(window, Preparation(size=112))
    assert prepared.dense_depth is not None
    depth = np.where(prepared.dense_depth > 0, prepared.dense_depth, 80.0).astype(np.float32)
    write_preview(tmp_path, "lora/1", prepared, depth)
    (found,) = find_pictures(tmp_path, "lora/1")
    assert (found.window, found.frame) == (window.id, window.frames[2])
    panels = read_picture(found.path)
    assert tuple(panel.title for panel in panels) == PANELS
    image, inverse, error, normals = (np.array(panel.scaled(*panel.size)) for panel in panels)
    assert image.shape == inverse.shape == error.shape == normals.shape
    # Colours in their order: the sky is blue, the ground of the normals green; the truth's error is near black.
    assert (image[0, :, 2] > image[0, :, 0]).mean() > 0.5
    assert (normals[-3, :, 1] > 200).mean() > 0.8
    assert error.mean() < 20
    worse = depth.copy()
    worse[2, :, : worse.shape[2] // 2] *= 3
    write_preview(tmp_path, "worse", prepared, worse)
    assert np.array(read_picture(find_pictures(tmp_path, "worse")[0].path)[2].scaled(40, 12)).mean() > 2 * error.mean()
