"""The kernels one by one: blocks do not matter, thresholds are exact, and shortcuts give what the long way gives."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from support.room import REGIONS, Room, imperfect, window
from v1_reference import Reference

from engine.geometry.alignment import ALIGNMENTS, FARTHEST, Alignment, fit
from engine.geometry.sampling import inverse_depth, sample_depth
from engine.geometry.warp import Points, Views
from engine.inference.contract import Prediction
from engine.scoring import depth as depth_module
from engine.scoring import limits as limits_module
from engine.scoring import normals, photometric, planarity
from engine.scoring.depth import depth_metrics
from engine.scoring.depth_kernel import SUMS, depth_sums
from engine.scoring.groups import Groups
from engine.scoring.limits import sums_of_finite
from engine.scoring.photometric import photometric_metrics
from engine.scoring.protocol import V1
from engine.scoring.tally import Tally
from engine.scoring.truth import WindowTruth, prepare_truth
from engine.scoring.window import WindowScores, rows, score_window

CPU = torch.device("cpu")
LEAST = V1.least_depth
CELLS = [(0, 1), (0,), (1,), ()]  # of the regions


def identity(groups: int = 1) -> Alignment:
    one = torch.ones(len(ALIGNMENTS), groups, dtype=torch.float64)
    return Alignment(one, one * 0, one < 0)


def truth_of(depth: np.ndarray, sizes: list[tuple[int, int]], block: int | None = None) -> WindowTruth:
    """What the depth metrics read of a truth."""
    g = torch.from_numpy(depth).float()
    found: WindowTruth = SimpleNamespace(  # type: ignore[assignment]
        groups=Groups.build(sizes, CELLS, CPU, block=block), depth=g, log_depth=g.double().log().float()
    )
    return found


def by_definition(p: np.ndarray, g: np.ndarray) -> dict[str, float]:
    """Of one region, in float64, but for the quotients: those are compared as float32 rounds them."""
    low = ~(p >= LEAST)
    p = np.where(low, LEAST, np.minimum(p, FARTHEST))
    d = np.log(p) - np.log(g)
    quotient = np.maximum((p.astype(np.float32) / g.astype(np.float32)), g.astype(np.float32) / p.astype(np.float32))
    return {
        "clamped": low.sum(),
        "mae": np.abs(p - g).mean(),
        "rmse": math.sqrt(((p - g) ** 2).mean()),
        "abs_rel": (np.abs(p - g) / g).mean(),
        "sq_rel": ((p - g) ** 2 / g).mean(),
        "log10": np.abs(d).mean() / math.log(10),
        "rmse_log": math.sqrt((d**2).mean()),
        "si_log": d.std(),
        **{f"delta{k}": (quotient < np.float32(1.25**k)).mean() for k in (1, 2, 3)},
    }


def cells(sizes: list[tuple[int, int]]) -> list[np.ndarray]:
    """Of every frame and region, which points it holds."""
    frame = np.repeat(np.arange(len(sizes)), [sum(size) for size in sizes])
    cell = np.concatenate([np.repeat([0, 1], size) for size in sizes])
    return [(frame == f) & np.isin(cell, held) for f in range(len(sizes)) for held in CELLS]


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), min_size=1, max_size=3),
    st.sampled_from([1, 7, 16, 1000]),
    st.integers(0, 2**32 - 1),
    st.floats(0, 6),
)
@settings(max_examples=80, deadline=None)
def test_depth_by_definition_whatever_the_blocks(
    sizes: list[tuple[int, int]], block: int, seed: int, powers: float
) -> None:
    """Empty cells and cells of one point, depths over twelve orders of magnitude, and depths that are none."""
    rng = np.random.default_rng(seed)
    count = sum(map(sum, sizes))
    g = rng.uniform(0.2, 79, count).astype(np.float32).astype(np.float64)
    p = (g * 10 ** rng.uniform(-powers, powers, count)).astype(np.float32)
    valid = rng.random(count) < 0.9
    frames = len(sizes)
    scale = torch.from_numpy(rng.uniform(0.5, 2, (len(ALIGNMENTS), frames))).float().double()
    shift = torch.from_numpy(rng.uniform(-1, 1, (len(ALIGNMENTS), frames))).float().double()
    found = depth_metrics(
        torch.from_numpy(np.where(valid, p, 0)).float(),
        torch.from_numpy(valid),
        Alignment(scale, shift, scale < 0),
        truth_of(g, sizes, block),
    )
    table = found.metrics | {"clamped": found.clamped}
    frame = np.repeat(np.arange(frames), [sum(size) for size in sizes])
    for kind in range(len(ALIGNMENTS)):
        with np.errstate(invalid="ignore"):
            aligned = (scale[kind].numpy()[frame] * np.where(valid, p.astype(float), -np.inf)) + shift[kind].numpy()[
                frame
            ]
        for index, inside in enumerate(cells(sizes)):
            where = (kind, *divmod(index, len(CELLS)))
            if not inside.any():
                assert all(values[where].isnan() for name, values in table.items() if name != "clamped")
                assert table["clamped"][where] == 0
                continue
            # As float32 rounds the aligned depth, so that both are on the same side of every threshold.
            rounded = torch.addcmul(
                shift[kind].float()[frame[inside]],
                scale[kind].float()[frame[inside]],
                torch.from_numpy(np.where(valid, p, -np.inf)[inside]).float(),
            )
            expected = by_definition(rounded.double().numpy(), g[inside])
            assert np.allclose(rounded, aligned[inside], rtol=1e-5, atol=1e-5)
            for name, value in expected.items():
                assert float(table[name][where]) == pytest.approx(value, rel=2e-5, abs=2e-6), name


@pytest.mark.parametrize(
    ("p", "g", "deltas"),
    [
        (5.0, 4.0, (0, 1, 1)),  # 1.25 itself is not below 1.25
        (4.0, 5.0, (0, 1, 1)),
        (float(np.nextafter(np.float32(5), np.float32(0))), 4.0, (1, 1, 1)),
        (float(np.nextafter(np.float32(4), np.float32(9))), 5.0, (1, 1, 1)),
        (25.0, 16.0, (0, 0, 1)),  # 1.25 squared
        (16.0, 25.0, (0, 0, 1)),
        (125.0, 64.0, (0, 0, 0)),  # 1.25 cubed
        (64.0, 125.0, (0, 0, 0)),
        (3.0, 3.0, (1, 1, 1)),
    ],
)
def test_thresholds_hit_exactly(p: float, g: float, deltas: tuple[int, int, int]) -> None:
    one = torch.tensor([p])
    found = depth_metrics(one, one > 0, identity(), truth_of(np.array([g]), [(1, 0)])).metrics
    assert tuple(int(found[f"delta{k}"][0, 0, 0]) for k in (1, 2, 3)) == deltas


def test_least_depth_hit_exactly_is_not_clamped() -> None:
    least = np.float32(LEAST)
    p = torch.tensor([float(least), float(np.nextafter(least, np.float32(0)))])
    found = depth_metrics(p, p > 0, identity(), truth_of(np.ones(2), [(2, 0)]))
    assert found.clamped[:, 0, 0].tolist() == [1] * len(ALIGNMENTS)


def test_a_constant_ratio_has_no_scale_invariant_error() -> None:
    """However large the ratio, and over many blocks: the variance is not lost in its mean."""
    g = np.random.default_rng(0).uniform(1, 80, 50000)
    for factor in (1e-3, 1.1, 4000.0):
        p = torch.from_numpy(g).float() * factor
        found = depth_metrics(p, p > 0, identity(), truth_of(g, [(50000, 0)], 777)).metrics
        assert float(found["si_log"][0, 0, 0]) < 1e-6
        assert float(found["rmse_log"][0, 0, 0]) == pytest.approx(abs(math.log(factor)), rel=1e-6)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=4),
    st.integers(1, 40),
    st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_tallies_are_sums_over_regions(sizes: list[tuple[int, int]], block: int, seed: int) -> None:
    groups = Groups.build(sizes, CELLS, CPU, block=block)
    count = sum(map(sum, sizes))
    values = torch.from_numpy(np.random.default_rng(seed).random((2, count)))
    assert [point for one in groups.blocks for point in range(*one.points)] == list(range(count))
    assert all(one.points[1] - one.points[0] <= block for one in groups.blocks)
    tally = Tally(groups, ("value", "pieces"))
    for one in groups.blocks:
        tally.add(one, "value", values[:, slice(*one.points)])
        tally.note(one, "pieces", torch.ones(2))
    found = tally.totals("value")["value"]
    assert torch.allclose(found, groups.sums(values), rtol=1e-12)
    expected = [values[:, torch.from_numpy(inside)].sum(1) for inside in cells(sizes)]
    assert torch.allclose(found.flatten(1), torch.stack(expected, dim=1), rtol=1e-12)


def scene(seed: int = 0) -> tuple[WindowTruth, Prediction]:
    prepared = window(Room(native=(48, 112), image=(21, 49), focal=52.0))
    return prepare_truth(prepared, REGIONS, CPU), imperfect(prepared, seed)


@pytest.mark.parametrize("per_frame", [False, True])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 40.0])
@pytest.mark.parametrize("bad", [None, 0.0, 5e-4, 2000.0])  # not valid, nearer than the least depth, far away
def test_the_compiled_pass_scores_what_the_operations_score(per_frame: bool, unit: float, bad: float | None) -> None:
    truth, _ = scene()
    noise = torch.from_numpy(np.random.default_rng(0).normal(1, 0.05, len(truth.depth))).float()
    depth = (truth.depth * noise + 0.5) * unit
    if bad == 2000.0:  # all of a frame, for beside a point at a kilometre rounding decides where a patch looks
        depth[: truth.groups.frame_sizes[0]] = bad
    elif bad is not None:
        depth[::50] = bad
    sizes = truth.groups.frame_sizes if per_frame else (len(depth),)
    alignment = fit(depth, truth.depth, depth > 0, sizes)
    operations = replace(truth, normals=replace(truth.normals, patches=()))
    found = normals.normal_metrics(depth, depth > 0, alignment, truth)
    for name, values in normals.normal_metrics(depth, depth > 0, alignment, operations).items():
        assert torch.allclose(values, found[name], rtol=1e-5, atol=2e-3 if "inlier" in name else 1e-4), name


def test_colours_at_a_threshold_are_not_below_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Differences of exactly every threshold, a hair below, and of points that are not visible, in every cell."""
    truth, prediction = scene()
    limits = np.array(V1.photometric_thresholds, dtype=np.float32)
    levels = np.concatenate([limits, np.nextafter(limits, np.float32(0)), [0.0, 0.5]]).astype(np.float32)
    rng = np.random.default_rng(0)
    error = levels[rng.integers(0, len(levels), len(truth.depth))]
    visible = rng.random(len(error)) < 0.7
    difference = torch.from_numpy(np.where(visible, error, np.float32(np.inf)))
    monkeypatch.setattr("engine.scoring.photometric._differences", lambda *_: difference)
    found = photometric_metrics(prediction, 1 / prediction.depth[0], truth.depth, truth)
    start = 0
    for frame in range(4):
        for region, held in enumerate(truth.groups.regions):
            inside = np.zeros(len(error), dtype=bool)
            begin = start
            for cell in range(len(truth.groups.membership)):
                size = truth.groups.sizes[frame * len(truth.groups.membership) + cell]
                inside[begin : begin + size] = cell in held
                begin += size
            seen = error[inside & visible]
            curve = [(seen < limit).mean() for limit in limits]
            assert found.curve[:, frame, region].tolist() == pytest.approx(curve, abs=1e-12)
            assert float(found.metrics["inlier_ratio"][frame, region]) == pytest.approx(curve[4], abs=1e-12)
            assert float(found.metrics["error"][frame, region]) == pytest.approx(seen.mean(), rel=1e-6)
        start += truth.groups.frame_sizes[frame]
    of_limits = (difference, truth.groups, V1.photometric_thresholds, V1.photometric_inlier)
    assert torch.allclose(sums_of_finite(*of_limits), limits_module._sums_by_operations(*of_limits), rtol=1e-6)


