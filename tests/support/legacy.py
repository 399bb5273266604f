"""Writes runs in the legacy form (JSON per checkpoint and an overall CSV) with values that a test chooses."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

Values = Mapping[str, Mapping[str, float]]

# The five metrics of the default composite score, and one each of the other groups.
SCORED = (
    "depth.building.delta1",
    "depth.building.abs_rel",
    "normals.building.inlier_30",
    "planarity.building.inlier_ratio",
    "photometric.building.inlier_ratio",
)
WEIGHTS = (0.30, 0.20, 0.20, 0.15, 0.15)


def statistics(mean: float, count: int = 100) -> dict[str, float]:
    """The six figures that a legacy JSON holds of one metric; the spread is a tenth of the mean."""
    spread = abs(mean) / 10
    return {
        "mean": mean,
        "std": spread,
        "median": mean,
        "min": mean - 2 * spread,
        "max": mean + 2 * spread,
        "count": count,
    }


def write_json(folder: Path, checkpoint: str, metrics: Mapping[str, float], count: int = 100) -> Path:
    """``<checkpoint>_metrics.json`` in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{checkpoint}_metrics.json"
    path.write_text(json.dumps({key: statistics(mean, count) for key, mean in metrics.items()}, indent=2), "utf-8")
    return path


def write_csv(folder: Path, values: Values) -> Path:
    """``metrics_overall.csv`` in ``folder``: one row per checkpoint, a column ``<metric>.mean`` for every metric."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = sorted({key for metrics in values.values() for key in metrics})
    path = folder / "metrics_overall.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["checkpoint", *(f"{key}.mean" for key in keys)])
        for checkpoint, metrics in values.items():
            writer.writerow([checkpoint, *(metrics.get(key, "") for key in keys)])
    return path


def write_run(folder: Path, values: Values, *, count: int = 100) -> Path:
    """A legacy run in both forms, JSON and CSV; returns ``folder``."""
    for checkpoint, metrics in values.items():
        write_json(folder, checkpoint, metrics, count)
    write_csv(folder, values)
    return folder


def rising_run(checkpoints: int = 6, best: int = 4, shift: float = 0.0) -> dict[str, dict[str, float]]:
    """A baseline and ``checkpoint_0`` ... whose every metric improves up to number ``best`` and then gets worse.

    Args:
        checkpoints: how many, besides the baseline.
        best: the number of the best one.
        shift: added to every ratio, so that two runs differ.
    """
    values = {"baseline": _metrics(0.0, shift)}
    for number in range(checkpoints):
        values[f"checkpoint_{number}"] = _metrics(1.0 - abs(number - best) / (checkpoints + 1), shift)
    return values


def _metrics(quality: float, shift: float) -> dict[str, float]:
    """Metrics of a checkpoint of that quality, 0 (baseline) to 1."""
    return {
        "depth.building.delta1": 0.40 + shift + 0.10 * quality,
        "depth.building.abs_rel": 0.90 - shift - 0.40 * quality,
        "depth.full.abs_rel": 0.50 - 0.10 * quality,
        "depth.non_building.abs_rel": 0.45 - 0.05 * quality,
        "depth.building.rmse": 16.0 - 5.0 * quality,
        "normals.building.inlier_30": 0.05 + shift + 0.05 * quality,
        "normals.building.angular_mean": 84.0 - 3.0 * quality,
        "planarity.building.inlier_ratio": 0.14 + shift + 0.06 * quality,
        "photometric.building.inlier_ratio": 0.65 - 0.15 * quality,
        "pose.ate_trans": 3600.0 - 10.0 * quality,
        "pose.rpe_trans": 1.0 - 0.2 * quality,
        "performance.fps": 1.10 - 0.05 * quality,
        "performance.vram_mb": 20480.0 + 300.0 * quality,
    }


def score(metrics: Mapping[str, float]) -> float:
    """The default composite score, written out: the weighted sum of ratios, AbsRel as ``1 - min(AbsRel, 1)``."""
    terms = [1 - min(metrics[key], 1.0) if key.endswith("abs_rel") else metrics[key] for key in SCORED]
    return sum(weight * term for weight, term in zip(WEIGHTS, terms, strict=True))


def write_example(folder: Path) -> Path:
    """Two legacy runs, ``alpha`` (best: checkpoint_4) and ``beta`` (best: checkpoint_2), below ``folder``."""
    write_run(folder / "alpha", rising_run(best=4))
    write_run(folder / "beta", rising_run(best=2, shift=0.02))
    return folder


# Names that a terminal or a markup parser would act on, each with how it must look on the screen.
HOSTILE_NAMES = {
    "[bold]x[/]": "[bold]x[/]",
    "\x1b[31mred": "␛[31mred",
    "two\nlines": "two␊lines",
    "宽字符_9": "宽字符_9",
    "שלום_10": "שלום_10",
    "x_\u202e11": "x_<U+202E>11",
}


def write_hostile(folder: Path) -> Path:
    """One run (CSV alone: some names cannot be file names) whose checkpoints have hostile names; returns its folder."""
    rising = list(rising_run(len(HOSTILE_NAMES)).values())
    write_csv(folder / "hostile[red]run", dict(zip(["baseline", *HOSTILE_NAMES], rising, strict=True)))
    return folder
