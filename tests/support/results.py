"""Writes and reads small runs of any state, for the tests of the readers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from engine.results.discovery import discover
from engine.results.load import load_run
from engine.results.model import Run

KEY = "depth.building.abs_rel"


def stats(mean: object, count: object = 100) -> dict[str, object]:
    """A metric of a legacy JSON file; ``mean`` and ``count`` may be wrong on purpose."""
    return {"mean": mean, "std": 0.5, "median": 0.25, "min": 0.0, "max": 2.0, "count": count}


def put(path: Path, content: str | bytes) -> Path:
    """Write a file, creating its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def put_json(folder: Path, checkpoint: str, content: object) -> Path:
    """A legacy file that holds whatever JSON can say."""
    return put(folder / f"{checkpoint}_metrics.json", json.dumps(content))


def put_legacy(folder: Path, values: Mapping[str, float]) -> Path:
    """A legacy run with the metric ``KEY`` alone; returns its folder."""
    for checkpoint, value in values.items():
        put_json(folder, checkpoint, {KEY: stats(value)})
    return folder


def load_one(path: Path, baseline: str | None = None) -> Run:
    """Read the one run at ``path``."""
    (ref,) = discover([path])
    return load_run(ref, baseline=baseline)


def mean_of(run: Run, checkpoint: str, metric: str = KEY) -> float | None:
    """The mean in a run's summary; fails where there is not exactly one row."""
    rows = run.summary.filter((run.summary["checkpoint"] == checkpoint) & (run.summary["metric"] == metric))
    assert rows.height == 1, (checkpoint, metric, rows.height)
    value: float | None = rows["mean"][0]
    return value


def names_of(run: Run) -> list[str]:
    """The checkpoints in the run's order."""
    return run.checkpoints["checkpoint"].to_list()


def messages(run: Run) -> str:
    """All problems as the user reads them."""
    return "\n".join(map(str, run.problems))
