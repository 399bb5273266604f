"""Pick without a screen: limits as a filter, what remains of a run, and which of it is on the Pareto front."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from engine.analysis.evidence import Evidence
from engine.analysis.pareto import pareto_front
from engine.analysis.ranking import Ranking, rank
from engine.analysis.second import recommendation
from engine.catalogue import ALIASES, SCORE_KEY, Catalogue, Direction, region_shown
from engine.errors import LorascopeError, UsageError
from engine.i18n import gettext as _
from tui.library import Library, Loaded
from tui.state import Limit

Operator = Literal[">=", "<="]

# What the limits begin with: the quality that the score weighs, then the cost.
_QUALITY = ("depth.building.delta1", "depth.building.abs_rel", "planarity.building.inlier_ratio")
_GENERAL = ("depth.full.delta1", "depth.full.abs_rel")
_COST = ("performance.fps", "vram_gb")
# Positions of a slider between the least and the greatest value of a run.
STEPS = 40


@dataclass(frozen=True, slots=True)
class Term:
    """A quantity that can be limited: a metric, or an alias with a factor (``vram_gb``).

    Attributes:
        name: as it stands in a filter.
        key: the metric's key.
        label: for a person, with unit.
        factor: value shown = factor x value of the metric.
        digits: decimals.
        operator: the side that is kept by default: good values.
    """

    name: str
    key: str
    label: str
    factor: float
    digits: int
    operator: Operator


def term(name: str, catalogue: Catalogue) -> Term:
    """The term of that name: a metric's key, or ``vram_gb``."""
    if name == "vram_gb":
        return Term(name, ALIASES[name].keys[0], f"{_('VRAM')} GB", ALIASES[name].factor, 1, "<=")
    metric = catalogue.get(name)
    unit = f" {metric.unit}" if metric.unit and metric.unit != "1/s" else ""
    region = f" {region_shown(metric.region)}" if metric.region not in ("", "building") else ""
    operator: Operator = "<=" if metric.direction is Direction.LOWER else ">="
    return Term(name, name, f"{metric.shown}{unit}{region}", 1.0, min(metric.digits, 4), operator)


def default_terms(metrics: Iterable[str], catalogue: Catalogue) -> list[Term]:
    """The terms that a run's limits begin with, as far as the run has them."""
    known = set(metrics)
    quality = [key for key in _QUALITY if key in known] or [key for key in _GENERAL if key in known]
    cost = [name for name in _COST if term(name, catalogue).key in known]
    return [term(name, catalogue) for name in [*quality, *cost]]


def limit_rows(
    limits: Sequence[Limit], metrics: Sequence[str], catalogue: Catalogue
) -> list[tuple[Term, Limit | None]]:
    """The rows of the limits: the defaults, then others that the user added; each with its limit if one is set."""
    terms = {entry.name: entry for entry in default_terms(metrics, catalogue)}
    for limit in limits:
        entry = term(limit.metric, catalogue)
        if entry.key in metrics:
            terms.setdefault(limit.metric, entry)
    by_name = {limit.metric: limit for limit in limits}
    return [(entry, by_name.get(name)) for name, entry in terms.items()]


def value_range(loaded: Loaded, entry: Term) -> tuple[float, float] | None:
    """The least and greatest value of a term over a run's checkpoints; None where none has a value."""
    table = loaded.analysis.table
    if entry.key not in table.columns:
        return None
    values = table.filter(pl.col("role") == "checkpoint")[entry.key].drop_nulls() * entry.factor
    if values.is_empty():
        return None
    low, high = values.min(), values.max()
    assert isinstance(low, float) and isinstance(high, float)  # noqa: S101 (the column is Float64 and not empty)
    return low, high


def moved(limit: Limit | None, entry: Term, low: float, high: float, by: int) -> Limit | None:
    """A limit after moving its slider by ``by`` steps; None where it no longer limits anything.

    Args:
        limit: where it stands; None is off.
        entry: what is limited.
        low: the least value of the run.
        high: the greatest value of the run.
        by: steps of 1/40 of the range, positive towards greater values.
    """
    operator = limit.operator if limit else entry.operator
    step = (high - low) / STEPS
    if step <= 0:
        return limit
    if limit is None:
        at = low if operator == ">=" else high
        # Leaving "off" needs a move towards the strict side.
        if (by > 0) != (operator == ">="):
            return None
    else:
        at = limit.value
    # Positions are multiples of the step, so that going forth and back ends where it began.
    index = round((at - low) / step) + by
    if (operator == ">=" and index <= 0) or (operator == "<=" and index >= STEPS):
        return None
    value = low + step * min(max(index, 0), STEPS)
    return Limit(entry.name, operator, _short(value, step))


def _short(value: float, step: float) -> float:
    """``value`` with no more digits than the step needs: 0.42 rather than 0.4199999."""
    digits = 0
    while digits < 9 and step * 10**digits < 1:
        digits += 1
    return round(value, digits + 1)


