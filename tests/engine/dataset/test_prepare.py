"""Image preparation: a ramp shows where every pixel went, and the intrinsics follow exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dataset.model import Preparation
from engine.dataset.prepare import plan_images
from engine.errors import DataError, UsageError

KITTI = np.array([[552.554261, 0, 682.049453], [0, 552.554261, 238.769549], [0, 0, 1]])


def _position_image(height: int, width: int) -> np.ndarray:
    """Red holds the column, green the row: each pixel says where it is."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([columns, rows, np.zeros_like(rows)], axis=-1).astype(np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(20, 250),
    st.integers(20, 250),
    st.integers(1, 20),
    st.sampled_from([2, 7, 14]),
    st.sampled_from(["fit", "crop"]),
)
def test_pixels_lie_where_the_affine_map_says(height: int, width: int, patches: int, patch: int, mode: str) -> None:
    intrinsics = np.array([[100.0, 0, width * 0.47], [0, 110.0, height * 0.56], [0, 0, 1]])
    plan = plan_images((height, width), intrinsics, Preparation(mode, patches * patch, patch))
    prepared = plan.apply(_position_image(height, width))
    assert prepared.shape == (3, *plan.size) and prepared.dtype == np.float32
    assert plan.size[0] % patch == plan.size[1] % patch == 0
    scale, shift = np.diag(plan.native_to_image[:, :2]), plan.native_to_image[:, 2]
    assert plan.native_to_image[0, 1] == plan.native_to_image[1, 0] == 0
    left, top, right, bottom = plan.box
    for axis, channel, low, high in ((1, 0, left, right), (0, 1, top, bottom)):
        values = prepared[channel].mean(axis=1 - axis) * 255
        native = (np.arange(plan.size[axis]) - shift[1 - axis]) / scale[1 - axis]
        # Interpolation reproduces a ramp; averages over areas that cut pixels in two differ by up to an eighth of a
        # pixel either way, and not on the whole. Outside the outermost pixel centres an enlarged image repeats them.
        difference = values - np.clip(native, low, high - 1)
        assert np.abs(difference).max() < 0.13
        assert abs(difference.mean()) < 0.01


def test_kitti_fit_by_hand() -> None:
    plan = plan_images((376, 1408), KITTI, Preparation())
    assert plan.size == (140, 518)  # 376 * 518 / 1408 = 138.3, and 10 patches are nearest
    assert plan.box == (0, 0, 1408, 376)
    intrinsics = plan.intrinsics(KITTI)
    assert intrinsics[0, 0] == pytest.approx(552.554261 * 518 / 1408)
    assert intrinsics[1, 1] == pytest.approx(552.554261 * 140 / 376)
    assert intrinsics[0, 2] == pytest.approx((682.049453 + 0.5) * 518 / 1408 - 0.5)
    assert intrinsics[1, 2] == pytest.approx((238.769549 + 0.5) * 140 / 376 - 0.5)
    assert plan.native_per_pixel == pytest.approx(1408 / 518)


def test_kitti_crop_by_hand() -> None:
    plan = plan_images((376, 1408), KITTI, Preparation("crop"))
    # From the principal point (239.27 from the upper edge) to the lower edge it is 136.73: a square of 273.
    left, top, right, bottom = plan.box
    assert (right - left, bottom - top) == (273, 273)
    assert plan.size == (518, 518)
    assert pytest.approx(0.14, abs=0.002) == 273**2 / (376 * 1408)
    intrinsics = plan.intrinsics(KITTI)
    # The principal point is within half a native pixel of the middle.
    assert abs(intrinsics[0, 2] - 258.5) <= 0.5 * 518 / 273 + 1e-9
    assert abs(intrinsics[1, 2] - 258.5) <= 0.5 * 518 / 273 + 1e-9


def test_a_point_keeps_its_pixel() -> None:
    """Projecting with prepared intrinsics is projecting natively and then mapping."""
    point = np.array([3.0, -1.0, 12.0])
    for mode in ("fit", "crop"):
        plan = plan_images((376, 1408), KITTI, Preparation(mode))
        native = (KITTI @ point / point[2])[:2]
        prepared = (plan.intrinsics(KITTI) @ point / point[2])[:2]
        np.testing.assert_allclose(prepared, plan.native_to_image[:, :2] @ native + plan.native_to_image[:, 2])


def test_unchanged_size_is_unchanged() -> None:
    image = np.random.default_rng(0).integers(0, 256, (28, 42, 3), dtype=np.uint8)
    plan = plan_images((28, 42), np.array([[40.0, 0, 20.5], [0, 40, 13.5], [0, 0, 1]]), Preparation("fit", 42))
    np.testing.assert_array_equal(plan.apply(image), image.transpose(2, 0, 1) / np.float32(255))
    np.testing.assert_array_equal(plan.native_to_image, [[1, 0, 0], [0, 1, 0]])


def test_shrinking_averages() -> None:
    image = np.zeros((8, 8, 3), dtype=np.uint8)
    image[::2, ::2] = 200  # a pattern that plain sampling would turn into black or white
    intrinsics = np.array([[8.0, 0, 3.5], [0, 8, 3.5], [0, 0, 1]])
    prepared = plan_images((8, 8), intrinsics, Preparation("fit", 4, 2))
    np.testing.assert_allclose(prepared.apply(image), 50 / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("preparation", "message"),
    [
        (Preparation("squash"), "unknown image preparation"),
        (Preparation("fit", 500), "no multiple of the patch"),
        (Preparation("fit", 0), "no multiple"),
        (Preparation("fit", 14, 0), "no multiple"),
        (Preparation("fit", -14), "no multiple"),
    ],
)
def test_impossible_preparations(preparation: Preparation, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan_images((376, 1408), KITTI, preparation)


def test_crop_needs_the_principal_point_inside() -> None:
    intrinsics = np.array([[10.0, 0, 50], [0, 10, -3], [0, 0, 1]])
    with pytest.raises(DataError, match="outside the 100x80 image"):
        plan_images((80, 100), intrinsics, Preparation("crop"))
