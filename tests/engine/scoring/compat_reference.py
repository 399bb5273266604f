"""The existing system's formulas in plain float64 NumPy, written from protocol section 7, one frame at a time."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

Scores = dict[str, float]


def lower_median(values: np.ndarray) -> float:
    if np.isnan(values).any():
        return math.nan
    return float(np.sort(values)[(len(values) - 1) // 2])


def align(pred: np.ndarray, gt: np.ndarray, mask: np.ndarray, mode: str) -> np.ndarray:
    if not mask.any() or mode == "none":
        return pred
    p, g = pred[mask], gt[mask]
    if mode in ("scale", "median"):
        return pred * (lower_median(g) / (lower_median(p) + 1e-6))
    if np.var(p) <= 1e-6:
        return pred
    s = np.mean((p - p.mean()) * (g - g.mean())) / np.var(p)
    return pred * s + (g.mean() - s * p.mean())


def depth(pred: np.ndarray, gt: np.ndarray, mask: np.ndarray) -> Scores:
    if not mask.any():
        return {}
    p, g = pred[mask], gt[mask]
    t = np.maximum(p / (g + 1e-6), g / (p + 1e-6))
    d = np.log(p + 1e-6) - np.log(g + 1e-6)
    return {
        "mae": np.mean(np.abs(p - g)),
        "rmse": np.sqrt(np.mean((p - g) ** 2)),
        "abs_rel": np.mean(np.abs(p - g) / (g + 1e-6)),
        "sq_rel": np.mean((p - g) ** 2 / (g + 1e-6)),
        "delta1": np.mean(t < 1.25),
        "delta2": np.mean(t < 1.25**2),
        "delta3": np.mean(t < 1.25**3),
        "rmse_log": np.sqrt(np.mean(d**2)),
        "si_log": np.sqrt(np.mean(d**2) - np.mean(d) ** 2),
    }


def points(z: np.ndarray, k: np.ndarray) -> np.ndarray:
    out = np.empty((*z.shape, 3))
    for v in range(z.shape[0]):
        for u in range(z.shape[1]):
            out[v, u] = (u - k[0, 2]) / k[0, 0] * z[v, u], (v - k[1, 2]) / k[1, 1] * z[v, u], z[v, u]
    return out


def differences(z: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    p = points(z, k)
    down, right = np.zeros_like(p), np.zeros_like(p)
    for v in range(1, z.shape[0]):
        down[v] = p[v] - p[v - 1]
    for u in range(1, z.shape[1]):
        right[:, u] = p[:, u] - p[:, u - 1]
    return down, right


def normals(z: np.ndarray, k: np.ndarray) -> np.ndarray:
    n = np.cross(*differences(z, k))
    return n / (np.linalg.norm(n, axis=-1, keepdims=True) + 1e-8)


def normals_are_rounding(z: np.ndarray, k: np.ndarray, mask: np.ndarray) -> bool:
    """Whether two differences of a counted pixel are parallel without being the same: their cross product is then
    nothing but rounding. The same difference twice (both neighbours are holes) gives exactly zero."""
    down, right = differences(z, k)
    size = np.linalg.norm(down, axis=-1) * np.linalg.norm(right, axis=-1)
    parallel = np.linalg.norm(np.cross(down, right), axis=-1) < 1e-8 * size
    return bool(np.any(parallel & (size > 0) & mask & ~np.all(down == right, axis=-1)))


def normals_metrics(pred: np.ndarray, gt: np.ndarray, mask: np.ndarray, k: np.ndarray) -> Scores:
    if not mask.any():
        return {}
    dots = np.sum(normals(pred, k)[mask] * normals(gt, k)[mask], axis=-1)
    angles = np.degrees(np.arccos(np.clip(dots, -1, 1)))
    return {
        "angular_mean": angles.mean(),
        "angular_median": lower_median(angles),
        "inlier_11_25": np.mean(angles < 11.25),
        "inlier_22_5": np.mean(angles < 22.5),
        "inlier_30": np.mean(angles < 30),
    }


def planarity(pred: np.ndarray, gt: np.ndarray, mask: np.ndarray, k: np.ndarray) -> Scores:
    if mask.sum() < 50:
        return {}
    g, p = points(gt, k)[mask], points(pred, k)[mask]
    normal = np.linalg.svd(g - g.mean(axis=0), full_matrices=False)[2][-1]
    residual = np.abs((p - g.mean(axis=0)) @ normal)
    return {
        "residual_mean": residual.mean(),
        "residual_median": lower_median(residual),
        "inlier_ratio": np.mean(residual < 0.1),
    }


def hom(e: np.ndarray) -> np.ndarray:
    return np.vstack([e, [0, 0, 0, 1]])


def bilinear(image: np.ndarray, u: float, v: float) -> np.ndarray:
    u0, v0 = math.floor(u), math.floor(v)
    total = np.zeros(3)
    for du, dv in ((0, 0), (1, 0), (0, 1), (1, 1)):
        x, y = u0 + du, v0 + dv
        if 0 <= x < image.shape[2] and 0 <= y < image.shape[1]:
            total += (1 - abs(u - x)) * (1 - abs(v - y)) * image[:, y, x]
    return total


def photometric(
    source: np.ndarray, target: np.ndarray, z: np.ndarray, e0: Any, e1: Any, k0: Any, k1: Any, mask: np.ndarray
) -> Scores:
    height, width = z.shape
    cloud = points(z, k0)
    move = hom(e1) @ np.linalg.inv(hom(e0))
    errors = []
    for v, u in np.argwhere(mask):
        x, y, depth_there = (move @ np.append(cloud[v, u], 1.0))[:3]
        depth_there = max(depth_there, 1e-4)
        a, b = k1[0, 0] * x / depth_there + k1[0, 2], k1[1, 1] * y / depth_there + k1[1, 2]
        if 0 <= a <= width - 1 and 0 <= b <= height - 1:
            errors.append(np.abs(source[:, v, u] - bilinear(target, a, b)).mean())
    if not errors:
        return {}
    return {"error": np.mean(errors), "inlier_ratio": np.mean(np.array(errors) < 0.05)}


def angle(a: np.ndarray, b: np.ndarray) -> float:
    return math.degrees(math.acos(min(1.0, max(-1.0, (np.trace(a @ b.T) - 1) / 2))))


def pose(pred: np.ndarray, gt: np.ndarray) -> Scores:
    found = {
        "pose.ate_trans": np.mean([np.linalg.norm(p[:, 3] - g[:, 3]) for p, g in zip(pred, gt, strict=True)]),
        "pose.ate_rot_deg": np.mean([angle(p[:, :3], g[:, :3]) for p, g in zip(pred, gt, strict=True)]),
    }
    steps = [
        (np.linalg.inv(hom(pred[i])) @ hom(pred[i + 1]), np.linalg.inv(hom(gt[i])) @ hom(gt[i + 1]))
        for i in range(len(pred) - 1)
    ]
    if steps:
        found["pose.rpe_trans"] = np.mean([np.linalg.norm(p[:3, 3] - g[:3, 3]) for p, g in steps])
        found["pose.rpe_rot_deg"] = np.mean([angle(p[:3, :3], g[:3, :3]) for p, g in steps])
    return found


def frames(w: dict[str, np.ndarray], mode: str) -> list[Scores]:
    """Per frame, what is finite, under the existing system's keys; and whether rounding decides its normals."""
    rows = []
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for i in range(len(w["depth"])):
            gt, valid, k = w["gt_depth"][i], w["valid"][i], w["gt_intrinsics"][i]
            building = valid & w["building"][i]
            pred = align(w["depth"][i], gt, valid, mode)
            groups = {
                "depth.full": depth(pred, gt, valid),
                "depth.building": depth(pred, gt, building),
                "depth.non_building": depth(pred, gt, valid & ~w["building"][i]),
                "normals.full": normals_metrics(pred, gt, valid, k),
                "normals.building": normals_metrics(pred, gt, building, k),
                "planarity.building": planarity(pred, gt, building, k),
            }
            if i + 1 < len(w["depth"]):
                e, ki = w["world_to_camera"], w["intrinsics"]
                groups["photometric.building"] = photometric(
                    w["images"][i], w["images"][i + 1], pred, e[i], e[i + 1], ki[i], ki[i + 1], building
                )
            flat = {f"{group}.{name}": float(value) for group, found in groups.items() for name, value in found.items()}
            row = {key: value for key, value in flat.items() if math.isfinite(value)}
            rows.append({**row, "rounding": float(any(normals_are_rounding(z, k, valid) for z in (pred, gt)))})
    return rows