def parse_limit(text: str, name: str, operator: str) -> Limit | None:
    """A typed limit: a number, or ``>=`` or ``<=`` and a number; None where nothing was typed.

    Raises:
        UsageError: it is neither.
    """
    stripped = text.strip()
    for sign in (">=", "<=", "≥", "≤", ">", "<"):
        if stripped.startswith(sign):
            operator = ">=" if sign[0] in ">≥" else "<="
            stripped = stripped[len(sign) :].strip()
            break
    if not stripped:
        return None
    try:
        value = float(stripped.replace(",", "."))
    except ValueError:
        raise UsageError(_("{text} is not a number").format(text=repr(stripped))) from None
    if value != value or value in (float("inf"), float("-inf")):
        raise UsageError(_("{text} is not a finite number").format(text=repr(stripped)))
    return Limit(name, ">=" if operator == ">=" else "<=", value)


def where_text(limits: Iterable[Limit], extra: str = "") -> str:
    """The limits and a condition of one's own as one ``--where`` expression; empty where nothing is limited."""
    parts = [f"{limit.metric} {limit.operator} {limit.value:g}" for limit in limits]
    if extra.strip():
        parts.append(f"({extra.strip()})" if parts else extra.strip())
    return " AND ".join(parts)


@dataclass(frozen=True)
class Picked:
    """What remains of a run.

    Attributes:
        ranking: the ranked checkpoints.
        where: the filter as text.
        front: the checkpoints on the Pareto front among what remains.
        axes: the keys of the front: cost or first metric, then quality.
        error: why the filter could not be applied; the ranking is then unfiltered.
        advice: which checkpoint to take among those tied with the best, one sentence; empty where nothing is known.
    """

    ranking: Ranking
    where: str
    front: frozenset[str]
    axes: tuple[str, str] | None
    error: str = ""
    advice: str = ""


def usable_objective(wanted: str, metrics: Sequence[str], catalogue: Catalogue) -> str:
    """What to rank by: what is wanted if the run has it, else the first quantity that limits begin with.

    Returns:
        A key; ``wanted`` itself where the run has nothing better (ranking then says what is missing).
    """
    if wanted in metrics:
        return wanted
    terms = default_terms(metrics, catalogue)
    return terms[0].key if terms else wanted


def command_text(path: str, picked: Picked) -> str:
    """The command that gives the same ranking, quoted for a shell."""
    words = ["lorascope", "rank", path, "--objective", picked.ranking.objective]
    return shlex.join([*words, "--where", picked.where] if picked.where else words)


def default_axes(metrics: Sequence[str], catalogue: Catalogue) -> tuple[str, str] | None:
    """What a front is drawn over by default: FPS against AbsRel, else the first two metrics with a direction."""
    directed = [key for key in metrics if catalogue.get(key).direction is not Direction.NONE and key != SCORE_KEY]
    cost = [key for key in ("performance.fps", "performance.vram_mb") if key in directed]
    quality = [key for key in (*_QUALITY[1::-1], *_GENERAL[::-1]) if key in directed]
    chosen = [*cost[:1], *quality[:1]]
    chosen += [key for key in directed if key not in chosen]
    return (chosen[0], chosen[1]) if len(chosen) >= 2 else None


def pick(
    library: Library,
    loaded: Loaded,
    *,
    objective: str,
    limits: Sequence[Limit],
    extra: str,
    axes: Sequence[str],
    evidence: Evidence | None = None,
) -> Picked:
    """Filter, rank, and find the Pareto front of what remains.

    Args:
        library: the analysis.
        loaded: the run.
        objective: the key to rank by.
        limits: what is limited; those of metrics that this run lacks are left out.
        extra: a further condition.
        axes: two metric keys for the front; the default ones where they are not two of this run.
        evidence: what tells changes from chance; a tie group that it does not know yet is not asked for.

    Raises:
        UsageError: the objective is not a metric of this run with a direction.
    """
    analysis, catalogue = loaded.analysis, library.catalogue
    usable = [limit for limit in limits if term(limit.metric, catalogue).key in analysis.metrics]
    where, error = where_text(usable, extra), ""
    condition = where or None

    def ranked(ties: bool) -> Ranking:
        return rank(analysis, objective=objective, catalogue=catalogue, where=condition, evidence=evidence, ties=ties)

    try:
        ranking = ranked(ties=False)
    except LorascopeError as problem:
        if not where:
            raise
        error, condition = str(problem), None
        ranking = ranked(ties=False)
    if evidence is not None and evidence.knows_ties(ranking.objective, ranking.rows["checkpoint"].to_list()):
        ranking = ranked(ties=True)
    chosen = [key for key in axes if key in analysis.metrics]
    pair = (chosen[0], chosen[1]) if len(chosen) == 2 else default_axes(analysis.metrics, catalogue)
    front: frozenset[str] = frozenset()
    if pair:
        kept = analysis.table.filter(pl.col("checkpoint").is_in(ranking.rows["checkpoint"].to_list()))
        front = frozenset(kept.filter(pareto_front(kept, list(pair), catalogue))["checkpoint"].to_list())
    advice = ""
    if evidence is not None:
        advice = recommendation(ranking, analysis, library.config.score.weights, evidence.timings)
    return Picked(ranking, where, front, pair, error, advice)
