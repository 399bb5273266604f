"""Plain RGB-D clips (7-Scenes and TUM style): colour, depth in millimetres and a pose per frame, one set of intrinsics.

A clip is a folder with ``frame-NNNNNN.color.*``, ``frame-NNNNNN.depth.png``, ``frame-NNNNNN.pose.txt`` and
``camera-intrinsics.txt``; a folder of such folders holds one drive each, and may hold the intrinsics for all of them.
There are no labels: one region, no strata.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.dataset import labels as ids
from engine.dataset.calibration import are_rotations
from engine.dataset.ground_truth import depth_image_points
from engine.dataset.images import expect_size, read_depth_mm, read_rgb
from engine.dataset.kinds import COLOR, clip_folders
from engine.dataset.left_out import LeftOut
from engine.dataset.model import Float64, FramePoints, Preparation, PreparedWindow, Window
from engine.dataset.prepare import plan_images
from engine.dataset.windows import cut_windows
from engine.errors import DataError, UnknownNameError

SPLIT = "all"
INTRINSICS = "camera-intrinsics.txt"
NO_COLOR = "frame without colour"
NO_DEPTH = "frame without depth"
NO_POSE = "frame without valid pose"
_OTHER = re.compile(r"frame-(\d+)\.(depth\.png|pose\.txt)$")
_INVALID_MM = (0, 65535)
_MM = 1e-3


@dataclass(frozen=True, eq=False)
class _Clip:
    name: str
    colors: Mapping[int, Path]
    depths: Mapping[int, Path]
    poses: Mapping[int, Path]
    intrinsics: Float64


class RgbdClip:
    """The clips below a folder.

    Ground truth is every valid pixel, at its centre: at most one per native pixel as everywhere, and no thinning, so
    that normals find their neighbours.

    Args:
        root: a clip, or a folder of clips.

    Raises:
        DataError: there is no clip, or its intrinsics are missing or wrong.
    """

    splits: tuple[str, ...] = (SPLIT,)

    def __init__(self, root: Path) -> None:
        self._root = root
        folders = clip_folders(root)
        if not folders:
            raise DataError(f"{root} holds no RGB-D clip", "it needs files named frame-NNNNNN.color.* and so on")
        self._clips = {clip.name: clip for clip in (self._open(folder) for folder in folders)}
        self._left_out = LeftOut()

    @property
    def name(self) -> str:
        """``rgbd``."""
        return "rgbd"

    @property
    def root_name(self) -> str:
        """The folder's name."""
        return self._root.resolve().name

    @property
    def regions(self) -> Mapping[str, Sequence[int] | None]:
        """``full`` alone."""
        return ids.UNLABELLED_REGIONS

    @property
    def classes(self) -> Mapping[int, str]:
        """None: there are no labels."""
        return {}

    @property
    def left_out(self) -> Counter[str]:
        """What was left out so far and why."""
        return self._left_out.counts()

    @property
    def left_out_frames(self) -> dict[str, list[tuple[str, int]]]:
        """The same by name: reason -> (clip, frame number)."""
        return self._left_out.named()

    def windows(self, split: str, *, seq_len: int, stride: int) -> list[Window]:
        """Every window, clip by clip, without strata. A clip has no splits but ``all``.

        Raises:
            UnknownNameError: another split.
            UsageError: ``seq_len`` or ``stride`` below 1.
            DataError: no window is left.
        """
        if split not in self.splits:
            raise UnknownNameError("split", split, self.splits, where="an RGB-D clip")
        windows: list[Window] = []
        for clip in self._clips.values():
            for frames in cut_windows(self._complete_frames(clip), seq_len, stride):
                windows.append(Window(len(windows), clip.name, frames, None))
        if not windows:
            raise DataError(
                f"{self.root_name} has no window of {seq_len} complete frames (left out: {self._left_out.summary()})",
                "take shorter windows, or a longer clip",
            )
        return windows

    def load(self, window: Window, preparation: Preparation) -> PreparedWindow:
        """Read one window. Thread-safe.

        Raises:
            DataError: a file of it is missing, unreadable or of another size (names it).
            UsageError: an impossible preparation.
        """
        clip = self._clips.get(window.drive)
        if clip is None:
            raise DataError(f"{self._root} has no clip {window.drive!r}", "give the folder that the run was made on")
        colors = [read_rgb(self._file(clip.colors, clip, frame, "colour")) for frame in window.frames]
        size = (colors[0].shape[0], colors[0].shape[1])
        plan = plan_images(size, clip.intrinsics, preparation)
        jump_radius = max(1, math.ceil(plan.native_per_pixel))
        poses, points = [], []
        for frame, color in zip(window.frames, colors, strict=True):
            expect_size(clip.colors[frame], color, size)
            path = self._file(clip.poses, clip, frame, "pose")
            pose = _read_pose(path)
            if pose is None:
                raise DataError(f"{path} holds no 4x4 pose", "leave the frame out")
            poses.append(pose)
            points.append(_read_points(self._file(clip.depths, clip, frame, "depth"), size, jump_radius))
        count = len(window.frames)
        return PreparedWindow(
            window=window,
            images=np.stack([plan.apply(color) for color in colors]),
            intrinsics=np.repeat(plan.intrinsics(clip.intrinsics)[None], count, axis=0),
            native_size=size,
            native_intrinsics=np.repeat(clip.intrinsics[None], count, axis=0),
            native_to_image=plan.native_to_image,
            camera_to_world=np.stack(poses),
            points=tuple(points),
        )

    def _open(self, folder: Path) -> _Clip:
        colors: dict[int, Path] = {}
        others: dict[str, dict[int, Path]] = {"depth.png": {}, "pose.txt": {}}
        for path in sorted(folder.iterdir()):
            if match := COLOR.match(path.name):
                colors[int(match[1])] = path
            elif match := _OTHER.match(path.name):
                others[match[2]][int(match[1])] = path
        place = folder / INTRINSICS
        if not place.is_file() and folder != self._root:
            place = self._root / INTRINSICS
        name = folder.resolve().name
        return _Clip(name, colors, others["depth.png"], others["pose.txt"], _read_intrinsics(place))

    def _complete_frames(self, clip: _Clip) -> list[int]:
        everything = sorted(clip.colors.keys() | clip.depths.keys() | clip.poses.keys())
        without = {
            NO_COLOR: [frame for frame in everything if frame not in clip.colors],
            NO_DEPTH: [frame for frame in everything if frame not in clip.depths],
            # Lost tracking is written as infinities: such a frame has no pose.
            NO_POSE: [
                frame for frame in everything if frame not in clip.poses or _read_pose(clip.poses[frame]) is None
            ],
        }
        for reason, frames in without.items():
            self._left_out.add(reason, clip.name, *frames)
        return sorted(set(everything).difference(*without.values()))

    def _file(self, found: Mapping[int, Path], clip: _Clip, frame: int, kind: str) -> Path:
        if frame not in found:
            raise DataError(f"frame {frame} of {clip.name} has no {kind} in {self._root}", "leave the frame out")
        return found[frame]


