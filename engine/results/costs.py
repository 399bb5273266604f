"""``cost.parquet`` as it was measured: merged and unmerged, with the single timings; and what is missing in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from engine.results.layout import COST
from engine.results.parquet import has_schema, scan
from engine.results.problems import ProblemLog
from engine.results.reading import PARQUET_ERRORS, why_unreadable
from engine.schema import COST as COST_SCHEMA
from engine.schema import MEASURED_COST, Role, RunMetadata, empty


def read_costs(folder: Path, log: ProblemLog) -> pl.DataFrame:
    """The costs of a run.

    Args:
        folder: the run's folder.
        log: where it is reported that the file cannot be read.

    Returns:
        Frame of schema :data:`engine.schema.MEASURED_COST`, empty where there is no such file; ``times_sec`` is null
        in files that hold no single timings.
    """
    path = folder / COST
    if not path.is_file() or not has_schema(path, COST, COST_SCHEMA, log):
        return empty(MEASURED_COST)
    try:
        return scan([path], MEASURED_COST).collect()
    except PARQUET_ERRORS as error:
        log.error(COST, why_unreadable(error), remedy="remove it, or measure again")
        return empty(MEASURED_COST)


def baseline_of(metadata: RunMetadata) -> str | None:
    """The name of the checkpoint that has the role of the baseline."""
    return next((info.name for info in metadata.checkpoints if info.role is Role.BASELINE), None)


def subjects(metadata: RunMetadata) -> list[str]:
    """The models of a run that have a cost, in its order: the baseline and the checkpoints."""
    wanted = (Role.BASELINE, Role.CHECKPOINT)
    return [info.name for role in wanted for info in metadata.checkpoints if info.role is role]


def missing_costs(
    costs: pl.DataFrame, names: Iterable[str], baseline: str | None, *, merged: bool
) -> list[tuple[str, bool]]:
    """What is not measured yet: (name, merged), model by model, unmerged first.

    Args:
        costs: as :func:`read_costs` gives it.
        names: the models that are wanted.
        baseline: the one that has no LoRA: it is measured once and counts as unmerged.
        merged: whether the checkpoints are wanted merged, too.
    """
    there = set(costs.select("checkpoint", "merged").iter_rows())
    wanted = [(name, state) for name in names for state in (False, True) if not state or (merged and name != baseline)]
    return [pair for pair in wanted if pair not in there]
