"""The rows and columns of Compare: metrics downwards, a block of columns for every checkpoint. Textual-free."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from engine.analysis.compare import Cell as Figures
from engine.analysis.compare import Column as BlockFigures
from engine.analysis.compare import Comparison, Entry, compare, differing
from engine.analysis.evidence import Evidence
from engine.analysis.known_limits import Limit
from engine.catalogue import Metric
from engine.errors import UsageError
from engine.i18n import gettext as _
from engine.i18n import mark
from engine.text import visible
from tui.format import MISSING, metric_number, number, percent, reach, signed, verdict_mark, verdict_role
from tui.library import Library, Loaded
from tui.metric_rows import MetricRows
from tui.parts import LOSES_MARK, NOTHING_MARK, lost_parts
from tui.state import BEST, Block, View
from tui.widgets.grid_model import Cell, Column

# "Only what differs" leaves out what changed by less than this, against the baseline and between runs.
DIFFERENT_PCT = 1.0

CHANGE_HEADS = {"percent": "Δ%", "delta": "Δ", "scale": "Δ pt"}
# By what a value says (engine.analysis.calibration).
READINGS = {
    "near_chance": mark("? within noise of chance: it carries no information"),
    "no_scale": mark("? chance does nearly as well as the truth here: it carries no information"),
    "below_chance": mark("worse than chance"),
}


def build(
    library: Library,
    blocks: Sequence[Block],
    loaded: Mapping[str, Loaded],
    names: Sequence[str],
    *,
    objective: str,
    pattern: str = "",
    only_different: bool = False,
    evidence: Mapping[str, Evidence] | None = None,
) -> Comparison:
    """The comparison that the blocks ask for.

    Args:
        library: the analysis.
        blocks: runs and checkpoints, from left to right.
        loaded: the runs by key.
        names: what to call the run of every block.
        objective: what decides which checkpoint is best.
        pattern: globs and words over metrics; empty means all.
        only_different: leave out metrics that hardly changed anywhere.
        evidence: what tells changes from chance, by the runs' keys; other runs are not judged.

    Raises:
        UnknownNameError: no run has the objective, or a block's checkpoint does not exist.
        UsageError: the pattern or ``only_different`` leaves no metric.
    """
    entries = [
        Entry(
            run=name,
            path=block.run,
            protocol=(run := loaded[block.run].run).metadata.protocol.name,
            provenance=run.metadata.provenance.value,
            analysis=loaded[block.run].analysis,
            facts=loaded[block.run].facts,
            checkpoint=None if block.checkpoint == BEST else block.checkpoint,
            evidence=(evidence or {}).get(block.run),
        )
        for block, name in zip(blocks, names, strict=True)
    ]
    # What takes long is asked for in the background: only what is known of it is shown.
    catalogue, chosen = library.catalogue, pattern.strip() or None
    comparison = compare(entries, catalogue=catalogue, metrics=chosen, objective=objective, parts=False)
    if only_different:
        keys = differing(comparison, tolerance_pct=DIFFERENT_PCT)
        if not keys:
            said = _("no metric differs by more than {percent} %").format(percent=f"{DIFFERENT_PCT:g}")
            raise UsageError(said, _("press d to see all"))
        comparison = compare(entries, catalogue=catalogue, metrics=keys, objective=objective, parts=False)
    return comparison


class CompareSource(MetricRows):
    """The grid's rows: a heading for every group and region, a row for every metric.

    Args:
        comparison: the figures.
        blocks: what was asked for; ``best`` is marked as such.
        view: how changes are shown.
        compact: leave out the baselines where room is scarce.
        plain: ASCII alone.
    """

    def __init__(
        self,
        comparison: Comparison,
        blocks: Sequence[Block],
        *,
        view: View,
        compact: bool = False,
        plain: bool = False,
    ) -> None:
        super().__init__(comparison.metrics, plain=plain)
        self._comparison = comparison
        self._blocks = blocks
        self._view = view
        self._compact = compact
        self._names = self._block_columns()
        self.columns: Sequence[Column] = self._columns()

    def _block_columns(self) -> tuple[tuple[str, str, int], ...]:
        # On the scale from chance to truth all figures are percent of it, and changes are points.
        unit = " %" if self._view == "scale" else ""
        columns = [] if self._compact else [("baseline", f"{_('baseline')}{unit}", 9 + len(unit))]
        columns.append(("now", f"{_('now')}{unit}", 9))
        if self._view != "absolute":
            columns.append(("change", self.sign(CHANGE_HEADS[self._view]), 8))
        return (*columns, ("mark", "", 4))

    def _columns(self) -> list[Column]:
        columns = [Column("metric", _("metric"), 18, min_width=14), Column("direction", self.sign("↑↓"), 2, "center")]
        for index, (figures, block) in enumerate(zip(self._comparison.columns, self._blocks, strict=True)):
            # Where room is scarce the names come first.
            best = f" {_('best')}" if block.checkpoint == BEST and not self._compact else ""
            title = self.sign(f"{figures.run} · {figures.checkpoint or _('no checkpoint')}{best}")
            for at, (key, name, width) in enumerate(self._names):
                align: Literal["left", "right"] = "left" if key == "mark" else "right"
                # What is left over goes behind the marks, where blocks have room for their names.
                flex = int(key == "mark")
                columns.append(Column(f"{index}:{key}", name, width, align, group=title, rule=at == 0, flex=flex))
        return columns

    def block_of(self, column: int) -> int:
        """The block that a column belongs to; 0 for the columns before the first block."""
        return max(0, min((column - 2) // len(self._names), len(self._blocks) - 1))

    def cells(self, row: int) -> Sequence[Cell]:
        """Label, direction, and the figures of every block."""
        entry = self.rows[row]
        if isinstance(entry, str):
            return (Cell(self.sign(entry), "heading"),)
        cells = [Cell(self.sign(entry.heading)), Cell(self.sign(entry.direction.arrow), "muted")]
        for column in self._comparison.columns:
            cells += self._figures(entry, column)
        return cells

    def _figures(self, metric: Metric, column: BlockFigures) -> list[Cell]:
        figures = column.cells[metric.key]
        role = verdict_role(figures.verdict)
        before, now = values(figures, metric, self._view)
        texts = {
            "baseline": Cell(self.sign(before), "muted"),
            "now": Cell(self.sign(now), "" if now != MISSING else "muted"),
            "change": Cell(self.sign(change(figures, metric, self._view)), role or "muted"),
            "mark": Cell(self.sign(marks(column, metric.key)), role),
        }
        return [texts[key] for key, _name, _width in self._names]


def values(figures: Figures, metric: Metric, view: View) -> tuple[str, str]:
    """Baseline and value: in the metric's unit, or in percent of the way from chance to the truth."""
    if view != "scale":
        return metric_number(figures.baseline, metric), metric_number(figures.value, metric)
    scale = figures.scale
    return (MISSING, MISSING) if scale is None else (number(scale.baseline, 1), number(scale.value, 1))


