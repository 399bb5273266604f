"""The band of a trend: what is known of every checkpoint's change against the baseline, or of its value.

With a baseline the question that a trend answers is which checkpoints differ from it. So the band is the interval of
the change, laid upon the baseline's line: the line is outside of it exactly where the verdict is better or worse, for
all checkpoints of the run at once. The intervals of both means by themselves would be wider, as baseline and
checkpoint saw the same windows, and would overlap although the difference is certain. Where there is no baseline, the
band says how well each value is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import polars as pl

from engine.analysis.differences import DIFFERENCES, Kind
from engine.analysis.evidence import Evidence


class IntervalOf(StrEnum):
    """What intervals are of."""

    CHANGE = "change"  # against the baseline; what is drawn holds for all checkpoints at once
    VALUE = "value"  # by itself


@dataclass(frozen=True, eq=False)
class Intervals:
    """What is known of one metric of a run's checkpoints.

    Attributes:
        of: what the intervals are of.
        rows: by checkpoint: ``delta``, ``ci95_low`` and ``ci95_high``, ``joint_low`` and ``joint_high``, ``verdict``,
            ``kind``; of values ``delta``, the joint interval and the verdict are ``None``. Checkpoints of which nothing
            is known are not among them.
    """

    of: IntervalOf
    rows: Mapping[str, Mapping[str, Any]]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What they were computed from: per-frame rows (paired), summaries (unpaired), or both."""
        found = {row["kind"] for row in self.rows.values()}
        return tuple(kind for kind in Kind if kind.value in found)

    def ends(self, baseline: float | None) -> dict[str, tuple[float, float]]:
        """Checkpoint -> both ends of the band, in the metric's unit.

        Args:
            baseline: the value at which the baseline is drawn; without one, changes have no place.
        """
        if self.of is IntervalOf.VALUE:
            return {name: (row["ci95_low"], row["ci95_high"]) for name, row in self.rows.items()}
        if baseline is None:
            return {}
        return {
            name: (baseline + row["joint_low"], baseline + row["joint_high"])
            for name, row in self.rows.items()
            if row["joint_low"] is not None and row["joint_high"] is not None
        }


def intervals_of(evidence: Evidence, key: str) -> Intervals | None:
    """The intervals of one metric; ``None`` where nothing is known.

    Args:
        evidence: what the run holds to tell change from chance.
        key: the metric, or ``score``.
    """
    columns = ["delta", "ci95_low", "ci95_high", "joint_low", "joint_high", "verdict", "kind"]
    if evidence.baseline is not None:
        of, table = IntervalOf.CHANGE, evidence.differences([key])
    else:
        of = IntervalOf.VALUE
        missing = [
            pl.lit(None, DIFFERENCES[name]).alias(name) for name in ("delta", "joint_low", "joint_high", "verdict")
        ]
        table = evidence.levels([key]).with_columns(missing)
    known = table.filter(pl.col("ci95_low").is_not_null(), pl.col("ci95_high").is_not_null())
    rows = {str(row["checkpoint"]): row for row in known.select("checkpoint", *columns).iter_rows(named=True)}
    return Intervals(of, rows) if rows else None


def change_bands(evidence: Evidence, key: str, baseline: float) -> dict[str, tuple[float, float]]:
    """Checkpoint -> band of its change, laid about the baseline's value; those of which nothing is known are left out.

    Args:
        evidence: of the run, with this metric.
        key: the metric, or ``score``.
        baseline: its value, as the plot shows it.
    """
    found = intervals_of(evidence, key)
    return {} if found is None or found.of is IntervalOf.VALUE else found.ends(baseline)


def level_bands(evidence: Evidence, key: str, checkpoints: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Checkpoint -> 95 % interval of its value by itself; those of which nothing is known are left out.

    They are no verdicts: two values with overlapping intervals may differ for certain, as both saw the same windows.

    Args:
        evidence: of the run, with this metric.
        key: the metric, or ``score``.
        checkpoints: names.
    """
    rows = evidence.levels([key]).drop_nulls(["ci95_low", "ci95_high"])
    rows = rows.filter(pl.col("checkpoint").is_in(list(checkpoints)))
    return {name: (low, high) for name, low, high in rows.select("checkpoint", "ci95_low", "ci95_high").iter_rows()}
