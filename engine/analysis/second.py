"""The second objective: what to take among checkpoints that the first one does not tell apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

import polars as pl

from engine.analysis.costs import median_interval
from engine.analysis.differences import SIGNIFICANCE
from engine.analysis.overview import RunAnalysis
from engine.analysis.ranking import Ranking
from engine.analysis.student import quantile
from engine.analysis.unpaired import FRAMES_PER_WINDOW
from engine.catalogue import SCORE_KEY
from engine.i18n import gettext as _

LATENCY = "performance.latency_sec"

# Checkpoints of one architecture cost the same: what changes more slowly than passes follow each other (heat, other
# programs) is in no spread that they have.
SAME_COST = 0.02
# Latencies of one run that were not measured apart: their scatter is noise. Two of so many are further apart than this
# by chance alone once in a thousand runs or less.
_SCATTERS = 3.0 * math.sqrt(2.0)
_MAD_SCALE = 1.4826  # to the standard deviation of a normal distribution
_LEAST_SCATTERED = 5


class Criterion(StrEnum):
    """What decides among checkpoints that are tied."""

    COST = "cost"  # the least latency
    SPREAD = "spread"  # the smallest standard deviation over frames


@dataclass(frozen=True, slots=True)
class Cheap:
    """Those of the tied ones that cost less than the others, beyond what their timings scatter.

    Attributes:
        names: in the order of the tied ones; several where their own timings do not tell them apart.
        seconds: latency of the cheapest of them.
        alone: whether each was timed alone; otherwise within the evaluation.
    """

    names: tuple[str, ...]
    seconds: float
    alone: bool


@dataclass(frozen=True, slots=True)
class Second:
    """What the second objective says.

    Attributes:
        checkpoint: the one to take.
        criterion: what decided.
        value: of the criterion: latency in seconds, or the standard deviation over frames.
        cheap: the cheapest among the tied ones, where that is not all of them.
    """

    checkpoint: str
    criterion: Criterion
    value: float
    cheap: Cheap | None = None


def second_choice(
    group: Sequence[str],
    analysis: RunAnalysis,
    objective: Mapping[str, float],
    *,
    costs: bool = True,
    timings: Mapping[str, Sequence[float]] | None = None,
) -> Second | None:
    """Which of several tied checkpoints to take, where a second criterion tells them apart.

    The cheapest, where latencies differ by more than their own noise and by more than 2 %: timed alone, the 95 %
    intervals of the medians must not overlap; otherwise (imported latencies, timed within an evaluation) the difference
    must be beyond the scatter of the run's latencies. Among several that are equally cheap, or where costs do not
    differ, the steadiest, see :func:`steadiest`, where it is steadier than the best of them beyond chance (see
    :func:`steadier`), or is the best of them; among several that are equally cheap else the best of them.

    Args:
        group: the tied checkpoints, the best value first.
        analysis: the run.
        objective: metric key -> weight of what they are tied in.
        costs: whether the run's latencies can be compared at all.
        timings: seconds of single passes, by checkpoint, where each was timed alone.

    Returns:
        ``None`` where nothing tells them apart: the best value is as good a choice as any.
    """
    cheap = _cheapest(group, analysis, timings or {}) if costs else None
    names = group if cheap is None else cheap.names
    if cheap is not None and len(names) == 1:
        return Second(names[0], Criterion.COST, cheap.seconds, cheap)
    spread = steadiest(names, analysis, objective)
    if spread is not None and (
        spread.checkpoint == names[0]
        or steadier(spread.checkpoint, names[0], analysis, objective, looks=len(names) - 1)
    ):
        return Second(spread.checkpoint, Criterion.SPREAD, spread.value, cheap)
    return None if cheap is None else Second(names[0], Criterion.COST, cheap.seconds, cheap)


def steadiest(group: Sequence[str], analysis: RunAnalysis, objective: Mapping[str, float]) -> Second | None:
    """The one with the smallest standard deviation over frames (of several metrics: the weighted sum of theirs), by
    value alone; ``None`` where that is not known of all."""
    spreads = [_spread(name, analysis, objective) for name in group]
    known = [spread[0] for spread in spreads if spread is not None]
    if not objective or len(known) != len(group):
        return None
    least = min(range(len(known)), key=known.__getitem__)
    return Second(group[least], Criterion.SPREAD, known[least])


def steadier(name: str, other: str, analysis: RunAnalysis, objective: Mapping[str, float], *, looks: int) -> bool:
    """Whether the spread of one checkpoint is smaller than another's beyond chance.

    The standard error of a standard deviation s of n independent normal values is s / sqrt(2 (n - 1)); a window of
    frames counts as one value, as its frames resemble each other, and the deviations of several metrics are taken to
    err together. Both are cautious, as is that the two saw the same windows.

    Args:
        name, other: the checkpoints.
        analysis: the run.
        objective: metric key -> weight.
        looks: among how many the steadiest was looked for (Bonferroni).
    """
    own, its = _spread(name, analysis, objective), _spread(other, analysis, objective)
    if name == other or own is None or its is None or own[1] is None or its[1] is None:
        return False
    return its[0] - own[0] > quantile(SIGNIFICANCE / max(1, looks), math.inf) * math.hypot(own[1], its[1])


def recommendation(
    ranking: Ranking,
    analysis: RunAnalysis,
    weights: Mapping[str, float],
    timings: Mapping[str, Sequence[float]] | None = None,
) -> str:
    """Which of the checkpoints that are tied with the best to take, and why: one sentence without a full stop.

    Args:
        ranking: all rows, with a tie group.
        analysis: the run.
        weights: of the composite score.
        timings: as of :func:`second_choice`.

    Returns:
        Empty where nothing is tied with the best.
    """
    rows = ranking.rows
    group = rows.filter("tied_with_best").get_column("checkpoint").to_list()
    if len(group) < 2:
        return ""
    count = _("{tied} of {total} tied").format(tied=len(group), total=rows.height)
    objective = dict(weights) if ranking.objective == SCORE_KEY else {ranking.objective: 1.0}
    return f"{count}; {_told(second_choice(group, analysis, objective, timings=timings), group[0])}"


def _told(found: Second | None, best: str) -> str:
    if found is None:
        return _("take {name}, the best by value: neither cost nor spread tells them apart").format(name=best)
    cheap = found.cheap
    if cheap is None:
        return _("take {name}, the steadiest (std {spread:.3g})").format(name=found.checkpoint, spread=found.value)
    basis = _("timed alone") if cheap.alone else _("timed within the evaluation, beyond the scatter of latencies")
    if len(cheap.names) == 1:
        said = _("take {name}, the cheapest ({seconds:.3g} s, {basis})")
    elif found.criterion is Criterion.COST:
        said = _("take {name}, the best by value of the {cheap} cheapest ({seconds:.3g} s, {basis})")
    else:
        said = _("take {name}, the steadiest (std {spread:.3g}) of the {cheap} cheapest ({seconds:.3g} s, {basis})")
    return said.format(
        name=found.checkpoint, spread=found.value, cheap=len(cheap.names), seconds=cheap.seconds, basis=basis
    )


def _cheapest(group: Sequence[str], analysis: RunAnalysis, timings: Mapping[str, Sequence[float]]) -> Cheap | None:
    """The cheapest of a group; ``None`` where nothing is known of their costs, or these do not differ."""
    intervals = {name: median_interval(timings.get(name, ())) for name in group}
    alone = all(intervals.values())
    if alone:
        costs = {name: median(timings[name]) for name in group}
        least = min(group, key=costs.__getitem__)
        limit = (1.0 + SAME_COST) * costs[least]
        names = [name for name in group if _overlap(intervals[name], intervals[least]) or costs[name] <= limit]
    else:
        costs = _latencies(analysis, group)
        scatter = _scatter(analysis)
        if not costs or scatter is None:
            return None
        least = min(group, key=costs.__getitem__)
        limit = costs[least] + max(SAME_COST * costs[least], _SCATTERS * scatter)
        names = [name for name in group if costs[name] <= limit]
    return None if len(names) == len(group) else Cheap(tuple(names), costs[least], alone)


def _overlap(first: tuple[float, float] | None, second: tuple[float, float] | None) -> bool:
    return first is not None and second is not None and first[0] <= second[1] and second[0] <= first[1]


def _latencies(analysis: RunAnalysis, names: Sequence[str]) -> dict[str, float]:
    """Of the checkpoints; empty where one of them lacks it."""
    found = {name: analysis.value(name, LATENCY) for name in names}
    known = {name: value for name, value in found.items() if value is not None}
    return known if len(known) == len(names) else {}


def _scatter(analysis: RunAnalysis) -> float | None:
    """Robust standard deviation of a run's latencies in seconds; ``None`` for fewer than 5 checkpoints."""
    trained = analysis.trained
    values = trained.get_column(LATENCY).drop_nulls().to_list() if LATENCY in trained.columns else []
    if len(values) < _LEAST_SCATTERED:
        return None
    middle = median(values)
    deviation: float = median(abs(value - middle) for value in values)
    return _MAD_SCALE * deviation


def _spread(name: str, analysis: RunAnalysis, objective: Mapping[str, float]) -> tuple[float, float | None] | None:
    """Weighted sum of the standard deviations over frames and its standard error, where counts tell it."""
    spread, error = 0.0, 0.0
    for key, weight in objective.items():
        std, count = _cell(analysis.stds, name, key), _cell(analysis.counts, name, key)
        if std is None:
            return None
        spread += weight * std
        freedom = 0.0 if count is None else count / FRAMES_PER_WINDOW - 1.0
        error += weight * std / math.sqrt(2.0 * freedom) if freedom > 0.0 else math.nan
    return spread, None if math.isnan(error) else error


def _cell(table: pl.DataFrame, name: str, key: str) -> float | None:
    if key not in table.columns:
        return None
    values = table.filter(pl.col("checkpoint") == name).get_column(key)
    return None if values.is_empty() or values[0] is None else float(values[0])
