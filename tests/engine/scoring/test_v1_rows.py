"""Rows of the store: the schema, the catalogue's names, repeated metrics, curves."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import polars as pl
import pytest
import torch
from support.room import REGIONS, Room, imperfect, window

from engine.catalogue import Group, frame_metric_names
from engine.geometry.alignment import ALIGNMENTS
from engine.results.writer import write_frames
from engine.schema import CURVES, FRAMES
from engine.scoring.pose import POSE
from engine.scoring.protocol import V1, parameters
from engine.scoring.truth import prepare_truth
from engine.scoring.window import (
    INLIER_CURVE,
    WindowScores,
    curve_rows,
    expected_metrics,
    merge_curves,
    rows,
    score_window,
)


@cache
def scores(seed: int = 0) -> WindowScores:
    prepared = window(Room(native=(48, 112), image=(21, 49), focal=52.0))
    return score_window(imperfect(prepared, seed), prepare_truth(prepared, REGIONS, torch.device("cpu")))


def test_scoring_and_catalogue_agree() -> None:
    computed = {name for name in scores().names if "." in name} | {f"pose.{name}" for name in POSE}
    assert computed == expected_metrics()
    assert frame_metric_names()[Group.POSE] == POSE


def test_rows_have_the_schema_and_one_pose_row() -> None:
    table = rows(scores(), "checkpoint_3")
    assert table.schema == FRAMES
    assert table.height == len(ALIGNMENTS) * 4 * len(REGIONS) + 1
    assert table["checkpoint"].unique().to_list() == ["checkpoint_3"]
    assert table["drive"].unique().to_list() == ["drive"]
    assert table["window"].unique().to_list() == [3]
    frames = table.filter(pl.col("region") != "")
    assert frames.select("frame", "region", "align").is_duplicated().sum() == 0
    assert sorted(frames["frame"].unique()) == [100, 101, 102, 103]
    assert set(frames["align"]) == set(ALIGNMENTS)
    pose = table.filter(pl.col("region") == "")
    assert pose.height == 1
    assert pose["frame"].to_list() == [None]
    assert pose["align"].to_list() == [None]
    assert all(pose[f"pose.{name}"][0] is not None for name in POSE)
    assert all(pose[name][0] is None for name in expected_metrics() if not name.startswith("pose."))
    assert all(frames[f"pose.{name}"].null_count() == frames.height for name in POSE)


def test_every_metric_was_measured_somewhere_and_none_is_nan() -> None:
    table = rows(scores(), "c")
    for name in expected_metrics():
        values = table[name].drop_nulls()
        assert values.len(), name
        assert values.is_finite().all(), name


def test_what_no_alignment_changes_stands_in_every_alignment() -> None:
    frames = rows(scores(), "c").filter(pl.col("region") != "")
    same = [name for name in frames.columns if name.startswith(("photometric.", "scale."))] + [
        "normals.coverage",
        "pixels",
    ]
    counted = frames.group_by("frame", "region").agg(pl.col(same).n_unique())
    assert all(counted[name].max() == 1 for name in same)


def test_the_last_frame_has_no_photometric_score() -> None:
    table = rows(scores(), "c").filter(pl.col("region") == "full", pl.col("align") == "none").sort("frame")
    assert table["photometric.error"].is_null().to_list() == [False, False, False, True]


def test_rows_can_be_stored(tmp_path: Path) -> None:
    table = rows(scores(), "c")
    stored = pl.read_parquet(write_frames(tmp_path, "c", table))
    assert stored.equals(table)


def test_the_curve_passes_through_the_inlier_ratio() -> None:
    curve = curve_rows(scores(), "c")
    assert curve.schema == CURVES
    table = rows(scores(), "c").filter(pl.col("align") == "none")
    for region in REGIONS:
        of_region = curve.filter(pl.col("region") == region)
        assert of_region["curve"].unique().to_list() == [INLIER_CURVE]
        assert of_region["y"].is_sorted()
        mean = table.filter(pl.col("region") == region)["photometric.inlier_ratio"].mean()
        assert of_region.filter(pl.col("x") == V1.photometric_inlier)["y"].to_list() == pytest.approx([mean])


def test_merging_curves_weighs_by_frames() -> None:
    one = pl.DataFrame(
        [("c", "k", "full", 0.01, 0.2, 3), ("c", "k", "full", 0.02, 0.4, 3)], schema=CURVES, orient="row"
    )
    two = pl.DataFrame(
        [("c", "k", "full", 0.01, 0.6, 1), ("d", "k", "full", 0.01, 0.9, 7)], schema=CURVES, orient="row"
    )
    merged = merge_curves([one, two])
    assert merged.rows() == [
        ("c", "k", "full", 0.01, pytest.approx(0.3), 4),
        ("c", "k", "full", 0.02, pytest.approx(0.4), 3),
        ("d", "k", "full", 0.01, pytest.approx(0.9), 7),
    ]
    assert merge_curves([]).schema == CURVES


def test_parameters_are_plain_json() -> None:
    stored = json.loads(json.dumps(parameters()))
    assert stored["least_depth"] == 1e-3
    assert stored["normals"]["window"] == 9
    assert stored["planes"]["points"] == 200
    assert stored["photometric_thresholds"][0] == 0.01
    assert stored["photometric_thresholds"][-1] == 0.2
