"""What happened during a training, told from noise where it can be: jumps, where gains end, what was paid for them.

:mod:`engine.analysis.trends` looks at the curve alone; here the evidence behind its points is asked, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from engine.analysis.bands import change_bands, level_bands
from engine.analysis.comparison import Cell
from engine.analysis.deltas import Verdict
from engine.analysis.differences import SIGNIFICANCE
from engine.analysis.evidence import Evidence
from engine.analysis.overview import RunAnalysis
from engine.analysis.separation import seen_from
from engine.analysis.trends import Jump, Trend, trend
from engine.catalogue import Catalogue
from engine.config import TrendConfig


@dataclass(frozen=True, slots=True)
class JudgedJump:
    """A jump of a curve, and whether it is more than noise.

    Attributes:
        jump: where and how far.
        verdict: of the change, in the metric's direction, corrected for all pairs of neighbours; ``tied`` where it is
            not told from noise; ``None`` where it cannot be said.
        ci95: interval of the change by itself, in the metric's unit.
        kind: what it was computed from, or ``None``.
    """

    jump: Jump
    verdict: Verdict | None
    ci95: tuple[float, float] | None
    kind: str | None


@dataclass(frozen=True, slots=True)
class Settling:
    """Where the gains of a metric end, as far as they can be told from noise.

    ``checkpoint`` is the first one that no later checkpoint is shown to be better than. It is found by testing the
    checkpoints in the order of the training, each against all later ones (corrected for how many those are), and
    stopping at the first that passes. Such a fixed sequence needs no further correction (Maurer, Hothorn and Lehmacher
    1995; Westfall and Krishen 2001): the search only goes past the true end of the gains if the test there is wrong,
    so with 95 % certainty the gains do go on up to ``checkpoint``. They may go on after it, too, below what these data
    can show.

    Attributes:
        metric: the key.
        checkpoint: see above.
        index: its position in the training.
        later: how many checkpoints come after it.
        worse: those of them that are shown to be worse than it: the gain was lost again.
        kind: what was tested by, or ``None`` where there is nothing later.
    """

    metric: str
    checkpoint: str
    index: int
    later: int
    worse: tuple[str, ...]
    kind: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How the checkpoints of a training stand to the baseline in one metric.

    Attributes:
        better, worse: those that are told to be, in training order, corrected for all of them.
        judged: how many could be judged.
    """

    better: tuple[str, ...]
    worse: tuple[str, ...]
    judged: int


@dataclass(frozen=True)
class Course:
    """One metric over a training.

    Attributes:
        trend: the curve, its rolling variation and plateau.
        jumps: its jumps, judged.
        settling: where its gains end; ``None`` where that cannot be said.
        band: 95 % interval of each checkpoint's change about the baseline's value, in the order of the trend; without a
            baseline, of its value. ``None`` where it is not known.
        standing: against the baseline.
    """

    trend: Trend
    jumps: tuple[JudgedJump, ...]
    settling: Settling | None
    band: tuple[tuple[float, float] | None, ...]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Loss:
    """A metric that is worse than the baseline at a checkpoint.

    Attributes:
        cell: the change there.
        times: how many checkpoints of the training are worse than the baseline in it.
        judged: how many could be judged.
        since: the first checkpoint from which on every one is; ``None`` where the last is not.
    """

    cell: Cell
    times: int
    judged: int
    since: str | None


@dataclass(frozen=True)
class Payment:
    """What got better at a checkpoint while something else got worse, both told from the baseline.

    It says that both happened, not that one caused the other.

    Attributes:
        checkpoint: where.
        gained: changes for the better.
        lost: changes for the worse.
    """

    checkpoint: str
    gained: tuple[Cell, ...]
    lost: tuple[Loss, ...]


def course(analysis: RunAnalysis, evidence: Evidence, key: str, config: TrendConfig, *, catalogue: Catalogue) -> Course:
    """Everything about one metric's course.

    Args:
        analysis: the run.
        evidence: of the run, with this metric.
        key: the metric, or ``score``.
        config: window and thresholds.
        catalogue: directions.

    Raises:
        UnknownNameError: the run has no such metric.
    """
    found = trend(analysis, key, config, catalogue=catalogue)
    measured = [name for name, value in zip(found.checkpoints, found.values, strict=True) if value is not None]
    intervals = (
        change_bands(evidence, key, found.baseline)
        if evidence.baseline is not None and found.baseline is not None
        else level_bands(evidence, key, measured)
    )
    return Course(
        trend=found,
        jumps=tuple(_judged(evidence, key, jump, len(measured) - 1) for jump in found.jumps),
        settling=settling(evidence, key, measured),
        band=tuple(intervals.get(name) for name in found.checkpoints),
        standing=_standing(evidence, key, found.checkpoints),
    )


