"""The cache of ground truth: same points, keyed by everything, safe among writers."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from dataset_support import TRAIN_DRIVE, replace_file

from engine.dataset import kitti360_points
from engine.dataset.cache import PointsCache, cache_key
from engine.dataset.kitti360 import Kitti360
from engine.dataset.model import FramePoints, Preparation, PreparedWindow, Window
from engine.errors import DataError

WINDOW = Window(0, TRAIN_DRIVE, (14, 15), None)
SMALL = Preparation(size=84, patch=14)


def _kept(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*.npz")}


def _same(one: PreparedWindow, other: PreparedWindow) -> None:
    for first, second in zip(one.points, other.points, strict=True):
        for name in ("uv", "depth", "label", "usable"):
            left, right = getattr(first, name), getattr(second, name)
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)


def test_kept_points_are_the_made_ones_bit_by_bit(
    street_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Kitti360(street_root).load(WINDOW, SMALL)
    _same(Kitti360(street_root, cache=tmp_path).load(WINDOW, SMALL), plain)
    assert len(_kept(tmp_path)) == 2
    # Now nothing is made any more.
    monkeypatch.setattr(kitti360_points, "lidar_points", None)
    _same(Kitti360(street_root, cache=tmp_path).load(WINDOW, SMALL), plain)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: Kitti360(root, neighbours=3),
        lambda root: _other_calibration(root),
        lambda root: _touched(root, f"data_3d_raw/{TRAIN_DRIVE}/velodyne_points/data/0000000011.bin"),
        lambda root: _touched(root, f"data_2d_semantics/train/{TRAIN_DRIVE}/image_00/semantic/0000000014.png"),
        lambda root: _without(root, f"data_poses/{TRAIN_DRIVE}/cam0_to_world.txt"),
    ],
)
def test_whatever_it_depends_on_changes_the_key(
    copied_street: Callable[[], Path], tmp_path: Path, change: Callable[[Path], Kitti360]
) -> None:
    root, cache = copied_street(), tmp_path / "cache"
    one = Window(0, TRAIN_DRIVE, (14,), None)
    Kitti360(root, cache=cache).load(one, SMALL)
    before = _kept(cache)
    changed = change(root)
    changed._points._cache = PointsCache(cache)
    changed.load(one, SMALL)
    assert len(_kept(cache) - before) == 1


def test_another_preparation_has_its_own(street_root: Path, tmp_path: Path) -> None:
    dataset = Kitti360(street_root, cache=tmp_path)
    dataset.load(WINDOW, SMALL)
    dataset.load(WINDOW, Preparation(size=168))
    assert len(_kept(tmp_path)) == 4


def test_the_folder_of_the_dataset_does_not_matter(
    street_root: Path, copied_street: Callable[[], Path], tmp_path: Path
) -> None:
    Kitti360(street_root, cache=tmp_path / "cache").load(WINDOW, SMALL)
    Kitti360(copied_street(), cache=tmp_path / "cache").load(WINDOW, SMALL)
    assert len(_kept(tmp_path / "cache")) == 2


def test_a_damaged_file_is_made_again(street_root: Path, tmp_path: Path) -> None:
    plain = Kitti360(street_root, cache=tmp_path).load(WINDOW, SMALL)
    for path, content in zip(sorted(tmp_path.rglob("*.npz")), (b"", b"PK\x03\x04 half a file"), strict=True):
        path.write_bytes(content)
    _same(Kitti360(street_root, cache=tmp_path).load(WINDOW, SMALL), plain)
    _same(Kitti360(street_root, cache=tmp_path).load(WINDOW, SMALL), plain)


def test_points_that_lack_a_scan_are_not_kept(copied_street: Callable[[], Path], tmp_path: Path) -> None:
    root = copied_street()
    replace_file(root / f"data_3d_raw/{TRAIN_DRIVE}/velodyne_points/data/0000000018.bin", b"123")
    for _ in range(2):
        dataset = Kitti360(root, cache=tmp_path / "cache")
        dataset.load(WINDOW, SMALL)
        assert dataset.left_out.total() == 1
    assert len(_kept(tmp_path / "cache")) == 0


def test_many_writers_of_one_key(tmp_path: Path) -> None:
    cache = PointsCache(tmp_path)
    random = np.random.default_rng(0)
    points = FramePoints(
        uv=random.random((500, 2)),
        depth=random.random(500),
        label=np.arange(500, dtype=np.int16),
        usable=random.random(500) < 0.5,
    )

    def write_and_read(_: int) -> bool:
        cache.put("ab" * 32, points)
        found = cache.get("ab" * 32)
        return found is not None and bool((found.uv == points.uv).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write_and_read, range(40)))
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".npz"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    empty = FramePoints(np.empty((0, 2)), np.empty(0), np.empty(0, np.int16), np.empty(0, bool))
    with pytest.raises(DataError, match=r"the cache in .* cannot be written"):
        PointsCache(tmp_path / "file").put("ab" * 32, empty)


def test_key_of_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        cache_key({}, [], [tmp_path / "nowhere.bin"])


def _other_calibration(root: Path) -> Kitti360:
    path = root / "calibration/calib_cam_to_velo.txt"
    words = path.read_text().split()
    words[3] = str(float(words[3]) + 1e-9)
    replace_file(path, " ".join(words).encode())
    return Kitti360(root)


def _touched(root: Path, name: str) -> Kitti360:
    content = (root / name).read_bytes()
    replace_file(root / name, content)
    os.utime(root / name, ns=(1, 1))
    return Kitti360(root)


def _without(root: Path, name: str) -> Kitti360:
    (root / name).unlink()
    return Kitti360(root)
