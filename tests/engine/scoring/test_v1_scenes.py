"""Scenes with known answers: what a perfect prediction scores, and errors made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from support.room import BUILDING, REGIONS, ROAD, Room, Wall, perfect, pose, window

from engine.dataset.model import PreparedWindow
from engine.inference.contract import Prediction
from engine.scoring.truth import BESIDE_JUMP, OUTSIDE_IMAGE, WindowTruth, prepare_truth
from engine.scoring.window import rows, score_window

CPU = torch.device("cpu")
FACADE = Room(walls=(Wall((0.0, 0.0, 1.0), 10.0, BUILDING),), poses=tuple(pose(x=0.3 * i) for i in range(3)))
SLANTED = Room(walls=(Wall((0.6, 0.0, 0.8), 8.0, BUILDING),), poses=tuple(pose(x=0.3 * i) for i in range(3)))
FLAT = Room(walls=(Wall((0.0, 1.0, 0.0), 1.5, ROAD), Wall((0.0, 0.0, 1.0), 25.0, BUILDING)))


def truth_of(prepared: PreparedWindow) -> WindowTruth:
    return prepare_truth(prepared, REGIONS, CPU)


def scored(prediction: Prediction, truth: WindowTruth, region: str = "building", align: str = "none") -> pl.DataFrame:
    table = rows(score_window(prediction, truth), "c")
    return table.filter(pl.col("region") == region, pl.col("align") == align)


def pose_row(prediction: Prediction, truth: WindowTruth) -> dict[str, object]:
    return rows(score_window(prediction, truth), "c").filter(pl.col("region") == "").row(0, named=True)


def times(prediction: Prediction, factor: float) -> Prediction:
    return replace(prediction, depth=prediction.depth * factor)


@pytest.mark.parametrize("room", [FACADE, SLANTED], ids=["fronto-parallel", "slanted"])
@pytest.mark.parametrize("align", ["none", "scale", "median", "scale_shift"])
def test_a_perfect_prediction_of_a_facade_is_perfect(room: Room, align: str) -> None:
    prepared = window(room)
    table = scored(perfect(prepared), truth_of(prepared), align=align)
    assert table["depth.abs_rel"].max() < 2e-6
    assert table["depth.si_log"].max() < 2e-6
    assert table["depth.delta1"].min() == 1
    assert table["scale.log_ratio"].abs().max() < 1e-6
    assert table["normals.angular_mean"].max() < 1e-3
    assert table["normals.inlier_11_25"].min() == 1
    assert table["normals.coverage"].min() > 0.8
    assert table["planarity.inlier_ratio"].min() == 1
    assert table["planarity.residual_mean"].max() < 1e-4
    assert table["planarity.self_residual"].max() < 1e-4
    # The far end of the slanted facade shows more texture than its few pixels can hold.
    assert table["photometric.inlier_ratio"].min() > (0.9999 if room is FACADE else 0.99)
    assert table["photometric.error"].max() < 0.01
    assert table["photometric.inlier_auc"].min() > 0.99
    assert table["photometric.error"].null_count() == 1  # no frame follows the last one
    assert (table["degenerate"] == (room is FACADE and align == "scale_shift")).all()  # one depth has no spread


def test_a_perfect_prediction_of_a_street_is_nearly_perfect() -> None:
    prepared = window(Room())
    truth = truth_of(prepared)
    for region in REGIONS:
        table = scored(perfect(prepared), truth, region)
        assert table["depth.abs_rel"].max() < 1e-3  # creases between walls are rounded off by sampling
        assert table["depth.delta1"].min() == 1
        assert table["normals.angular_mean"].max() < 1
        assert table["photometric.inlier_ratio"].drop_nulls().min() > 0.98  # texture far away is finer than a pixel
    assert scored(perfect(prepared), truth)["planarity.inlier_ratio"].min() > 0.98
    row = pose_row(perfect(prepared), truth)
    for name in ("ate_trans", "ate_rot_deg", "rpe_trans", "rpe_rot_deg"):
        assert row[f"pose.{name}"] == pytest.approx(0, abs=1e-6)
    for name in ("rra5", "rta5", "auc30"):
        assert row[f"pose.{name}"] == 1
    assert row["degenerate"] is False


def test_a_tenth_too_far_by_hand() -> None:
    prepared = window(FACADE)
    row = scored(times(perfect(prepared), 1.1), truth_of(prepared)).row(0, named=True)
    log = math.log(1.1)
    expected = {
        "depth.mae": 1.0,
        "depth.rmse": 1.0,
        "depth.abs_rel": 0.1,
        "depth.sq_rel": 0.1,
        "depth.rmse_log": log,
        "depth.log10": math.log10(1.1),
        "depth.delta1": 1.0,
        "scale.log_ratio": -log,
        "planarity.inlier_ratio": 0.0,
        "planarity.residual_mean": 1.0,
        "planarity.residual_median": 1.0,
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-5)
    assert row["depth.si_log"] < 1e-6
    assert row["normals.angular_mean"] < 1e-3
    assert row["planarity.self_residual"] < 1e-4


@pytest.mark.parametrize(("factor", "deltas"), [(1.2, (1, 1, 1)), (1.3, (0, 1, 1)), (0.6, (0, 0, 1)), (2.0, (0, 0, 0))])
def test_deltas_by_hand(factor: float, deltas: tuple[int, int, int]) -> None:
    prepared = window(FACADE)
    row = scored(times(perfect(prepared), factor), truth_of(prepared)).row(0, named=True)
    assert (row["depth.delta1"], row["depth.delta2"], row["depth.delta3"]) == deltas


def test_a_facade_predicted_at_a_wrong_angle_is_off_by_that_angle() -> None:
    prepared = window(FACADE)
    tilted = window(replace(FACADE, walls=(Wall((math.sin(0.3), 0.0, math.cos(0.3)), 10.0, BUILDING),)))
    table = scored(perfect(tilted), truth_of(prepared))
    assert table["normals.angular_mean"].to_list() == pytest.approx([math.degrees(0.3)] * 3, abs=1e-3)
    assert table["normals.angular_median"].to_list() == pytest.approx([math.degrees(0.3)] * 3, abs=1e-3)
    assert table["normals.inlier_11_25"].max() == 0
    assert table["normals.inlier_22_5"].min() == 1
    assert table["planarity.self_residual"].max() < 1e-4  # flat, though elsewhere
    assert table["planarity.residual_mean"].min() > 0.3


def test_a_shift_is_undone_by_scale_and_shift_alone() -> None:
    prepared = window(FLAT)
    right = perfect(prepared)
    truth = truth_of(prepared)
    # Bilinear in inverse depth is exact for the planes, not for planes with a constant added: look at pixel centres.
    shifted = score_window(right, truth, at_points=truth.depth / 3 + 0.7)
    table = rows(shifted, "c").filter(pl.col("region") == "full")
    by_align = dict(table.group_by("align").agg(pl.col("depth.abs_rel").max()).iter_rows())
    assert by_align["scale_shift"] < 1e-5
    assert min(by_align["none"], by_align["scale"], by_align["median"]) > 0.05


def test_a_wrong_translation_shows_in_the_photometric_error_alone() -> None:
    prepared = window(Room())
    right = perfect(prepared)
    moved = right.world_to_camera.clone()
    moved[:, :, 0, 3] += torch.tensor([0.0, 1.0, 0.0, 1.0])
    truth = truth_of(prepared)
    wrong, good = scored(replace(right, world_to_camera=moved), truth), scored(right, truth)
    assert wrong["photometric.error"].min() > 5 * good["photometric.error"].max()
    for name in wrong.columns:
        if name.startswith(("depth.", "normals.", "planarity.", "scale.")):
            assert wrong[name].equals(good[name])


def test_points_beside_jumps_and_outside_a_crop_are_left_out_and_counted() -> None:
    prepared = window(FACADE)
    points = prepared.points[0]
    usable = points.uv[:, 0] > 50
    marked = replace(prepared, points=(replace(points, usable=usable), *prepared.points[1:]))
    whole, part = truth_of(prepared), truth_of(marked)
    assert part.left_out[BESIDE_JUMP] == (~usable).sum()
    kept = int(part.groups.counts[0, 0])
    scale = prepared.native_to_image
    image_uv = points.uv @ scale[:, :2].T + scale[:, 2]
    inside = ((image_uv >= 0) & (image_uv <= [FACADE.image[1] - 1, FACADE.image[0] - 1])).all(1)
    assert kept == (usable & inside).sum()
    assert int(whole.groups.counts[0, 0]) == inside.sum()
    assert whole.left_out[OUTSIDE_IMAGE] >= (~inside).sum()
    # No normal is taken within reach of a point beside a jump.
    near = part.uv[part.normals.hoods[0].centre][:, 0]
    assert float(near.min()) > (50 + 3) * scale[0, 0] + scale[0, 2]


def test_a_stationary_camera_has_no_translation_to_compare() -> None:
    prepared = window(replace(FACADE, poses=tuple(pose(yaw=0.5 * i, z=0.1 * i) for i in range(3))))
    row = pose_row(perfect(prepared), truth_of(prepared))
    for name in ("ate_trans", "ate_rot_deg", "rpe_trans", "rta5", "auc30"):
        assert row[f"pose.{name}"] is None
    assert row["pose.rpe_rot_deg"] == pytest.approx(0, abs=1e-6)
    assert row["pose.rra5"] == 1


def test_a_single_frame_has_no_pose_and_no_photometric_score() -> None:
    prepared = window(replace(FACADE, poses=FACADE.poses[:1]))
    truth = truth_of(prepared)
    row = pose_row(perfect(prepared), truth)
    assert all(row[name] is None for name in row if name.startswith("pose."))
    table = scored(perfect(prepared), truth)
    assert table["photometric.error"].to_list() == [None]
    assert table["depth.abs_rel"].max() < 1e-5


def test_what_chance_scores() -> None:
    """One depth everywhere, no motion: finite, bad and flagged numbers."""
    prepared = window(Room())
    right = perfect(prepared)
    eye = torch.eye(4)[:3].expand(1, 4, 3, 4)
    blind = replace(right, depth=torch.full_like(right.depth, 8.0), world_to_camera=eye)
    truth = truth_of(prepared)
    table = scored(blind, truth, align="median")
    assert table["depth.abs_rel"].min() > 0.2
    assert table["normals.angular_mean"].min() > 20
    assert np.isfinite(table["photometric.error"].drop_nulls().to_numpy()).all()
    assert scored(blind, truth, align="scale_shift")["degenerate"].all()
    row = pose_row(blind, truth)
    centres = prepared.camera_to_world[:, :3, 3]
    spread = math.sqrt(((centres - centres.mean(0)) ** 2).sum(1).mean())
    assert row["pose.ate_trans"] == pytest.approx(spread, rel=1e-6)
    assert row["degenerate"] is True


def test_a_prediction_of_another_shape_is_refused() -> None:
    prepared = window(FACADE)
    truth = truth_of(prepared)
    right = perfect(prepared)
    with pytest.raises(ValueError, match="shape"):
        score_window(replace(right, depth=right.depth[..., :-1]), truth)
    with pytest.raises(ValueError, match="shape"):
        score_window(replace(right, depth=right.depth.repeat(2, 1, 1, 1)), truth)
