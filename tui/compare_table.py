"""The rows and columns of Compare: metrics downwards, a block of columns for every checkpoint. Textual-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.analysis.compare import match_metrics
from engine.analysis.deltas import deltas

from engine.catalogue import Metric
from tui.format import metric_number, number, percent, plain_text, signed, verdict_mark, verdict_role
from tui.library import Library, Loaded
from tui.state import BEST, Block, View
from tui.widgets.grid_model import Cell, Column

# Two columns that agree to this relative tolerance do not differ.
SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of one block."""

    baseline: float | None
    value: float | None
    delta: float | None
    delta_pct: float | None
    verdict: str | None


@dataclass(frozen=True)
class BlockData:
    """One block: a checkpoint of a run against the run's baseline.

    Attributes:
        block: what was asked for.
        loaded: the run.
        name: the run's short name; outside text.
        checkpoint: the checkpoint that is shown; None where the run has none with a value.
        changes: metric key -> figures.
    """

    block: Block
    loaded: Loaded
    name: str
    checkpoint: str | None
    changes: Mapping[str, Change]

    @property
    def title(self) -> str:
        """Run and checkpoint."""
        star = " (best)" if self.block.checkpoint == BEST else ""
        return f"{self.name} · {self.checkpoint or 'no checkpoint'}{star}"


def block_data(library: Library, loaded: Loaded, block: Block, name: str, objective: str) -> BlockData:
    """The figures of one block.

    Args:
        library: the analysis.
        loaded: the run of the block.
        block: run and checkpoint, or ``best`` by ``objective``.
        name: the run's short name.
        objective: the key of the metric that decides which checkpoint is best.
    """
    known = loaded.analysis.table["checkpoint"]
    checkpoint = library.best(loaded, objective) if block.checkpoint == BEST else block.checkpoint
    if checkpoint is None or checkpoint not in known:
        return BlockData(block, loaded, name, None, {})
    frame = deltas(loaded.analysis, checkpoint, catalogue=library.catalogue)
    columns = ("metric", "baseline", "value", "delta", "delta_pct", "verdict")
    rows = zip(*(frame[column].to_list() for column in columns), strict=True)
    return BlockData(block, loaded, name, checkpoint, {key: Change(*figures) for key, *figures in rows})


def shown_metrics(library: Library, blocks: Sequence[BlockData], pattern: str, *, only_different: bool) -> list[str]:
    """The metrics to show, in catalogue order.

    Args:
        library: the analysis.
        blocks: what is compared.
        pattern: globs and words over keys and labels; empty means all.
        only_different: leave out metrics that are the same in all blocks and equal to their baselines.

    Raises:
        UsageError: the pattern fits no metric.
    """
    keys = library.catalogue.order(key for block in blocks for key in block.loaded.analysis.metrics)
    if pattern.strip():
        keys = match_metrics(pattern, keys, library.catalogue)
    if only_different:
        keys = [key for key in keys if _differs(key, blocks)]
    return keys


def _differs(key: str, blocks: Sequence[BlockData]) -> bool:
    values = []
    for block in blocks:
        change = block.changes.get(key)
        if change is None or change.value is None:
            continue
        values += [change.value] if change.baseline is None else [change.value, change.baseline]
    if not values:
        return False
    return max(values) - min(values) > SAME * max(abs(value) for value in values)


