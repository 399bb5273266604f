"""The JSON of ``lorascope compare``, ``rank`` and ``runs``: plain dictionaries, every number finite or null."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.analysis.comparison import Cell, Column, Comparison
from engine.analysis.overview import RunAnalysis
from engine.analysis.ranking import Ranking, best
from engine.catalogue import SCORE_KEY, Catalogue, Metric

_RANK_KEYS = (
    *("rank", "checkpoint", "step", "value", "delta", "delta_pct"),
    *("ci95", "joint95", "verdict", "kind", "tied_with_best"),
)


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line of the list of runs.

    Attributes:
        run: the run's name.
        path: where it lies.
        checkpoints: how many checkpoints of the training it has; ``None`` where that is not known.
        protocol: the protocol's name; ``None`` where nothing could be read.
        provenance: where its numbers come from, likewise.
        best: the best checkpoint by score (or another objective), if any.
        score: that checkpoint's score.
        status: ``ok``, ``partial``, ``running`` or ``broken``.
        problems: what was wrong, one sentence each.
    """

    run: str
    path: str
    checkpoints: int | None
    protocol: str | None
    provenance: str | None
    best: str | None
    score: float | None
    status: str
    problems: tuple[str, ...]


def run_row(
    analysis: RunAnalysis,
    *,
    run: str,
    path: str,
    protocol: str | None,
    provenance: str | None,
    status: str,
    problems: Sequence[str],
    catalogue: Catalogue,
    objective: str = SCORE_KEY,
) -> RunRow:
    """The line of one run that could be read; ``best`` is empty where the run lacks the objective.

    Raises:
        UnknownNameError, UsageError: as :func:`engine.analysis.ranking.best`.
    """
    name = best(analysis, objective=objective, catalogue=catalogue)
    return RunRow(
        run=run,
        path=path,
        checkpoints=analysis.trained.height,
        protocol=protocol,
        provenance=provenance,
        best=name,
        score=analysis.value(name, SCORE_KEY),
        status=status,
        problems=tuple(problems),
    )


def to_document(comparison: Comparison) -> dict[str, Any]:
    """The JSON of ``lorascope compare``.

    ``checkpoints`` is a count (baseline not included); ``score`` is null where the run has none; null among figures is
    "not measured", of a verdict and its interval "cannot be said". ``basis`` says in words what verdicts are based on.
    ``ci95`` is the interval of ``delta`` by itself, ``joint95`` the one that holds for all checkpoints of the run at
    once and that the verdict goes by. Every run lists the same metrics.
    """
    return {
        "runs": [_column_document(column, comparison.metrics) for column in comparison.columns],
        "comparable": comparison.comparable,
        "notes": list(comparison.notes),
    }


def runs_document(rows: Sequence[RunRow]) -> dict[str, Any]:
    """The JSON of ``lorascope runs``."""
    return {
        "runs": [
            {
                "run": row.run,
                "path": row.path,
                "checkpoints": row.checkpoints,
                "protocol": row.protocol,
                "provenance": row.provenance,
                "best": row.best,
                "score": row.score,
                "status": row.status,
                "problems": list(row.problems),
            }
            for row in rows
        ]
    }


def rank_document(ranking: Ranking, run: str) -> dict[str, Any]:
    """The JSON of ``lorascope rank``.

    ``ci95`` is the interval of ``delta`` by itself, ``joint95`` the one that holds for all checkpoints at once and that
    ``verdict`` goes by; ``kind`` is what they were computed from, ``basis`` says so in words. ``tied_with_best`` is
    null where it cannot be said. Beyond the ranked rows, checkpoints without a value of the objective follow, with
    nothing but their name, unless only the first rows were asked for.
    """
    rows = [
        {
            "rank": row["rank"],
            "checkpoint": row["checkpoint"],
            "step": row["step"],
            "value": row["value"],
            "delta": row["delta"],
            "delta_pct": row["delta_pct"],
            "ci95": _pair(row["ci95_low"], row["ci95_high"]),
            "joint95": _pair(row["joint_low"], row["joint_high"]),
            "verdict": row["verdict"],
            "kind": row["kind"],
            "tied_with_best": row["tied_with_best"],
        }
        for row in ranking.rows.iter_rows(named=True)
    ]
    if ranking.top is None:
        rows += [{**dict.fromkeys(_RANK_KEYS), "checkpoint": name} for name in ranking.unranked]
    return {
        "run": run,
        "objective": ranking.objective,
        "where": ranking.where,
        "basis": ranking.basis,
        "rows": rows,
    }


def _column_document(column: Column, metrics: Sequence[Metric]) -> dict[str, Any]:
    return {
        "run": column.run,
        "path": column.path,
        "protocol": column.protocol,
        "provenance": column.provenance,
        "checkpoints": column.checkpoints,
        "baseline": column.baseline,
        "checkpoint": column.checkpoint,
        "basis": column.basis,
        "score": _score_document(column.score),
        "metrics": [
            _metric_document(metric, column.cells[metric.key]) for metric in metrics if metric.key != SCORE_KEY
        ],
    }


def _score_document(cell: Cell) -> dict[str, Any] | None:
    if cell.value is None and cell.baseline is None:
        return None
    return _figures(cell)


def _metric_document(metric: Metric, cell: Cell) -> dict[str, Any]:
    return {
        "key": metric.key,
        "label": metric.label,
        "unit": metric.unit,
        "direction": metric.direction.value,
        **_figures(cell),
        "n": cell.n,
    }


def _figures(cell: Cell) -> dict[str, Any]:
    return {
        "baseline": cell.baseline,
        "value": cell.value,
        "delta": cell.delta,
        "delta_pct": cell.delta_pct,
        "verdict": None if cell.verdict is None else cell.verdict.value,
        "ci95": None if cell.ci95 is None else list(cell.ci95),
        "joint95": None if cell.joint95 is None else list(cell.joint95),
        "kind": cell.kind,
    }


def _pair(low: float | None, high: float | None) -> list[float] | None:
    return None if low is None or high is None else [low, high]
