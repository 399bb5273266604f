"""The table of several runs side by side, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.analysis.comparability import Facts
from engine.analysis.deltas import Verdict
from engine.analysis.overview import RunAnalysis
from engine.catalogue import Metric


@dataclass(frozen=True, eq=False)
class Entry:
    """One run that takes part in a comparison.

    Attributes:
        run: the run's name.
        path: where it lies, as text to print.
        protocol: the protocol's name.
        provenance: where its numbers come from.
        analysis: its tables.
        facts: what decides whether its values may stand beside another's.
        checkpoint: the checkpoint to show; ``None`` is the best by the comparison's objective.
    """

    run: str
    path: str
    protocol: str
    provenance: str
    analysis: RunAnalysis
    facts: Facts
    checkpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One metric of one run: baseline, value, change. ``None`` is not measured (``verdict``: cannot be said).

    ``delta`` and ``ci95`` are in the metric's unit, ``delta_pct`` in percent of |baseline|; ``ci95`` is the interval of
    ``delta``; ``n`` the frames behind ``value``.
    """

    key: str
    baseline: float | None
    value: float | None
    delta: float | None
    delta_pct: float | None
    verdict: Verdict | None
    ci95: tuple[float, float] | None
    n: int | None


@dataclass(frozen=True, slots=True)
class Column:
    """One run's block of the table.

    Attributes:
        run, path, protocol, provenance: as in :class:`Entry`.
        checkpoints: how many checkpoints of the training the run has (no baseline, oracle or chance).
        baseline: the checkpoint that changes are against, if any.
        checkpoint: the one shown, ``None`` where no checkpoint has a value of the objective.
        score: the composite score; all ``None`` where the run has none.
        cells: by metric key, one for every row of the table.
    """

    run: str
    path: str
    protocol: str
    provenance: str
    checkpoints: int
    baseline: str | None
    checkpoint: str | None
    score: Cell
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole table.

    Attributes:
        objective: the key by which best checkpoints were chosen.
        metrics: the rows, in catalogue order; ``score`` first if any run has one.
        columns: one block per entry, in their order.
        comparable: whether values may be compared between the runs.
        headline: one short line saying why not; empty if they may.
        notes: sentences on comparability, frame counts, missing scores. Names in them are outside text.
    """

    objective: str
    metrics: tuple[Metric, ...]
    columns: tuple[Column, ...]
    comparable: bool
    headline: str
    notes: tuple[str, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the rows."""
        return tuple(metric.key for metric in self.metrics)
