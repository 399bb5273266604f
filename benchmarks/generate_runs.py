"""Writes many plausible runs, to measure with: ``python -m benchmarks.generate_runs DIR --runs 1000``.

Values follow learning curves with noise, a baseline each. Keys are those of the metric table, then made-up ones.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.catalogue import REGIONS, Catalogue, Group, frame_metric_names
from engine.results.layout import LEGACY_JSON_ENDING, LEGACY_TABLE, STATISTICS
from engine.results.writer import write_run
from engine.schema import SUMMARY, CheckpointInfo, ProtocolInfo, Provenance, Role, RunMetadata

FORMS = ("legacy-csv", "legacy-json", "native")
FRAMES = 4000  # frames that a mean is over
BASELINE = "baseline"

Values = npt.NDArray[np.float64]


def metric_keys(count: int) -> list[str]:
    """``count`` metric keys: those of the metric table in its order, then made-up ones."""
    keys = []
    for group, names in frame_metric_names().items():
        regions = [""] if group is Group.POSE else [f"{region}." for region in REGIONS]
        keys += [f"{group}.{region}{name}" for region in regions for name in names]
    keys += ["performance.fps", "performance.latency_sec", "performance.vram_mb"]
    keys = Catalogue().order(keys)
    return keys[:count] + [f"extra.metric_{number}" for number in range(count - len(keys))]


def learning_curves(keys: Sequence[str], checkpoints: int, rng: np.random.Generator) -> Values:
    """Means of one run, [1 + checkpoints, metrics], the baseline first: exponential approach to a better value."""
    signs = np.array([Catalogue().get(key).direction.sign or 1 for key in keys], dtype=np.float64)
    start = rng.uniform(0.2, 0.6, len(keys))
    gain = rng.uniform(0.05, 0.5, len(keys)) * signs
    pace = rng.uniform(2.0, checkpoints / 2 + 2.0)
    progress = 1.0 - np.exp(-np.arange(checkpoints + 1) / pace)
    noise = rng.normal(0.0, 0.01, (checkpoints + 1, len(keys)))
    noise[0] = 0.0
    return np.clip(start + start * (gain * progress[:, None] + noise), 0.0, None)


def write_legacy_csv(folder: Path, names: Sequence[str], keys: Sequence[str], means: Values) -> None:
    """``metrics_overall.csv`` alone."""
    folder.mkdir(parents=True)
    lines = [",".join(["checkpoint", *(f"{key}.mean" for key in keys)])]
    lines += [",".join([name, *map(repr, row)]) for name, row in zip(names, means.tolist(), strict=True)]
    (folder / LEGACY_TABLE).write_text("\n".join(lines) + "\n", "utf-8")


def write_legacy_json(folder: Path, names: Sequence[str], keys: Sequence[str], means: Values) -> None:
    """One ``<checkpoint>_metrics.json`` per checkpoint."""
    folder.mkdir(parents=True)
    for name, row in zip(names, means.tolist(), strict=True):
        content = {
            key: dict(zip(STATISTICS, (mean, 0.3 * mean, 0.9 * mean, 0.1 * mean, 3.0 * mean, FRAMES), strict=True))
            for key, mean in zip(keys, row, strict=True)
        }
        (folder / f"{name}{LEGACY_JSON_ENDING}").write_text(json.dumps(content), "utf-8")


def write_native(folder: Path, names: Sequence[str], keys: Sequence[str], means: Values) -> None:
    """A native run that holds summaries."""
    mean = means.ravel()
    summary = pl.DataFrame(
        {
            "checkpoint": np.repeat(np.array(names, dtype=object), len(keys)),
            "metric": np.tile(np.array(keys, dtype=object), len(names)),
            "mean": mean,
            "std": 0.3 * mean,
            "median": 0.9 * mean,
            "min": 0.1 * mean,
            "max": 3.0 * mean,
            "count": np.full(mean.size, FRAMES),
        },
        schema=SUMMARY,
    )
    metadata = RunMetadata(
        run=folder.name,
        provenance=Provenance.SYNTHETIC,
        protocol=ProtocolInfo(align="median"),
        checkpoints=[
            CheckpointInfo(name=name, role=Role.BASELINE if name == BASELINE else Role.CHECKPOINT) for name in names
        ],
    )
    write_run(folder, metadata, summary=summary)


WRITERS = {"legacy-csv": write_legacy_csv, "legacy-json": write_legacy_json, "native": write_native}


def generate(root: Path, *, runs: int, checkpoints: int, metrics: int, form: str, seed: int) -> None:
    """Write ``runs`` runs ``run_0`` and so on below ``root``, each with a baseline and ``checkpoints`` checkpoints.

    Raises:
        FileExistsError: a run's folder exists already (legacy forms).
    """
    keys = metric_keys(metrics)
    names = [BASELINE, *(f"checkpoint_{number}" for number in range(checkpoints))]
    rng = np.random.default_rng(seed)
    for number in range(runs):
        WRITERS[form](root / f"run_{number}", names, keys, learning_curves(keys, checkpoints, rng))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate_runs", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write the runs; created where it is missing")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--checkpoints", type=int, default=100, help="per run, beside its baseline")
    parser.add_argument("--metrics", type=int, default=50, help="per checkpoint")
    parser.add_argument("--form", choices=FORMS, default=FORMS[0])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    generate(
        options.folder,
        runs=options.runs,
        checkpoints=options.checkpoints,
        metrics=options.metrics,
        form=options.form,
        seed=options.seed,
    )


if __name__ == "__main__":
    main()
