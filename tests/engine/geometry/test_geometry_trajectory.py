"""Trajectories: against evo, against the definitions in plain NumPy, and where the alignment is not determined."""

from __future__ import annotations

import copy
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from evo.core import metrics
from evo.core.trajectory import PosePath3D
from evo.tools import file_interface
from scipy.spatial.transform import Rotation
from support.room import pose

from engine.geometry.trajectory import (
    absolute_errors,
    accuracy_auc,
    pair_errors,
    path_length,
    relative_errors,
    rotation_angle,
    transform,
    umeyama,
)


def rms(values: torch.Tensor) -> float:
    return float(values.square().mean().sqrt())


def evo_errors(truth: PosePath3D, estimate: PosePath3D) -> dict[str, float]:
    """ATE and RPE as evo computes them after aligning by Sim(3)."""
    aligned = copy.deepcopy(estimate)
    aligned.align(truth, correct_scale=True)
    found = {}
    for name, metric in (
        ("ate_trans", metrics.APE(metrics.PoseRelation.translation_part)),
        ("ate_rot", metrics.APE(metrics.PoseRelation.rotation_angle_deg)),
        ("rpe_trans", metrics.RPE(metrics.PoseRelation.translation_part, 1, metrics.Unit.frames)),
        ("rpe_rot", metrics.RPE(metrics.PoseRelation.rotation_angle_deg, 1, metrics.Unit.frames)),
    ):
        metric.process_data((truth, aligned))
        found[name] = metric.get_statistic(metrics.StatisticsType.rmse)
    return found


def own_errors(truth: np.ndarray, estimate: np.ndarray) -> dict[str, float]:
    fixed, moved = torch.from_numpy(truth), torch.from_numpy(estimate)
    aligned = transform(umeyama(moved, fixed), moved)
    ate, relative = absolute_errors(aligned, fixed), relative_errors(aligned, fixed)
    return {
        "ate_trans": rms(ate[0]),
        "ate_rot": rms(ate[1]),
        "rpe_trans": rms(relative[0]),
        "rpe_rot": rms(relative[1]),
    }


