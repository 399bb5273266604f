"""A comparison as tables: for the terminal, for programs, and for a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from engine.analysis.compare import Cell as Figures
from engine.analysis.compare import Column as Block
from engine.analysis.compare import Comparison
from engine.catalogue import Metric
from engine.i18n import gettext as _
from engine.results.names import storable
from tui.cli.cells import Cell, Column, Row
from tui.cli.output import FlatTable
from tui.cli.verdicts import STYLES, draw_losses, explain
from tui.compare_table import CHANGE_HEADS, change, marks, values
from tui.format import MISSING, distinct, reach, short_names, verdict_mark
from tui.guarding import guard_words
from tui.parts import NOTHING_MARK, lost_codes
from tui.state import View
from tui.text import cell_width

if TYPE_CHECKING:
    from tui.cli.screen import Screen


def draw(screen: Screen, comparison: Comparison, view: View, *, warning: str) -> None:
    """Metrics downwards in their groups, a block of columns per checkpoint, as many side by side as fit.

    Args:
        screen: where to.
        comparison: the figures.
        view: how changes are shown; one that is allowed.
        warning: why values may not be compared, or empty.
    """
    full = block_names(comparison)
    unique = list(dict.fromkeys(full))
    short = dict(zip(unique, short_names(unique), strict=True))
    names = [short[name] for name in full]
    if warning:
        screen.line(Cell(f"⚠ {warning}", "yellow"))
    blocks = list(zip(names, comparison.columns, strict=True))
    # Intervals and further signs never push a block out of the row.
    layout = Layout(view, intervals=has_intervals(comparison) and view in ("percent", "delta"))
    if layout.intervals and _fitting(screen, comparison, comparison.columns, layout) < len(blocks):
        layout = Layout(view, intervals=False)
    short_signs = replace(layout, short_signs=True)
    if (
        _fitting(screen, comparison, comparison.columns, layout)
        < len(blocks)
        <= _fitting(screen, comparison, comparison.columns, short_signs)
    ):
        layout = short_signs
    while blocks:
        count = _fitting(screen, comparison, [block for _, block in blocks], layout)
        _draw_blocks(screen, comparison, blocks[:count], layout)
        blocks = blocks[count:]
        if blocks:
            screen.line()
    lost = [
        (f"{name} · {block.checkpoint}", metric, block.cells[metric.key].loses)
        for name, block in zip(names, comparison.columns, strict=True)
        for metric in comparison.metrics
        if block.cells[metric.key].loses
    ]
    draw_losses(screen, lost)
    nothing = any(block.is_uninformative(key) for block in comparison.columns for key in comparison.keys)
    explain(screen, bases_of(names, comparison), intervals=layout.intervals, nothing=nothing)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns a block has, and whether its marks are one cell wide (lost parts are then told below alone)."""

    view: View
    intervals: bool
    short_signs: bool = False


def has_intervals(comparison: Comparison) -> bool:
    return any(cell.joint95 for column in comparison.columns for cell in column.cells.values())


def bases_of(names: Sequence[str], comparison: Comparison) -> list[str]:
    """What verdicts are based on: one sentence where it is the same for all runs, else one for each."""
    told = [
        (name, column.basis) for name, column in zip(names, comparison.columns, strict=True) if column.basis is not None
    ]
    if len({basis for _, basis in told}) <= 1:
        return [basis for _, basis in told[:1]]
    return list(dict.fromkeys(f"{name}: {basis}" for name, basis in told))


def block_names(comparison: Comparison) -> list[str]:
    # One run may stand there with several checkpoints: its name is no less distinct for that.
    return distinct([(column.run, Path(column.path)) for column in comparison.columns])


def _fitting(screen: Screen, comparison: Comparison, blocks: Sequence[Block], layout: Layout) -> int:
    """How many blocks fit beside one another; at least one."""
    room = screen.width - max(cell_width(screen.words(label_of(metric))) for metric in comparison.metrics) - 2
    for count, block in enumerate(blocks):
        columns = block_columns((), layout)
        texts = [[screen.words(column.head) for column in columns]]
        texts += [[screen.words(cell.text) for cell in _cells(m, block, layout)] for m in comparison.metrics]
        room -= sum(max(map(cell_width, column)) for column in zip(*texts, strict=True))
        room -= sum(column.gap for column in columns[1:]) + 3
        if room < 0:
            return max(count, 1)
    return len(blocks)


def _draw_blocks(screen: Screen, comparison: Comparison, blocks: Sequence[tuple[str, Block]], layout: Layout) -> None:
    columns = [Column(_("metric")), Column("", gap=1)]
    for name, block in blocks:
        columns += block_columns((name, block.checkpoint or _("no checkpoint")), layout)
    rows: list[Row] = []
    heading = ""
    for metric in comparison.metrics:
        group = metric.family
        if group != heading:
            heading = group
            # The score is a group of its own.
            rows += [] if group == metric.shown else [Cell(group, "bold cyan")]
        cells = [cell for _name, block in blocks for cell in _cells(metric, block, layout)]
        rows.append([label_of(metric), Cell(metric.direction.arrow, "dim"), *cells])
    screen.table(columns, rows)


