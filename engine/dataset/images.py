"""Reading picture files: colour, labels, depth. Every failure names the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A colour picture, [H, W, 3], uint8 RGB.

    Raises:
        DataError: the file is missing or no picture.
    """
    image = _decode(path, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(image[:, :, ::-1])


def read_labels(path: Path) -> NDArray[np.uint8]:
    """A label image, [H, W], uint8 label ids.

    Raises:
        DataError: the file is missing, no picture, or has not one 8-bit channel.
    """
    image = _decode(path, cv2.IMREAD_UNCHANGED)
    if image.ndim != 2 or image.dtype != np.uint8:
        raise DataError(f"{path} is no label image of one 8-bit channel", "give the label ids, not the colours")
    return image


def read_depth_mm(path: Path) -> NDArray[np.uint16]:
    """A depth image, [H, W], uint16 millimetres.

    Raises:
        DataError: the file is missing, no picture, or has not one 16-bit channel.
    """
    image = _decode(path, cv2.IMREAD_UNCHANGED)
    if image.ndim != 2 or image.dtype != np.uint16:
        raise DataError(f"{path} is no depth image of one 16-bit channel", "give depth in millimetres as 16-bit PNG")
    return image


def expect_size(path: Path, image: NDArray[np.generic], size: tuple[int, int]) -> None:
    """Refuse a picture that has not the size that its calibration says.

    Args:
        path: where it came from.
        image: [H, W, ...].
        size: (height, width) in pixels.

    Raises:
        DataError: another size.
    """
    height, width = image.shape[:2]
    if (height, width) != size:
        raise DataError(
            f"{path} has {width}x{height} pixels, but the calibration says {size[1]}x{size[0]}",
            "give images and calibration of the same recording",
        )


def _decode(path: Path, flags: int) -> NDArray[Any]:
    # Reading the bytes here, not in OpenCV: it prints a warning instead of saying what is wrong.
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error})", "copy the file again") from error
    try:
        image = cv2.imdecode(data, flags) if data.size else None
    except cv2.error:
        image = None
    if image is None:
        raise DataError(f"{path} is no picture that can be decoded", "copy the file again")
    return image
