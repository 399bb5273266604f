"""From a run's evidence to advice (:mod:`engine.analysis.advice`): ranks for each purpose, finds ties, weighs costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from engine.analysis.advice import Absence, Advice, Behind, Decided, Pick
from engine.analysis.cells import change_cells, difference_cell
from engine.analysis.cheapest import cheapest, passes
from engine.analysis.comparison import Cell
from engine.analysis.deltas import Verdict
from engine.analysis.differences import DIFFERENCES
from engine.analysis.evidence import Evidence
from engine.analysis.overview import RunAnalysis
from engine.analysis.paired import paired_differences
from engine.analysis.purposes import Purpose, objective_of
from engine.analysis.second import Criterion, second_choice, steadiest
from engine.analysis.separation import Separation, resolved_with, separations, with_objective
from engine.analysis.trends import rolling_variation
from engine.analysis.where import PLACE, apply_where
from engine.catalogue import SCORE_KEY, Catalogue

# How many times as many windows are asked about.
TIMES = (2, 10)

_DECIDED = {Criterion.COST: Decided.COST, Criterion.SPREAD: Decided.SPREAD}


@dataclass(frozen=True)
class Asked:
    """What advice is asked for.

    Attributes:
        headline: the metrics in which it is said what a checkpoint gives up.
        limits: a condition for the cheapest (see :func:`engine.analysis.where.parse_where`).
        costs: single timings (schema :data:`engine.schema.MEASURED_COST`), where they were measured.
        usable_costs: whether the run's costs can be compared between its checkpoints.
        window: checkpoints in the rolling window; ``None`` where the order of checkpoints means nothing.
    """

    headline: Sequence[str]
    limits: str | None = None
    costs: pl.DataFrame | None = None
    usable_costs: bool = True
    window: int | None = None


def advise(
    analysis: RunAnalysis, evidence: Evidence, asked: Asked, *, catalogue: Catalogue, place: str = PLACE
) -> Advice:
    """The advice for one run, or for several joined to one (:mod:`engine.analysis.joined`).

    Args:
        analysis: the run.
        evidence: of the run, with all metrics that are asked about.
        asked: what is asked.
        catalogue: groups and directions.
        place: where ``asked.limits`` was typed, for messages.

    Raises:
        UnknownNameError, WhereError: the limits cannot be read.
    """
    return _Adviser(analysis, evidence, asked, catalogue).advice(place)


class _Adviser:
    def __init__(self, analysis: RunAnalysis, evidence: Evidence, asked: Asked, catalogue: Catalogue) -> None:
        self.analysis = analysis
        self.evidence = evidence
        self.asked = asked
        self.catalogue = catalogue
        self.names = list(evidence.checkpoints)

    def advice(self, place: str) -> Advice:
        asked = self.asked
        kept = self.analysis.trained.filter(pl.col("checkpoint").is_in(self.names))
        if asked.limits is not None:
            kept = apply_where(kept, asked.limits, place=place)[0]
        picks: dict[Purpose, Pick] = {}
        missing: dict[Purpose, Absence] = {}
        for purpose in (Purpose.DEPTH, Purpose.GEOMETRY, Purpose.BALANCED):
            found = self._ranked(purpose)
            if isinstance(found, Pick):
                picks[purpose] = found
            else:
                missing[purpose] = found
        balanced = picks.get(Purpose.BALANCED)
        allowed = kept.get_column("checkpoint").to_list() if asked.limits is not None else None
        for purpose, result in (
            (Purpose.CHEAPEST, self._cheapest(balanced, allowed)),
            (Purpose.STABLE, self._stable(balanced)),
        ):
            if isinstance(result, Pick):
                picks[purpose] = result
            else:
                missing[purpose] = result
        return Advice(tuple(picks[purpose] for purpose in Purpose if purpose in picks), missing, asked.limits)

    def _ranked(self, purpose: Purpose) -> Pick | Absence:
        objective = objective_of(purpose, self.analysis.metrics, self.evidence.weights, self.catalogue)
        if not objective:
            return Absence.NO_METRICS
        evidence = with_objective(self.evidence, objective)
        ties = evidence.ties(SCORE_KEY, self.names)
        if ties.is_empty():
            return Absence.NO_METRICS
        order = ties.get_column("checkpoint").to_list()
        values = dict(ties.select("checkpoint", "value").iter_rows())
        group = tuple(ties.filter("tied_with_best").get_column("checkpoint"))
        leader = order[0]
        second = None
        if len(order) < 2:
            decided, taken = Decided.ONLY, leader
        elif ties.get_column("tied_with_best").null_count():
            decided, taken = Decided.UNJUDGED, leader
        elif len(group) < 2:
            decided, taken = Decided.VALUE, leader
        else:
            usable = self.asked.usable_costs
            second = second_choice(group, self.analysis, objective, costs=usable, timings=passes(self.asked.costs))
            decided = Decided.ORDER if second is None else _DECIDED[second.criterion]
            taken = leader if second is None else second.checkpoint
        found = separations(evidence, SCORE_KEY, leader, list(dict.fromkeys([*group[1:], *order[1:2], taken])))
        apart = {one.second: one for one in found}
        return Pick(
            purpose=purpose,
            objective=objective,
            checkpoint=taken,
            leader=leader,
            value=values[taken],
            leader_value=values[leader],
            group=group,
            total=len(order),
            decided=decided,
            second=second,
            change=self._objective_change(evidence, taken, values[taken]),
            changes=self._changes(taken, objective),
            behind=self._behind(taken),
            worse=self._worse(taken),
            nearest=apart.get(order[1]) if len(order) > 1 else None,
            taken=apart.get(taken) if taken != leader else None,
            resolved=tuple(resolved_with([apart[name] for name in group[1:] if name in apart], TIMES)),
            kind=found[0].kind if found and found[0].ci95 is not None else None,
        )

    def _cheapest(self, balanced: Pick | None, allowed: Sequence[str] | None) -> Pick | Absence:
        if balanced is None:
            return Absence.NO_METRICS
        names = balanced.group if allowed is None else [name for name in self.names if name in set(allowed)]
        if not names:
            return Absence.NOTHING_LEFT
        if balanced.decided is Decided.ONLY:
            return Absence.ONE_CHECKPOINT
        if not self.asked.usable_costs:
            return Absence.COSTS_UNUSABLE
        found = cheapest(names, self.analysis, self.asked.costs)
        if found is None:
            return Absence.NO_COSTS
        equal, figure = found
        ties = self.evidence.ties(SCORE_KEY, self.names)
        values = dict(ties.select("checkpoint", "value").iter_rows())
        ranked = [name for name in values if name in set(equal)]
        if not ranked:
            return Absence.NO_METRICS
        taken = ranked[0]
        return replace(
            balanced,
            purpose=Purpose.CHEAPEST,
            checkpoint=taken,
            value=values[taken],
            group=tuple(ranked),
            total=len(names),
            decided=Decided.ORDER if len(equal) == len(names) else Decided.COST,
            second=None,
            change=self._objective_change(self.evidence, taken, values[taken]),
            changes=self._changes(taken, balanced.objective),
            behind=self._behind(taken),
            worse=self._worse(taken),
            taken=self._apart(balanced.leader, taken),
            cost=figure(taken),
        )

    def _stable(self, balanced: Pick | None) -> Pick | Absence:
        if balanced is None:
            return Absence.NO_METRICS
        if balanced.decided is Decided.ONLY:
            return Absence.ONE_CHECKPOINT
        found = steadiest(balanced.group, self.analysis, balanced.objective)
        if balanced.decided is Decided.UNJUDGED or found is None:
            return Absence.NO_SPREAD
        taken = found.checkpoint
        ties = self.evidence.ties(SCORE_KEY, self.names)
        values = dict(ties.select("checkpoint", "value").iter_rows())
        return replace(
            balanced,
            purpose=Purpose.STABLE,
            checkpoint=taken,
            value=values[taken],
            total=len(balanced.group),
            decided=Decided.VALUE if len(balanced.group) < 2 else Decided.SPREAD,
            second=found,
            change=self._objective_change(self.evidence, taken, values[taken]),
            changes=self._changes(taken, balanced.objective),
            behind=self._behind(taken),
            worse=self._worse(taken),
            taken=self._apart(balanced.leader, taken),
            spreads=self._spreads(balanced.leader, taken, list(balanced.objective)),
            variation=self._variation(taken),
        )

    def _apart(self, leader: str, taken: str) -> Separation | None:
        found = separations(self.evidence, SCORE_KEY, leader, [taken]) if taken != leader else []
        return found[0] if found else None

    def _objective_change(self, evidence: Evidence, name: str, value: float) -> Cell:
        rows = evidence.differences([SCORE_KEY]).filter(pl.col("checkpoint") == name)
        if rows.is_empty():
            return Cell(SCORE_KEY, None, value, None, None, None, None, None, None, None)
        return difference_cell(rows.row(0, named=True))

    def _changes(self, name: str, objective: Mapping[str, float]) -> dict[str, Cell]:
        return change_cells(self.analysis, name, list(objective), self.evidence, self.catalogue)

    def _behind(self, name: str) -> tuple[Behind, ...]:
        owned = set(self.analysis.metrics)
        found = []
        for key in dict.fromkeys(self.asked.headline):
            if key not in owned or not self.catalogue.get(key).direction.sign:
                continue
            ties = self.evidence.ties(key, self.names)
            rows = ties.filter(pl.col("checkpoint") == name)
            if rows.is_empty():
                continue
            first, row = ties.row(0, named=True), rows.row(0, named=True)
            low, high, tied = row["ci95_low"], row["ci95_high"], row["tied_with_best"]
            found.append(
                Behind(
                    metric=key,
                    leader=first["checkpoint"],
                    leader_value=first["value"],
                    value=row["value"],
                    behind=row["behind"],
                    ci95=None if low is None or high is None else (low, high),
                    told=None if tied is None else not tied,
                )
            )
        return tuple(found)

    def _worse(self, name: str) -> tuple[Cell, ...]:
        keys = [key for key in dict.fromkeys(self.asked.headline) if key in set(self.analysis.metrics)]
        cells = change_cells(self.analysis, name, keys, self.evidence, self.catalogue)
        return tuple(cell for cell in cells.values() if cell.verdict is Verdict.WORSE)

    def _spreads(self, leader: str, taken: str, keys: Sequence[str]) -> tuple[Cell, ...]:
        """Standard deviations over frames of the one taken against the leader's; judged where frames are paired."""
        statistics = self.evidence.statistics
        rows = pl.DataFrame(schema=DIFFERENCES)
        if statistics is not None and taken != leader and leader in statistics.sample and taken in statistics.sample:
            rows = paired_differences(
                statistics, baseline=leader, checkpoints=[taken], catalogue=self.catalogue, metrics=keys, spread=True
            )
        judged = {row["metric"]: difference_cell(row) for row in rows.iter_rows(named=True)}
        stds = {
            name: self.analysis.stds.filter(pl.col("checkpoint") == name).row(0, named=True) for name in (leader, taken)
        }
        plain = {
            key: Cell(key, before, after, after - before, None, None, None, None, None, None)
            for key in keys
            if (before := stds[leader].get(key)) is not None and (after := stds[taken].get(key)) is not None
        }
        return tuple(judged.get(key, plain[key]) for key in keys if key in plain)

    def _variation(self, name: str) -> float | None:
        rows = self.analysis.trained
        if self.asked.window is None or SCORE_KEY not in self.analysis.metrics:
            return None
        found: float | None = rolling_variation(rows.get_column(SCORE_KEY), self.asked.window)[
            rows.get_column("checkpoint").to_list().index(name)
        ]
        return found
