"""``compat`` against an independent reference, on random, sparse and degenerate windows, and by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import compat_reference as reference
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from engine.catalogue import Catalogue
from engine.scoring.compat import CompatScores, CompatWindow, score_window

MODES = ("none", "scale", "median", "scale_shift")


def make(seed: int, frames: int = 3, height: int = 12, width: int = 17, density: float = 0.3) -> dict[str, np.ndarray]:
    """A random window: sparse ground truth, a prediction of another scale, poses that see each other's pixels."""
    rng = np.random.default_rng(seed)
    shape = (frames, height, width)
    valid = rng.random(shape) < density
    smooth = 5 + 3 * np.sin(np.linspace(0, 3, width)) + np.linspace(0, 4, height)[:, None]
    gt = np.where(valid, smooth * rng.uniform(0.8, 1.2, shape), 0.0)
    k = np.array([[width * 0.9, 0, width / 2], [0, width * 0.8, height / 2], [0, 0, 1]])
    gt_k = k * np.array([[1.1], [1.05], [1]])

    def poses(turn: float, shift: float, far: float) -> np.ndarray:
        rotations = Rotation.from_rotvec(rng.normal(0, turn, (frames, 3))).as_matrix()
        return np.concatenate([rotations, rng.normal(far, shift, (frames, 3, 1))], axis=2)

    return {
        "images": rng.random((frames, 3, height, width)) * 0.3,
        "depth": smooth * rng.uniform(0.5, 1.5, shape) / 7,
        "world_to_camera": poses(0.05, 0.05, 0.0),
        "intrinsics": np.repeat(k[None], frames, axis=0),
        "gt_depth": gt,
        "valid": valid,
        "building": rng.random(shape) < 0.6,
        "gt_intrinsics": np.repeat(gt_k[None], frames, axis=0),
        "gt_world_to_camera": poses(2.0, 3.0, 3000.0),
    }


def score(window: Mapping[str, np.ndarray], mode: str = "median") -> CompatScores:
    return score_window(CompatWindow(**{key: torch.from_numpy(np.array(v)) for key, v in window.items()}), mode)  # type: ignore[arg-type]


def agree(window: dict[str, np.ndarray], mode: str) -> None:
    """Same numbers, and numbers at the same places."""
    found = score(window, mode)
    rows = [*zip(found.frames, reference.frames(window, mode), strict=True)]
    rows.append((found.pose, reference.pose(window["world_to_camera"], window["gt_world_to_camera"])))
    for row, wanted in rows:
        rounding = wanted.pop("rounding", 0.0)
        for key, value in row.items():
            if rounding and key.startswith("normals"):
                continue
            if key.endswith("si_log") and max(value or 0.0, wanted.get(key, 0.0)) < 1e-4:
                continue  # its variance cancels: rounding alone decides between 1e-8 and no number at all
            assert (value is None) == (key not in wanted), (key, value, wanted.get(key))
            # Residuals and angles of nothing are rounding: 1e-6 m, 1e-5 degrees.
            assert value is None or math.isclose(value, wanted[key], rel_tol=1e-4, abs_tol=1e-5), (key, value, wanted)
        assert row.keys() >= wanted.keys()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(3))
def test_random_windows(mode: str, seed: int) -> None:
    window = make(seed, density=0.7)
    agree(window, mode)
    found = score(window, mode)
    assert all(value is not None for value in found.frames[0].values())
    assert all(value is not None for value in found.pose.values())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    frames=st.integers(1, 3),
    height=st.integers(1, 9),
    width=st.integers(1, 11),
    density=st.sampled_from([0.0, 0.02, 0.2, 0.9, 1.0]),
    mode=st.sampled_from(MODES),
    odd=st.sampled_from(["", "zero", "negative", "constant", "nan", "infinite", "no building", "all building"]),
)
def test_sparse_and_degenerate_windows(
    seed: int, frames: int, height: int, width: int, density: float, mode: str, odd: str
) -> None:
    window = make(seed, frames, height, width, density)
    depth = window["depth"]
    spots = np.random.default_rng(seed).random(depth.shape) < 0.3
    if odd in ("zero", "negative", "nan", "infinite"):
        depth[spots] = {"zero": 0.0, "negative": -1.0, "nan": math.nan, "infinite": math.inf}[odd]
    elif odd == "constant":
        depth[:] = 2.0
    elif odd.endswith("building"):
        window["building"][:] = odd == "all building"
    agree(window, mode)


