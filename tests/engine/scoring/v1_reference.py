"""Protocol v1 written from its definitions as plain float64 NumPy loops: what the scoring is compared with.

Shares nothing with the code under test but its parameters and, for planes, which points it put into each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.dataset.model import PreparedWindow
from engine.inference.contract import Prediction

Array = NDArray[np.float64]
LEAST = 1e-3
Scores = dict[tuple[int, str, str], dict[str, float]]  # (frame, region, alignment) -> metric -> value


def ray_of(uv: Array, intrinsics: Array) -> Array:
    return np.linalg.inv(intrinsics) @ np.array([uv[0], uv[1], 1.0])


def bilinear(image: Array, u: float, v: float) -> Any:
    """Of [H, W] or [H, W, C]; pixels that count nothing are not touched."""
    x, y = int(np.floor(u)), int(np.floor(v))
    total: Any = 0.0
    for row, wy in ((y, 1 - (v - y)), (y + 1, v - y)):
        for column, wx in ((x, 1 - (u - x)), (x + 1, u - x)):
            if wx * wy > 0:
                total = total + wx * wy * image[row, column]
    return total


def sampled_depth(depth: Array, u: float, v: float) -> float:
    """Bilinear in inverse depth; NaN where a pixel is not positive and finite."""
    with np.errstate(divide="ignore"):
        inverse = np.where((depth > 0) & np.isfinite(depth), 1 / depth, np.nan)
    return float(1 / bilinear(inverse, u, v))


class Reference:
    """Scores of one prediction of one window."""

    def __init__(self, prepared: PreparedWindow, prediction: Prediction, regions: Any, scope: str = "window") -> None:
        self.prepared = prepared
        self.regions = regions
        self.depth = prediction.depth[0].double().numpy()
        self.extrinsics = prediction.world_to_camera[0].double().numpy()
        self.intrinsics = prediction.intrinsics[0].double().numpy()
        self.size = prepared.images.shape[-2:]
        affine = prepared.native_to_image
        self.uv, self.image_uv, self.truth, self.label, self.rays, self.predicted = [], [], [], [], [], []
        self.pixel, self.unusable = [], []
        for frame, points in enumerate(prepared.points):
            image_uv = points.uv @ affine[:, :2].T + affine[:, 2]
            inside = ((image_uv >= 0) & (image_uv <= [self.size[1] - 1, self.size[0] - 1])).all(1)
            kept = points.usable & inside
            self.uv.append(points.uv[kept])
            self.image_uv.append(image_uv[kept])
            self.truth.append(points.depth[kept])
            self.label.append(points.label[kept])
            self.pixel.append(np.floor(points.uv[kept] + 0.5))
            self.unusable.append(np.floor(points.uv[~points.usable] + 0.5))
            self.rays.append(np.array([ray_of(uv, prepared.native_intrinsics[frame]) for uv in points.uv[kept]]))
            self.predicted.append(np.array([sampled_depth(self.depth[frame], u, v) for u, v in image_uv[kept]]))
        self.aligned, self.clamped, self.degenerate = self._align(scope)

    def masks(self, frame: int) -> dict[str, NDArray[np.bool_]]:
        label = self.label[frame]
        return {
            name: np.ones(len(label), bool) if ids is None else np.isin(label, ids)
            for name, ids in self.regions.items()
        }

    def _align(self, scope: str) -> Any:
        frames = range(len(self.truth))
        groups = [list(frames)] if scope == "window" else [[frame] for frame in frames]
        aligned, clamped, degenerate = {}, {}, {}
        for group in groups:
            p = np.concatenate([self.predicted[frame] for frame in group])
            g = np.concatenate([self.truth[frame] for frame in group])
            p, g = p[np.isfinite(p)], g[np.isfinite(p)]
            fits = {"none": (1.0, 0.0), "scale": None, "median": None, "scale_shift": None}
            if len(p):
                fits["scale"] = ((p * g).sum() / (p * p).sum(), 0.0)
                fits["median"] = (np.median(g) / np.median(p), 0.0)
                if p.std() > 1e-5 * p.mean() and g.std() > 1e-5 * g.mean():
                    slope, shift = np.linalg.lstsq(np.column_stack([p, np.ones_like(p)]), g, rcond=None)[0]
                    fits["scale_shift"] = (slope, shift) if slope > 0 else None
            for kind, fit in fits.items():
                s, b = fit or (1.0, 0.0)
                for frame in group:
                    raw = s * self.predicted[frame] + b
                    low = ~(raw >= LEAST)
                    aligned[kind, frame] = np.where(low, LEAST, raw)
                    clamped[kind, frame] = low
                    degenerate[kind, frame] = fit is None
        return aligned, clamped, degenerate

    def depth_scores(self) -> Scores:
        found: Scores = {}
        for (kind, frame), aligned in self.aligned.items():
            for region, mask in self.masks(frame).items():
                if not mask.any():
                    continue
                p, g = aligned[mask], self.truth[frame][mask]
                d = np.log(p) - np.log(g)
                ratio = np.maximum(p / g, g / p)
                raw = np.nan_to_num(self.predicted[frame][mask], nan=0.0)
                found[frame, region, kind] = {
                    "depth.mae": np.abs(p - g).mean(),
                    "depth.rmse": np.sqrt(((p - g) ** 2).mean()),
                    "depth.abs_rel": (np.abs(p - g) / g).mean(),
                    "depth.sq_rel": ((p - g) ** 2 / g).mean(),
                    "depth.rmse_log": np.sqrt((d**2).mean()),
                    "depth.si_log": np.sqrt(max(d.var(), 0)),
                    "depth.log10": np.abs(np.log10(p) - np.log10(g)).mean(),
                    **{f"depth.delta{k}": (ratio < 1.25**k).mean() for k in (1, 2, 3)},
                    "scale.log_ratio": np.log(np.median(g) / np.median(raw)) if np.median(raw) > 0 else np.nan,
                    "pixels": mask.sum(),
                    "clamped": self.clamped[kind, frame][mask].sum(),
                }
        return found

    def normal(self, points: Array, centre_ray: Array) -> tuple[Array, Array]:
        """Unit normal towards the camera and the variances along the principal axes, ascending."""
        _, values, axes = np.linalg.svd(points - points.mean(0), full_matrices=False)
        normal = axes[2]
        return (-normal if normal @ centre_ray > 0 else normal), np.sort(values**2) / len(points)

    def normal_scores(self, kinds: tuple[str, ...] = ("median", "scale_shift")) -> Scores:
        found: Scores = {}
        for frame, truth in enumerate(self.truth):
            pixel, rays = self.pixel[frame], self.rays[frame]
            angles = {kind: np.full(len(truth), np.nan) for kind in kinds}
            for index in range(len(truth)):
                near = (np.abs(pixel - pixel[index]) <= 4).all(1)
                if near.sum() < 12 or (np.abs(self.unusable[frame] - pixel[index]) <= 4).all(1).any():
                    continue
                points = rays[near] * truth[near, None]
                normal, variance = self.normal(points, rays[index])
                thick, wide = np.sqrt(variance[0]), np.sqrt(variance[1])
                spread = np.sqrt(np.linalg.eigvalsh(np.cov(pixel[near].T, bias=True))[0])
                along = thick / abs(normal @ rays[index] / np.linalg.norm(rays[index]))
                z = truth[index]
                jump = along > 0.02 + 0.005 * z and along > 0.25 * points[:, 2].std()
                if spread < 1 or thick > 0.3 * wide or thick > 0.02 + 0.002 * z or jump:
                    continue
                for kind in kinds:
                    other, _ = self.normal(rays[near] * self.aligned[kind, frame][near, None], rays[index])
                    angles[kind][index] = np.degrees(np.arccos(np.clip(normal @ other, -1, 1)))
            for kind in kinds:
                for region, mask in self.masks(frame).items():
                    inside = angles[kind][mask]
                    known = inside[np.isfinite(inside)]
                    scores = {"normals.coverage": len(known) / len(inside)} if len(inside) else {}
                    if len(known):
                        scores |= {
                            "normals.angular_mean": known.mean(),
                            "normals.angular_median": np.median(known),
                            "normals.inlier_11_25": (known < 11.25).mean(),
                            "normals.inlier_22_5": (known < 22.5).mean(),
                            "normals.inlier_30": (known < 30).mean(),
                        }
                    found[frame, region, kind] = scores
        return found

    def planarity_scores(self, planes: list[tuple[int, Array]]) -> Scores:
        """``planes``: frame and native positions of the points of every plane."""
        found: Scores = {}
        for kind in ("none", "scale", "median", "scale_shift"):
            for frame in range(len(self.truth)):
                parts = []
                for owner, uv in planes:
                    if owner != frame:
                        continue
                    member = np.array([np.abs(self.uv[frame] - here).sum(1).argmin() for here in uv])
                    rays = self.rays[frame][member]
                    true = rays * self.truth[frame][member, None]
                    points = rays * self.aligned[kind, frame][member, None]
                    normal, _ = self.normal(true, rays[0])
                    distance = np.abs((points - true.mean(0)) @ normal)
                    own, _ = self.normal(points, rays[0])
                    self_distance = np.abs((points - points.mean(0)) @ own)
                    parts.append(
                        (
                            len(member),
                            (distance < 0.1).mean(),
                            distance.mean(),
                            np.median(distance),
                            self_distance.mean(),
                        )
                    )
                if parts:
                    weights = [part[0] for part in parts]
                    names = ("inlier_ratio", "residual_mean", "residual_median", "self_residual")
                    found[frame, "building", kind] = {
                        f"planarity.{name}": np.average([part[i + 1] for part in parts], weights=weights)
                        for i, name in enumerate(names)
                    }
        return found

    def photometric_scores(self) -> tuple[Scores, dict[tuple[int, str], list[float]]]:
        found: Scores = {}
        curves: dict[tuple[int, str], list[float]] = {}
        images = self.prepared.images.astype(np.float64).transpose(0, 2, 3, 1)
        height, width = self.size
        for frame in range(len(self.truth) - 1):
            one, other = np.eye(4), np.eye(4)
            one[:3], other[:3] = self.extrinsics[frame], self.extrinsics[frame + 1]
            motion = other @ np.linalg.inv(one)
            differences = np.full(len(self.truth[frame]), np.nan)
            for index, (u, v) in enumerate(self.image_uv[frame]):
                z = self.predicted[frame][index]
                if not np.isfinite(z):
                    continue
                point = motion @ np.append(z * ray_of(np.array([u, v]), self.intrinsics[frame]), 1.0)
                if point[2] <= 0:
                    continue
                a, b, w = self.intrinsics[frame + 1] @ point[:3]
                a, b = a / w, b / w
                if not (0 <= a <= width - 1 and 0 <= b <= height - 1):
                    continue
                depth = self.depth[frame + 1]
                with np.errstate(divide="ignore"):
                    inverse = np.where((depth > 0) & np.isfinite(depth), 1 / depth, np.nan)
                if point[2] * bilinear(inverse, a, b) > 1.05:
                    continue
                difference = bilinear(images[frame + 1], a, b) - bilinear(images[frame], u, v)
                differences[index] = np.abs(difference).mean()
            for region, mask in self.masks(frame).items():
                seen = differences[mask]
                seen = seen[np.isfinite(seen)]
                if not len(seen):
                    continue
                curve = [float((seen < 0.01 * k).mean()) for k in range(1, 21)]
                curves[frame, region] = curve
                scores = {
                    "photometric.error": seen.mean(),
                    "photometric.inlier_ratio": (seen < 0.05).mean(),
                    "photometric.inlier_auc": np.trapezoid(curve, dx=0.01) / 0.19,
                }
                for kind in ("none", "scale", "median", "scale_shift"):
                    found[frame, region, kind] = scores
        return found, curves
