"""The table of several runs side by side, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.analysis.comparability import Facts
from engine.analysis.deltas import Verdict
from engine.analysis.known_limits import KnownLimit
from engine.analysis.overview import RunAnalysis
from engine.catalogue import Metric

if TYPE_CHECKING:  # a comparison that is not judged needs no NumPy
    from engine.analysis.evidence import Evidence
    from engine.analysis.losses import Loss


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
        evidence: what tells its changes from chance; without it nothing is judged.
    """

    run: str
    path: str
    protocol: str
    provenance: str
    analysis: RunAnalysis
    facts: Facts
    checkpoint: str | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class OnScale:
    """One metric on the scale from chance (0 %) to the truth (100 %).

    Attributes:
        chance, oracle: the ends, in the metric's unit.
        baseline: where the baseline stands, in percent; can be below 0 or beyond 100. ``None`` where the scale has no
            length, or there is no baseline.
        value: where the checkpoint stands, likewise.
        interval: 95 % interval of ``value``, with the ends of the scale taken as they are.
        reading: a :class:`engine.analysis.calibration.Reading`: what the value says; ``None`` where that is open.
    """

    chance: float | None
    oracle: float | None
    baseline: float | None
    value: float | None
    interval: tuple[float, float] | None
    reading: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One metric of one run: baseline, value, change. ``None`` is not measured (``verdict``: cannot be said).

    ``delta`` and the intervals of it are in the metric's unit, ``delta_pct`` in percent of |baseline|. ``ci95`` is the
    95 % interval of this one change by itself; ``joint95`` holds for all checkpoints of the run at once, and 0 is
    outside of it exactly if the verdict is better or worse. ``kind`` says what they were computed from (a
    :class:`engine.analysis.differences.Kind`); ``n`` is the frames behind ``value``. ``loses`` are the parts of the
    sample in which it is worse although better as a whole; ``scale`` is where it stands between chance and truth.
    """

    key: str
    baseline: float | None
    value: float | None
    delta: float | None
    delta_pct: float | None
    verdict: Verdict | None
    ci95: tuple[float, float] | None
    joint95: tuple[float, float] | None
    kind: str | None
    n: int | None
    loses: tuple[Loss, ...] = ()
    scale: OnScale | None = None


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
        basis: what its verdicts are based on, one sentence; ``None`` where nothing was judged.
        limits: what is known of metrics that cannot tell what their name says, by key.
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
    basis: str | None = None
    limits: Mapping[str, KnownLimit] = field(default_factory=dict)

    def is_uninformative(self, key: str) -> bool:
        """Whether a metric of this run says nothing: within noise of chance, without a scale, or so by construction."""
        cell, limit = self.cells[key], self.limits.get(key)
        if cell.value is None:
            return False
        scale = cell.scale
        return (scale is not None and scale.reading in SAY_NOTHING) or (
            limit is not None and limit.limit in SAY_NOTHING
        )


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
        reasons: why values may not be compared, in a few words each; empty if they may.
        cost_note: why costs may not be compared, one sentence; empty if they may.
    """

    objective: str
    metrics: tuple[Metric, ...]
    columns: tuple[Column, ...]
    comparable: bool
    headline: str
    notes: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    cost_note: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the rows."""
        return tuple(metric.key for metric in self.metrics)


# Readings of a value (engine.analysis.calibration) and limits of a metric (engine.analysis.known_limits).
SAY_NOTHING = ("near_chance", "no_scale")
