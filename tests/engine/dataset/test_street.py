"""The street as a whole: what is written, that it is reproducible, and that its pictures fit its depths."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from dataset_support import FRAMES, TEST_DRIVE, TRAIN_DRIVE, replace_file

from engine.dataset import labels as ids
from engine.dataset.kitti360 import Kitti360
from engine.dataset.model import Preparation, PreparedWindow, Stratum
from engine.dataset.open import open_dataset
from engine.dataset.rgbd import RgbdClip
from engine.dataset.street import Street, write_street
from engine.dataset.street_layout import build_scene, drive_poses
from engine.dataset.street_rig import build_rig
from engine.dataset.street_scene import Scene
from engine.dataset.street_sensors import photograph, scan, see
from engine.dataset.windows import stratum
from engine.errors import DataError, UsageError

TINY = {"frames": 2, "size": (32, 16), "beams": 8, "azimuths": 32, "workers": 1}


def _files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_layout_is_that_of_kitti360(street_root: Path) -> None:
    found = {path.relative_to(street_root).as_posix() for path in street_root.rglob("*") if path.is_file()}
    train, test = "2013_05_28_drive_0000_sync", "2013_05_28_drive_0008_sync"
    for name in (
        "calibration/perspective.txt",
        "calibration/calib_cam_to_pose.txt",
        "calibration/calib_cam_to_velo.txt",
        f"data_poses/{train}/cam0_to_world.txt",
        f"data_poses/{train}/poses.txt",
        f"data_2d_raw/{train}/image_00/data_rect/0000000010.png",
        f"data_3d_raw/{train}/velodyne_points/data/0000000010.bin",
        f"data_2d_semantics/train/{train}/image_00/semantic/0000000010.png",
        "data_2d_semantics/train/2013_05_28_drive_train_frames.txt",
        "data_2d_semantics/train/2013_05_28_drive_val_frames.txt",
        f"data_2d_test/{test}/image_00/data_rect/0000000010.png",
        f"data_3d_raw/{test}/velodyne_points/data/0000000010.bin",
    ):
        assert name in found
    lines = (street_root / "data_2d_semantics/train/2013_05_28_drive_train_frames.txt").read_text().splitlines()
    assert len(lines) == FRAMES
    for path in lines[0].split(" "):
        assert path in found
    pose = (street_root / f"data_poses/{train}/cam0_to_world.txt").read_text().splitlines()[0].split()
    imu = (street_root / f"data_poses/{train}/poses.txt").read_text().splitlines()[0].split()
    assert (len(pose), len(imu), pose[0], imu[0]) == (17, 13, "10", "10")
    assert not list(street_root.parent.glob(".*"))


def test_same_seed_same_street(tmp_path: Path) -> None:
    drives = {1: "train"}
    one = _files(write_street(tmp_path / "a", seed=5, drives=drives, noise=0.01, **TINY))
    assert one == _files(write_street(tmp_path / "b", seed=5, drives=drives, noise=0.01, **{**TINY, "workers": 3}))
    other = _files(write_street(tmp_path / "c", seed=6, drives=drives, noise=0.01, **TINY))
    differing = {name for name in one if one[name] != other[name]}
    assert {Path(name).suffix for name in differing} == {".png", ".bin", ".txt", ".json"}


def test_noise_is_on_the_range() -> None:
    scene = build_scene(seed=0, drive=0, length=10)
    rig = build_rig((16, 32))
    pose = drive_poses(scene, 0, 0, 1, 0.9)[0] @ rig.velodyne_to_imu
    exact = scan(scene, pose, 16, 200)
    noisy = scan(scene, pose, 16, 200, 0.05, np.random.default_rng(0))
    ranges = np.linalg.norm(exact[:, :3], axis=1), np.linalg.norm(noisy[:, :3], axis=1)
    assert 0.045 < np.std(ranges[1] - ranges[0]) < 0.055
    np.testing.assert_allclose(noisy[:, :3] / ranges[1][:, None], exact[:, :3] / ranges[0][:, None], atol=1e-5)


def test_a_scan_lies_on_the_scene() -> None:
    scene = build_scene(seed=0, drive=0, length=10)
    rig = build_rig((16, 32))
    pose = drive_poses(scene, 0, 0, 3, 0.9)[2] @ rig.velodyne_to_imu
    points = scan(scene, pose, 64, 300).astype(np.float64)
    world = points[:, :3] @ pose[:3, :3].T + pose[:3, 3]
    again = scene.cast(pose[:3, 3], world - pose[:3, 3])
    np.testing.assert_allclose(again.t, 1, atol=1e-6)
    elevation = np.degrees(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))
    assert len(np.unique(np.round(elevation, 2))) <= 64
    assert elevation.min() >= -24.81 and elevation.max() <= 2.01


def test_nothing_stands_in_the_way() -> None:
    """No sensor of any frame is inside of anything, so that rays start in the open."""
    for seed in range(4):
        for drive in (0, 3):
            scene = build_scene(seed, drive, 30)
            poses = drive_poses(scene, seed, drive, 33, 0.9)
            for thing in scene.things:
                centre, radius = thing.shape.bounding_sphere
                near = np.linalg.norm(poses[:, :2, 3] - scene.offset[:2] - centre[:2], axis=1)
                if thing.kind != "box":
                    assert (near > radius if thing.kind == "sphere" else near > 2).all()
                    continue
                offsets = poses[:, :2, 3] - scene.offset[:2] - centre[:2]
                turned = offsets @ np.array(
                    [
                        [np.cos(thing.shape.yaw), -np.sin(thing.shape.yaw)],
                        [np.sin(thing.shape.yaw), np.cos(thing.shape.yaw)],
                    ]
                )
                outside = np.maximum(np.abs(turned) - thing.shape.half[:2], 0)
                assert (np.linalg.norm(outside, axis=1) > 0.8).all(), (seed, drive, thing)


def test_every_stratum_and_every_kind_of_thing_comes_about() -> None:
    rig = build_rig((24, 88))
    strata, seen = set(), set()
    for drive in (0, 2, 3, 4, 8):
        scene = build_scene(0, drive, 32 * 0.9)
        for pose in drive_poses(scene, 0, drive, 32, 0.9)[4::8]:
            label = photograph(scene, rig.intrinsics, rig.size, pose @ rig.rectified_to_imu).label
            strata.add(stratum(float((label == ids.BUILDING).mean())))
            seen.update(np.unique(label).tolist())
    assert strata == set(Stratum)
    assert {ids.ROAD, ids.SIDEWALK, ids.TERRAIN, ids.BUILDING, ids.VEGETATION, ids.SKY, ids.CAR, ids.POLE} <= seen


def test_the_drive_turns_and_the_facades_do_not_face_one_way() -> None:
    scene = build_scene(0, 0, 29)
    forward = drive_poses(scene, 0, 0, 32, 0.9)[:, :3, 0]
    assert np.degrees(np.arccos(forward[0] @ forward[-1])) > 3
    yaws = {round(thing.shape.yaw, 2) for thing in scene.things if thing.label == ids.BUILDING}
    assert len(yaws) > 5


def test_scene_survives_json() -> None:
    scene = build_scene(2, 3, 20)
    again = Scene.from_json(json.loads(json.dumps(scene.to_json())))
    assert again == scene or (again.things == scene.things and again.track == scene.track)
    assert (again.offset, again.road, again.pavement) == (scene.offset, scene.road, scene.pavement)


def _warped(prepared: PreparedWindow, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Difference of image ``index`` and the next one seen from its place, and where that can be seen."""
    assert prepared.dense_depth is not None
    depth = prepared.dense_depth[index].astype(np.float64)
    height, width = depth.shape
    rows, columns = np.mgrid[0:height, 0:width]
    intrinsics = prepared.intrinsics[index]
    rays = np.stack([columns, rows, np.ones_like(rows)], -1) @ np.linalg.inv(intrinsics).T
    motion = np.linalg.inv(prepared.camera_to_world[index + 1]) @ prepared.camera_to_world[index]
    moved = (rays * depth[..., None]) @ motion[:3, :3].T + motion[:3, 3]
    far = np.where(moved[..., 2] > 0.1, moved[..., 2], 1)
    x, y = ((moved @ intrinsics.T)[..., item] / far for item in (0, 1))
    seen = (depth > 0) & (moved[..., 2] > 0.1) & (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    maps = x.astype(np.float32), y.astype(np.float32)
    target = cv2.remap(prepared.images[index + 1].transpose(1, 2, 0), *maps, cv2.INTER_LINEAR)
    there = cv2.remap(prepared.dense_depth[index + 1], *maps, cv2.INTER_NEAREST)
    seen &= np.abs(there - far) < 0.02 * far
    return np.abs(target - prepared.images[index].transpose(1, 2, 0)).mean(axis=-1), seen


@pytest.mark.parametrize("size", [112, 168])
def test_pictures_fit_depths_and_poses(street_root: Path, size: int) -> None:
    """Warped with true depth and poses, one picture looks like the next: the photometric ceiling is near 1."""
    street = Street(street_root)
    differences = []
    for split in ("train", "val"):
        prepared = street.load(street.windows(split, seq_len=8, stride=8)[0], Preparation(size=size))
        for index in range(7):
            difference, seen = _warped(prepared, index)
            differences.append(difference[seen])
    together = np.concatenate(differences)
    assert len(together) > 10_000
    assert np.mean(together < 0.05) > 0.97
    assert together.mean() < 0.015


def test_pictures_do_not_fit_a_wrong_depth(street_root: Path) -> None:
    street = Street(street_root)
    prepared = street.load(street.windows("train", seq_len=8, stride=8)[0], Preparation(size=168))
    assert prepared.dense_depth is not None
    right, seen = _warped(prepared, 3)
    prepared.dense_depth[3] *= 1.5
    prepared.dense_depth[4] *= 1.5
    wrong, still_seen = _warped(prepared, 3)
    assert np.mean(wrong[still_seen] < 0.02) < 0.8 * np.mean(right[seen] < 0.02)


@pytest.mark.parametrize("preparation", [Preparation("fit", 112), Preparation("crop", 56)])
def test_dense_depth_is_cast_at_the_prepared_pixels(street_root: Path, preparation: Preparation) -> None:
    street = Street(street_root)
    prepared = street.load(street.windows("val", seq_len=2, stride=2)[0], preparation)
    dense = prepared.dense_depth
    assert dense is not None and dense.shape == (2, *prepared.images.shape[2:]) and dense.dtype == np.float32
    height, width = dense.shape[1:]
    rows, columns = np.mgrid[0:height, 0:width]
    at_image = np.stack([columns, rows], -1).reshape(-1, 2)
    scale, shift = prepared.native_to_image[:, :2], prepared.native_to_image[:, 2]
    native = (at_image - shift) @ np.linalg.inv(scale).T
    view = see(street.scene(prepared.window.drive), native, prepared.native_intrinsics[1], prepared.camera_to_world[1])
    expected = np.where(np.isfinite(view.t), view.t, 0)
    np.testing.assert_allclose(dense[1].ravel(), expected, rtol=1e-5)
    assert (dense == 0).any() and (dense > 0).any()


def test_open_dataset_takes_what_lies_there(street_root: Path, copied_street: Callable[[], Path]) -> None:
    assert type(open_dataset(street_root)) is Street
    root = copied_street()
    (root / "street.json").unlink()
    dataset = open_dataset(root)
    assert type(dataset) is Kitti360 and dataset.name == "kitti360"
    assert dataset.load(dataset.windows("val", seq_len=2, stride=2)[0], Preparation(size=84)).dense_depth is None


def test_open_dataset_says_what_it_looks_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no folder"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no dataset that lorascope knows; give a KITTI-360 folder"):
        open_dataset(tmp_path)
    with pytest.raises(DataError, match="holds no RGB-D clip"):
        RgbdClip(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "cannot be read"),
        (b"[]", "describes no street"),
        (b'{"format": "lorascope street", "version": 99}', "another version"),
        (b'{"format": "lorascope street", "version": 1, "drives": {"a": {"scene": {}}}}', "damaged"),
        (b'{"format": "lorascope street", "version": 1}', "damaged"),
    ],
)
def test_damaged_descriptions(copied_street: Callable[[], Path], content: bytes, message: str) -> None:
    root = copied_street()
    replace_file(root / "street.json", content)
    with pytest.raises(DataError, match=message):
        Street(root)