def test_the_compiled_look_at_the_next_frame_is_that_of_the_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, prediction = scene()
    rng = np.random.default_rng(0)
    bad = torch.from_numpy(rng.random((truth.groups.frames, *truth.size)) < 0.01)
    inverse = inverse_depth(torch.where(bad, torch.nan, prediction.depth[0]))
    depth, _ = sample_depth(inverse.flatten(), truth.taps)
    depth *= torch.from_numpy(rng.normal(1, 0.05, len(depth))).float()
    depth[::30] = 0.0
    found = photometric._differences(prediction, inverse, depth, truth)

    def by_operations(
        points: Points, _: Any, intrinsics: torch.Tensor, motion: torch.Tensor, views: Views, *__: Any
    ) -> torch.Tensor:
        return photometric._by_operations(points, truth.groups.frame_sizes, intrinsics, motion, views)

    monkeypatch.setattr(photometric, "differences", by_operations)
    expected = photometric._differences(prediction, inverse, depth, truth)
    seen = expected < torch.inf
    assert 0.2 < seen.float().mean() < 0.9
    # A point at the edge of the image or of what hides it may be rounded to the other side.
    assert (seen != (found < torch.inf)).sum() <= 3
    both = seen & (found < torch.inf)
    assert torch.allclose(found[both], expected[both], atol=2e-4)


