"""The rows of Checkpoint: every metric of one checkpoint, its rank, and its spread over frames. Textual-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from engine.analysis.deltas import deltas
from engine.catalogue import Direction, Metric
from engine.i18n import gettext as _
from engine.i18n import mark
from tui.format import MISSING, metric_number, number, percent, reach, verdict_mark, verdict_role
from tui.library import Library, Loaded
from tui.metric_rows import MetricRows
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
        plain: ASCII alone.
    """

    def __init__(
        self,
        library: Library,
        loaded: Loaded,
        checkpoint: str,
        *,
        differences: pl.DataFrame | None = None,
        plain: bool = False,
    ) -> None:
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
            Column("mark", "", 2),
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
            Cell(verdict_mark(str(verdict) if verdict else None), role),
            Cell(f"{rank.rank}/{rank.of}" if rank else "", "best" if rank and rank.rank == 1 else "muted"),
        ]
        for name in _SPREAD:
            value = _float(spread.get(name))
            text = MISSING if value is None else number(value, 0 if name == "count" else metric.digits)
            cells.append(Cell(text, "muted" if metric.direction is Direction.NONE or value is None else ""))
        return [Cell(self.sign(cell.text), cell.role) for cell in cells]


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
