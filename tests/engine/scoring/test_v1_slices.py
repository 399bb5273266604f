"""Depth by distance and label class: parts that are a division of the whole, and values that add up to it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.room import BUILDING, REGIONS, ROAD, Room, imperfect, perfect, window

from engine.dataset.labels import NAMES
from engine.dataset.model import PreparedWindow
from engine.geometry.alignment import ALIGNMENTS, Alignment
from engine.inference.contract import Prediction
from engine.schema import FRAME_SLICES, SLICED, SliceKind
from engine.scoring import slices as module
from engine.scoring.depth import DepthScores, depth_metrics
from engine.scoring.groups import Groups
from engine.scoring.protocol import V1, distance_names, parameters
from engine.scoring.slices import SliceTally, SliceTruth, divide, part_sums
from engine.scoring.truth import WindowTruth, prepare_truth
from engine.scoring.window import rows, score_window, slice_rows

CPU = torch.device("cpu")
WALL = 12
# Cells of the points below are labels: buildings, roads, walls.
LABELS = (BUILDING, ROAD, WALL)
HELD = {"full": None, "building": (BUILDING,), "flat": (ROAD, WALL), "nothing": (40,)}
CELLS = [(0, 1, 2), (0,), (1, 2), ()]
CLASSES = {BUILDING: "building", ROAD: "road", 26: "car"}


def scored(
    g: np.ndarray, p: np.ndarray, sizes: list[tuple[int, int, int]], block: int | None = None, kind: int = 0
) -> tuple[DepthScores, SliceTruth, np.ndarray]:
    """Whole regions, slices, and the slices' metrics [metrics, slices], of points sorted by frame and label."""
    groups = Groups.build(sizes, CELLS, CPU, block=block)
    label = torch.from_numpy(np.concatenate([np.repeat(LABELS, size) for size in sizes]))
    truth = divide(groups, torch.from_numpy(g), label, HELD, CLASSES, CPU)
    depth = torch.from_numpy(g).float()
    whole: WindowTruth = SimpleNamespace(groups=groups, depth=depth, log_depth=depth.log())  # type: ignore[assignment]
    scale = torch.arange(1.0, 1.0 + len(ALIGNMENTS), dtype=torch.float64)[:, None]
    tally = SliceTally(truth, kind)
    found = torch.from_numpy(p).float()
    scores = depth_metrics(found, found > 0, Alignment(scale, scale * 0, scale < 0), whole, tally)
    return scores, truth, tally.metrics().numpy()


def test_by_hand() -> None:
    """One frame: a building point on the edge at 5 m and one just before it, a road point, one beyond the last edge."""
    g = np.array([np.nextafter(5.0, 0.0), 5.0, 8.0, 4.0, 50.0])
    p = np.array([5.0, 6.0, 10.0, 3.0, 75.0])
    _, truth, values = scored(g, p, [(3, 1, 1)])
    # All of it: region, kind, name, points.
    assert [one[1:] for one in truth.slices] == [
        ("full", "distance", "2-5 m", 2),
        ("full", "distance", "5-10 m", 2),
        ("full", "distance", "40+ m", 1),
        ("building", "distance", "2-5 m", 1),
        ("building", "distance", "5-10 m", 2),
        ("flat", "distance", "2-5 m", 1),
        ("flat", "distance", "40+ m", 1),
        ("full", "class", "building", 3),
        ("full", "class", "road", 1),
    ]
    table = dict(zip(SLICED, values.T.tolist()[1], strict=True))  # 5 and 8 m: 6 and 10 are said
    assert table == pytest.approx(
        {"abs_rel": 0.225, "delta1": 0.5, "delta2": 1.0, "delta3": 1.0, "mae": 1.5, "rmse": np.sqrt(2.5)}, rel=1e-6
    )
    by_name = dict(zip(SLICED, values, strict=True))
    assert by_name["mae"].tolist() == pytest.approx([0.5, 1.5, 25, 0, 1.5, 1, 25, 1, 1], rel=1e-6)
    assert by_name["rmse"][7] == pytest.approx(np.sqrt(5 / 3), rel=1e-6)
    assert by_name["delta2"].tolist() == pytest.approx([1, 1, 1, 1, 1, 1, 1, 1, 1])
    assert by_name["delta1"][2] == 0  # 1.5 times as far