def test_a_drive_that_the_description_lacks(street_root: Path) -> None:
    with pytest.raises(DataError, match="has no drive 'x'"):
        Street(street_root).scene("x")
    assert {TRAIN_DRIVE, TEST_DRIVE} <= set(Street(street_root)._scenes)


def test_writing_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("")
    with pytest.raises(DataError, match="not an empty folder"):
        write_street(tmp_path / "full", **TINY)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError):
        write_street(tmp_path / "file" / "below", **TINY)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.dataset.street_writer._write_png", fail)
    with pytest.raises(DataError, match="No space left"):
        write_street(tmp_path / "new", **TINY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full"]


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_street(tmp_path / "empty", drives={18: "test"}, **TINY)
    assert (tmp_path / "empty" / "street.json").is_file()
    dataset = open_dataset(tmp_path / "empty")
    assert len(dataset.windows("test", seq_len=2, stride=2)) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"drives": {}},
        {"drives": {1: "test"}},
        {"drives": {8: "train"}},
        {"drives": {1: "holiday"}},
        {"frames": 0},
        {"size": (4, 4)},
        {"noise": -1.0},
        {"beams": 1},
        {"step": 0.0},
    ],
)
def test_impossible_streets(tmp_path: Path, arguments: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        write_street(tmp_path / "street", **{**TINY, **arguments})  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
