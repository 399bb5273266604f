"""Advice as data: which checkpoint to take for what, what speaks for it, what it gives up, what would make it sure.

No words in here: :mod:`engine.report` puts it into sentences. Where nothing separates checkpoints, that is the advice:
``group`` holds all that are tied, and ``decided`` says what singled one out in spite of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.analysis.comparison import Cell
from engine.analysis.purposes import Purpose
from engine.analysis.second import Second
from engine.analysis.separation import Separation


class Decided(StrEnum):
    """What singled out the checkpoint that is to be taken."""

    ONLY = "only"  # there is no other
    VALUE = "value"  # every other one is told from it
    COST = "cost"  # tied with others; the cheapest of them
    SPREAD = "spread"  # tied with others; the steadiest of them
    ORDER = "order"  # tied with others, and nothing tells them apart: the one with the best value
    UNJUDGED = "unjudged"  # the best value; nothing is known that could tell it from the others


class Absence(StrEnum):
    """Why there is no advice for a purpose."""

    NO_METRICS = "no_metrics"  # the run did not measure what it takes
    NO_COSTS = "no_costs"  # no latency, speed or memory is known
    COSTS_UNUSABLE = "costs_unusable"  # the protocol's costs cannot be compared between checkpoints
    NO_SPREAD = "no_spread"  # how values spread over frames is not known
    ONE_CHECKPOINT = "one_checkpoint"  # there is nothing to choose between
    NOTHING_LEFT = "nothing_left"  # no checkpoint meets the limits


@dataclass(frozen=True, slots=True)
class Behind:
    """What a checkpoint gives up in one metric against the best one there.

    Attributes:
        metric: the key.
        leader: the checkpoint with the best value; the same one where nothing is given up.
        leader_value, value: both, as tables show them.
        behind: how much worse, over the frames that both have; at least 0 but for differences in frames.
        ci95: interval of it by itself; ``None`` where nothing is known of its error.
        told: whether it is told from the leader, corrected for all pairs; ``None`` where it cannot be said.
    """

    metric: str
    leader: str
    leader_value: float
    value: float
    behind: float
    ci95: tuple[float, float] | None
    told: bool | None


@dataclass(frozen=True, slots=True)
class CostFigure:
    """What one checkpoint costs.

    Attributes:
        metric: what was compared: latency, else speed, else memory.
        value: of the checkpoint that is to be taken.
        least, most: of all that stood for choice.
        measured: whether single timings are known, so that differences could be judged by them.
        equal: how many cost the same as the cheapest, as far as can be told.
    """

    metric: str
    value: float
    least: float
    most: float
    measured: bool
    equal: int


@dataclass(frozen=True)
class Pick:
    """The advice for one purpose.

    Attributes:
        purpose: what for.
        objective: metric key -> weight of what was ranked by.
        checkpoint: the one to take.
        leader: the one with the best value of the objective.
        value, leader_value: the objective's values of both.
        group: all that cannot be told from the leader, best first, the leader among them.
        total: how many stood for choice.
        decided: what singled ``checkpoint`` out.
        second: of the second objective, where it decided.
        change: the objective of ``checkpoint`` against the baseline; its ``baseline`` and so on are ``None`` where
            there is no baseline.
        changes: the objective's metrics against the baseline, likewise, by key.
        behind: what ``checkpoint`` gives up, metric by metric.
        worse: headline metrics in which ``checkpoint`` is told to be worse than the baseline.
        nearest: the leader against the next one in the ranking.
        taken: the leader against ``checkpoint``, where they are two.
        resolved: (times as many windows, how many of the tied ones would be told from the leader).
        kind: what ties were judged by (a :class:`engine.analysis.differences.Kind`), or ``None``.
        cost: for the cheapest.
        spreads: for the most stable: the standard deviation over frames of each of the objective's metrics, the
            leader's as the baseline; judged where frames are paired.
        variation: rolling variation of the score there in percent, for the most stable.
    """

    purpose: Purpose
    objective: Mapping[str, float]
    checkpoint: str
    leader: str
    value: float
    leader_value: float
    group: tuple[str, ...]
    total: int
    decided: Decided
    second: Second | None
    change: Cell
    changes: Mapping[str, Cell]
    behind: tuple[Behind, ...]
    worse: tuple[Cell, ...]
    nearest: Separation | None
    taken: Separation | None
    resolved: tuple[tuple[int, int], ...]
    kind: str | None
    cost: CostFigure | None = None
    spreads: tuple[Cell, ...] = ()
    variation: float | None = None


@dataclass(frozen=True)
class Advice:
    """The advice for one run, or for several runs that may be compared.

    Attributes:
        picks: one per purpose that there is advice for, in the order of :class:`Purpose`.
        missing: purpose -> why there is none.
        limits: the condition that checkpoints had to meet to be among the cheapest; ``None`` where it was to be tied
            with the best balanced one.
    """

    picks: tuple[Pick, ...]
    missing: Mapping[Purpose, Absence]
    limits: str | None

    def pick(self, purpose: Purpose) -> Pick | None:
        """The advice for that purpose, if there is any."""
        return next((one for one in self.picks if one.purpose is purpose), None)
