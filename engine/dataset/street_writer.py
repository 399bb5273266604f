"""Writing a synthetic street in the exact layout of KITTI-360."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from engine.dataset import kitti360_files as files
from engine.dataset import poses
from engine.dataset.kinds import CALIBRATION, STREET_FILE
from engine.dataset.model import Float64
from engine.dataset.street_layout import build_scene, drive_poses
from engine.dataset.street_rig import Rig, build_rig, numbers
from engine.dataset.street_scene import Scene
from engine.dataset.street_sensors import photograph, scan
from engine.dataset.street_texture import Texture
from engine.errors import DataError, UsageError

FORMAT = "lorascope street"
VERSION = 1
# Number of a drive -> the split that it belongs to; 0008 and 0018 are the official test drives.
DRIVES: Mapping[int, str] = MappingProxyType({0: "train", 2: "train", 3: "val", 4: "val", 8: "test"})
FRAMES = 32
SIZE = (352, 94)
FIRST_FRAME = 10
_STEP = 0.9  # metres from frame to frame
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 3)
_TEST_DRIVES = (8, 18)


def drive_name(number: int) -> str:
    """The official name of a drive."""
    return f"2013_05_28_drive_{number:04d}_sync"


def write_street(
    root: Path,
    *,
    seed: int = 0,
    drives: Mapping[int, str] = DRIVES,
    frames: int = FRAMES,
    size: tuple[int, int] = SIZE,
    beams: int = 64,
    azimuths: int = 900,
    noise: float = 0.0,
    step: float = _STEP,
    workers: int | None = None,
) -> Path:
    """Write a street; all of it or nothing: it appears under its name when it is complete.

    Args:
        root: the folder to make; it must not exist, or be empty.
        seed: same arguments and seed, same street.
        drives: number of a drive -> its split; test drives are 8 and 18.
        frames: of each drive.
        size: (width, height) of the images in pixels.
        beams, azimuths: of the scanner; the real one has 64 and about 2000.
        noise: standard deviation of the scanner's range in metres.
        step: metres from frame to frame.
        workers: threads; by default one a core, at most 8.

    Returns:
        ``root``.

    Raises:
        UsageError: an argument is out of its range.
        DataError: ``root`` holds something, or cannot be written.
    """
    _check(drives, frames, size, beams, azimuths, noise, step)
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DataError(f"{root} is there already and not an empty folder", "name a new folder")
    building = root.with_name(f".{root.name}.{secrets.token_hex(4)}.tmp")
    try:
        building.mkdir(parents=True)
        _write_all(building, seed, drives, frames, size, beams, azimuths, noise, step, workers)
        building.replace(root)
    except OSError as error:
        raise DataError(f"{root} cannot be written ({error.strerror or error})", "choose another place") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return root


def _check(
    drives: Mapping[int, str],
    frames: int,
    size: tuple[int, int],
    beams: int,
    azimuths: int,
    noise: float,
    step: float,
) -> None:
    for number, split in drives.items():
        if split not in files.SPLITS or not 0 <= number <= 9999 or (split == files.TEST) != (number in _TEST_DRIVES):
            raise UsageError(
                f"drive {number} cannot be in split {split!r}", "test is 8 and 18, all others train or val"
            )
    if not drives or frames < 1 or min(size) < 8 or beams < 2 or azimuths < 8 or noise < 0 or step <= 0:
        raise UsageError(
            f"a street of {len(drives)} drives, {frames} frames, {size[0]}x{size[1]} pixels, {beams} beams, "
            f"{azimuths} azimuths, noise {noise} and step {step} is not possible",
            "take at least 1 drive, 1 frame, 8x8 pixels, 2 beams, 8 azimuths, no negative noise and a positive step",
        )


def _write_all(
    root: Path,
    seed: int,
    drives: Mapping[int, str],
    frames: int,
    size: tuple[int, int],
    beams: int,
    azimuths: int,
    noise: float,
    step: float,
    workers: int | None,
) -> None:
    rig = build_rig((size[1], size[0]))
    (root / CALIBRATION).mkdir()
    for name, text in rig.files().items():
        (root / CALIBRATION / name).write_text(text, "utf-8")
    described: dict[str, Any] = {}
    with ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1)) as pool:
        jobs = []
        for number, split in drives.items():
            scene = build_scene(seed, number, frames * step)
            drive = _DriveWriter(root, drive_name(number), split, scene, Texture(scene, seed), rig)
            imu_to_world = drive_poses(scene, seed, number, frames, step)
            drive.write_poses(imu_to_world)
            for index in range(frames):
                random = np.random.default_rng([seed, number, 2, index])
                jobs.append(pool.submit(drive.write_frame, index, imu_to_world[index], beams, azimuths, noise, random))
            described[drive.name] = {"split": split, "scene": scene.to_json()}
        for job in jobs:
            job.result()
    for split in (files.TRAIN, files.VAL):
        names = [drive_name(number) for number, of in drives.items() if of == split]
        files.split_list(root, split).parent.mkdir(parents=True, exist_ok=True)
        files.split_list(root, split).write_text(_listed(root, split, names, frames), "utf-8")
    arguments = {
        "seed": seed,
        "frames": frames,
        "size": list(size),
        "beams": beams,
        "azimuths": azimuths,
        "noise": noise,
        "step": step,
    }
    document = {"format": FORMAT, "version": VERSION, "arguments": arguments, "drives": described}
    (root / STREET_FILE).write_text(json.dumps(document), "utf-8")


def _listed(root: Path, split: str, drives: list[str], frames: int) -> str:
    lines = []
    for drive in drives:
        images = files.image_folder(root, split, drive, 0).relative_to(root).as_posix()
        labels = files.label_folder(root, split, drive, 0).relative_to(root).as_posix()
        for index in range(frames):
            name = files.frame_name(FIRST_FRAME + index, ".png")
            lines.append(f"{images}/{name} {labels}/{name}\n")
    return "".join(lines)


class _DriveWriter:
    """Writes the files of one drive."""

    def __init__(self, root: Path, name: str, split: str, scene: Scene, texture: Texture, rig: Rig) -> None:
        self.name = name
        self._scene, self._texture, self._rig = scene, texture, rig
        self._images = files.image_folder(root, split, name, 0)
        self._labels = files.label_folder(root, split, name, 0)
        self._scans = files.scan_folder(root, name)
        self._poses = root / poses.FOLDER / name
        for folder in (self._images, self._labels, self._scans, self._poses):
            folder.mkdir(parents=True)

    def write_poses(self, imu_to_world: Float64) -> None:
        """Both pose files, [frames, 4, 4]."""
        camera_to_world = imu_to_world @ self._rig.rectified_to_imu
        for name, matrices in (
            (poses.IMU_POSES, imu_to_world[:, :3]),
            (poses.CAMERA_POSES, camera_to_world),
        ):
            lines = [f"{FIRST_FRAME + index} {numbers(matrix)}\n" for index, matrix in enumerate(matrices)]
            (self._poses / name).write_text("".join(lines), "utf-8")

    def write_frame(
        self,
        index: int,
        imu_to_world: Float64,
        beams: int,
        azimuths: int,
        noise: float,
        random: np.random.Generator,
    ) -> None:
        """Image, labels and scan of one frame."""
        frame = FIRST_FRAME + index
        rig = self._rig
        picture = photograph(self._scene, rig.intrinsics, rig.size, imu_to_world @ rig.rectified_to_imu, self._texture)
        if picture.rgb is None:
            raise AssertionError("a picture with a texture has colours")
        _write_png(self._images / files.frame_name(frame, ".png"), picture.rgb[:, :, ::-1])
        _write_png(self._labels / files.frame_name(frame, ".png"), picture.label)
        points = scan(self._scene, imu_to_world @ rig.velodyne_to_imu, beams, azimuths, noise, random)
        points.tofile(self._scans / files.frame_name(frame, ".bin"))


def _write_png(path: Path, image: np.ndarray) -> None:
    _, data = cv2.imencode(".png", np.ascontiguousarray(image), _PNG)
    path.write_bytes(data.tobytes())