def change(figures: Figures, metric: Metric, view: View) -> str:
    """The change: in percent of the baseline, in the metric's unit, or in points of the scale."""
    if view == "percent":
        return percent(figures.delta_pct)
    if view == "delta":
        return signed(figures.delta, metric.digits)
    scale = figures.scale
    if scale is None or scale.value is None or scale.baseline is None:
        return MISSING
    return signed(scale.value - scale.baseline, 1)


def marks(column: BlockFigures, key: str) -> str:
    """The verdict, then a sign where a part of the sample is lost, then one where the metric carries no information."""
    figures = column.cells[key]
    lost = LOSES_MARK if figures.loses else ""
    return f"{verdict_mark(figures.verdict)}{lost}{NOTHING_MARK if column.is_uninformative(key) else ''}"


def warnings_of(column: BlockFigures, key: str) -> list[str]:
    """What to mind of a metric of this run, in few words: lost parts, and that it carries no information."""
    cell, limit = column.cells[key], column.limits.get(key)
    found = []
    if cell.loses:
        found.append(_("{mark} worse in {parts}").format(mark=LOSES_MARK, parts=lost_parts(cell.loses)))
    if cell.value is not None and cell.scale is not None and cell.scale.reading in READINGS:
        found.append(_(READINGS[cell.scale.reading]))
    if cell.value is not None and limit is not None and limit.limit is Limit.NEAR_CHANCE:
        found.append(_("? near chance by construction in {protocol}").format(protocol=visible(column.protocol)))
    return found


def describe(metric: Metric, column: BlockFigures) -> str:
    """One metric of one block in full, for the status line."""
    figures = column.cells[metric.key]
    if figures.value is None:
        return _("{metric}: not measured").format(metric=metric.key)
    text = f"{metric.key}  {number(figures.value, 6)}"
    if figures.baseline is not None:
        text = f"{metric.key}  {number(figures.baseline, 6)} → {number(figures.value, 6)}"
    if figures.delta_pct is not None:
        text += f"  {percent(figures.delta_pct)} %"
    half = reach(figures.joint95, figures.baseline, metric.digits)
    if half and figures.baseline is not None:
        text += f" {half}"
    if figures.verdict is not None:
        text += f" {_(figures.verdict.value)}{f' ({_(figures.kind)})' if figures.kind else ''}"
    text = text if figures.n is None else f"{text}  n {figures.n}"
    limit = column.limits.get(metric.key)
    return f"{text}  {visible(column.protocol)}: {limit.reason}" if limit is not None else text