@pytest.mark.parametrize("seed", range(3))
def test_a_wild_prediction_against_loops(seed: int) -> None:
    """Depths over six orders of magnitude side by side, and pixels that hold none in every way."""
    prepared = window(Room(native=(40, 96), image=(20, 48), focal=46.0, density=0.4))
    prediction = imperfect(prepared, seed)
    rng = np.random.default_rng(seed)
    shape = prediction.depth.shape
    wild = prediction.depth.numpy() * 10.0 ** rng.choice([-3.0, 0.0, 3.0], shape, p=[0.1, 0.8, 0.1])
    for value in (math.nan, math.inf, -math.inf, 0.0, -2.0):
        wild[rng.random(shape) < 0.01] = value
    prediction = replace(prediction, depth=torch.from_numpy(wild.astype(np.float32)))
    reference = Reference(prepared, prediction, REGIONS)
    found = rows(score_window(prediction, prepare_truth(prepared, REGIONS, CPU)), "c")
    by_key = {(row["frame"], row["region"], row["align"]): row for row in found.iter_rows(named=True)}
    expected = reference.depth_scores()
    for key, metrics in reference.normal_scores(("median",)).items():
        expected[key] |= metrics
    for key, metrics in reference.photometric_scores()[0].items():
        expected[key] |= metrics
    few = 2.0 / min(row["pixels"] for row in by_key.values() if row["pixels"])
    for (frame, region, kind), metrics in expected.items():
        if kind not in ("none", "median"):  # least squares follow the few that are farthest
            continue
        row = by_key[100 + frame, region, kind]
        for name, value in metrics.items():
            share = few if name.startswith(("photometric.inlier", "normals.inlier")) else 2e-6
            angle = 0.02 if name.startswith("normals.angular") else 0.0  # of patches without a least direction
            if name in ("pixels", "clamped"):
                assert row[name] == value
            else:
                assert row[name] == pytest.approx(value, rel=1e-3, abs=max(share, angle)), (name, frame, region, kind)


