"""What every dataset hands to inference and scoring. NumPy only; nothing here knows a model or a metric.

Conventions: OpenCV camera frame (x right, y down, z forward), metres, pixel centres at integer coordinates (the first
pixel's centre is (0, 0)), 4x4 camera-to-world poses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]


class Stratum(StrEnum):
    """How much of a window's centre frame is building: at least 30 %, at least 10 %, less."""

    RICH = "rich"
    MIXED = "mixed"
    ROAD = "road"


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive frames of one drive.

    Attributes:
        id: number of the window within a sample, from 0.
        drive: the drive's name.
        frames: frame numbers, ascending, without a gap.
        stratum: by the labels of the centre frame; ``None`` where the dataset has no labels.
    """

    id: int
    drive: str
    frames: tuple[int, ...]
    stratum: Stratum | None


@dataclass(frozen=True, eq=False)
class FramePoints:
    """The ground truth of one frame: points, at most one (the nearest) per native pixel.

    Attributes:
        uv: exact sub-pixel positions in the native image, [N, 2], float64, columns u (x) and v (y).
        depth: z in the camera frame, [N], float64, metres, within (0.1, 80).
        label: official label id of the pixel that holds the point, [N], int16; -1 where there are no labels.
        usable: [N], bool; False for points beside a depth jump of the ground truth itself (left out and counted).
    """

    uv: Float64
    depth: Float64
    label: NDArray[np.int16]
    usable: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PreparedWindow:
    """A window ready for inference and scoring.

    Attributes:
        window: which one.
        images: what the model sees, [S, 3, H, W], float32 RGB in [0, 1].
        intrinsics: of the prepared images, [S, 3, 3], float64.
        native_size: (height, width) of the native images in pixels.
        native_intrinsics: of the native images, [S, 3, 3], float64.
        native_to_image: affine map of native pixel positions to positions in ``images``, [2, 3], float64:
            ``uv_image = A[:, :2] @ uv_native + A[:, 2]`` (the same for all frames of a window).
        camera_to_world: ground-truth poses, [S, 4, 4], float64.
        points: ground truth of every frame.
        dense_depth: rendered depth at the resolution of ``images``, [S, H, W], float32 metres, 0 where there is none
            (sky); only the synthetic street has it. An independent way to the truth, for ``oracle``.
    """

    window: Window
    images: Float32
    intrinsics: Float64
    native_size: tuple[int, int]
    native_intrinsics: Float64
    native_to_image: Float64
    camera_to_world: Float64
    points: tuple[FramePoints, ...]
    dense_depth: Float32 | None = None


@dataclass(frozen=True, slots=True)
class Preparation:
    """How images become what the model sees.

    Attributes:
        mode: ``fit`` (whole image, width scaled) or ``crop`` (a square about the principal point).
        size: width (``fit``) or side (``crop``) in pixels.
        patch: height and width are multiples of this.
    """

    mode: str = "fit"
    size: int = 518
    patch: int = 14


class Dataset(Protocol):
    """A place that windows come from."""

    @property
    def name(self) -> str:
        """``kitti360``, ``rgbd`` or ``street``."""

    @property
    def root_name(self) -> str:
        """The folder's name, never its path."""

    @property
    def splits(self) -> tuple[str, ...]:
        """The names that :meth:`windows` takes."""

    @property
    def regions(self) -> Mapping[str, Sequence[int] | None]:
        """Region name -> label ids that belong to it; ``None`` means every point. ``non_building`` is the complement
        of ``building``, given as its ids."""

    @property
    def classes(self) -> Mapping[int, str]:
        """Label id -> class name; empty where there are no labels."""

    @property
    def left_out(self) -> Counter[str]:
        """What was left out so far and why: reason -> count."""

    def windows(self, split: str, *, seq_len: int, stride: int) -> list[Window]:
        """Every window of a split, in order, ids from 0; strata filled in."""

    def load(self, window: Window, preparation: Preparation) -> PreparedWindow:
        """Read one window: images, poses, ground truth. Thread-safe.

        Raises:
            DataError: a file of it is missing or unreadable (names it).
        """
