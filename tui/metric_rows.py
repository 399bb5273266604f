"""Rows of a grid that are metrics in their groups: what Compare and Checkpoint have in common. Textual-free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from engine.catalogue import Group, Metric
from tui.format import plain_text


class MetricRows:
    """A heading for every group and region, a row for every metric.

    Args:
        metrics: in catalogue order.
        plain: ASCII alone.
    """

    def __init__(self, metrics: Sequence[Metric], *, plain: bool) -> None:
        self._plain = plain
        self.rows = with_headings(metrics)

    def sign(self, text: str) -> str:
        """The app's own text, in ASCII where that is wanted."""
        return plain_text(text) if self._plain else text

    @property
    def row_count(self) -> int:
        """Headings and metrics."""
        return len(self.rows)

    def row_key(self, row: int) -> str:
        """The metric's key, or the heading's text."""
        entry = self.rows[row]
        return entry if isinstance(entry, str) else entry.key

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        """Whether a row is a heading."""
        return "heading" if isinstance(self.rows[row], str) else "row"

    def metric(self, row: int) -> Metric | None:
        """The metric of a row; None for a heading."""
        entry = self.rows[row] if 0 <= row < len(self.rows) else None
        return None if entry is None or isinstance(entry, str) else entry


def with_headings(metrics: Sequence[Metric]) -> list[Metric | str]:
    """The metrics with a heading before every group and region; the score stands alone."""
    rows: list[Metric | str] = []
    heading = ""
    for metric in metrics:
        title = metric.family
        if title != heading and metric.group is not Group.SCORE:
            rows.append(title)
        heading = title
        rows.append(metric)
    return rows