def settling(evidence: Evidence, key: str, checkpoints: Sequence[str]) -> Settling | None:
    """Where the gains of a metric end (see :class:`Settling`).

    Args:
        evidence: of the run, with this metric.
        key: the metric, or ``score``.
        checkpoints: those with a value, in training order.

    Returns:
        ``None`` where the metric has no direction, or a checkpoint cannot be judged against the later ones.
    """
    if not evidence.catalogue.get(key).direction.sign:
        return None
    for index, name in enumerate(checkpoints):
        later = checkpoints[index + 1 :]
        if not later:
            return Settling(key, name, index, 0, (), None)
        rows = seen_from(evidence, name, later).differences([key])
        verdicts = rows.get_column("verdict")
        if rows.height < len(later) or verdicts.null_count():
            return None
        if Verdict.BETTER not in verdicts:
            worse = set(rows.filter(pl.col("verdict") == Verdict.WORSE).get_column("checkpoint"))
            kinds = set(rows.get_column("kind"))
            kind = kinds.pop() if len(kinds) == 1 else None
            return Settling(key, name, index, len(later), tuple(one for one in later if one in worse), kind)
    return None


def payment(checkpoint: str, cells: Sequence[Cell], evidence: Evidence, trained: Sequence[str]) -> Payment:
    """What a checkpoint gained and lost against the baseline.

    Args:
        checkpoint: which.
        cells: its judged changes.
        evidence: of the run, with the metrics of ``cells``.
        trained: all checkpoints in training order.
    """
    lost = [cell for cell in cells if cell.verdict is Verdict.WORSE]
    rows = evidence.differences([cell.key for cell in lost])
    return Payment(
        checkpoint,
        tuple(cell for cell in cells if cell.verdict is Verdict.BETTER),
        tuple(_loss(cell, rows.filter(pl.col("metric") == cell.key), trained) for cell in lost),
    )


def _standing(evidence: Evidence, key: str, trained: Sequence[str]) -> Standing:
    verdicts = _verdicts(evidence.differences([key]))
    better, worse = (
        tuple(name for name in trained if verdicts.get(name) == verdict) for verdict in (Verdict.BETTER, Verdict.WORSE)
    )
    return Standing(better, worse, len(verdicts))


def _verdicts(rows: pl.DataFrame) -> dict[str, str]:
    return dict(rows.drop_nulls("verdict").select("checkpoint", "verdict").iter_rows())


def _loss(cell: Cell, rows: pl.DataFrame, trained: Sequence[str]) -> Loss:
    verdicts = _verdicts(rows)
    order = [name for name in trained if name in verdicts]
    since = None
    for name in reversed(order):
        if verdicts[name] != Verdict.WORSE:
            break
        since = name
    times = sum(1 for verdict in verdicts.values() if verdict == Verdict.WORSE)
    return Loss(cell, times, len(verdicts), since)


def _judged(evidence: Evidence, key: str, jump: Jump, neighbours: int) -> JudgedJump:
    """Judged as one of all pairs of neighbours, since it was picked as one of the largest (Bonferroni)."""
    rows = seen_from(evidence, jump.from_checkpoint, [jump.to_checkpoint]).differences([key])
    if rows.is_empty():
        return JudgedJump(jump, None, None, None)
    row = rows.row(0, named=True)
    low, high, p = row["ci95_low"], row["ci95_high"], row["p"]
    sign = evidence.catalogue.get(key).direction.sign
    verdict = None
    if p is not None and sign:
        towards = sign * (jump.after - jump.before)
        told = min(1.0, p * max(1, neighbours)) <= SIGNIFICANCE
        verdict = (Verdict.BETTER if towards > 0 else Verdict.WORSE) if told else Verdict.TIED
    interval = None if low is None or high is None else (low, high)
    return JudgedJump(jump, verdict, interval, row["kind"] if p is not None else None)