def test_the_names_are_the_edges() -> None:
    assert distance_names() == ("0-2 m", "2-5 m", "5-10 m", "10-20 m", "20-40 m", "40+ m")
    assert len(distance_names()) == len(V1.distance_edges)
    assert V1.distance_edges[0] == 0
    assert list(V1.distance_edges) == sorted(set(V1.distance_edges))
    # They are part of a metric's key, which dots divide.
    assert not any("." in name or "/" in name for name in (*distance_names(), *NAMES.values()))
    assert parameters()["distance_edges"] == V1.distance_edges


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9), st.integers(0, 2)), min_size=1, max_size=3),
    st.sampled_from([1, 7, 16, 1000]),
    st.integers(0, len(ALIGNMENTS) - 1),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_slices_are_the_whole_in_parts(sizes: list[tuple[int, int, int]], block: int, kind: int, seed: int) -> None:
    """Against masks; and whatever the blocks, points and sums of a region's slices are the region's own."""
    rng = np.random.default_rng(seed)
    count = sum(map(sum, sizes))
    g = np.where(rng.random(count) < 0.1, rng.choice([2.0, 5.0, 40.0], count), 10 ** rng.uniform(-1, 1.9, count))
    p = g * 10 ** rng.uniform(-1, 1, count) * (rng.random(count) < 0.95)
    scores, truth, values = scored(g, p, sizes, block, kind)
    frame = np.repeat(np.arange(len(sizes)), [sum(size) for size in sizes])
    label = np.concatenate([np.repeat(LABELS, size) for size in sizes])
    edges = [*V1.distance_edges, np.inf]
    regions = list(HELD)
    assert len({one[:4] for one in truth.slices}) == len(truth.slices)
    for one, column in zip(truth.slices, values.T, strict=True):
        inside = frame == one.frame
        if one.by is SliceKind.CLASS:
            inside &= label == {name: number for number, name in CLASSES.items()}[one.name]
        else:
            place = distance_names().index(one.name)
            held = HELD[one.region]
            inside &= (g >= edges[place]) & (g < edges[place + 1]) & (True if held is None else np.isin(label, held))
        assert one.points == inside.sum() > 0
        aligned = np.maximum(p[inside] * (kind + 1.0), V1.least_depth)
        expected = {
            "abs_rel": (np.abs(aligned - g[inside]) / g[inside]).mean(),
            "mae": np.abs(aligned - g[inside]).mean(),
            "rmse": np.sqrt(((aligned - g[inside]) ** 2).mean()),
        }
        # Differences of depths that are rounded to float32.
        far = max(aligned.max(), g[inside].max())
        for name, value in expected.items():
            rounding = 1e-6 * (1.0 if name == "abs_rel" else far)
            assert column[SLICED.index(name)] == pytest.approx(value, rel=1e-5, abs=rounding), name
    for place in range(len(sizes)):
        for region in regions:
            own = [i for i, one in enumerate(truth.slices) if one[:3] == (place, region, SliceKind.DISTANCE)]
            points = np.array([truth.slices[i].points for i in own])
            where = (kind, place, regions.index(region))
            assert points.sum() == int(truth_count(sizes, place, region))
            if len(own):
                for row, name in enumerate(SLICED):
                    power = 2 if name == "rmse" else 1
                    whole = (values[row, own] ** power * points).sum() / points.sum()
                    assert whole == pytest.approx(float(scores.metrics[name][where]) ** power, rel=2e-6, abs=1e-9)


def truth_count(sizes: list[tuple[int, int, int]], frame: int, region: str) -> int:
    held = HELD[region]
    return sum(size for label, size in zip(LABELS, sizes[frame], strict=True) if held is None or label in held)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=40), st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_both_ways_of_adding_up_parts_agree(sizes: list[int], seed: int) -> None:
    """That of a CPU, and that of a GPU, which is plain torch and runs anywhere."""
    values = torch.from_numpy(np.random.default_rng(seed).lognormal(size=(3, sum(sizes)))).float()
    ends = np.cumsum(sizes)
    truth: SliceTruth = SimpleNamespace(sizes=torch.tensor(sizes), starts=ends - sizes)  # type: ignore[assignment]
    expected = np.add.reduceat(values.double().numpy(), truth.starts, axis=1)
    assert part_sums(values, truth).numpy() == pytest.approx(expected, rel=1e-6)
    assert module.segment_sums(values, truth.sizes).numpy() == pytest.approx(expected, rel=1e-12)


@cache
def scene() -> tuple[PreparedWindow, WindowTruth, Prediction]:
    prepared = window(Room(native=(48, 112), image=(21, 49), focal=52.0))
    return prepared, prepare_truth(prepared, REGIONS, CPU, classes=NAMES), imperfect(prepared)


def sliced(prediction: Prediction, truth: WindowTruth, **options: object) -> pl.DataFrame:
    return slice_rows(score_window(prediction, truth, **options), "c")  # type: ignore[arg-type]


