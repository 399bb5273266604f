"""The rows of Checkpoint: every metric of one checkpoint, its rank, and its spread over frames. Textual-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from engine.analysis.comparison import SAY_NOTHING, OnScale
from engine.analysis.deltas import deltas
from engine.analysis.known_limits import Limit, known_limits
from engine.analysis.losses import Loss
from engine.catalogue import Direction, Metric
from engine.i18n import gettext as _
from engine.i18n import mark
from engine.text import visible
from tui.compare_table import READINGS
from tui.format import MISSING, metric_number, number, percent, reach, verdict_mark, verdict_role
from tui.library import Library, Loaded
from tui.metric_rows import MetricRows
from tui.parts import LOSES_MARK, NOTHING_MARK, lost_parts
from tui.widgets.grid_model import Cell, Column

# Statistic -> its heading.
_SPREAD = {
    "std": mark("std"),
    "median": mark("median"),
    "min": mark("min"),
    "max": mark("max"),
    "count": mark("count"),
}


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a checkpoint stands among the checkpoints of its run: 1 is the best."""

    rank: int
    of: int


def ranks(library: Library, loaded: Loaded, checkpoint: str) -> dict[str, Rank]:
    """The rank of one checkpoint for every metric that has a direction.

    Returns:
        metric key -> rank; metrics that the checkpoint lacks are left out. Equal values share the better rank.
    """
    table = loaded.analysis.table.filter(pl.col("role") == "checkpoint")
    own = table.filter(pl.col("checkpoint") == checkpoint)
    if own.is_empty():
        return {}
    found: dict[str, Rank] = {}
    for key in loaded.analysis.metrics:
        sign = library.catalogue.get(key).direction.sign
        value = own[key][0]
        if sign and value is not None:
            values = table[key].drop_nulls() * sign
            found[key] = Rank(int((values > value * sign).sum()) + 1, len(values))
    return found