class CompareSource:
    """The grid's rows: a heading for every group and region, a row for every metric.

    Args:
        library: the analysis.
        blocks: what is compared.
        keys: the metrics to show.
        view: how changes are shown.
        compact: leave out the baselines where room is scarce.
        plain: ASCII alone.
    """

    def __init__(
        self,
        library: Library,
        blocks: Sequence[BlockData],
        keys: Sequence[str],
        *,
        view: View,
        compact: bool = False,
        plain: bool = False,
    ) -> None:
        self._blocks = blocks
        self._plain = plain
        self._view = view
        self._compact = compact
        self._rows: list[Metric | str] = []
        heading = ""
        for key in keys:
            metric = library.catalogue.get(key)
            group = _heading(metric)
            if group != heading:
                heading = group
                self._rows.append(self._sign(group))
            self._rows.append(metric)
        self._names = self._block_columns()
        self.columns: Sequence[Column] = self._columns()

    def _sign(self, text: str) -> str:
        return plain_text(text) if self._plain else text

    def _block_columns(self) -> tuple[tuple[str, str, int], ...]:
        baseline = () if self._compact else (("baseline", "baseline", 9),)
        now = (("now", "now", 9),)
        if self._view == "absolute":
            return baseline + now + (("mark", "", 2),)
        change = ("change", "Δ%" if self._view == "percent" else "Δ", 8)
        return (*baseline, *now, (change[0], self._sign(change[1]), change[2]), ("mark", "", 2))

    def _columns(self) -> list[Column]:
        columns = [Column("metric", "metric", 18, min_width=12), Column("direction", self._sign("↑↓"), 2, "center")]
        for index, block in enumerate(self._blocks):
            title = self._sign(block.title)
            # Equal neighbours would share one heading.
            for at, (key, name, width) in enumerate(self._names):
                align: Literal["left", "right"] = "left" if key == "mark" else "right"
                columns.append(Column(f"{index}:{key}", name, width, align, group=title, rule=at == 0))
        return columns

    @property
    def row_count(self) -> int:
        """Headings and metrics."""
        return len(self._rows)

    def row_key(self, row: int) -> str:
        """The metric's key, or the heading's text."""
        entry = self._rows[row]
        return entry if isinstance(entry, str) else entry.key

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        """Whether a row is a heading."""
        return "heading" if isinstance(self._rows[row], str) else "row"

    def metric(self, row: int) -> Metric | None:
        """The metric of a row; None for a heading."""
        entry = self._rows[row] if 0 <= row < len(self._rows) else None
        return None if entry is None or isinstance(entry, str) else entry

    def block_of(self, column: int) -> int:
        """The block that a column belongs to; 0 for the columns before the first block."""
        return max(0, min((column - 2) // len(self._names), len(self._blocks) - 1))

    def cells(self, row: int) -> Sequence[Cell]:
        """Label, direction, and the figures of every block."""
        entry = self._rows[row]
        if isinstance(entry, str):
            return (Cell(entry, "heading"),)
        unit = f" {entry.unit}" if entry.unit else ""
        cells = [Cell(self._sign(f"{entry.label}{unit}")), Cell(self._sign(entry.direction.arrow), "muted")]
        for block in self._blocks:
            cells += self._figures(entry, block.changes.get(entry.key))
        return cells

    def _figures(self, metric: Metric, change: Change | None) -> list[Cell]:
        if change is None:
            return [Cell("") for _ in self._names]
        role = verdict_role(change.verdict)
        texts = {
            "baseline": Cell(self._sign(metric_number(change.baseline, metric)), "muted"),
            "now": Cell(self._sign(metric_number(change.value, metric))),
            "change": Cell(self._sign(self._change(metric, change)), role or "muted"),
            "mark": Cell(self._sign(verdict_mark(change.verdict)), role),
        }
        return [texts[key] for key, _, _ in self._names]

    def _change(self, metric: Metric, change: Change) -> str:
        if self._view == "percent":
            return percent(change.delta_pct)
        return signed(change.delta, metric.digits)


def _heading(metric: Metric) -> str:
    return f"{metric.group.value} · {metric.region}" if metric.region else metric.group.value


def describe(metric: Metric, block: BlockData) -> str:
    """One metric of one block as a sentence with all its digits, for the status line and the clipboard."""
    change = block.changes.get(metric.key)
    if change is None or change.value is None:
        return f"{metric.key}: not measured"
    text = f"{metric.key}  {number(change.value, 6)}"
    if change.baseline is not None:
        text = f"{metric.key}  {number(change.baseline, 6)} → {number(change.value, 6)}"
    if change.delta is not None:
        text += f"  Δ {signed(change.delta, 6)}"
    if change.delta_pct is not None:
        text += f" ({percent(change.delta_pct)} %)"
    return f"{text}  {change.verdict or ''}".rstrip()
