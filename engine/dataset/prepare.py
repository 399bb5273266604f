"""How a native image becomes what a model sees: the exact affine map, the intrinsics that follow, and the pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.dataset.model import Float32, Float64, Preparation
from engine.errors import DataError, UsageError

MODES = ("fit", "crop")
_NO_PIXEL = 1e-9  # rounding of a half pixel must not cost a row of the crop


@dataclass(frozen=True, eq=False)
class ImagePlan:
    """One preparation of images of one size.

    Attributes:
        box: the part of the native image that is kept: left, top, right, bottom in pixels, the last two exclusive.
        size: (height, width) of the prepared images.
        native_to_image: affine map of pixel positions, [2, 3]; pixel centres are integers on both sides, so that a
            scale s maps u to ``(u + 0.5 - left) * s - 0.5``.
    """

    box: tuple[int, int, int, int]
    size: tuple[int, int]
    native_to_image: Float64

    @property
    def native_per_pixel(self) -> float:
        """Native pixels that one prepared pixel is wide or high, whichever is more."""
        return float(1 / min(self.native_to_image[0, 0], self.native_to_image[1, 1]))

    def intrinsics(self, native: Float64) -> Float64:
        """Intrinsics of the prepared image, [3, 3], from the native ones."""
        return np.vstack([self.native_to_image, (0, 0, 1)]) @ native

    def apply(self, image: NDArray[np.uint8]) -> Float32:
        """Prepare one image.

        Args:
            image: [H, W, 3], uint8 RGB at native size.

        Returns:
            [3, h, w], float32 RGB in [0, 1]. Shrinking averages over the area of a pixel; enlarging is bilinear.
        """
        left, top, right, bottom = self.box
        pixels = image[top:bottom, left:right].astype(np.float32) / np.float32(255)
        height, width = self.size
        # One axis at a time: OpenCV's area averaging silently becomes something else if one of the axes grows.
        for target in ((width, pixels.shape[0]), (width, height)):
            if target != (pixels.shape[1], pixels.shape[0]):
                shrinks = target[0] < pixels.shape[1] or target[1] < pixels.shape[0]
                mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
                pixels = cv2.resize(pixels, target, interpolation=mode).astype(np.float32, copy=False)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def plan_images(native_size: tuple[int, int], intrinsics: Float64, preparation: Preparation) -> ImagePlan:
    """Decide how images of a size are prepared.

    ``fit`` keeps the whole image: its width becomes ``size``, its height the multiple of ``patch`` nearest to the same
    scale. ``crop`` keeps the largest square of whole pixels about the principal point, scaled to ``size``.

    Args:
        native_size: (height, width).
        intrinsics: of the native images, [3, 3].
        preparation: what is asked for.

    Raises:
        UsageError: an unknown mode, or a size that is no positive multiple of the patch.
        DataError: ``crop``, and the principal point lies outside the image.
    """
    mode, size, patch = preparation.mode, preparation.size, preparation.patch
    if mode not in MODES:
        raise UsageError(f"unknown image preparation {mode!r}", f"choose {' or '.join(MODES)}")
    if patch < 1 or size < 1 or size % patch:
        below = max(patch, size // patch * patch) if patch >= 1 else 1
        raise UsageError(f"image size {size} is no multiple of the patch of {patch} pixels", f"take {below}")
    height, width = native_size
    if mode == "fit":
        box = (0, 0, width, height)
        rows = max(1, math.floor(height * size / width / patch + 0.5)) * patch
        target = (rows, size)
    else:
        box = _square_about(float(intrinsics[0, 2]), float(intrinsics[1, 2]), native_size)
        target = (size, size)
    left, top, right, bottom = box
    scale_x, scale_y = target[1] / (right - left), target[0] / (bottom - top)
    affine = np.array(
        [
            [scale_x, 0, (0.5 - left) * scale_x - 0.5],
            [0, scale_y, (0.5 - top) * scale_y - 0.5],
        ]
    )
    return ImagePlan(box, target, affine)


def _square_about(centre_x: float, centre_y: float, native_size: tuple[int, int]) -> tuple[int, int, int, int]:
    height, width = native_size
    # From pixel centres to edges: the image reaches from 0 to its width.
    x, y = centre_x + 0.5, centre_y + 0.5
    half = min(x, width - x, y, height - y)
    side = math.floor(2 * half + _NO_PIXEL)
    if side < 1:
        raise DataError(
            f"the principal point ({centre_x:.1f}, {centre_y:.1f}) lies outside the {width}x{height} image, "
            "so no square can be cut about it",
            "prepare images with fit",
        )
    left = min(max(round(x - side / 2), 0), width - side)
    top = min(max(round(y - side / 2), 0), height - side)
    return left, top, left + side, top + side
