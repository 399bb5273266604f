"""The ground truth of KITTI-360 windows: scans of a frame and its neighbours, read once a window, cached on request.

A scan is taken for what the scanner sees at one instant, that of its frame's pose. The published scans are not
corrected for the vehicle's motion during a turn of 0.1 s. If the scanner passes straight ahead when the camera exposes,
that is up to 1.4 % of the way driven in a second at the sides of the image (10 cm at 7 m/s), and nothing in its middle.
Things that move by themselves leave traces in neighbouring scans.
"""

from __future__ import annotations

import numpy as np

from engine.dataset.cache import PointsCache, cache_key
from engine.dataset.calibration import Calibration
from engine.dataset.ground_truth import VERSION, lidar_points
from engine.dataset.images import expect_size, read_labels
from engine.dataset.kitti360_drive import Drive
from engine.dataset.left_out import LeftOut
from engine.dataset.lidar import read_scan
from engine.dataset.model import Float32, FramePoints
from engine.errors import DataError

BAD_NEIGHBOUR = "neighbouring scan that is unreadable"


class PointsReader:
    """Makes ground truth, or takes it from the cache.

    Args:
        calibration: of the camera.
        neighbours: scans of this many frames on either side are used too.
        cache: where made ground truth is kept; ``None`` for nowhere.
        left_out: where neighbouring scans that cannot be read are recorded.
    """

    def __init__(self, calibration: Calibration, neighbours: int, cache: PointsCache | None, left_out: LeftOut) -> None:
        self._calibration = calibration
        self._neighbours = neighbours
        self._cache = cache
        self._left_out = left_out

    def window_points(self, drive: Drive, frames: tuple[int, ...], jump_radius: int) -> tuple[FramePoints, ...]:
        """The ground truth of the frames of one window.

        Raises:
            DataError: labels, own scan or pose of a frame are missing or unreadable.
        """
        scans: dict[int, Float32 | None] = {}  # frames of a window share most of their scans
        return tuple(self._points(drive, frame, jump_radius, scans) for frame in frames)

    def _points(self, drive: Drive, frame: int, jump_radius: int, scans: dict[int, Float32 | None]) -> FramePoints:
        neighbours = drive.neighbours(frame, self._neighbours)
        if self._cache is None:
            return self._make(drive, frame, neighbours, jump_radius, scans)
        key = self._key(drive, frame, neighbours, jump_radius)
        kept = self._cache.get(key)
        if kept is not None:
            return kept
        points = self._make(drive, frame, neighbours, jump_radius, scans)
        if all(scans[number] is not None for number in neighbours):
            # What lacks a scan is not kept: taken from the cache, nobody would hear of the lack.
            self._cache.put(key, points)
        return points

    def _key(self, drive: Drive, frame: int, neighbours: list[int], jump_radius: int) -> str:
        calibration = self._calibration
        poses = [drive.pose(number) for number in (frame, *neighbours)]
        return cache_key(
            {"version": VERSION, "size": calibration.size, "jump_radius": jump_radius},
            [calibration.intrinsics, calibration.velodyne_to_camera, *poses],
            [drive.label(frame), *(drive.scan(number) for number in neighbours)],
        )

    def _make(
        self,
        drive: Drive,
        frame: int,
        neighbours: list[int],
        jump_radius: int,
        scans: dict[int, Float32 | None],
    ) -> FramePoints:
        calibration = self._calibration
        labels = read_labels(drive.label(frame))
        expect_size(drive.label(frame), labels, calibration.size)
        world_to_camera = np.linalg.inv(drive.pose(frame))
        placed = [
            (points, world_to_camera @ drive.pose(number) @ calibration.velodyne_to_camera)
            for number in neighbours
            if (points := self._scan(drive, number, number == frame, scans)) is not None
        ]
        return lidar_points(placed, calibration.intrinsics, calibration.size, labels, jump_radius)

    def _scan(self, drive: Drive, frame: int, own: bool, scans: dict[int, Float32 | None]) -> Float32 | None:
        """A scan. A neighbouring one that is unreadable is recorded and done without; a frame's own is an error."""
        if frame not in scans or (own and scans[frame] is None):
            try:
                scans[frame] = read_scan(drive.scan(frame))
            except DataError:
                if own:
                    raise
                self._left_out.add(BAD_NEIGHBOUR, drive.name, frame)
                scans[frame] = None
        return scans[frame]