def test_scores_do_not_depend_on_what_was_scored_before() -> None:
    truth, first = scene()
    _, second = scene(seed=5)
    alone = [rows(score_window(one, truth), "c") for one in (first, second)]
    scored = [score_window(one, truth) for one in (second, first, second)]
    again = [rows(one, "c") for one in scored]
    for found, expected in zip(again, (alone[1], alone[0], alone[1]), strict=True):
        assert_frame_equal(found, expected, rel_tol=0, abs_tol=0)


def test_rows_hold_the_scores_and_null_where_there_is_none() -> None:
    truth, prediction = scene()
    scores = score_window(prediction, truth)
    scores.values["depth.mae"][1, 2, 0] = math.nan
    scores.values["pixels"][:, 3, 1] = 0
    scores.values["degenerate"][2, 0, :] = 1
    table = rows(scores, "c")
    assert isinstance(scores, WindowScores)
    by_key = {(row["align"], row["frame"], row["region"]): row for row in table.iter_rows(named=True)}
    for index in np.ndindex(len(ALIGNMENTS), 4, len(REGIONS)):
        kind, frame, region = index
        row = by_key[ALIGNMENTS[kind], 100 + frame, tuple(REGIONS)[region]]
        for name, values in scores.values.items():
            if name == "degenerate":
                assert row[name] is bool(values[index])
            elif name in ("pixels", "clamped"):
                assert row[name] == (None if scores.values["pixels"][index] == 0 else int(values[index]))
            else:
                assert row[name] == (None if math.isnan(values[index]) else values[index])
    assert not any(table[name].is_nan().any() for name, dtype in table.schema.items() if dtype == pl.Float64)