class CheckpointSource(MetricRows):
    """The grid's rows for one checkpoint.

    Args:
        library: the analysis.
        loaded: the run.
        checkpoint: its name.
        differences: what was judged of the run's changes (see :func:`engine.analysis.deltas.deltas`); without it there
            are no verdicts.
        scale: where the checkpoint stands between chance and truth, by metric; there is no column without any.
        loses: the parts of the sample that it loses although the whole is better, by metric.
        plain: ASCII alone.
    """

    def __init__(
        self,
        library: Library,
        loaded: Loaded,
        checkpoint: str,
        *,
        differences: pl.DataFrame | None = None,
        scale: Mapping[str, OnScale] | None = None,
        loses: Mapping[str, tuple[Loss, ...]] | None = None,
        plain: bool = False,
    ) -> None:
        self._scale, self._loses = scale or {}, loses or {}
        self._protocol = loaded.run.metadata.protocol.name
        self.limits = known_limits(loaded.analysis.metrics, self._protocol, catalogue=library.catalogue)
        changes = deltas(loaded.analysis, checkpoint, catalogue=library.catalogue, differences=differences)
        self._changes = _by_metric(changes, "metric")
        own = loaded.run.summary.filter(pl.col("checkpoint") == checkpoint)
        self._spread = _by_metric(own, "metric")
        self._ranks = ranks(library, loaded, checkpoint)
        measured = [key for key in loaded.analysis.metrics if self._changes.get(key, {}).get("value") is not None]
        super().__init__([library.catalogue.get(key) for key in measured], plain=plain)
        self.columns: Sequence[Column] = [
            Column("metric", _("metric"), 18, min_width=12),
            Column("direction", self.sign("↑↓"), 2, "center"),
            Column("value", _("value"), 9, "right"),
            Column("baseline", _("baseline"), 9, "right"),
            Column("change", self.sign("Δ%"), 8, "right"),
            Column("reach", "95 %", 6, "right"),
            Column("mark", "", 3 if self._loses else 2),
            *([Column("scale", _("scale %"), 7, "right")] if self._scale else []),
            Column("rank", _("rank"), 7, "right"),
            *(
                Column(name, _(title), 7 if name == "count" else 9, "right", rule=name == "std", group=_("frames"))
                for name, title in _SPREAD.items()
            ),
        ]

    def cells(self, row: int) -> Sequence[Cell]:
        """The figures of one metric."""
        metric = self.rows[row]
        if isinstance(metric, str):
            return (Cell(self.sign(metric), "heading"),)
        change = self._changes[metric.key]
        spread = self._spread.get(metric.key, {})
        verdict = change.get("verdict")
        role = verdict_role(str(verdict) if verdict else None)
        rank = self._ranks.get(metric.key)
        cells = [
            Cell(metric.heading),
            Cell(metric.direction.arrow, "muted"),
            Cell(metric_number(_float(change.get("value")), metric)),
            Cell(metric_number(_float(change.get("baseline")), metric), "muted"),
            Cell(percent(_float(change.get("delta_pct"))), role or "muted"),
            Cell(_reach(change, metric), "muted"),
            Cell(f"{verdict_mark(str(verdict) if verdict else None)}{self._signs(metric.key)}", role),
            *([self._on_scale(metric.key)] if self._scale else []),
            Cell(f"{rank.rank}/{rank.of}" if rank else "", "best" if rank and rank.rank == 1 else "muted"),
        ]
        for name in _SPREAD:
            value = _float(spread.get(name))
            text = MISSING if value is None else number(value, 0 if name == "count" else metric.digits)
            cells.append(Cell(text, "muted" if metric.direction is Direction.NONE or value is None else ""))
        return [Cell(self.sign(cell.text), cell.role) for cell in cells]

    def says_nothing(self, key: str) -> bool:
        """Whether a metric carries no information: within noise of chance, without a scale, or so by construction."""
        found, limit = self._scale.get(key), self.limits.get(key)
        return (found is not None and found.reading in SAY_NOTHING) or (
            limit is not None and limit.limit in SAY_NOTHING
        )

    def _signs(self, key: str) -> str:
        """What stands behind the mark of the verdict: a part is lost, the metric carries no information."""
        return (LOSES_MARK if key in self._loses else "") + (NOTHING_MARK if self.says_nothing(key) else "")

    def _on_scale(self, key: str) -> Cell:
        """How far a value is from chance to the truth, in percent."""
        found = self._scale.get(key)
        if found is None or found.value is None:
            return Cell(MISSING, "muted")
        return Cell(number(found.value, 1), "muted" if self.says_nothing(key) else "")

    def remark(self, row: int) -> str:
        """What to mind of the metric of a row, in words; empty where there is nothing."""
        metric = self.metric(row)
        if metric is None:
            return ""
        found, limit = self._scale.get(metric.key), self.limits.get(metric.key)
        words = []
        if metric.key in self._loses:
            lost = lost_parts(self._loses[metric.key], changes=True)
            words.append(_("{mark} worse in {parts}").format(mark=LOSES_MARK, parts=lost))
        if found is not None and found.reading in READINGS:
            words.append(_(READINGS[found.reading]))
        if limit is not None:
            sign = f"{NOTHING_MARK} " if limit.limit is Limit.NEAR_CHANCE else ""
            words.append(f"{sign}{visible(self._protocol)}: {limit.reason}")
        return "  ·  ".join(words)


def _reach(change: Mapping[str, object], metric: Metric) -> str:
    """Half the width of the interval that holds for all checkpoints at once, in percent of the baseline."""
    low, high, baseline = (_float(change.get(name)) for name in ("joint_low", "joint_high", "baseline"))
    if low is None or high is None or baseline is None:
        return ""
    return reach((low, high), baseline, metric.digits)


def _by_metric(frame: pl.DataFrame, column: str) -> Mapping[str, Mapping[str, object]]:
    return {str(row[column]): row for row in frame.iter_rows(named=True)}


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
