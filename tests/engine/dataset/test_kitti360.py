"""The KITTI-360 reader on copies of a street from which things are missing."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from dataset_support import TEST_DRIVE, TRAIN_DRIVE, replace_file

from engine.dataset import kitti360
from engine.dataset.kitti360 import Kitti360
from engine.dataset.kitti360_points import BAD_NEIGHBOUR
from engine.dataset.model import Preparation, Stratum, Window
from engine.errors import DataError, UnknownNameError, UsageError

FIRST = 10  # frames 10 to 21
SMALL = Preparation(size=84, patch=14)


def _image(root: Path, frame: int, drive: str = TRAIN_DRIVE) -> Path:
    return root / "data_2d_raw" / drive / "image_00/data_rect" / f"{frame:010d}.png"


def _label(root: Path, frame: int) -> Path:
    return root / "data_2d_semantics/train" / TRAIN_DRIVE / "image_00/semantic" / f"{frame:010d}.png"


def _scan(root: Path, frame: int) -> Path:
    return root / "data_3d_raw" / TRAIN_DRIVE / "velodyne_points/data" / f"{frame:010d}.bin"


def _drop_pose(root: Path, frame: int) -> None:
    path = root / "data_poses" / TRAIN_DRIVE / "cam0_to_world.txt"
    kept = [line for line in path.read_text().splitlines(keepends=True) if not line.startswith(f"{frame} ")]
    replace_file(path, "".join(kept).encode())


def _frames(dataset: Kitti360, seq_len: int, stride: int) -> list[tuple[int, ...]]:
    return [window.frames for window in dataset.windows("train", seq_len=seq_len, stride=stride)]


def test_windows_of_a_whole_drive(street_root: Path) -> None:
    dataset = Kitti360(street_root)
    windows = dataset.windows("train", seq_len=4, stride=4)
    assert [window.frames for window in windows] == [(10, 11, 12, 13), (14, 15, 16, 17), (18, 19, 20, 21)]
    assert [window.id for window in windows] == [0, 1, 2]
    assert {window.drive for window in windows} == {TRAIN_DRIVE}
    assert all(isinstance(window.stratum, Stratum) for window in windows)
    assert not dataset.left_out
    assert (dataset.name, dataset.root_name) == ("kitti360", "lane")


def test_strata_come_from_the_centre_frame(copied_street: Callable[[], Path]) -> None:
    root = copied_street()
    for frame, share in ((12, 0.3), (16, 0.1), (20, 0.09)):
        labels = np.zeros((47, 176), dtype=np.uint8)
        labels.flat[: int(np.ceil(share * labels.size))] = 11
        labels.flat[-1000:] = 34  # garages are another class
        replace_file(_label(root, frame), cv2.imencode(".png", labels)[1].tobytes())
    windows = Kitti360(root).windows("train", seq_len=4, stride=4)
    assert [window.stratum for window in windows] == [Stratum.RICH, Stratum.MIXED, Stratum.ROAD]


def test_frames_that_lack_something_are_left_out_counted_and_named(copied_street: Callable[[], Path]) -> None:
    root = copied_street()
    _image(root, 11).unlink()
    _scan(root, 14).unlink()
    _label(root, 18).unlink()
    _label(root, 14).unlink()
    _drop_pose(root, 20)
    dataset = Kitti360(root)
    assert _frames(dataset, 2, 1) == [(12, 13), (15, 16), (16, 17)]
    assert dataset.left_out == {
        kitti360.NO_IMAGE: 1,
        kitti360.NO_SCAN: 1,
        kitti360.NO_LABELS: 2,
        kitti360.NO_POSE: 1,
    }
    assert dataset.left_out_frames[kitti360.NO_LABELS] == [(TRAIN_DRIVE, 14), (TRAIN_DRIVE, 18)]
    _frames(dataset, 2, 1)
    assert dataset.left_out[kitti360.NO_LABELS] == 2  # asked twice, counted once


def test_a_drive_that_is_not_there(copied_street: Callable[[], Path]) -> None:
    root = copied_street()
    path = root / "data_2d_semantics/train/2013_05_28_drive_train_frames.txt"
    other = path.read_text().replace("drive_0000", "drive_0005")
    replace_file(path, (path.read_text() + other).encode())
    dataset = Kitti360(root)
    assert len(_frames(dataset, 4, 4)) == 3
    assert dataset.left_out == {kitti360.NO_DRIVE: 12}


def test_unreadable_labels_cost_their_window(copied_street: Callable[[], Path]) -> None:
    root = copied_street()
    replace_file(_label(root, 16), b"no picture")
    dataset = Kitti360(root)
    assert _frames(dataset, 4, 4) == [(10, 11, 12, 13), (18, 19, 20, 21)]
    assert dataset.left_out == {kitti360.BAD_LABELS: 1}


def test_neighbouring_scans_are_used_where_they_are_there(copied_street: Callable[[], Path]) -> None:
    root = copied_street()
    replace_file(_scan(root, 13), b"12345")  # unreadable
    _scan(root, 12).unlink()
    dataset = Kitti360(root)
    window = Window(0, TRAIN_DRIVE, (15, 16), None)
    prepared = dataset.load(window, SMALL)
    assert dataset.left_out == {BAD_NEIGHBOUR: 1}
    assert dataset.left_out_frames == {BAD_NEIGHBOUR: [(TRAIN_DRIVE, 13)]}
    whole = Kitti360(root, neighbours=1).load(window, SMALL)
    assert len(whole.points[0].depth) < len(prepared.points[0].depth)


def test_own_scan_must_be_readable(copied_street: Callable[[], Path]) -> None:
    root = copied_street()
    replace_file(_scan(root, 13), b"12345")
    with pytest.raises(DataError, match=r"0000000013\.bin has 5 bytes"):
        # Met as a neighbour of frame 12 first, it is still an error when its own turn comes.
        Kitti360(root).load(Window(0, TRAIN_DRIVE, (12, 13), None), SMALL)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda root: _image(root, 12).unlink(), r"0000000012\.png cannot be read"),
        (lambda root: replace_file(_image(root, 12), b"no picture"), "is no picture"),
        (lambda root: replace_file(_image(root, 12), b""), "is no picture"),
        (lambda root: replace_file(_label(root, 12), _image(root, 12).read_bytes()), "no label image"),
        (
            lambda root: replace_file(_label(root, 12), cv2.imencode(".png", np.zeros((5, 6), np.uint8))[1].tobytes()),
            "has 6x5 pixels, but the calibration says 176x47",
        ),
        (lambda root: _drop_pose(root, 12), "frame 12 of .* has no pose"),
    ],
)
def test_damage_met_when_loading_is_named(
    copied_street: Callable[[], Path], damage: Callable[[Path], None], message: str
) -> None:
    root = copied_street()
    damage(root)
    with pytest.raises(DataError, match=message):
        Kitti360(root).load(Window(0, TRAIN_DRIVE, (11, 12), None), SMALL)


def test_test_split_is_drives_0008_and_0018(street_root: Path, copied_street: Callable[[], Path]) -> None:
    dataset = Kitti360(street_root)
    windows = dataset.windows("test", seq_len=8, stride=8)
    assert {window.drive for window in windows} == {TEST_DRIVE}
    # A window alone says where its drive lies, to another process that has not cut the windows.
    assert Kitti360(street_root).load(windows[0], SMALL).images.shape == (8, 3, 28, 84)
    root = copied_street()
    (root / "data_2d_test" / TEST_DRIVE).rename(root / "data_2d_test" / "2013_05_28_drive_0009_sync")
    with pytest.raises(DataError, match="no images of the test drives"):
        Kitti360(root).windows("test", seq_len=8, stride=8)


def test_no_window_left_says_why(copied_street: Callable[[], Path]) -> None:
    root = copied_street()
    for frame in range(FIRST, FIRST + 12):
        _label(root, frame).unlink()
    with pytest.raises(DataError, match=r"no window of 4 complete frames in train .*frame without labels: 12"):
        Kitti360(root).windows("train", seq_len=4, stride=4)


def test_missing_and_empty_split_lists(copied_street: Callable[[], Path]) -> None:
    root = copied_street()
    path = root / "data_2d_semantics/train/2013_05_28_drive_val_frames.txt"
    replace_file(path, b"\n")
    with pytest.raises(DataError, match="lists no frame"):
        Kitti360(root).windows("val", seq_len=4, stride=4)
    path.unlink()
    with pytest.raises(DataError, match=r"val_frames\.txt is missing"):
        Kitti360(root).windows("val", seq_len=4, stride=4)


def test_wrong_arguments(street_root: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown split 'vall'.*did you mean val"):
        Kitti360(street_root).windows("vall", seq_len=4, stride=4)
    with pytest.raises(UsageError):
        Kitti360(street_root).windows("val", seq_len=0, stride=4)
    with pytest.raises(UsageError):
        Kitti360(street_root, neighbours=-1)


def test_a_prepared_window_has_what_it_promises(street_root: Path) -> None:
    dataset = Kitti360(street_root)
    window = dataset.windows("train", seq_len=4, stride=4)[1]
    prepared = dataset.load(window, SMALL)
    assert prepared.window == window
    assert prepared.images.shape == (4, 3, 28, 84) and prepared.images.dtype == np.float32
    assert 0 <= prepared.images.min() < prepared.images.max() <= 1
    assert prepared.native_size == (47, 176)
    assert prepared.intrinsics.shape == prepared.native_intrinsics.shape == (4, 3, 3)
    assert prepared.camera_to_world.shape == (4, 4, 4)
    assert prepared.native_to_image.shape == (2, 3)
    assert len(prepared.points) == 4 and prepared.dense_depth is None
    # RGB, not BGR: the sky at the top is bluer than it is red.
    sky = prepared.images[0][:, :3].mean(axis=(1, 2))
    assert sky[2] > sky[0]


def test_regions_are_complements_and_classes_have_their_official_names(street_root: Path) -> None:
    dataset = Kitti360(street_root)
    regions, classes = dataset.regions, dataset.classes
    assert (classes[7], classes[11], classes[23], classes[44]) == ("road", "building", "sky", "unknown object")
    assert len(set(classes.values())) == len(classes)
    assert set(regions) == {"full", "building", "non_building"}
    assert regions["full"] is None
    assert sorted(itertools.chain(regions["building"] or (), regions["non_building"] or ())) == list(range(256))


def test_loading_from_threads_gives_the_same(street_root: Path) -> None:
    dataset = Kitti360(street_root)
    windows = dataset.windows("train", seq_len=4, stride=4)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda window: Kitti360.load(dataset, window, SMALL), windows))
    for window, prepared in zip(windows, found, strict=True):
        again = dataset.load(window, SMALL)
        np.testing.assert_array_equal(prepared.images, again.images)
        for one, other in zip(prepared.points, again.points, strict=True):
            np.testing.assert_array_equal(one.depth, other.depth)


def test_the_room_imports_no_torch() -> None:
    script = (
        "import sys, engine.dataset.open; "
        "sys.exit(','.join({'torch', 'peft', 'textual', 'polars'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