@pytest.mark.parametrize("per_frame", [False, True])
@pytest.mark.parametrize("block", [None, 500])
def test_the_compiled_sums_of_depth_are_those_of_the_operations(per_frame: bool, block: int | None) -> None:
    """Over many blocks and cells, with points that are not valid, clamped from below and from above."""
    rng = np.random.default_rng(0)
    sizes = [(3000, 1000), (0, 5000), (1, 0)]
    count = sum(map(sum, sizes))
    truth = truth_of(rng.uniform(0.2, 79, count), sizes, block)
    depth = truth.depth * torch.from_numpy(rng.lognormal(0.0, 0.4, count)).float()
    depth[::50], depth[1::50], depth[2::50] = 0.0, 1e-5, 1e12
    groups = len(sizes) if per_frame else 1
    scale = torch.from_numpy(rng.uniform(0.5, 2, (len(ALIGNMENTS), groups)))
    alignment = Alignment(scale, torch.from_numpy(rng.uniform(-1, 1, scale.shape)), scale < 0)
    found = truth.groups.gathered(depth_sums(depth, truth.depth, truth.groups.pieces, alignment))
    expected = depth_module._sums(depth, depth > 0, alignment, truth, None)
    assert len(found) == len(expected)
    for name, values in zip(SUMS, found, strict=True):
        # A point beside a limit; or what float32 keeps of a logarithm, times the points.
        slack = 1.0 if name in ("clamped", "delta1", "delta2", "delta3") else 1e-7 * count
        assert torch.allclose(values, expected[name], rtol=1e-5, atol=slack), name
    assert expected["clamped"].sum() > 500


@pytest.mark.parametrize("exponent", [-9, -3, -1, 0, 1, 3, 29])
def test_logarithms_of_every_size(exponent: int) -> None:
    """Of ratios on either side of a power of two, and of the roots beside it, where the polynomial begins and ends."""
    near = np.array([2.0**0.5, 0.5**0.5, 1.0])[:, None] * (1 + np.array([-1e-3, -1e-7, 0, 1e-7, 1e-3]))
    ratio = torch.from_numpy((near * 2.0**exponent).ravel()).float()
    pieces = np.array([(point, point + 1, 0) for point in range(len(ratio))])
    log = depth_sums(ratio, torch.ones_like(ratio), pieces, identity())[SUMS.index("log"), 0]
    assert torch.allclose(log, ratio.double().log(), rtol=2e-7, atol=1e-12)


@pytest.mark.parametrize("per_frame", [False, True])
def test_the_compiled_distances_to_planes_are_those_of_the_operations(per_frame: bool) -> None:
    truth, _ = scene()
    planes = truth.planes
    assert planes is not None
    rng = np.random.default_rng(0)
    depth = truth.depth * torch.from_numpy(rng.normal(1, 0.02, len(truth.depth))).float()
    depth[::50], depth[1::50] = 0.0, 5e-4
    groups = truth.groups.frames if per_frame else 1
    scale = torch.from_numpy(rng.uniform(0.8, 1.2, (len(ALIGNMENTS), groups)))
    alignment = Alignment(scale, scale - 1, scale < 0)
    found = planarity._compiled(depth.index_select(0, planes.point), alignment, planes)
    expected = planarity._by_operations(depth, depth > 0, alignment, planes)
    assert found.keys() == expected.keys() == set(planarity.PLANARITY)
    for name, values in expected.items():
        assert torch.allclose(found[name], values, rtol=1e-5, atol=1e-6), name  # medians are of float32