def _read_points(path: Path, size: tuple[int, int], jump_radius: int) -> FramePoints:
    millimetres = read_depth_mm(path)
    expect_size(path, millimetres, size)
    depth = np.where(np.isin(millimetres, _INVALID_MM), 0.0, millimetres * _MM)
    return depth_image_points(depth, jump_radius)


def _read_matrix(path: Path, size: int) -> Float64 | None:
    try:
        values = np.array([float(word) for word in path.read_text("utf-8").split()], dtype=np.float64)
    except (OSError, ValueError):
        return None
    return values.reshape(size, size) if values.size == size * size and np.isfinite(values).all() else None


def _read_pose(path: Path) -> Float64 | None:
    matrix = _read_matrix(path, 4)
    if matrix is None or not are_rotations(matrix[:3, :3]) or not np.allclose(matrix[3], (0, 0, 0, 1)):
        return None
    return matrix


def _read_intrinsics(path: Path) -> Float64:
    matrix = _read_matrix(path, 3)
    if matrix is None or not (matrix[0, 0] > 0 and matrix[1, 1] > 0 and np.array_equal(matrix[2], (0, 0, 1))):
        raise DataError(f"{path} holds no 3x3 intrinsics", "write fx 0 cx / 0 fy cy / 0 0 1 into it")
    return matrix
