"""Runs for reports: simulated windows whose truth is known, or summaries alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.analysis.comparability import facts_from
from engine.analysis.overview import analyse
from engine.analysis.weighing import weigh
from engine.catalogue import Catalogue
from engine.config import Config
from engine.report.material import Material, RunMaterial
from engine.schema import (
    CHECKPOINTS,
    SUMMARY,
    WINDOW_SUMS,
    DatasetInfo,
    LoraInfo,
    ProtocolInfo,
    Provenance,
    RunMetadata,
)

Floats = npt.NDArray[np.float64]
CATALOGUE = Catalogue()
CONFIG = Config()
FRAMES = 8
D1, AR = "depth.building.delta1", "depth.building.abs_rel"
N30, PL, PH = (
    "normals.building.inlier_30",
    "planarity.building.inlier_ratio",
    "photometric.building.inlier_ratio",
)
SCORED = (D1, AR, N30, PL, PH)
LATENCY = "performance.latency_sec"
_ROLES = ("baseline", "oracle", "chance")


def simulated(
    levels: Mapping[str, Mapping[str, float]],
    *,
    windows: int = 60,
    noise: float = 0.005,
    shared: float = 0.1,
    seed: int = 0,
) -> dict[str, dict[str, Floats]]:
    """Window means of ``{checkpoint: {metric: true mean}}``: what windows have in common, and noise of each."""
    random = np.random.default_rng(seed)
    metrics = list(dict.fromkeys(key for own in levels.values() for key in own))
    common = {key: shared * random.standard_normal(windows) for key in metrics}
    return {
        name: {
            key: level + common[key] - common[key].mean() + noise * random.standard_normal(windows)
            for key, level in own.items()
        }
        for name, own in levels.items()
    }


def paired_run(
    label: str,
    values: Mapping[str, Mapping[str, Floats]],
    *,
    drives: int = 3,
    costs: Mapping[str, Mapping[str, float]] | None = None,
    fingerprint: str | None = "sample",
    timings: pl.DataFrame | None = None,
    lora: LoraInfo | None = None,
) -> RunMaterial:
    """A run with windows of 8 equal frames each, evaluated by the program itself."""
    first = next(iter(next(iter(values.values())).values()))
    places = [f"drive_{index * drives // len(first)}" for index in range(len(first))]
    summary = [
        (name, key, float(means.mean()), float(means.std()), None, None, None, FRAMES * len(means))
        for name, metrics in values.items()
        for key, means in metrics.items()
    ]
    parts = [
        pl.DataFrame(
            {
                "checkpoint": [name] * len(means),
                "metric": [key] * len(means),
                "drive": places,
                "window": np.arange(len(means)),
                "frame": [None] * len(means),
                "sum": means * FRAMES,
                "m2": np.zeros(len(means)),
                "count": [FRAMES] * len(means),
            },
            schema=WINDOW_SUMS,
        )
        for name, metrics in values.items()
        for key, means in metrics.items()
    ]
    about = RunMetadata(
        run=label,
        provenance=Provenance.EVALUATED,
        protocol=ProtocolInfo(name="v1", align="median"),
        dataset=DatasetInfo(name="street", root_name="street", seed=0, sample_fingerprint=fingerprint),
        lora=lora or LoraInfo(),
    )
    return _material(label, summary, list(values), pl.concat(parts), about, costs or {}, timings)


def summary_run(
    label: str,
    means: Mapping[str, Mapping[str, float]],
    *,
    std: float | None = 0.2,
    count: int | Mapping[str, int] | None = 800,
    protocol: str = "v1",
    costs: Mapping[str, Mapping[str, float]] | None = None,
    about: RunMetadata | None = None,
) -> RunMaterial:
    """A run of which means are known, and spreads and counts unless they are ``None``."""
    rows = [
        (name, key, mean, std, None, None, None, count.get(name) if isinstance(count, Mapping) else count)
        for name, metrics in means.items()
        for key, mean in metrics.items()
    ]
    described = about or RunMetadata(run=label, provenance=Provenance.IMPORTED, protocol=ProtocolInfo(name=protocol))
    return _material(label, rows, list(means), None, described, costs or {}, None)


def report_of(*runs: RunMaterial, limits: str | None = None, joint: pl.DataFrame | None = None) -> Material:
    """Material of some runs with the default settings."""
    return Material(runs=runs, config=CONFIG, catalogue=CATALOGUE, joint_sums=joint, limits=limits)


def joint_sums(*runs: RunMaterial) -> pl.DataFrame:
    """The sums of runs of one sample, checkpoints called ``run/checkpoint``."""
    return pl.concat(
        [
            run.sums.with_columns(
                (f"{run.label}/" + pl.col("checkpoint").cast(pl.String)).cast(pl.Categorical()).alias("checkpoint")
            )
            for run in runs
            if run.sums is not None
        ]
    )


def _material(
    label: str,
    rows: Sequence[tuple[object, ...]],
    names: Sequence[str],
    sums: pl.DataFrame | None,
    about: RunMetadata,
    costs: Mapping[str, Mapping[str, float]],
    timings: pl.DataFrame | None,
) -> RunMaterial:
    rows = [
        *rows,
        *(
            (name, key, value, None, None, None, None, None)
            for name, own in costs.items()
            for key, value in own.items()
        ),
    ]
    summary = pl.DataFrame(rows, schema=SUMMARY, orient="row")
    checkpoints = pl.DataFrame(
        [(name, name if name in _ROLES else "checkpoint", _step(name), None) for name in names],
        schema=CHECKPOINTS,
        orient="row",
    )
    baseline = "baseline" if "baseline" in names else None
    weights = CONFIG.score.weights
    analysis = analyse(summary, checkpoints, baseline=baseline, catalogue=CATALOGUE, weights=weights)
    judged = None if sums is None else sums.filter(~pl.col("checkpoint").cast(pl.String).is_in(_ROLES[1:]))
    return RunMaterial(
        label=label,
        path=f"results/{label}",
        metadata=about,
        analysis=analysis,
        facts=facts_from(label, about, analysis, catalogue=CATALOGUE),
        summary=summary,
        evidence=weigh(analysis, summary, judged, catalogue=CATALOGUE, weights=weights),
        sums=sums,
        timings=timings,
    )


def _step(name: str) -> int | None:
    found = re.search(r"(\d+)$", name)
    return int(found.group()) if found else None
