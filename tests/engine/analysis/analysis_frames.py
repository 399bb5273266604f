"""Small runs as frames, and the real ones read from their JSON by a reader of the tests' own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from engine.analysis.evidence import Evidence
from engine.analysis.overview import RunAnalysis, analyse
from engine.analysis.weighing import weigh
from engine.catalogue import Catalogue
from engine.config import Config
from engine.schema import CHECKPOINTS, SUMMARY

CATALOGUE = Catalogue()
WEIGHTS = Config().score.weights
Values = Mapping[str, Mapping[str, float | None]]


def frames(
    values: Values, *, roles: Mapping[str, str] | None = None, counts: Mapping[str, Mapping[str, int]] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Summary and checkpoint table of ``{checkpoint: {metric: mean}}``; std is a tenth of the mean, count 10."""
    summary = [
        (
            name,
            key,
            mean,
            None if mean is None else abs(mean) / 10,
            mean,
            mean,
            mean,
            (counts or {}).get(name, {}).get(key, 10),
        )
        for name, metrics in values.items()
        for key, mean in metrics.items()
    ]
    checkpoints = [
        (name, (roles or {}).get(name, "baseline" if name == "baseline" else "checkpoint"), _number(name), None)
        for name in values
    ]
    return (
        pl.DataFrame(summary, schema=SUMMARY, orient="row"),
        pl.DataFrame(checkpoints, schema=CHECKPOINTS, orient="row"),
    )


def run(
    values: Values,
    *,
    roles: Mapping[str, str] | None = None,
    baseline: str | None = "baseline",
    weights: Mapping[str, float] = WEIGHTS,
    catalogue: Catalogue = CATALOGUE,
    counts: Mapping[str, Mapping[str, int]] | None = None,
) -> RunAnalysis:
    """Analyse ``{checkpoint: {metric: mean}}``."""
    summary, checkpoints = frames(values, roles=roles, counts=counts)
    return analyse(summary, checkpoints, baseline=baseline, catalogue=catalogue, weights=weights)


def summary_of(analysis: RunAnalysis) -> pl.DataFrame:
    """The long summary behind wide tables: means, standard deviations and counts."""
    ids = ("checkpoint", "role", "step", "score")
    means, stds, counts = (
        table.drop(ids, strict=False)
        .unpivot(variable_name="metric", value_name=name)
        .with_columns(checkpoint=pl.Series(analysis.names * (table.width - len(set(ids) & set(table.columns)))))
        for table, name in ((analysis.table, "mean"), (analysis.stds, "std"), (analysis.counts, "count"))
    )
    both = means.join(stds, on=["checkpoint", "metric"]).join(counts, on=["checkpoint", "metric"])
    blank = [pl.lit(None, SUMMARY[name]).alias(name) for name in SUMMARY if name not in both.columns]
    return both.drop_nulls("mean").with_columns(blank).select(pl.col(name).cast(SUMMARY[name]) for name in SUMMARY)


def weighed(analysis: RunAnalysis, sums: pl.DataFrame | None = None) -> Evidence:
    """What the run's own summary tells, or sums over windows."""
    return weigh(analysis, summary_of(analysis), sums, catalogue=CATALOGUE, weights=WEIGHTS)


def curve(key: str, values: list[float | None]) -> RunAnalysis:
    """A run without baseline whose checkpoints ``c_0``, ``c_1`` and so on have these values of one metric."""
    return run({f"c_{i}": {key: value} for i, value in enumerate(values)}, baseline=None)


def read_json_run(folder: Path) -> RunAnalysis:
    """A real run: one ``<checkpoint>_metrics.json`` per checkpoint."""
    names = sorted((file.name.removesuffix("_metrics.json") for file in folder.glob("*_metrics.json")), key=_order)
    contents = {name: json.loads((folder / f"{name}_metrics.json").read_text()) for name in names}
    summary = pl.DataFrame(
        [
            {"checkpoint": name, "metric": key, **entry}
            for name, metrics in contents.items()
            for key, entry in metrics.items()
        ],
        schema=SUMMARY,
    )
    checkpoints = pl.DataFrame(
        [(name, "baseline" if name == "baseline" else "checkpoint", _number(name), None) for name in names],
        schema=CHECKPOINTS,
        orient="row",
    )
    return analyse(summary, checkpoints, baseline="baseline", catalogue=CATALOGUE, weights=WEIGHTS)


def _order(name: str) -> tuple[bool, int]:
    return (name != "baseline", _number(name) or 0)


def _number(name: str) -> int | None:
    found = re.search(r"(\d+)$", name)
    return int(found.group()) if found else None
