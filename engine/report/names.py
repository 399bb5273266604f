"""What a report calls metrics, regions, purposes and verdicts: marked for translation, looked up where it is used."""

from __future__ import annotations

from collections.abc import Mapping

from engine.analysis.deltas import Verdict
from engine.analysis.purposes import Purpose
from engine.i18n import mark

# By group and name without region; what is missing is called as in the metric table (AbsRel, RMSE, MAE and so on).
METRICS: Mapping[str, str] = {
    "score": mark("composite score"),
    "depth.pixels": mark("ground-truth points"),
    "normals.angular_mean": mark("mean normal angle"),
    "normals.angular_median": mark("median normal angle"),
    "normals.inlier_11_25": mark("normals within 11.25°"),
    "normals.inlier_22_5": mark("normals within 22.5°"),
    "normals.inlier_30": mark("normals within 30°"),
    "planarity.inlier_ratio": mark("planarity inliers"),
    "planarity.residual_mean": mark("mean plane residual"),
    "planarity.residual_median": mark("median plane residual"),
    "planarity.self_residual": mark("residual to own plane"),
    "photometric.error": mark("photometric error"),
    "photometric.inlier_ratio": mark("photometric inliers"),
    "photometric.inlier_auc": mark("photometric inlier AUC"),
    "pose.ate_trans": mark("ATE translation"),
    "pose.ate_rot_deg": mark("ATE rotation"),
    "pose.rpe_trans": mark("RPE translation"),
    "pose.rpe_rot_deg": mark("RPE rotation"),
    "performance.latency_sec": mark("latency"),
    "performance.latency_p95_sec": mark("latency p95"),
    "performance.vram_mb": mark("peak memory"),
    "performance.adapter_mb": mark("adapter size"),
    "performance.trainable_params": mark("trained parameters"),
}

REGIONS: Mapping[str, str] = {
    "building": mark("building"),
    "full": mark("full image"),
    "non_building": mark("outside buildings"),
}

PURPOSES: Mapping[Purpose, str] = {
    Purpose.DEPTH: mark("depth first"),
    Purpose.GEOMETRY: mark("geometry first"),
    Purpose.BALANCED: mark("balanced"),
    Purpose.CHEAPEST: mark("cheapest within the limits"),
    Purpose.STABLE: mark("most stable"),
}

VERDICTS: Mapping[Verdict | None, str] = {
    Verdict.BETTER: mark("better"),
    Verdict.WORSE: mark("worse"),
    Verdict.TIED: mark("no difference shown"),
    None: mark("cannot be judged"),
}
MARKS: Mapping[Verdict | None, str] = {Verdict.BETTER: "▲", Verdict.WORSE: "▼", Verdict.TIED: "≈", None: ""}
# Behind the name of a metric that carries no information, or may not.
DOUBTFUL = "†"
