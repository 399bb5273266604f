"""What to take among checkpoints that cannot be told apart: the second objective decides, since the first does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from engine.analysis.overview import RunAnalysis
from engine.analysis.ranking import Ranking
from engine.catalogue import SCORE_KEY

LATENCY = "performance.latency_sec"

# Checkpoints of one architecture cost the same: latencies that differ by less are the clock's.
SAME_COST = 0.02


class Criterion(StrEnum):
    """What decides among checkpoints that are tied."""

    COST = "cost"  # the least latency
    SPREAD = "spread"  # the smallest standard deviation over frames


@dataclass(frozen=True, slots=True)
class Second:
    """What the second objective says.

    Attributes:
        checkpoint: the one to take.
        criterion: what decided.
        value: of the criterion: latency in seconds, or the standard deviation over frames.
    """

    checkpoint: str
    criterion: Criterion
    value: float


def second_choice(
    group: Sequence[str], analysis: RunAnalysis, objective: Mapping[str, float], *, costs: bool = True
) -> Second | None:
    """Which of several tied checkpoints to take.

    The cheapest, where latencies were measured of all of them and differ by more than 2 %; else the steadiest, the one
    with the smallest standard deviation over frames (of several metrics: the weighted sum of their deviations).

    Args:
        group: the tied checkpoints.
        analysis: the run.
        objective: metric key -> weight of what they are tied in.
        costs: whether the run's latencies can be compared at all.

    Returns:
        ``None`` where nothing tells them apart.
    """
    names = list(group)
    latencies = _values(analysis.table, names, LATENCY) if costs else {}
    if latencies and max(latencies.values()) > (1.0 + SAME_COST) * min(latencies.values()):
        name = min(names, key=latencies.__getitem__)
        return Second(name, Criterion.COST, latencies[name])
    parts = [
        {name: weight * value for name, value in _values(analysis.stds, names, key).items()}
        for key, weight in objective.items()
    ]
    if not parts or not all(parts):
        return None
    spread = {name: sum(part[name] for part in parts) for name in names}
    name = min(names, key=spread.__getitem__)
    return Second(name, Criterion.SPREAD, spread[name])


def recommendation(ranking: Ranking, analysis: RunAnalysis, weights: Mapping[str, float]) -> str:
    """Which of the checkpoints that are tied with the best to take, and why: one sentence without a full stop.

    Args:
        ranking: all rows, with a tie group.
        analysis: the run.
        weights: of the composite score.

    Returns:
        Empty where nothing is tied with the best; the tie alone where nothing tells the tied ones apart (see
        :func:`second_choice`).
    """
    rows = ranking.rows
    group = rows.filter("tied_with_best").get_column("checkpoint").to_list()
    if len(group) < 2:
        return ""
    count = f"{len(group)} of {rows.height} tied"
    objective = dict(weights) if ranking.objective == SCORE_KEY else {ranking.objective: 1.0}
    found = second_choice(group, analysis, objective)
    if found is None:
        return count
    if found.criterion is Criterion.COST:
        return f"{count}; take {found.checkpoint}, the cheapest ({found.value:.3g} s)"
    return f"{count}; take {found.checkpoint}, the steadiest (std {found.value:.3g})"


def _values(table: pl.DataFrame, names: list[str], key: str) -> dict[str, float]:
    """One metric of the checkpoints; empty where one of them lacks it."""
    if key not in table.columns:
        return {}
    found = dict(zip(table.get_column("checkpoint").to_list(), table.get_column(key).to_list(), strict=True))
    values = {name: found[name] for name in names if found.get(name) is not None}
    return values if len(values) == len(names) else {}
