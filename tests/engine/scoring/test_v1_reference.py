"""Every metric of v1 against plain NumPy loops, on good, bad and spoiled predictions."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest
import torch
from support.room import REGIONS, Room, imperfect, perfect, window
from v1_reference import Reference, Scores

from engine.dataset.model import FramePoints, PreparedWindow
from engine.inference.contract import Prediction
from engine.scoring.truth import prepare_truth
from engine.scoring.window import curve_rows, rows, score_window

SMALL = Room(native=(40, 96), image=(20, 48), focal=46.0, density=0.4)
FIRST = 100  # number of the first frame of the window


def beside_jumps(prepared: PreparedWindow) -> PreparedWindow:
    """Some points are not usable; one frame has no building."""
    changed = []
    for frame, points in enumerate(prepared.points):
        usable = points.uv[:, 0] < 80
        usable &= (points.uv[:, 0] < 40) | (points.uv[:, 0] > 43)
        label = np.where((frame == 2) & (points.label == 11), 7, points.label).astype(np.int16)
        changed.append(FramePoints(points.uv, points.depth, label, usable))
    return replace(prepared, points=tuple(changed))


def spoiled(prediction: Prediction) -> Prediction:
    """Pixels without a depth, in every way."""
    depth = prediction.depth.clone()
    rng = np.random.default_rng(1)
    for value in (math.nan, math.inf, -math.inf, 0.0, -2.0):
        where = torch.from_numpy(rng.random(depth.shape) < 0.01)
        depth[where] = value
    return replace(prediction, depth=depth)


@cache
def case(name: str) -> tuple[PreparedWindow, Prediction]:
    prepared = window(SMALL)
    if name == "imperfect":
        return prepared, imperfect(prepared)
    if name == "spoiled":
        return prepared, spoiled(imperfect(prepared, seed=4, unit=0.03))
    if name == "jumps":
        prepared = beside_jumps(prepared)
        return prepared, imperfect(prepared, seed=2)
    if name == "crop":
        affine = np.array([[1.0, 0, -30], [0, 1.0, -8]])
        full = np.vstack([affine, [0, 0, 1]])
        cropped = replace(SMALL, image=(28, 28))
        shown = window(cropped)
        return replace(
            prepared,
            images=shown.images,
            native_to_image=affine,
            intrinsics=full @ prepared.native_intrinsics,
            dense_depth=shown.dense_depth,
        ), imperfect(shown)
    return prepared, perfect(prepared)


def found_rows(prepared: PreparedWindow, prediction: Prediction, scope: str = "window") -> pl.DataFrame:
    truth = prepare_truth(prepared, REGIONS, torch.device("cpu"))
    return rows(score_window(prediction, truth, align_scope=scope), "checkpoint")


def compare(table: pl.DataFrame, expected: Scores, group: str, rel: float, tolerance: float) -> None:
    """Shares may differ by ``tolerance``: a point at a threshold falls on either side of it."""
    by_key = {(row["frame"], row["region"], row["align"]): row for row in table.iter_rows(named=True)}
    assert expected
    for (frame, region, kind), metrics in expected.items():
        row = by_key[FIRST + frame, region, kind]
        for name, value in metrics.items():
            if group not in name.split("."):
                continue
            if np.isnan(value):
                assert row[name] is None, (frame, region, kind, name)
            else:
                assert row[name] == pytest.approx(value, rel=rel, abs=tolerance), (frame, region, kind, name)
        measured = {name for name, value in row.items() if name.startswith(f"{group}.") and value is not None}
        assert measured == {name for name, value in metrics.items() if name.startswith(f"{group}.") and value == value}
    for key, row in by_key.items():
        if key[0] is not None and (key[0] - FIRST, *key[1:]) not in expected and key[2] in {k[2] for k in expected}:
            assert all(row[name] is None for name in row if name.startswith(f"{group}.")), key


CASES = ["imperfect", "spoiled", "jumps", "crop", "perfect"]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("scope", ["window", "frame"])
def test_depth_and_scale(name: str, scope: str) -> None:
    prepared, prediction = case(name)
    reference = Reference(prepared, prediction, REGIONS, scope)
    expected = reference.depth_scores()
    table = found_rows(prepared, prediction, scope)
    compare(table, expected, "depth", rel=3e-5, tolerance=2e-6)
    compare(table, expected, "scale", rel=1e-5, tolerance=2e-6)
    by_key = {(row["frame"], row["region"], row["align"]): row for row in table.iter_rows(named=True)}
    for (frame, region, kind), metrics in expected.items():
        row = by_key[FIRST + frame, region, kind]
        assert (row["pixels"], row["clamped"]) == (metrics["pixels"], metrics["clamped"])
        assert row["degenerate"] == reference.degenerate[kind, frame]


@pytest.mark.parametrize("name", CASES)
def test_normals(name: str) -> None:
    prepared, prediction = case(name)
    table = found_rows(prepared, prediction)
    compare(table, Reference(prepared, prediction, REGIONS).normal_scores(), "normals", rel=1e-4, tolerance=2e-4)


@pytest.mark.parametrize("name", [name for name in CASES if name != "crop"])  # which holds no plane of 200 points
def test_planarity(name: str) -> None:
    prepared, prediction = case(name)
    truth = prepare_truth(prepared, REGIONS, torch.device("cpu"))
    reference = Reference(prepared, prediction, REGIONS)
    assert truth.planes is not None
    planes = []
    scale = prepared.native_to_image
    for member in torch.split(truth.planes.point, list(truth.planes.groups.sizes)):
        image_uv = truth.uv[member].double().numpy()
        owner = np.searchsorted(np.cumsum(truth.groups.frame_sizes), int(member[0]), side="right")
        planes.append((int(owner), (image_uv - scale[:, 2]) / [scale[0, 0], scale[1, 1]]))
    table = rows(score_window(prediction, truth), "checkpoint")
    compare(table, reference.planarity_scores(planes), "planarity", rel=1e-4, tolerance=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_photometric(name: str) -> None:
    prepared, prediction = case(name)
    expected, curves = Reference(prepared, prediction, REGIONS).photometric_scores()
    truth = prepare_truth(prepared, REGIONS, torch.device("cpu"))
    scores = score_window(prediction, truth)
    one_point = 1.5 / min(size for size in truth.groups.sizes if size)  # at the edge of the view, or of a threshold
    compare(rows(scores, "checkpoint"), expected, "photometric", rel=1e-3, tolerance=one_point)
    found = curve_rows(scores, "checkpoint")
    for region in REGIONS:
        of_region = [curve for (_, name), curve in curves.items() if name == region]
        part = found.filter(pl.col("region") == region)
        assert part["x"].to_list() == [round(0.01 * k, 2) for k in range(1, 21)]
        assert part["count"].unique().to_list() == [len(of_region)]
        assert part["y"].to_list() == pytest.approx(np.mean(of_region, axis=0).tolist(), abs=one_point)
