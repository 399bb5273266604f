"""Checkpoints seen from one another: the same evidence with another side, and what would tell them apart.

:class:`engine.analysis.evidence.Evidence` compares with the baseline. Here any checkpoint takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from engine.analysis.evidence import Evidence
from engine.analysis.power import windows_needed
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.unpaired import FRAMES_PER_WINDOW
from engine.catalogue import Group


@dataclass(frozen=True, slots=True)
class Separation:
    """What is known of the difference between two checkpoints, and what it would take to be sure of it.

    Attributes:
        first, second: the checkpoints.
        metric: the metric, or ``score`` for a weighted objective.
        delta: first less second, in the metric's unit.
        ci95: 95 % interval of this one difference; ``None`` where nothing is known of its error.
        kind: what the interval was computed from (a :class:`engine.analysis.differences.Kind`).
        windows: behind the difference; from a summary as many as its frames make.
        needed: windows in all for the difference to be found with 80 % power at 5 %, two-sided, as the only question
            asked, if it is as large as it looks; ``None`` where the two are equal, nothing is known of the error, or
            no number that anybody could evaluate would do.
    """

    first: str
    second: str
    metric: str
    delta: float
    ci95: tuple[float, float] | None
    kind: str
    windows: int | None
    needed: int | None


def seen_from(evidence: Evidence, checkpoint: str, others: Sequence[str]) -> Evidence:
    """The same evidence with ``checkpoint`` as what ``others`` are compared with, corrected for looking at them."""
    return replace(evidence, baseline=checkpoint, checkpoints=tuple(name for name in others if name != checkpoint))


def with_objective(evidence: Evidence, objective: Mapping[str, float]) -> Evidence:
    """The same evidence whose ``score`` is another weighted objective.

    Raises:
        UsageError: a weighted metric has no direction.
    """
    if dict(objective) == dict(evidence.weights):
        return evidence
    statistics = evidence.statistics
    if statistics is not None:
        statistics = Statistics(statistics.sample, statistics.blocks, weights=objective, catalogue=evidence.catalogue)
    return replace(evidence, weights=dict(objective), statistics=statistics)


def separations(evidence: Evidence, metric: str, first: str, others: Sequence[str]) -> list[Separation]:
    """One checkpoint against each of several others in one metric, each as a question of its own.

    Args:
        evidence: of the run.
        metric: a key, or ``score``.
        first: the checkpoint.
        others: those to tell it from.

    Returns:
        One entry per checkpoint that can be compared, in the order of ``others``.
    """
    rows = seen_from(evidence, first, others).differences([metric])
    per_window = 1 if evidence.catalogue.get(metric).group is Group.POSE else FRAMES_PER_WINDOW
    windows = pl.coalesce("windows", (pl.col("frames") // per_window).clip(lower_bound=1))
    needed = windows_needed(pl.col("delta"), pl.col("ci95_high") - pl.col("delta"), pl.col("error"), windows)
    found = {
        row["checkpoint"]: Separation(
            first=first,
            second=row["checkpoint"],
            metric=metric,
            # The rows say other less first.
            delta=-row["delta"],
            ci95=None if row["ci95_low"] is None else (-row["ci95_high"], -row["ci95_low"]),
            kind=row["kind"],
            windows=row["observed_windows"],
            needed=row["needed"],
        )
        for row in rows.with_columns(observed_windows=windows, needed=needed).iter_rows(named=True)
    }
    return [found[name] for name in others if name in found]


def resolved_with(found: Sequence[Separation], factors: Sequence[int]) -> list[tuple[int, int]]:
    """How many of the differences more windows would be expected to show: (times as many windows, how many of them)."""
    return [
        (factor, sum(1 for one in found if one.needed and one.windows and one.needed <= factor * one.windows))
        for factor in factors
    ]
