"""The JSON of ``lorascope compare``, ``rank`` and ``runs``: plain dictionaries, every number finite or null."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.analysis.comparison import Cell, Column, Comparison, OnScale
from engine.analysis.known_limits import KnownLimit
from engine.analysis.overview import RunAnalysis
from engine.analysis.ranking import Ranking, best
from engine.catalogue import SCORE_KEY, Catalogue, Metric

if TYPE_CHECKING:  # a document of what was not judged needs no NumPy
    from engine.analysis.losses import Loss

_RANK_KEYS = (
    *("rank", "checkpoint", "step", "value", "delta", "delta_pct"),
    *("ci95", "joint95", "verdict", "kind", "tied_with_best", "loses"),
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
    once and that the verdict goes by. ``loses`` are the parts of the sample in which a checkpoint that is better as a
    whole is worse. ``scale`` is where it stands between chance (0 %) and the truth (100 %); null where the run was not
    scored by both. ``limit`` says what a metric cannot tell by construction. Every run lists the same metrics.
    """
    return {
        "runs": [_column_document(column, comparison.metrics) for column in comparison.columns],
        "comparable": comparison.comparable,
        "costs_comparable": not comparison.cost_note,
        "reasons": list(comparison.reasons),
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
    null where it cannot be said; ``loses`` are the parts of the sample in which a checkpoint that is better as a whole
    is worse. Beyond the ranked rows, checkpoints without a value of the objective follow, with
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
            "loses": loses_document(ranking.loses.get(row["checkpoint"], ())),
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
            _metric_document(metric, column.cells[metric.key], column.limits.get(metric.key))
            for metric in metrics
            if metric.key != SCORE_KEY
        ],
    }


def _score_document(cell: Cell) -> dict[str, Any] | None:
    if cell.value is None and cell.baseline is None:
        return None
    return _figures(cell)


def _metric_document(metric: Metric, cell: Cell, limit: KnownLimit | None) -> dict[str, Any]:
    return {
        "key": metric.key,
        "label": metric.label,
        "unit": metric.unit,
        "direction": metric.direction.value,
        **_figures(cell),
        "n": cell.n,
        "limit": None if limit is None else {"limit": limit.limit.value, "reason": limit.reason},
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
        "loses": loses_document(cell.loses),
        "scale": None if cell.scale is None else _scale_document(cell.scale),
    }


def loses_document(loses: Sequence[Loss]) -> list[dict[str, Any]]:
    """Lost parts of the sample as JSON values."""
    return [
        {
            "by": loss.by,
            "slice": loss.slice,
            "metric": loss.metric,
            "delta": loss.delta,
            "delta_pct": loss.delta_pct,
            "joint95": None if loss.joint95 is None else list(loss.joint95),
        }
        for loss in loses
    ]


def _scale_document(scale: OnScale) -> dict[str, Any]:
    return {
        "chance": scale.chance,
        "oracle": scale.oracle,
        "baseline_pct": scale.baseline,
        "value_pct": scale.value,
        "ci95_pct": None if scale.interval is None else list(scale.interval),
        "reading": scale.reading,
    }


def _pair(low: float | None, high: float | None) -> list[float] | None:
    return None if low is None or high is None else [low, high]
