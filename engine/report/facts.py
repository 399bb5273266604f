"""What follows from the material: every number that a report may state, before any word of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from engine.analysis.across import Gain, GainDifference, gain, gain_differences
from engine.analysis.advice import Advice
from engine.analysis.advising import Asked, advise
from engine.analysis.calibration import CALIBRATION, calibrate
from engine.analysis.cells import change_cells
from engine.analysis.comparability import Comparability, comparability
from engine.analysis.comparison import Cell
from engine.analysis.costs import MergeEffect, merge_effect
from engine.analysis.dynamics import Course, Payment, course, payment
from engine.analysis.evidence import Evidence
from engine.analysis.joined import Joined, Part, join
from engine.analysis.known_limits import KnownLimit, known_limits
from engine.analysis.purposes import Purpose
from engine.analysis.ranking import best
from engine.analysis.resampling.judging import plan
from engine.analysis.resampling.sample import tabulate
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.slices import SLICES, by_drive, by_stratum, sliced_differences
from engine.catalogue import SCORE_KEY, Catalogue
from engine.report.material import COSTS, CURVES, HEADLINES, Material, RunMaterial, owned, rest_keys
from engine.schema import Role, empty


@dataclass(frozen=True)
class RunFacts:
    """One run.

    Attributes:
        material: what it was made of.
        best: the checkpoint with the best score, or where there is no score with the best value of the first metric;
            ``None`` where there is none.
        objective: what ``best`` is best in.
        changes: the headline metrics of ``best`` against the baseline, by key, in order.
        rest: its depth outside of buildings, likewise.
        costs: its costs beside the baseline's, likewise; never judged.
        advice: which checkpoint to take for what.
        courses: the training, by metric.
        payment: what ``best`` gained and lost; ``None`` without a checkpoint.
        limits: metrics of the tables that cannot tell what their name says, by construction.
        readings: frame of schema :data:`engine.analysis.calibration.CALIBRATION` of baseline and ``best``; empty where
            the run has neither chance nor oracle.
        slices: frame of schema :data:`engine.analysis.slices.SLICES` of ``best``, by drive and by stratum.
        merging: what merging does to its speed, where that was measured.
        extent: windows and drives behind its paired verdicts; ``None`` where there are none.
    """

    material: RunMaterial
    best: str | None
    objective: str
    changes: Mapping[str, Cell]
    rest: Mapping[str, Cell]
    costs: Mapping[str, Cell]
    advice: Advice
    courses: Mapping[str, Course]
    payment: Payment | None
    limits: Mapping[str, KnownLimit]
    readings: pl.DataFrame
    slices: pl.DataFrame
    merging: MergeEffect | None
    extent: tuple[int, int] | None

    @property
    def label(self) -> str:
        """What to call the run."""
        return self.material.label

    @property
    def looks(self) -> int:
        """Checkpoints of the training, which verdicts are corrected for."""
        return len(self.material.evidence.checkpoints)


@dataclass(frozen=True)
class MetricGains:
    """One metric of the chosen checkpoints across runs: its change in each, and every pair of them."""

    metric: str
    gains: tuple[Gain, ...]
    differences: tuple[GainDifference, ...]


@dataclass(frozen=True)
class ReportFacts:
    """All runs.

    Attributes:
        material: what it was made of.
        runs: one entry each.
        comparability: of all of them.
        gains: the headline metrics across runs; empty for a single run.
        joined: the runs as one, where they may be compared.
        advice: over all of them together, likewise.
    """

    material: Material
    runs: tuple[RunFacts, ...]
    comparability: Comparability
    gains: tuple[MetricGains, ...]
    joined: Joined | None
    advice: Advice | None


def find_facts(material: Material) -> ReportFacts:
    """Compute everything.

    Raises:
        LorascopeError: the limits cannot be read, or per-frame rows contradict each other.
    """
    runs = tuple(_run(run, material) for run in material.runs)
    verdict = comparability([run.facts for run in material.runs])
    joined, advice = _together(material) if verdict.comparable else (None, None)
    gains = tuple(_gains(runs, material.catalogue, joined.evidence if joined else None))
    return ReportFacts(material, runs, verdict, gains, joined, advice)


def _run(run: RunMaterial, material: Material) -> RunFacts:
    analysis, evidence, catalogue = run.analysis, run.evidence, material.catalogue
    headlines = owned(HEADLINES, analysis.metrics)
    trends = material.config.trends
    asked = Asked(headlines, material.limits, run.timings, run.usable_costs, trends.window)
    advice = advise(analysis, evidence, asked, catalogue=catalogue)
    balanced = advice.pick(Purpose.BALANCED)
    objective = SCORE_KEY if balanced else next((key for key in headlines if catalogue.get(key).direction.sign), "")
    chosen = (
        balanced.leader if balanced else best(analysis, objective=objective, catalogue=catalogue) if objective else None
    )
    changes = change_cells(analysis, chosen, headlines, evidence, catalogue) if chosen else {}
    rest = change_cells(analysis, chosen, rest_keys(analysis.metrics), evidence, catalogue) if chosen else {}
    costs = owned(COSTS, analysis.metrics)
    trained = analysis.trained.get_column("checkpoint").to_list()
    curves = owned(CURVES, analysis.metrics) if len(trained) > 1 else []
    quality = [cell for cell in (*changes.values(), *rest.values()) if cell.key != SCORE_KEY]
    return RunFacts(
        material=run,
        best=chosen,
        objective=objective,
        changes=changes,
        rest=rest,
        costs=_plain(run, chosen, costs) if chosen else {},
        advice=advice,
        courses={key: course(analysis, evidence, key, trends, catalogue=catalogue) for key in curves},
        payment=payment(chosen, quality, evidence, trained) if chosen else None,
        limits=known_limits([*headlines, *costs], run.metadata.protocol.name, catalogue=catalogue),
        readings=_readings(run, material, [*changes], chosen),
        slices=_slices(run, material, list(changes), chosen),
        merging=None if run.timings is None else merge_effect(run.timings),
        extent=_extent(run),
    )


def _plain(run: RunMaterial, checkpoint: str, keys: Sequence[str]) -> dict[str, Cell]:
    """Costs of a checkpoint beside the baseline's: single measurements, of which no sample tells anything."""
    found = {}
    for key in keys:
        before, after = run.analysis.value(run.analysis.baseline, key), run.analysis.value(checkpoint, key)
        known = before is not None and after is not None
        delta = after - before if known else None  # type: ignore[operator]
        share = 100.0 * delta / abs(before) if delta is not None and before else None
        found[key] = Cell(key, before, after, delta, share, None, None, None, None, None)
    return found


