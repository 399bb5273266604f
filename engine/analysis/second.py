"""What to take among checkpoints that cannot be told apart: the second objective decides, since the first does not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import polars as pl

from engine.analysis.costs import median_interval
from engine.analysis.overview import RunAnalysis
from engine.analysis.ranking import Ranking
from engine.catalogue import SCORE_KEY
from engine.i18n import gettext as _

LATENCY = "performance.latency_sec"

# What changes more slowly than passes follow each other (heat, other programs) is in no spread that they have.
_SAME_COST = 0.02
# Latencies of one run that were not measured apart: checkpoints of one architecture cost the same, so their scatter is
# noise. Two of so many are further apart than this by chance alone once in a thousand runs or less.
_SCATTERS = 3.0 * math.sqrt(2.0)
_MAD_SCALE = 1.4826  # to the standard deviation of a normal distribution
_LEAST_SCATTERED = 5


@dataclass(frozen=True)
class _Cheapest:
    """Those of the tied ones that cost less than the others, beyond what their timings scatter.

    Attributes:
        names: best first; several where their own timings do not tell them apart.
        seconds: latency of the cheapest of them.
        basis: what the latencies are, in words.
    """

    names: Sequence[str]
    seconds: float
    basis: str


def recommendation(
    ranking: Ranking,
    analysis: RunAnalysis,
    weights: Mapping[str, float],
    timings: Mapping[str, Sequence[float]] | None = None,
) -> str:
    """Which of the checkpoints that are tied with the best to take, and why: one sentence without a full stop.

    The cheapest, where latencies differ by more than their own noise and by more than 2 %: timed alone, the 95 %
    intervals of the medians must not overlap; otherwise (imported latencies, timed within an evaluation) the difference
    must be beyond the scatter of the run's latencies. Among several that are equally cheap, or where costs do not
    differ, the steadiest: the one with the smallest standard deviation over frames (of the score: the weighted sum of
    its metrics' deviations).

    Args:
        ranking: all rows, with a tie group.
        analysis: the run.
        weights: of the composite score.
        timings: seconds of single passes, by checkpoint, where each was timed alone.

    Returns:
        Empty where nothing is tied with the best, or nothing tells the tied ones apart.
    """
    rows = ranking.rows
    group = rows.filter("tied_with_best").get_column("checkpoint").to_list()
    if len(group) < 2:
        return ""
    count = _("{tied} of {total} tied").format(tied=len(group), total=rows.height)
    cheapest = _cheapest(group, analysis, timings or {})
    names = group if cheapest is None else list(cheapest.names)
    if cheapest is not None and len(names) == 1:
        said = _("take {name}, the cheapest ({seconds:.3g} s, {basis})")
        return f"{count}; {said.format(name=names[0], seconds=cheapest.seconds, basis=cheapest.basis)}"
    steadiest = _steadiest(names, ranking.objective, analysis, weights)
    if steadiest is None:
        return count
    name, spread = steadiest
    if cheapest is None:
        said = _("take {name}, the steadiest (std {spread:.3g})")
        return f"{count}; {said.format(name=name, spread=spread)}"
    said = _("take {name}, the steadiest (std {spread:.3g}) of the {cheap} cheapest ({seconds:.3g} s, {basis})")
    told = said.format(name=name, spread=spread, cheap=len(names), seconds=cheapest.seconds, basis=cheapest.basis)
    return f"{count}; {told}"


def _cheapest(group: Sequence[str], analysis: RunAnalysis, timings: Mapping[str, Sequence[float]]) -> _Cheapest | None:
    """The cheapest of a group; ``None`` where nothing is known of their costs, or these do not differ."""
    intervals = {name: median_interval(timings.get(name, ())) for name in group}
    if all(intervals.values()):
        costs = {name: median(timings[name]) for name in group}
        least = min(group, key=costs.__getitem__)
        reach = intervals[least]
        names = [
            name
            for name in group
            if _overlap(intervals[name], reach) or costs[name] <= (1.0 + _SAME_COST) * costs[least]
        ]
        basis = _("timed alone")
    else:
        costs = _values(analysis.table, group, LATENCY)
        scatter = _scatter(analysis)
        if not costs or scatter is None:
            return None
        least = min(group, key=costs.__getitem__)
        limit = costs[least] + max(_SAME_COST * costs[least], _SCATTERS * scatter)
        names = [name for name in group if costs[name] <= limit]
        basis = _("timed within the evaluation, beyond the scatter of the run's latencies")
    return None if len(names) == len(group) else _Cheapest(names, costs[least], basis)


def _overlap(first: tuple[float, float] | None, second: tuple[float, float] | None) -> bool:
    return first is not None and second is not None and first[0] <= second[1] and second[0] <= first[1]


def _scatter(analysis: RunAnalysis) -> float | None:
    """Robust standard deviation of a run's latencies in seconds; ``None`` for fewer than 5 checkpoints."""
    trained = analysis.trained
    values = trained.get_column(LATENCY).drop_nulls().to_list() if LATENCY in trained.columns else []
    if len(values) < _LEAST_SCATTERED:
        return None
    middle = median(values)
    deviation: float = median(abs(value - middle) for value in values)
    return _MAD_SCALE * deviation


def _steadiest(
    group: Sequence[str], objective: str, analysis: RunAnalysis, weights: Mapping[str, float]
) -> tuple[str, float] | None:
    """The one with the least spread over frames, and its spread; ``None`` where that is not known of all."""
    keys = dict(weights) if objective == SCORE_KEY else {objective: 1.0}
    parts = [
        {name: weight * value for name, value in _values(analysis.stds, group, key).items()}
        for key, weight in keys.items()
    ]
    if not all(parts):
        return None
    spread = {name: sum(part[name] for part in parts) for name in group}
    name = min(group, key=spread.__getitem__)
    return name, spread[name]


def _values(table: pl.DataFrame, names: Sequence[str], key: str) -> dict[str, float]:
    """One metric of the checkpoints; empty where one of them lacks it."""
    if key not in table.columns:
        return {}
    found = dict(zip(table.get_column("checkpoint").to_list(), table.get_column(key).to_list(), strict=True))
    values = {name: found[name] for name in names if found.get(name) is not None}
    return values if len(values) == len(names) else {}
