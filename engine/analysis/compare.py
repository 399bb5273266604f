"""Several runs side by side: each one's baseline against one of its checkpoints.

:func:`compare` builds the one table that commands and screens show. Its parts (the table's classes, :func:`deltas`,
:func:`match_metrics`, :func:`to_document`) live in modules of their own and are re-exported here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from engine.analysis.comparability import comparability
from engine.analysis.comparison import Cell, Column, Comparison, Entry, OnScale
from engine.analysis.deltas import DELTAS, Verdict, deltas
from engine.analysis.documents import to_document
from engine.analysis.globs import match_metrics
from engine.analysis.known_limits import Limit, known_limits
from engine.analysis.overview import RunAnalysis
from engine.analysis.ranking import best, resolve_objective
from engine.catalogue import SCORE_KEY, Catalogue
from engine.errors import UnknownNameError, UsageError
from engine.i18n import gettext as _
from engine.i18n import listing
from engine.text import listed

if TYPE_CHECKING:  # a comparison that is not judged needs no NumPy
    from engine.analysis.evidence import Evidence
    from engine.analysis.losses import Loss

# Metrics that a note names at most.
_LISTED = 4

__all__ = [
    "DELTAS",
    "Cell",
    "Column",
    "Comparison",
    "Entry",
    "Verdict",
    "cell_of",
    "compare",
    "deltas",
    "differing",
    "match_metrics",
    "to_document",
]


def compare(
    entries: Sequence[Entry],
    *,
    catalogue: Catalogue,
    metrics: str | Sequence[str] | None = None,
    objective: str = SCORE_KEY,
    parts: bool = True,
) -> Comparison:
    """Put runs side by side.

    Args:
        entries: at least one run; their order is the order of the columns.
        catalogue: the metric table.
        metrics: which rows: a pattern (see :func:`match_metrics`; the score stays above what it chooses), keys, or
            ``None`` for all that any run has.
        objective: what chooses the best checkpoint where an entry names none.
        parts: ask the evidence for the parts of the sample, too, and for the scale from chance to truth, which takes
            several times as long; what it knows of them already is shown in any case.

    Raises:
        UnknownNameError: no run has the objective, a checkpoint or a metric of that name.
        UsageError: no entries, or the objective has no direction.
    """
    if not entries:
        raise UsageError(_("there is no run to compare"), _("give the path of a folder with results"))
    available = catalogue.order(key for entry in entries for key in entry.analysis.metrics)
    keys = _choose(metrics, available, catalogue)
    objective_key = _objective(entries, objective, available, catalogue)
    chosen = [
        entry.analysis.require(entry.checkpoint, entry.run)
        if entry.checkpoint is not None
        else best(entry.analysis, objective=objective, catalogue=catalogue)
        for entry in entries
    ]
    # Judged once for all blocks of a run: every verdict is corrected for all of its checkpoints anyway.
    evidence = {entry.evidence for entry in entries if entry.evidence is not None}
    shown = _shown(keys)
    judged = {own: _judge(own, shown, parts=parts) for own in evidence}
    # A run that takes part with several checkpoints is one run.
    verdict = comparability(list({entry.path: entry.facts for entry in entries}.values()))
    return Comparison(
        objective=objective_key,
        metrics=tuple(catalogue.get(key) for key in keys),
        columns=tuple(
            _column(entry, name, keys, catalogue, judged[entry.evidence] if entry.evidence else None)
            for entry, name in zip(entries, chosen, strict=True)
        ),
        comparable=verdict.comparable,
        headline=verdict.headline,
        notes=(
            *verdict.notes,
            *_missing_notes(entries, chosen, objective_key),
            *_limit_notes(entries, keys, catalogue),
        ),
        reasons=verdict.reasons,
        cost_note=verdict.cost_note,
    )


def differing(comparison: Comparison, *, tolerance_pct: float = 1.0) -> tuple[str, ...]:
    """The metrics in which anything changed: against a baseline, or between the runs shown.

    A metric is among them if in any run its value differs from the baseline by more than ``tolerance_pct`` percent of
    the baseline (at a baseline of 0: at all), if the values of two runs differ by more than that percentage of the
    larger of all their magnitudes, or if one run measured it and another did not.
    """
    return tuple(
        key for key in comparison.keys if _differs([column.cells[key] for column in comparison.columns], tolerance_pct)
    )


def _shown(keys: Sequence[str]) -> list[str]:
    """The metrics of a column: the score is its headline, whatever the rows are."""
    return list(dict.fromkeys((SCORE_KEY, *keys)))


def _choose(metrics: str | Sequence[str] | None, available: list[str], catalogue: Catalogue) -> list[str]:
    if metrics is None:
        return available
    if isinstance(metrics, str):
        matching = match_metrics(metrics, available, catalogue)
        if not matching:
            raise UnknownNameError("metric", metrics, available, "--metrics")
        return [key for key in available if key == SCORE_KEY or key in matching]
    for key in metrics:
        if key not in available:
            raise UnknownNameError("metric", key, available)
    return catalogue.order(metrics)


def _objective(entries: Sequence[Entry], objective: str, available: list[str], catalogue: Catalogue) -> str:
    """The objective's key; an error only if it is needed and no run has it."""
    owners = [entry for entry in entries if best(entry.analysis, objective=objective, catalogue=catalogue) is not None]
    if owners:
        return resolve_objective(owners[0].analysis, objective, catalogue)
    if objective.lower() == SCORE_KEY or all(entry.checkpoint is not None for entry in entries):
        return objective
    return catalogue.resolve(objective, available, "--objective")


