"""Small runs for the tests of figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from engine.analysis.overview import analyse
from engine.analysis.weighing import weigh
from engine.catalogue import Catalogue
from engine.config import DEFAULT_WEIGHTS
from engine.schema import CHECKPOINTS, SUMMARY
from tui.plots.panels import RunSeries

Values = Mapping[str, Sequence[float | None]]


def run(
    name: str, role: str, values: Values, *, baseline: bool = True, names: Sequence[str] = (), steps: bool = True
) -> RunSeries:
    """A run: per metric the baseline's value (where there is one), then a value per checkpoint."""
    count = len(next(iter(values.values()))) - baseline
    checkpoints = list(names) or [f"checkpoint_{index}" for index in range(count)]
    rows = ["baseline", *checkpoints] if baseline else checkpoints
    table = pl.DataFrame(
        {
            "checkpoint": rows,
            "role": ["baseline"] * baseline + ["checkpoint"] * count,
            "step": [None] * baseline + [index if steps else None for index in range(count)],
            "problem": [None] * len(rows),
        },
        schema=CHECKPOINTS,
    )
    summary = pl.DataFrame(
        [
            {"checkpoint": row, "metric": key, "mean": value, "std": 0.1, "count": 10}
            for key, column in values.items()
            for row, value in zip(rows, column, strict=True)
        ],
        schema=SUMMARY,
    )
    analysis = analyse(
        summary,
        table,
        baseline="baseline" if baseline else None,
        catalogue=Catalogue(),
        weights=DEFAULT_WEIGHTS,
    )
    return RunSeries(name, role, analysis)


def full(name: str, role: str, *, checkpoints: int = 12, shift: float = 0.0) -> RunSeries:
    """A run with every metric that the presets ask for; delta1 jumps at checkpoint 6."""
    keys = [
        *(f"depth.{region}.{n}" for region in ("building", "full", "non_building") for n in ("abs_rel", "rmse", "mae")),
        "normals.building.angular_mean",
        "planarity.building.residual_mean",
        *(f"pose.{n}" for n in ("ate_trans", "rpe_trans", "ate_rot_deg", "rpe_rot_deg")),
    ]
    ups = [
        *(f"depth.{region}.delta1" for region in ("building", "full", "non_building")),
        "normals.building.inlier_30",
        "planarity.building.inlier_ratio",
        "photometric.building.inlier_ratio",
    ]
    falling = [1.0 + shift, *(0.8 - 0.01 * index + 0.003 * (index % 3) + shift for index in range(checkpoints))]
    rising = [0.4, *((0.2 if index < 6 else 0.5) + 0.002 * (index % 3) for index in range(checkpoints))]
    return run(name, role, {**dict.fromkeys(keys, falling), **dict.fromkeys(ups, rising)})


def with_evidence(series: RunSeries, *, count: int = 800) -> RunSeries:
    """The same run with what means, a standard deviation of 0.1 and so many frames tell of it."""
    analysis = series.analysis
    means = analysis.table.drop("role", "step", "score").unpivot(index="checkpoint", variable_name="metric")
    summary = means.drop_nulls("value").select(
        "checkpoint",
        "metric",
        pl.col("value").alias("mean"),
        pl.lit(0.1).alias("std"),
        *(pl.lit(None, pl.Float64).alias(name) for name in ("median", "min", "max")),
        pl.lit(count, pl.Int64).alias("count"),
    )
    evidence = weigh(analysis, summary, None, catalogue=Catalogue(), weights=DEFAULT_WEIGHTS)
    return replace(series, evidence=evidence)
