"""RGB-D clips: a hand-made one, and the real one where it lies beside the project."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.dataset import rgbd
from engine.dataset.model import Preparation, Window
from engine.dataset.open import open_dataset
from engine.dataset.rgbd import RgbdClip
from engine.errors import DataError, UnknownNameError

SIZE = (30, 40)
INTRINSICS = "50 0 20\n0 50 15\n0 0 1\n"
POSE = "1 0 0 {x}\n0 1 0 0\n0 0 1 0\n0 0 0 1\n"


def _write_clip(folder: Path, frames: range = range(6), intrinsics: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if intrinsics:
        (folder / "camera-intrinsics.txt").write_text(INTRINSICS)
    depth = np.full(SIZE, 2000, dtype=np.uint16)
    depth[:, 20:] = 4000
    depth[0, 0], depth[0, 1], depth[0, 2] = 0, 65535, 100
    color = np.zeros((*SIZE, 3), dtype=np.uint8)
    color[..., 2] = 255  # red, in OpenCV's order
    for frame in frames:
        stem = str(folder / f"frame-{frame:06d}")
        cv2.imwrite(f"{stem}.color.png", color)
        cv2.imwrite(f"{stem}.depth.png", depth)
        Path(f"{stem}.pose.txt").write_text(POSE.format(x=0.1 * frame))
    return folder


def test_a_clip_by_hand(tmp_path: Path) -> None:
    dataset = open_dataset(_write_clip(tmp_path / "room"))
    assert type(dataset) is RgbdClip
    assert (dataset.name, dataset.root_name, dict(dataset.regions)) == ("rgbd", "room", {"full": None})
    assert dict(dataset.classes) == {}
    windows = dataset.windows("all", seq_len=3, stride=3)
    assert windows == [Window(0, "room", (0, 1, 2), None), Window(1, "room", (3, 4, 5), None)]
    prepared = dataset.load(windows[1], Preparation(size=28))
    assert prepared.images.shape == (3, 3, 28, 28)
    np.testing.assert_allclose(prepared.images[0].mean(axis=(1, 2)), [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(prepared.camera_to_world[:, 0, 3], [0.3, 0.4, 0.5])
    np.testing.assert_array_equal(prepared.native_intrinsics[0], [[50, 0, 20], [0, 50, 15], [0, 0, 1]])
    points = prepared.points[0]
    # 0 and 65535 are no depth, and 100 mm is not above the limit.
    assert len(points.depth) == 30 * 40 - 3
    assert set(points.depth) == {2.0, 4.0} and (points.label == -1).all()
    # A prepared pixel is 40 / 28 native ones: the two columns on either side of the jump are not usable.
    assert sorted(set(points.uv[~points.usable, 0])) == [18, 19, 20, 21]
    assert prepared.dense_depth is None


def test_frames_that_lack_something(tmp_path: Path) -> None:
    folder = _write_clip(tmp_path / "room", range(9))
    (folder / "frame-000001.color.png").unlink()
    (folder / "frame-000003.depth.png").unlink()
    (folder / "frame-000005.pose.txt").unlink()
    (folder / "frame-000007.pose.txt").write_text(POSE.format(x="-inf"))
    dataset = RgbdClip(folder)
    assert [window.frames for window in dataset.windows("all", seq_len=1, stride=1)] == [(0,), (2,), (4,), (6,), (8,)]
    assert dataset.left_out == {rgbd.NO_COLOR: 1, rgbd.NO_DEPTH: 1, rgbd.NO_POSE: 2}
    assert dataset.left_out_frames[rgbd.NO_POSE] == [("room", 5), ("room", 7)]
    with pytest.raises(DataError, match="no window of 2 complete frames"):
        dataset.windows("all", seq_len=2, stride=1)


def test_several_clips_share_intrinsics(tmp_path: Path) -> None:
    _write_clip(tmp_path / "seq-01", range(2), intrinsics=False)
    _write_clip(tmp_path / "seq-02", range(2), intrinsics=False)
    (tmp_path / "camera-intrinsics.txt").write_text(INTRINSICS)
    (tmp_path / "notes").mkdir()
    dataset = open_dataset(tmp_path)
    windows = dataset.windows("all", seq_len=2, stride=2)
    assert [(window.id, window.drive) for window in windows] == [(0, "seq-01"), (1, "seq-02")]
    assert dataset.load(windows[1], Preparation(size=28)).window.drive == "seq-02"


@pytest.mark.parametrize("content", [None, "1 2 3", "50 0 20 0 50 15 0 0 2", "nan 0 20 0 50 15 0 0 1"])
def test_intrinsics_are_needed(tmp_path: Path, content: str | None) -> None:
    folder = _write_clip(tmp_path / "room", intrinsics=False)
    if content is not None:
        (folder / "camera-intrinsics.txt").write_text(content)
    with pytest.raises(DataError, match=r"camera-intrinsics\.txt holds no 3x3 intrinsics"):
        RgbdClip(folder)


def test_damage_met_when_loading_is_named(tmp_path: Path) -> None:
    folder = _write_clip(tmp_path / "room")
    dataset = RgbdClip(folder)
    small = Preparation(size=28)
    cv2.imwrite(str(folder / "frame-000001.depth.png"), np.zeros((4, 5), dtype=np.uint16))
    with pytest.raises(DataError, match="has 5x4 pixels"):
        dataset.load(Window(0, "room", (0, 1), None), small)
    cv2.imwrite(str(folder / "frame-000001.depth.png"), np.zeros(SIZE, dtype=np.uint8))
    with pytest.raises(DataError, match="no depth image of one 16-bit channel"):
        dataset.load(Window(0, "room", (0, 1), None), small)
    (folder / "frame-000002.pose.txt").write_text("1 2 3")
    with pytest.raises(DataError, match="holds no 4x4 pose"):
        dataset.load(Window(0, "room", (2,), None), small)
    with pytest.raises(DataError, match="frame 77 of room has no colour"):
        dataset.load(Window(0, "room", (77,), None), small)
    with pytest.raises(DataError, match="has no clip 'kitchen'"):
        dataset.load(Window(0, "kitchen", (1,), None), small)


def test_a_clip_has_one_split(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown split 'val' in an RGB-D clip; did you mean all"):
        RgbdClip(_write_clip(tmp_path / "room")).windows("val", seq_len=2, stride=2)


def test_the_real_clip(shared_data: Path) -> None:
    root = shared_data / "rgbd_clip"
    if not root.is_dir():
        pytest.skip(f"no RGB-D clip at {root}")
    dataset = open_dataset(root)
    windows = dataset.windows("all", seq_len=8, stride=8)
    assert len(windows) == 8 and not dataset.left_out
    prepared = dataset.load(Window(0, windows[2].drive, windows[2].frames[:3], None), Preparation())
    assert prepared.images.shape == (3, 3, 392, 518) and prepared.native_size == (480, 640)
    points = prepared.points[0]
    assert len(points.depth) > 200_000 and points.usable.mean() > 0.85
    # Depth and poses belong together: moved into the next camera, points land on its depth.
    intrinsics = prepared.native_intrinsics[0]
    space = np.column_stack([points.uv, np.ones(len(points.uv))]) @ np.linalg.inv(intrinsics).T * points.depth[:, None]
    motion = np.linalg.inv(prepared.camera_to_world[1]) @ prepared.camera_to_world[0]
    moved = space @ motion[:3, :3].T + motion[:3, 3]
    column, row = np.rint((moved @ intrinsics.T)[:, :2] / moved[:, 2:]).astype(int).T
    there = np.zeros((480, 640))
    other = prepared.points[1]
    there[tuple(other.uv.astype(int).T[::-1])] = other.depth
    inside = (column >= 0) & (column < 640) & (row >= 0) & (row < 480) & points.usable
    seen = there[row[inside], column[inside]]
    error = np.abs(seen - moved[inside, 2])[seen > 0] / moved[inside, 2][seen > 0]
    assert np.median(error) < 0.01