def _column(
    entry: Entry, checkpoint: str | None, keys: Sequence[str], catalogue: Catalogue, judged: _Judged | None
) -> Column:
    analysis = entry.analysis
    wanted = _shown(keys)
    if checkpoint is None:
        cells = {key: _baseline_only(key, analysis) for key in wanted}
    else:
        differences = None if judged is None else judged.differences
        rows = deltas(analysis, checkpoint, catalogue=catalogue, keys=wanted, differences=differences)
        loses, scale = _parts_of(judged, checkpoint, analysis.baseline)
        cells = {
            row["metric"]: cell_of(row, loses.get(row["metric"], ()), scale.get(row["metric"]))
            for row in rows.iter_rows(named=True)
        }
    return Column(
        run=entry.run,
        path=entry.path,
        protocol=entry.protocol,
        provenance=entry.provenance,
        checkpoints=analysis.trained.height,
        baseline=analysis.baseline,
        checkpoint=checkpoint,
        score=cells[SCORE_KEY],
        cells={key: cells[key] for key in keys},
        basis=None if entry.evidence is None or judged is None else entry.evidence.basis(judged.differences),
        limits=known_limits(_measured(entry, keys), entry.protocol, catalogue=catalogue),
    )


def cell_of(row: Mapping[str, Any], loses: tuple[Loss, ...] = (), scale: OnScale | None = None) -> Cell:
    """A row of :data:`DELTAS` as a cell."""
    return Cell(
        key=row["metric"],
        baseline=row["baseline"],
        value=row["value"],
        delta=row["delta"],
        delta_pct=row["delta_pct"],
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
        ci95=_interval(row["ci95_low"], row["ci95_high"]),
        joint95=_interval(row["joint_low"], row["joint_high"]),
        kind=row["kind"],
        n=row["n"],
        loses=loses,
        scale=scale,
    )


@dataclass(frozen=True, eq=False)
class _Judged:
    """What the evidence of one run says: of the whole, of the parts, and on the scale from chance to truth."""

    differences: pl.DataFrame
    slices: pl.DataFrame | None
    scale: pl.DataFrame | None


def _judge(evidence: Evidence, keys: Sequence[str], *, parts: bool) -> _Judged:
    known = parts or evidence.knows_parts(keys)
    return _Judged(
        evidence.differences(keys), evidence.lost(keys) if known else None, evidence.scale(keys) if known else None
    )


def _parts_of(
    judged: _Judged | None, checkpoint: str, baseline: str | None
) -> tuple[dict[str, tuple[Loss, ...]], dict[str, OnScale]]:
    """By metric: the parts that a checkpoint loses, and where it stands between chance and truth."""
    if judged is None or judged.slices is None or judged.scale is None:
        return {}, {}
    from engine.analysis.calibration import on_scale
    from engine.analysis.losses import losses

    return losses(judged.slices, checkpoint), on_scale(judged.scale, checkpoint, baseline)


def _interval(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)


def _baseline_only(key: str, analysis: RunAnalysis) -> Cell:
    value = analysis.value(analysis.baseline, key)
    return Cell(key, value, None, None, None, None, None, None, None, None)


def _missing_notes(entries: Sequence[Entry], chosen: Sequence[str | None], objective: str) -> list[str]:
    notes = []
    for entry, checkpoint in zip(entries, chosen, strict=True):
        if entry.analysis.score_missing:
            said = _("{run}: no score, the run lacks {metrics}")
            notes.append(said.format(run=entry.run, metrics=listing(entry.analysis.score_missing)))
        if checkpoint is None:
            said = _("{run}: no checkpoint has a value of {metric}; name one to compare")
            notes.append(said.format(run=entry.run, metric=objective))
        if entry.analysis.baseline is None:
            said = _("{run}: no baseline, so no changes; name a checkpoint as the baseline")
            notes.append(said.format(run=entry.run))
    return notes


def _limit_notes(entries: Sequence[Entry], keys: Sequence[str], catalogue: Catalogue) -> list[str]:
    """Which of the metrics shown say little by construction, and why: a sentence per reason and protocol."""
    notes: dict[str, list[str]] = {}
    for entry in entries:
        for key, known in known_limits(_measured(entry, keys), entry.protocol, catalogue=catalogue).items():
            if known.limit is Limit.NEAR_CHANCE:
                sentence = f"near chance by construction in {entry.protocol}: {known.reason}"
                notes.setdefault(sentence, []).append(key)
    return [f"{listed(dict.fromkeys(found), _LISTED)}: {reason}" for reason, found in notes.items()]


def _measured(entry: Entry, keys: Sequence[str]) -> list[str]:
    return [key for key in keys if key in entry.analysis.metrics]


def _differs(cells: Sequence[Cell], tolerance_pct: float) -> bool:
    for cell in cells:
        if cell.delta_pct is not None:
            if abs(cell.delta_pct) > tolerance_pct:
                return True
        elif cell.delta:
            return True
    values = [cell.value for cell in cells if cell.value is not None]
    if len(values) not in (0, len(cells)):
        return True
    if not values:
        return False
    return 100.0 * (max(values) - min(values)) > tolerance_pct * max(abs(value) for value in values)