def wander(seed: int, count: int = 8, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """A winding true trajectory, and a bad estimate of it in another frame and unit."""
    rng = np.random.default_rng(seed)
    truth = np.stack(
        [pose(rng.normal(), rng.normal(), 1.2 * i, 8 * rng.normal(), 4 * rng.normal()) for i in range(count)]
    )
    estimate = truth.copy()
    estimate[:, :3, 3] += rng.normal(0, noise, (count, 3))
    estimate[:, :3, :3] = estimate[:, :3, :3] @ Rotation.from_rotvec(rng.normal(0, noise / 4, (count, 3))).as_matrix()
    other = pose(40, -3, 900, 120, 33)
    estimate = other @ estimate
    estimate[:, :3, 3] *= 0.37
    return truth, estimate


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_evo(seed: int) -> None:
    truth, estimate = wander(seed, count=4 + seed)
    expected = evo_errors(PosePath3D(poses_se3=list(truth)), PosePath3D(poses_se3=list(estimate)))
    assert own_errors(truth, estimate) == pytest.approx(expected, rel=1e-7)


def test_agrees_with_evo_on_a_mirrored_trajectory() -> None:
    """Where the best map would be a reflection, the best rotation is wanted."""
    truth, estimate = wander(1)
    estimate[:, 0, 3] *= -1
    expected = evo_errors(PosePath3D(poses_se3=list(truth)), PosePath3D(poses_se3=list(estimate)))
    assert own_errors(truth, estimate) == pytest.approx(expected, rel=1e-6)


def test_agrees_with_evo_on_kitti(shared_data: Path) -> None:
    folder = shared_data / "trajectories"
    truth = file_interface.read_kitti_poses_file(str(folder / "KITTI_00_gt.txt"))
    estimate = file_interface.read_kitti_poses_file(str(folder / "KITTI_00_ORB.txt"))
    true_poses, poses = np.stack(truth.poses_se3), np.stack(estimate.poses_se3)
    # The file's rotations are rounded to 9 digits; rotation angles below 1e-4 degrees differ by that.
    assert own_errors(true_poses, poses) == pytest.approx(evo_errors(truth, estimate), rel=1e-6)
    for start in range(0, len(poses) - 8, 613):
        part = slice(start, start + 8)
        expected = evo_errors(PosePath3D(poses_se3=list(true_poses[part])), PosePath3D(poses_se3=list(poses[part])))
        found = own_errors(true_poses[part], poses[part])
        for name in ("ate_trans", "rpe_trans", "rpe_rot"):
            assert found[name] == pytest.approx(expected[name], rel=1e-5), (start, name)


def test_a_similarity_is_found_exactly() -> None:
    truth, _ = wander(3)
    moved = pose(5, 6, 7, 80, 10) @ truth
    moved[:, :3, 3] *= 12.5
    found = umeyama(torch.from_numpy(moved), torch.from_numpy(truth))
    assert float(found.scale) == pytest.approx(1 / 12.5)
    assert own_errors(truth, moved) == pytest.approx(dict.fromkeys(own_errors(truth, moved), 0.0), abs=1e-9)


def test_on_one_line_the_orientations_settle_the_roll() -> None:
    truth = np.stack([pose(z=0.9 * i) for i in range(8)])
    moved = pose(1, 2, 3, 75, 20) @ truth
    moved[:, :3, 3] *= 3
    found = own_errors(truth, moved)
    assert found["ate_trans"] < 1e-9
    assert found["ate_rot"] < 1e-3


def test_cameras_in_one_place_stay_there() -> None:
    truth, _ = wander(0)
    still = np.repeat(pose(100, 200, 300, 45)[None], 8, axis=0)
    similarity = umeyama(torch.from_numpy(still), torch.from_numpy(truth))
    assert float(similarity.scale) == 0
    centres = truth[:, :3, 3]
    found = own_errors(truth, still)
    assert found["ate_trans"] == pytest.approx(np.sqrt(((centres - centres.mean(0)) ** 2).sum(1).mean()))
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    assert found["rpe_trans"] == pytest.approx(np.sqrt((steps**2).mean()))
    assert 0 < found["ate_rot"] < 30  # about the spread of the true orientations, not an arbitrary frame's


def test_path_length_by_hand() -> None:
    poses = np.stack([pose(), pose(x=3, z=4), pose(x=3, z=6)])
    assert path_length(torch.from_numpy(poses)) == pytest.approx(7)
    assert path_length(torch.from_numpy(poses[:1])) == 0


@pytest.mark.parametrize("degrees", [0.0, 1e-6, 0.5, 90.0, 179.9999, 180.0])
def test_rotation_angles(degrees: float) -> None:
    axis = np.array([1, -2, 0.5]) / np.linalg.norm([1, -2, 0.5])
    matrix = torch.from_numpy(Rotation.from_rotvec(np.radians(degrees) * axis).as_matrix())
    assert float(rotation_angle(matrix)) == pytest.approx(degrees, rel=1e-6, abs=1e-9)


def test_pairs_are_those_of_the_definition() -> None:
    """As the evaluation of VGGT has it: relative poses of all pairs, directions folded, AUC from a histogram."""
    truth, estimate = wander(2, noise=0.8)
    rotation, direction = pair_errors(torch.from_numpy(estimate), torch.from_numpy(truth), 1e-3)
    expected_r, expected_t = [], []
    for i, j in combinations(range(len(truth)), 2):
        p = np.linalg.inv(estimate[i]) @ estimate[j]
        t = np.linalg.inv(truth[i]) @ truth[j]
        expected_r.append(np.degrees(Rotation.from_matrix(t[:3, :3].T @ p[:3, :3]).magnitude()))
        cosine = p[:3, 3] @ t[:3, 3] / np.linalg.norm(p[:3, 3]) / np.linalg.norm(t[:3, 3])
        angle = np.degrees(np.arccos(cosine))
        expected_t.append(min(angle, 180 - angle))
    assert rotation.numpy() == pytest.approx(np.array(expected_r), abs=1e-6)
    assert direction.numpy() == pytest.approx(np.array(expected_t), abs=1e-5)
    histogram, _ = np.histogram(np.maximum(expected_r, expected_t), bins=np.arange(31))
    assert accuracy_auc(rotation, direction) == pytest.approx(np.mean(np.cumsum(histogram / len(expected_r))))


def test_auc_by_hand() -> None:
    worst = torch.tensor([0.0, 0.5, 29.5, 30.0, 31.0], dtype=torch.float64)
    assert accuracy_auc(worst, worst * 0) == pytest.approx((30 + 30 + 1 + 1 + 0) / 5 / 30)
    assert np.isnan(accuracy_auc(worst[:0], worst[:0]))


def test_a_pair_without_a_baseline_has_no_direction_and_a_still_prediction_is_at_right_angles() -> None:
    truth = torch.from_numpy(np.stack([pose(), pose(yaw=10), pose(z=1)]))
    _, direction = pair_errors(torch.eye(4, dtype=torch.float64).expand(3, 4, 4), truth, 1e-3)
    assert direction.isnan().tolist() == [True, False, False]
    assert direction[1:].tolist() == [90.0, 90.0]