def _extent(run: RunMaterial) -> tuple[int, int] | None:
    statistics = run.evidence.statistics
    return None if statistics is None else (len(statistics.sample.windows), len(set(statistics.sample.drives)))


def _readings(run: RunMaterial, material: Material, keys: Sequence[str], chosen: str | None) -> pl.DataFrame:
    """Baseline and best on the scale from chance to the truth."""
    if run.sums is None or chosen is None:
        return empty(CALIBRATION)
    roles = dict(run.analysis.table.select("role", "checkpoint").iter_rows())
    chance, oracle = roles.get(Role.CHANCE), roles.get(Role.ORACLE)
    names = [name for name in (run.analysis.baseline, chosen) if name is not None]
    if chance is None or oracle is None:
        return empty(CALIBRATION)
    rows = run.sums.filter(pl.col("checkpoint").cast(pl.String).is_in([*names, chance, oracle]))
    if rows.is_empty():
        return empty(CALIBRATION)
    sample = tabulate(rows)
    statistics = Statistics(
        sample, plan(sample, baseline=chance if chance in sample else None), catalogue=material.catalogue
    )
    return calibrate(
        statistics, chance=chance, oracle=oracle, checkpoints=names, catalogue=material.catalogue, metrics=keys
    )


def _slices(run: RunMaterial, material: Material, keys: Sequence[str], chosen: str | None) -> pl.DataFrame:
    """The best checkpoint per drive and per stratum, where there are several of them."""
    statistics, baseline = run.evidence.statistics, run.evidence.baseline
    if statistics is None or chosen is None or baseline is None or baseline not in statistics.sample:
        return empty(SLICES)
    overall = run.evidence.differences(keys).filter(pl.col("checkpoint") == chosen)
    parts = {"drive": by_drive(statistics.sample)}
    if run.windows is not None:
        parts["stratum"] = by_stratum(statistics.sample, run.windows)
    found = [
        sliced_differences(
            statistics,
            overall.filter(pl.col("kind") == "paired"),
            windows,
            by=name,
            baseline=baseline,
            checkpoints=[chosen],
            catalogue=material.catalogue,
        )
        for name, windows in parts.items()
        if len(windows) > 1
    ]
    return pl.concat([empty(SLICES), *found])


def _together(material: Material) -> tuple[Joined | None, Advice | None]:
    runs = material.runs
    if len(runs) < 2:
        return None, None
    parts = [Part(run.label, run.analysis, run.summary) for run in runs]
    joined = join(parts, material.joint_sums, catalogue=material.catalogue, weights=material.weights)
    usable = all(run.usable_costs for run in runs) and comparability([run.facts for run in runs]).costs_comparable
    asked = Asked(owned(HEADLINES, joined.analysis.metrics), material.limits, None, usable)
    return joined, advise(joined.analysis, joined.evidence, asked, catalogue=material.catalogue)


def _gains(runs: Sequence[RunFacts], catalogue: Catalogue, evidence: Evidence | None) -> list[MetricGains]:
    if len(runs) < 2:
        return []
    keys = list(dict.fromkeys(key for run in runs for key in run.changes))
    found = []
    for key in keys:
        gains = [
            one
            for run in runs
            if run.best is not None
            and key in run.changes
            and (one := gain(run.material.evidence, run.label, run.best, key)) is not None
        ]
        if gains:
            found.append(MetricGains(key, tuple(gains), tuple(gain_differences(gains, catalogue, evidence))))
    return found
