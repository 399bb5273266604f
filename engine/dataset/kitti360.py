"""KITTI-360 in its official layout: windows of a split, and one window with images, poses and ground truth."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from engine.dataset import kitti360_files as files
from engine.dataset import labels as ids
from engine.dataset.cache import PointsCache
from engine.dataset.calibration import Calibration, read_calibration
from engine.dataset.images import expect_size, read_labels, read_rgb
from engine.dataset.kitti360_drive import Drive, open_drive
from engine.dataset.kitti360_points import PointsReader
from engine.dataset.left_out import LeftOut
from engine.dataset.model import Float32, Preparation, PreparedWindow, Window
from engine.dataset.prepare import ImagePlan, plan_images
from engine.dataset.windows import centre_frame, cut_windows, stratum
from engine.errors import DataError, UnknownNameError, UsageError

NEIGHBOURS = 4
_LABEL_READERS = 8  # label images are decoded without the interpreter's lock

NO_DRIVE = "frame of a drive that is not there"
NO_IMAGE = "frame without image"
NO_POSE = "frame without pose"
NO_SCAN = "frame without scan"
NO_LABELS = "frame without labels"
BAD_LABELS = "frame with unreadable labels"


class Kitti360:
    """The dataset, read from the folder that holds ``calibration``, ``data_poses``, ``data_2d_raw`` and so on.

    Args:
        root: that folder.
        camera: rectified perspective camera, 0 or 1.
        neighbours: scans of this many frames before and after a frame make its ground truth, beside its own.
        cache: folder for prepared ground truth; ``None`` for none.

    Raises:
        UsageError: an impossible camera or number of neighbours.
        DataError: the calibration is missing or wrong.
    """

    splits: tuple[str, ...] = files.SPLITS

    def __init__(self, root: Path, *, camera: int = 0, neighbours: int = NEIGHBOURS, cache: Path | None = None) -> None:
        if neighbours < 0:
            raise UsageError(f"{neighbours} neighbouring scans are not possible", "take 0 or more")
        self._root = root
        self._calibration = read_calibration(root, camera)
        self._left_out = LeftOut()
        self._points = PointsReader(
            self._calibration, neighbours, None if cache is None else PointsCache(cache), self._left_out
        )
        self._drives: dict[tuple[str, str], Drive] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """``kitti360``."""
        return "kitti360"

    @property
    def root_name(self) -> str:
        """The folder's name."""
        return self._root.resolve().name

    @property
    def regions(self) -> Mapping[str, Sequence[int] | None]:
        """``full``, ``building``, ``non_building``."""
        return ids.REGIONS

    @property
    def classes(self) -> Mapping[int, str]:
        """The official names of all label ids."""
        return ids.NAMES

    @property
    def calibration(self) -> Calibration:
        """Of the camera in use."""
        return self._calibration

    @property
    def left_out(self) -> Counter[str]:
        """What was left out so far and why; a frame counts once for each reason."""
        return self._left_out.counts()

    @property
    def left_out_frames(self) -> dict[str, list[tuple[str, int]]]:
        """The same by name: reason -> (drive, frame number)."""
        return self._left_out.named()

    def windows(self, split: str, *, seq_len: int, stride: int) -> list[Window]:
        """Every window of ``val``, ``train`` or ``test``, drive by drive, with its stratum.

        Raises:
            UnknownNameError: no such split.
            UsageError: ``seq_len`` or ``stride`` below 1.
            DataError: the split's list or folder is missing, or no window is left.
        """
        if split not in self.splits:
            raise UnknownNameError("split", split, self.splits)
        cut: list[tuple[Drive, tuple[int, ...]]] = []
        for name, listed in files.split_frames(self._root, split, self._calibration.camera).items():
            drive = self._drive(files.TEST if split == files.TEST else files.TRAIN, name)
            complete = self._complete_frames(drive, listed)
            cut += [(drive, frames) for frames in cut_windows(complete, seq_len, stride)]
        with ThreadPoolExecutor(_LABEL_READERS) as readers:
            shares = list(readers.map(lambda pair: self._building_share(pair[0], centre_frame(pair[1])), cut))
        known = [(pair, share) for pair, share in zip(cut, shares, strict=True) if share is not None]
        if not known:
            raise DataError(
                f"{self.root_name} has no window of {seq_len} complete frames in {split} "
                f"(left out: {self._left_out.summary()})",
                "download what is missing, or take shorter windows",
            )
        return [
            Window(number, drive.name, frames, stratum(share)) for number, ((drive, frames), share) in enumerate(known)
        ]

    def load(self, window: Window, preparation: Preparation) -> PreparedWindow:
        """Read one window. Thread-safe.

        Raises:
            DataError: a file of it is missing, unreadable or of another size (names it).
            UsageError: an impossible preparation.
        """
        calibration = self._calibration
        plan = plan_images(calibration.size, calibration.intrinsics, preparation)
        drive = self.drive_of(window)
        poses = [drive.pose(frame) for frame in window.frames]
        images = [self._image(drive, frame, plan) for frame in window.frames]
        # What a prepared pixel covers must not straddle a jump, or sampling there would mix two surfaces.
        jump_radius = max(1, math.ceil(plan.native_per_pixel))
        count = len(window.frames)
        return PreparedWindow(
            window=window,
            images=np.stack(images),
            intrinsics=np.repeat(plan.intrinsics(calibration.intrinsics)[None], count, axis=0),
            native_size=calibration.size,
            native_intrinsics=np.repeat(calibration.intrinsics[None], count, axis=0),
            native_to_image=plan.native_to_image,
            camera_to_world=np.stack(poses),
            points=self._points.window_points(drive, window.frames, jump_radius),
        )

    def drive_of(self, window: Window) -> Drive:
        """The drive that a window belongs to, also where another process has cut the windows.

        Raises:
            DataError: its pose file is there but wrong.
        """
        test = files.image_folder(self._root, files.TEST, window.drive, self._calibration.camera).is_dir()
        return self._drive(files.TEST if test else files.TRAIN, window.drive)

    def _drive(self, split: str, name: str) -> Drive:
        with self._lock:
            found = self._drives.get((split, name))
            if found is None:
                found = self._drives[split, name] = open_drive(self._root, split, name, self._calibration)
        return found

    def _complete_frames(self, drive: Drive, listed: Sequence[int]) -> list[int]:
        """The frames that have all it takes; the others are recorded, each with every reason."""
        if not drive.has_image:
            self._left_out.add(NO_DRIVE, drive.name, *listed)
            return []
        complete = set(listed)
        for reason, present in (
            (NO_IMAGE, drive.has_image),
            (NO_POSE, drive.trajectory.poses.keys()),
            (NO_SCAN, drive.has_scan),
            (NO_LABELS, drive.has_labels),
        ):
            missing = [frame for frame in listed if frame not in present]
            self._left_out.add(reason, drive.name, *missing)
            complete.difference_update(missing)
        return sorted(complete)

    def _building_share(self, drive: Drive, frame: int) -> float | None:
        try:
            labels = read_labels(drive.label(frame))
        except DataError:
            self._left_out.add(BAD_LABELS, drive.name, frame)
            return None
        return float(np.count_nonzero(labels == ids.BUILDING) / labels.size)

    def _image(self, drive: Drive, frame: int, plan: ImagePlan) -> Float32:
        image = read_rgb(drive.image(frame))
        expect_size(drive.image(frame), image, self._calibration.size)
        return plan.apply(image)