def test_rounding_decides_nothing_in_an_ordinary_sparse_window() -> None:
    rows = [row for seed in range(5) for row in reference.frames(make(seed, density=0.05), "median")]
    assert not any(row["rounding"] for row in rows)
    # Most pixels have holes above and to the left: a normal of zero, 90 degrees from anything.
    assert np.median([row["normals.full.angular_median"] for row in rows]) == pytest.approx(90.0)


def test_a_frame_is_scored_on_its_own() -> None:
    window = make(5)
    order = [2, 0, 1]
    straight, turned = score(window), score({key: value[order] for key, value in window.items()})
    for new, old in enumerate(order):
        for key in straight.frames[0]:
            if not key.startswith("photometric"):
                assert turned.frames[new][key] == pytest.approx(straight.frames[old][key])
        assert turned.pixels[new] == straight.pixels[old]


def test_keys_are_those_of_the_existing_system(shared_data: Any) -> None:
    import json

    path = shared_data / "kitti360_lora" / "lora_kitti360_strategy_b" / "baseline_metrics.json"
    legacy = {key for key in json.loads(path.read_text()) if not key.startswith("performance")}
    found = score(make(0, density=0.7))
    assert {*found.frames[0], *found.pose} == legacy


def test_the_catalogue_knows_every_key() -> None:
    found, catalogue = score(make(0, density=0.7)), Catalogue()
    assert all(catalogue.get(key).known for key in [*found.frames[0], *found.pose])


def test_median_and_scale_are_the_same() -> None:
    assert score(make(1), "median") == score(make(1), "scale")


def test_unknown_alignment() -> None:
    with pytest.raises(ValueError, match="no alignment"):
        score(make(0), "affine")


def flat_window(depth: list[float], gt: list[float]) -> dict[str, np.ndarray]:
    window = make(0, 1, 1, len(gt))
    window["depth"], window["gt_depth"] = np.array([[depth]]), np.array([[gt]])
    window["valid"] = window["gt_depth"] > 0
    window["building"] = np.ones_like(window["valid"])
    return window


def test_depth_by_hand() -> None:
    found = score(flat_window([1.0, 3.0, 6.0, 9.0], [2.0, 4.0, 6.0, 0.0]), "none").frames[0]
    assert found["depth.full.mae"] == pytest.approx(2 / 3)
    assert found["depth.full.abs_rel"] == pytest.approx((1 / 2 + 1 / 4) / 3, rel=1e-5)
    assert found["depth.full.delta1"] == pytest.approx(1 / 3)
    assert found["depth.full.delta2"] == pytest.approx(2 / 3)
    assert found["depth.non_building.mae"] is None
    assert found["planarity.building.inlier_ratio"] is None
    # The lower of two medians: 4 of (2, 4, 6), but 1 of (1, 2).
    assert score(flat_window([2.0, 4.0], [1.0, 2.0])).frames[0]["depth.full.mae"] == pytest.approx(0.0, abs=1e-5)


def test_a_negative_depth_counts_as_an_inlier() -> None:
    found = score(flat_window([-5.0], [5.0]), "none").frames[0]
    assert found["depth.full.delta1"] == 1.0
    assert found["depth.full.rmse_log"] is None


def test_a_perfect_prediction_scores_badly_in_world_coordinates() -> None:
    window = make(2)
    centre = np.array([3000.0, -500.0, 100.0])
    relative = window["world_to_camera"]
    true = relative.copy()
    true[:, :, 3] -= relative[:, :, :3] @ centre
    window["gt_world_to_camera"] = true
    found = score(window).pose
    assert found["pose.ate_trans"] == pytest.approx(np.linalg.norm(centre), rel=1e-2)
    assert found["pose.ate_rot_deg"] == pytest.approx(0.0, abs=1e-4)
    assert found["pose.rpe_trans"] > 10


def test_half_precision_predictions_are_taken() -> None:
    window = {key: torch.from_numpy(value) for key, value in make(3).items()}
    rough = CompatWindow(**{**window, "depth": window["depth"].bfloat16(), "images": window["images"].float()})
    assert score_window(rough).frames[0]["depth.full.mae"] == pytest.approx(
        score(make(3)).frames[0]["depth.full.mae"], rel=0.05
    )