@pytest.mark.parametrize("align", ALIGNMENTS)
@pytest.mark.parametrize("scope", ["window", "frame"])
def test_rows_add_up_to_those_of_regions(align: str, scope: str) -> None:
    _, truth, prediction = scene()
    scores = score_window(prediction, truth, align_scope=scope, align=align)  # type: ignore[arg-type]
    found, whole = slice_rows(scores, "c"), rows(scores, "c").filter(pl.col("align") == align)
    assert found.schema == FRAME_SLICES
    assert found["align"].unique().to_list() == [align]
    keys = ["checkpoint", "window", "drive", "frame", "region"]
    assert found.select(*keys, "by", "slice").is_duplicated().sum() == 0
    assert set(found.filter(by="class")["slice"]) == {"building", "road"}
    assert not any(found[name].is_null().any() or not found[name].is_finite().all() for name in found.columns[9:])
    for kind in SliceKind:
        weight = pl.col("pixels").cast(pl.Float64)
        square = pl.col("depth.rmse").cast(pl.Float64) ** 2
        means = [(pl.col(f"depth.{n}").cast(pl.Float64) * weight).sum() / weight.sum() for n in SLICED if n != "rmse"]
        total = (
            found.filter(by=kind)
            .group_by(keys)
            .agg(*means, ((square * weight).sum() / weight.sum()).sqrt().alias("depth.rmse"), pl.col("pixels").sum())
        )
        both = total.join(whole, on=keys, how="inner", suffix="_whole")
        expected = whole.filter(pl.col("region") == "full") if kind is SliceKind.CLASS else whole
        assert both.height == expected.filter(pl.col("pixels") > 0).height > 0
        assert both["pixels"].to_list() == both["pixels_whole"].to_list()
        for name in SLICED:
            assert both[f"depth.{name}"].to_list() == pytest.approx(
                both[f"depth.{name}_whole"].to_list(), rel=1e-6, abs=1e-7
            ), (kind, name)


def test_slices_change_no_other_number_and_are_the_same_again() -> None:
    prepared, truth, prediction = scene()
    plain = prepare_truth(prepared, REGIONS, CPU)
    assert plain.slices is None
    one, other = score_window(prediction, truth), score_window(prediction, plain)
    assert rows(one, "c").equals(rows(other, "c"))
    assert one.pose.metrics == other.pose.metrics
    assert np.array_equal(one.curve, other.curve, equal_nan=True)
    assert slice_rows(other, "c").is_empty()
    assert slice_rows(other, "c").schema == FRAME_SLICES
    again = prepare_truth(prepared, REGIONS, CPU, classes=NAMES)
    assert sliced(prediction, again).equals(sliced(prediction, truth))


def test_perfect_is_perfect_in_every_slice_and_blind_is_nowhere() -> None:
    prepared, truth, prediction = scene()
    right = slice_rows(score_window(perfect(prepared, 0.2), truth, at_points=truth.depth * 0.2), "c")
    assert right["depth.abs_rel"].max() < 1e-5
    assert right["depth.rmse"].max() < 1e-3
    assert (right["depth.delta1"] == 1).all()
    # One depth everywhere: what it misses is what the slice is wide, and the truth's own.
    blind = slice_rows(score_window(prediction, truth, at_points=torch.full_like(truth.depth, 3.0)), "c")
    median = truth.depth.double().median()
    far = blind.filter(by="distance", region="full", slice="20-40 m")
    assert (far["depth.mae"] > 20 - median).all()
    assert (far["depth.delta3"] == 0).all() == bool(median * 1.25**3 < 20)


def test_labels_without_a_name_are_in_no_class_and_without_labels_there_are_none() -> None:
    prepared, _, prediction = scene()
    points = [replace(frame, label=np.where(frame.label == ROAD, 255, frame.label)) for frame in prepared.points]
    strange = sliced(prediction, prepare_truth(replace(prepared, points=tuple(points)), REGIONS, CPU, classes=NAMES))
    assert set(strange.filter(by="class")["slice"]) == {"building"}
    points = [replace(frame, label=np.full_like(frame.label, -1)) for frame in prepared.points]
    none = sliced(prediction, prepare_truth(replace(prepared, points=tuple(points)), {"full": None}, CPU, classes={}))
    assert none["by"].unique().to_list() == ["distance"]
    assert none["region"].unique().to_list() == ["full"]


def test_frames_and_windows_without_points_have_no_rows() -> None:
    prepared, truth, prediction = scene()
    nothing = replace(
        prepared.points[1],
        **{name: getattr(prepared.points[1], name)[:0] for name in ("uv", "depth", "label", "usable")},
    )
    points = (prepared.points[0], nothing, *prepared.points[2:])
    found = sliced(prediction, prepare_truth(replace(prepared, points=points), REGIONS, CPU, classes=NAMES))
    assert sorted(found["frame"].unique()) == [100, 102, 103]
    none = prepare_truth(replace(prepared, points=(nothing,) * 4), REGIONS, CPU, classes=NAMES)
    scores = score_window(prediction, none)
    assert slice_rows(scores, "c").is_empty()
    assert scores.pose.metrics == score_window(prediction, truth).pose.metrics