def label_of(metric: Metric) -> str:
    indent = "" if metric.family == metric.shown else "  "
    return f"{indent}{metric.heading}"


def block_columns(group: tuple[str, ...], layout: Layout) -> list[Column]:
    unit = " %" if layout.view == "scale" else ""
    columns = [Column(f"{_('baseline')}{unit}", "right", group=group), Column(f"{_('now')}{unit}", "right")]
    if layout.view != "absolute":
        columns.append(Column(CHANGE_HEADS[layout.view], "right"))
    if layout.intervals:
        columns.append(Column("95 %", "right", gap=1))
    return [*columns, Column("", gap=1)]


def figure_cells(metric: Metric, figures: Figures, layout: Layout, mark: str) -> list[Cell]:
    """What a block says of one metric; ``mark`` is its last cell."""
    style = STYLES.get(figures.verdict or "", "")
    before, now = values(figures, metric, layout.view)
    cells = [Cell(before, "dim"), Cell(now)]
    if layout.view != "absolute":
        cells.append(Cell(change(figures, metric, layout.view), style))
    if layout.intervals:
        relative = layout.view == "percent"
        cells.append(Cell(reach(figures.joint95, figures.baseline if relative else None, metric.digits), "dim"))
    return [*cells, Cell(mark, style)]


def _cells(metric: Metric, block: Block, layout: Layout) -> list[Cell]:
    mark = marks(block, metric.key)
    if layout.short_signs:
        # That it says nothing matters more than what it would say.
        mark = NOTHING_MARK if mark.endswith(NOTHING_MARK) else mark[:1]
    return figure_cells(metric, block.cells[metric.key], layout, mark)


def long_table(comparison: Comparison) -> FlatTable:
    """One row per block and metric, every figure in full."""
    text, number = pl.String, pl.Float64
    schema = {
        **dict.fromkeys(("run", "path", "baseline_checkpoint", "checkpoint", "metric", "label", "unit"), text),
        **{"direction": text, "baseline": number, "value": number, "delta": number, "delta_pct": number},
        **{"verdict": text, "ci95_low": number, "ci95_high": number, "joint95_low": number, "joint95_high": number},
        **{"kind": text, "n": pl.Int64, "loses": text, "limit": text},
        **dict.fromkeys(("baseline_scale_pct", "scale_pct"), number),
        **{"reading": text, "comparable": pl.Boolean},
    }
    return FlatTable(pl.DataFrame(list(_long_rows(comparison)), schema=schema, orient="row"))


def _long_rows(comparison: Comparison) -> Iterator[tuple[object, ...]]:
    for column in comparison.columns:
        for metric in comparison.metrics:
            cell = column.cells[metric.key]
            yield (
                *(column.run, storable(column.path), column.baseline, column.checkpoint),
                *(metric.key, metric.label, metric.unit, metric.direction.value),
                *(cell.baseline, cell.value, cell.delta, cell.delta_pct, cell.verdict and cell.verdict.value),
                *(*(cell.ci95 or (None, None)), *(cell.joint95 or (None, None))),
                *(cell.kind, cell.n, lost_codes(cell.loses), _limit(column, metric)),
                *_on_scale(cell),
                comparison.comparable,
            )


def _limit(column: Block, metric: Metric) -> str | None:
    found = column.limits.get(metric.key)
    return None if found is None else found.limit.value


def _on_scale(cell: Figures) -> tuple[object, ...]:
    scale = cell.scale
    return (None, None, None) if scale is None else (scale.baseline, scale.value, scale.reading)


def report_table(comparison: Comparison, view: View, *, anyway: bool = False) -> FlatTable:
    """One row per metric, one column per block, as people write it: ``1.7214 → 0.6107 (-64.5 % ▲)``.

    Args:
        comparison: the figures.
        view: how changes are shown; one that is allowed.
        anyway: whether the guard was overridden.
    """
    columns = {
        f"block {number}": [sentence(metric, block.cells[metric.key], view) for metric in comparison.metrics]
        for number, block in enumerate(comparison.columns)
    }
    titles = [
        f"{name} · {block.checkpoint or _('no checkpoint')}"
        for name, block in zip(block_names(comparison), comparison.columns, strict=True)
    ]
    frame = pl.DataFrame(
        {
            "metric": [metric.title for metric in comparison.metrics],
            "better": [metric.direction.arrow for metric in comparison.metrics],
            **columns,
        }
    )
    headers = dict(zip(columns, titles, strict=True))
    # A table that is pasted somewhere takes its warning along.
    warning = guard_words(comparison, view, anyway=anyway, remedy="--anyway")
    headers |= {"metric": f"metric ({warning})"} if warning else {}
    return FlatTable(frame, headers=headers, right=tuple(columns))


def sentence(metric: Metric, figures: Figures, view: View) -> str:
    if figures.value is None:
        return MISSING
    before, value = values(figures, metric, view)
    if figures.baseline is None:
        return value
    text = f"{before} → {value}"
    if view == "absolute":
        return f"{text} {verdict_mark(figures.verdict)}".rstrip()
    unit = {"percent": " %", "scale": " pt"}.get(view, "")
    told = change(figures, metric, view)
    told += unit if told != MISSING else ""
    return f"{text} ({told} {verdict_mark(figures.verdict)}".rstrip() + ")"
