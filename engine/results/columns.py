"""Builds a summary frame from single numbers, checking each: what is not a number becomes null, with a reason."""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl

from engine.results.layout import STATISTICS
from engine.results.problems import ProblemLog, shown
from engine.schema import SUMMARY

_INT64_MAX = 2**63 - 1
_MEAN, _STD, _COUNT = (STATISTICS.index(name) for name in ("mean", "std", "count"))

Statistics = list[float | int | None]  # in the order of STATISTICS


class SummaryBuilder:
    """Collects numbers by (checkpoint, metric) and turns them into one frame of schema ``SUMMARY``.

    Args:
        log: where wrong values are reported.
    """

    def __init__(self, log: ProblemLog) -> None:
        self._log = log
        self._rows: dict[tuple[str, str], Statistics] = {}

    def add(
        self,
        checkpoint: str,
        metric: str,
        values: Mapping[str, object],
        file: str,
        place: str = "",
        *,
        fill: bool = False,
    ) -> None:
        """Add what a source says of one metric of one checkpoint.

        Args:
            checkpoint: the checkpoint's name.
            metric: the metric's key.
            values: statistic (one of ``STATISTICS``) -> value; ``None`` means not measured.
            file: where it stands, for messages.
            place: row or line, for messages.
            fill: only complete what an earlier source left without a mean.
        """
        key = (checkpoint, metric)
        known = self._rows.get(key)
        if fill and known is not None and known[_MEAN] is not None:
            return
        row: Statistics = known or [None] * len(STATISTICS)
        seen = known is not None
        for index, statistic in enumerate(STATISTICS):
            value = values.get(statistic)
            if value is None:
                continue
            seen = True
            # Nearly every value is a plain float or count; the slower checks are for the rest.
            if type(value) is float and index != _COUNT and 0.0 <= value < math.inf:
                row[index] = value
                continue
            number, reason = _checked(value, index)
            if reason:
                self._log.wrong_value(file, place, f"{metric}.{statistic}", reason)
            else:
                row[index] = number
        if seen:
            self._rows[key] = row

    def checkpoints(self) -> set[str]:
        """The checkpoints that have a row."""
        return {checkpoint for checkpoint, _ in self._rows}

    def frame(self) -> pl.DataFrame:
        """The frame of schema ``SUMMARY``, in the order in which rows were added."""
        keys = list(self._rows)
        columns: dict[str, list[object]] = {
            "checkpoint": [checkpoint for checkpoint, _ in keys],
            "metric": [metric for _, metric in keys],
        }
        rows = list(self._rows.values())
        for index, statistic in enumerate(STATISTICS):
            columns[statistic] = [row[index] for row in rows]
        return pl.DataFrame(columns, schema=SUMMARY)


def number_in_text(text: str) -> object:
    """A cell of a text table as a number: ``None`` where it is empty, the text itself where it is no number."""
    stripped = text.strip()
    if not stripped:
        return None
    if "_" in stripped:  # Python reads 1_000, other programs do not
        return text
    try:
        return float(stripped)
    except ValueError:
        return text


def _checked(value: object, index: int) -> tuple[float | int | None, str]:
    """The number and an empty reason, or ``None`` and the reason why it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None, f"{shown(value)} is not a number"
    try:
        number = float(value)
    except OverflowError:
        return None, "the number is too large"
    if not math.isfinite(number):
        return None, f"{shown(value)} is not a finite number"
    if index == _COUNT:
        if number < 0 or not number.is_integer():
            return None, f"{shown(value)} is not a count"
        return (None, "the count is too large") if number > _INT64_MAX else (int(value), "")
    if index == _STD and number < 0:
        return None, f"a standard deviation of {shown(value)} cannot be"
    return number, ""
