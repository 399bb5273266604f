"""Laws of scoring: what must not matter does not, and nothing degenerate poisons the rest."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from support.room import REGIONS, ROAD, Room, imperfect, perfect, window
from torch.utils._python_dispatch import TorchDispatchMode

from engine.dataset.model import FramePoints, PreparedWindow, Window
from engine.inference.contract import Prediction
from engine.scoring.truth import WindowTruth, prepare_truth
from engine.scoring.window import rows, score_window

CPU = torch.device("cpu")
SMALL = Room(native=(48, 112), image=(21, 49), focal=52.0)


@cache
def scene() -> tuple[PreparedWindow, WindowTruth, Prediction]:
    prepared = window(SMALL)
    return prepared, prepare_truth(prepared, REGIONS, CPU), imperfect(prepared)


def in_unit(prediction: Prediction, unit: float) -> Prediction:
    poses = prediction.world_to_camera.clone()
    poses[..., 3] *= unit
    return replace(prediction, depth=prediction.depth * unit, world_to_camera=poses)


def table(prediction: Prediction, truth: WindowTruth, scope: str = "window") -> pl.DataFrame:
    return rows(score_window(prediction, truth, align_scope=scope), "c")


def by_frames(prepared: PreparedWindow, order: list[int]) -> PreparedWindow:
    """The window with its frames in another order."""
    assert prepared.dense_depth is not None
    return replace(
        prepared,
        window=Window(3, "drive", tuple(prepared.window.frames[i] for i in order), None),
        images=prepared.images[order],
        intrinsics=prepared.intrinsics[order],
        native_intrinsics=prepared.native_intrinsics[order],
        camera_to_world=prepared.camera_to_world[order],
        points=tuple(prepared.points[i] for i in order),
        dense_depth=prepared.dense_depth[order],
    )


@given(st.floats(-4, 4))
@settings(max_examples=8, deadline=None)
def test_the_unit_of_length_does_not_matter_where_promised(power: float) -> None:
    _, truth, prediction = scene()
    expected, found = table(prediction, truth), table(in_unit(prediction, 10.0**power), truth)
    aligned = pl.col("align").is_null() | (pl.col("align") != "none")
    keep = [name for name in expected.columns if name not in ("scale.log_ratio", "clamped")]
    # Rounding moves points across thresholds: a share may change by a point or two.
    assert_frame_equal(
        found.filter(aligned).select(keep), expected.filter(aligned).select(keep), rel_tol=2e-3, abs_tol=3e-3
    )
    free = ["photometric.error", "photometric.inlier_ratio", "normals.angular_mean"]
    none = pl.col("align") == "none"
    assert_frame_equal(found.filter(none).select(free), expected.filter(none).select(free), rel_tol=2e-3, abs_tol=3e-3)
    shift = found.filter(aligned)["scale.log_ratio"] - expected.filter(aligned)["scale.log_ratio"]
    assert shift.drop_nulls().to_numpy() == pytest.approx(-power * math.log(10), abs=1e-5)


@given(st.permutations(range(4)))
@settings(max_examples=4, deadline=None)
def test_the_order_of_frames_does_not_matter_to_depth_and_surfaces(order: list[int]) -> None:
    prepared, truth, prediction = scene()
    moved = prepare_truth(by_frames(prepared, order), REGIONS, CPU)
    other = Prediction(*(getattr(prediction, name)[:, order] for name in Prediction.__dataclass_fields__))
    names = ["frame", "region", "align", "pixels", "clamped", "degenerate"]
    names += [
        name for name in table(prediction, truth).columns if name.startswith(("depth.", "normals.", "planarity."))
    ]
    sort = ["frame", "region", "align"]
    frames = pl.col("region") != ""
    assert_frame_equal(
        table(other, moved).filter(frames).select(names).sort(sort),
        table(prediction, truth).filter(frames).select(names).sort(sort),
        rel_tol=1e-4,
        abs_tol=1e-4,
    )


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -5.0, 1e30])
def test_bad_pixels_do_not_poison_other_frames_or_regions(bad: float) -> None:
    _, truth, prediction = scene()
    depth = prediction.depth.clone()
    depth[0, 1, :4, :6] = bad  # a corner of one frame: facade
    spoiled = table(replace(prediction, depth=depth), truth)
    clean = table(prediction, truth)
    for name in clean.columns:
        assert spoiled[name].null_count() == clean[name].null_count(), name
        if spoiled[name].dtype == pl.Float64:
            assert spoiled[name].drop_nulls().is_finite().all(), name
    # Nothing is fitted in `none`: whatever does not see those pixels is exactly as before.
    elsewhere = (pl.col("align") == "none") & ((pl.col("frame") != 101) | (pl.col("region") == "non_building"))
    same = [name for name in clean.columns if name.startswith(("depth.", "scale.")) or name == "clamped"]
    assert_frame_equal(spoiled.filter(elsewhere).select(same), clean.filter(elsewhere).select(same))
    here = (pl.col("align") == "none") & (pl.col("frame") == 101) & (pl.col("region") == "building")
    assert spoiled.filter(here)["depth.abs_rel"][0] > clean.filter(here)["depth.abs_rel"][0]
    assert (spoiled.filter(here)["clamped"][0] > 0) == (bad != 1e30)
    assert spoiled.filter(here)["pixels"][0] == clean.filter(here)["pixels"][0]
    if bad != 1e30:  # bad depth takes no part in the fits, so the rest of the window is as well aligned as before
        away = (pl.col("align") == "median") & (pl.col("frame") == 103)
        assert_frame_equal(spoiled.filter(away).select(same), clean.filter(away).select(same), rel_tol=0.05)


@pytest.mark.parametrize("value", [math.nan, 0.0, -1.0])
@pytest.mark.parametrize("scope", ["window", "frame"])
def test_a_prediction_without_any_depth_is_bad_but_counted(value: float, scope: str) -> None:
    _, truth, prediction = scene()
    found = table(replace(prediction, depth=torch.full_like(prediction.depth, value)), truth, scope)
    frames = found.filter(pl.col("region") != "")
    assert (frames["clamped"] == frames["pixels"]).all()
    assert frames.filter(pl.col("align") != "none")["degenerate"].all()
    assert not frames.filter(pl.col("align") == "none")["degenerate"].any()
    assert (frames["depth.delta3"] == 0).all()
    assert frames["depth.abs_rel"].min() > 0.99
    assert frames["scale.log_ratio"].null_count() == frames.height
    assert frames["photometric.error"].null_count() == frames.height


@pytest.mark.parametrize("part", ["translation", "rotation", "intrinsics"])
def test_poses_that_are_not_numbers_leave_null_and_a_flag(part: str) -> None:
    _, truth, prediction = scene()
    poses, intrinsics = prediction.world_to_camera.clone(), prediction.intrinsics.clone()
    if part == "intrinsics":
        intrinsics[0, 2] = math.nan
    else:
        poses[0, 2, :, 3 if part == "translation" else 0] = math.nan
    found = table(replace(prediction, world_to_camera=poses, intrinsics=intrinsics), truth)
    row = found.filter(pl.col("region") == "").row(0, named=True)
    assert row["degenerate"] is (part != "intrinsics")
    assert (row["pose.ate_trans"] is None) is (part != "intrinsics")
    by_frame = found.filter(pl.col("align") == "none", pl.col("region") == "full").sort("frame")
    assert by_frame["photometric.error"].is_null().to_list() == [False, True, True, True]
    assert by_frame["depth.abs_rel"].null_count() == 0


def with_points(prepared: PreparedWindow, keep: dict[int, int]) -> PreparedWindow:
    """Only the first ``keep[frame]`` points of some frames, taken from the middle."""
    changed = []
    for index, points in enumerate(prepared.points):
        count = keep.get(index, len(points.depth))
        middle = np.argsort(np.abs(points.uv - points.uv.mean(0)).sum(1), kind="stable")[:count]
        changed.append(
            FramePoints(points.uv[middle], points.depth[middle], points.label[middle], points.usable[middle])
        )
    return replace(prepared, points=tuple(changed))


def test_a_frame_without_points_is_null_and_the_others_are_as_before() -> None:
    prepared, truth, prediction = scene()
    empty = table(prediction, prepare_truth(with_points(prepared, {1: 0}), REGIONS, CPU))
    there = empty.filter(pl.col("frame") == 101)
    assert there.height == 12
    for name in there.columns:
        if "." in name or name in ("pixels", "clamped"):
            assert there[name].null_count() == there.height, name
    none = (pl.col("align") == "none") & (pl.col("frame") != 101)
    same = [name for name in empty.columns if name not in ("normals.angular_mean", "normals.angular_median")]
    same = [name for name in same if not name.startswith("normals.inlier")]  # those follow the median alignment
    assert_frame_equal(
        empty.filter(none).select(same), table(prediction, truth).filter(none).select(same), rel_tol=1e-5
    )


@pytest.mark.parametrize("scope", ["window", "frame"])
def test_one_point(scope: str) -> None:
    prepared, _, prediction = scene()
    found = table(prediction, prepare_truth(with_points(prepared, {0: 1, 1: 0, 2: 0, 3: 0}), REGIONS, CPU), scope)
    row = found.filter(pl.col("frame") == 100, pl.col("region") == "full", pl.col("align") == "median").row(
        0, named=True
    )
    assert row["pixels"] == 1
    assert row["depth.abs_rel"] == pytest.approx(0, abs=1e-6)
    assert row["depth.si_log"] == pytest.approx(0, abs=1e-6)
    assert row["normals.coverage"] == 0
    assert row["normals.angular_mean"] is None
    assert row["planarity.inlier_ratio"] is None
    shifted = found.filter(pl.col("frame") == 100, pl.col("align") == "scale_shift")
    assert shifted["degenerate"].all()


@pytest.mark.parametrize("scope", ["window", "frame"])
def test_a_window_without_points_has_rows_without_numbers_and_still_poses(scope: str) -> None:
    prepared, truth, prediction = scene()
    found = table(prediction, prepare_truth(with_points(prepared, dict.fromkeys(range(4), 0)), REGIONS, CPU), scope)
    frames = found.filter(pl.col("region") != "")
    assert frames.height == 4 * 3 * 4
    assert all(frames[name].null_count() == frames.height for name in frames.columns if "." in name)
    poses = [name for name in found.columns if name.startswith("pose.")]
    expected = table(prediction, truth).filter(pl.col("region") == "").select(poses)
    assert_frame_equal(found.filter(pl.col("region") == "").select(poses), expected)


def test_a_window_without_buildings_has_no_planarity() -> None:
    prepared, _, prediction = scene()
    points = tuple(replace(frame, label=np.full_like(frame.label, ROAD)) for frame in prepared.points)
    found = table(prediction, prepare_truth(replace(prepared, points=points), REGIONS, CPU))
    building = found.filter(pl.col("region") == "building")
    assert all(building[name].null_count() == building.height for name in building.columns if "." in name)
    full = found.filter(pl.col("region") == "full")
    other = found.filter(pl.col("region") == "non_building")
    depth = [name for name in full.columns if name.startswith("depth.")]
    assert_frame_equal(full.select(depth), other.select(depth))


def test_a_dataset_of_one_region_and_planes_wherever_asked() -> None:
    prepared, _, prediction = scene()
    only = {"full": None}
    plain = table(prediction, prepare_truth(prepared, only, CPU))
    assert set(plain["region"]) == {"full", ""}
    assert plain["planarity.inlier_ratio"].null_count() == plain.height
    asked = table(prediction, prepare_truth(prepared, only, CPU, plane_region="full"))
    assert asked.filter(pl.col("region") == "full")["planarity.inlier_ratio"].null_count() == 0


def test_regions_of_labels_are_as_if_alone() -> None:
    prepared, truth, prediction = scene()
    many = {"road": (ROAD,), "nothing": (40,), **REGIONS}
    found = table(prediction, prepare_truth(prepared, many, CPU))
    depth = [name for name in found.columns if name.startswith(("depth.", "photometric.", "normals."))]
    road = found.filter(pl.col("region") == "road").select(depth)
    expected = table(prediction, truth).filter(pl.col("region") == "non_building").select(depth)
    assert_frame_equal(road, expected, rel_tol=1e-5)
    nothing = found.filter(pl.col("region") == "nothing")
    assert all(nothing[name].null_count() == nothing.height for name in depth)


def test_the_same_twice_is_the_same() -> None:
    prepared, truth, prediction = scene()
    assert_frame_equal(table(prediction, prepare_truth(prepared, REGIONS, CPU)), table(prediction, truth), rel_tol=0)


def test_the_number_of_threads_changes_no_bit() -> None:
    """Over several blocks, planes and frames, with points of every kind."""
    prepared = window(Room(native=(160, 420), image=(42, 98), focal=190.0))
    truth = prepare_truth(prepared, REGIONS, CPU, classes={11: "building"})
    assert len(truth.groups.blocks) > len(prepared.points)
    prediction = imperfect(prepared, 3)
    prediction.depth[0, 1, :4, :6] = math.nan
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            found.append(score_window(prediction, truth).packed)
    finally:
        torch.set_num_threads(before)
    assert found[0].nan_to_num(-1.0).equal(found[1].nan_to_num(-1.0))
    assert found[0].nan_to_num(-1.0).equal(found[2].nan_to_num(-1.0))


class _NoWaiting(TorchDispatchMode):
    """Fails where a program on a GPU would wait for the device: numbers read, sizes that depend on values."""

    _WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "_unique2", "is_nonzero", "equal")

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        name = func.overloadpacket.__name__
        assert name not in self._WAITS, f"{name} waits for the device"
        assert name != "index" or all(index is None or index.dtype != torch.bool for index in args[1]), (
            "indexing by a mask waits for the device"
        )
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("scope", ["window", "frame"])
def test_nothing_waits_for_the_device_before_the_rows_are_asked_for(scope: str) -> None:
    _, truth, prediction = scene()
    with _NoWaiting():
        scores = score_window(prediction, truth, align_scope=scope)
    expected = table(prediction, truth, scope)
    assert_frame_equal(rows(scores, "c"), expected, rel_tol=0)


def test_perfect_is_never_worse_than_imperfect() -> None:
    prepared, truth, prediction = scene()
    good, bad = table(perfect(prepared), truth), table(prediction, truth)
    building = (pl.col("region") == "building") & (pl.col("align") == "median")
    for name, sign in (("depth.abs_rel", 1), ("normals.angular_mean", 1), ("photometric.inlier_ratio", -1)):
        gap = (bad.filter(building)[name] - good.filter(building)[name]).drop_nulls()
        assert (sign * gap > 0).all(), name
