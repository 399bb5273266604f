"""A comparison as tables: for the terminal, for programs, and for a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from tui.cli.verdicts import STYLES, explain
from tui.format import MISSING, distinct, metric_number, percent, reach, short_names, signed, verdict_mark
from tui.state import View
from tui.text import cell_width

if TYPE_CHECKING:
    from tui.cli.screen import Screen


def draw(screen: Screen, comparison: Comparison, view: View) -> None:
    """Metrics downwards in their groups, a block of columns per checkpoint, as many side by side as fit."""
    full = _names(comparison)
    unique = list(dict.fromkeys(full))
    short = dict(zip(unique, short_names(unique), strict=True))
    names = [short[name] for name in full]
    if comparison.headline:
        screen.line(Cell(f"⚠ {comparison.headline}", "yellow"))
    blocks = list(zip(names, comparison.columns, strict=True))
    # Intervals never push a block out of the row.
    layout = _Layout(view, intervals=_has_intervals(comparison) and view != "absolute")
    if layout.intervals and _fitting(screen, comparison, comparison.columns, layout) < len(blocks):
        layout = _Layout(view, intervals=False)
    while blocks:
        count = _fitting(screen, comparison, [block for _, block in blocks], layout)
        _draw_blocks(screen, comparison, blocks[:count], layout)
        blocks = blocks[count:]
        if blocks:
            screen.line()
    explain(screen, _bases(names, comparison), intervals=layout.intervals)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which columns a block has."""

    view: View
    intervals: bool


def _has_intervals(comparison: Comparison) -> bool:
    return any(cell.joint95 for column in comparison.columns for cell in column.cells.values())


def _bases(names: Sequence[str], comparison: Comparison) -> list[str]:
    """What verdicts are based on: one sentence where it is the same for all runs, else one for each."""
    told = [
        (name, column.basis) for name, column in zip(names, comparison.columns, strict=True) if column.basis is not None
    ]
    if len({basis for _, basis in told}) <= 1:
        return [basis for _, basis in told[:1]]
    return list(dict.fromkeys(f"{name}: {basis}" for name, basis in told))


def _names(comparison: Comparison) -> list[str]:
    # One run may stand there with several checkpoints: its name is no less distinct for that.
    return distinct([(column.run, Path(column.path)) for column in comparison.columns])


def _fitting(screen: Screen, comparison: Comparison, blocks: Sequence[Block], layout: _Layout) -> int:
    """How many blocks fit beside one another; at least one."""
    room = screen.width - max(cell_width(screen.words(_label(metric))) for metric in comparison.metrics) - 2
    for count, block in enumerate(blocks):
        columns = _block_columns((), layout)
        texts = [[screen.words(column.head) for column in columns]]
        texts += [
            [screen.words(cell.text) for cell in _cells(m, block.cells[m.key], layout)] for m in comparison.metrics
        ]
        room -= sum(max(map(cell_width, column)) for column in zip(*texts, strict=True))
        room -= sum(column.gap for column in columns[1:]) + 3
        if room < 0:
            return max(count, 1)
    return len(blocks)


def _draw_blocks(screen: Screen, comparison: Comparison, blocks: Sequence[tuple[str, Block]], layout: _Layout) -> None:
    columns = [Column(_("metric")), Column("", gap=1)]
    for name, block in blocks:
        columns += _block_columns((name, block.checkpoint or _("no checkpoint")), layout)
    rows: list[Row] = []
    heading = ""
    for metric in comparison.metrics:
        group = metric.family
        if group != heading:
            heading = group
            # The score is a group of its own.
            rows += [] if group == metric.shown else [Cell(group, "bold cyan")]
        cells = [cell for _, block in blocks for cell in _cells(metric, block.cells[metric.key], layout)]
        rows.append([_label(metric), Cell(metric.direction.arrow, "dim"), *cells])
    screen.table(columns, rows)


def _label(metric: Metric) -> str:
    indent = "" if metric.family == metric.shown else "  "
    return f"{indent}{metric.heading}"


def _block_columns(group: tuple[str, ...], layout: _Layout) -> list[Column]:
    columns = [Column(_("baseline"), "right", group=group), Column(_("now"), "right")]
    if layout.view != "absolute":
        columns.append(Column("Δ%" if layout.view == "percent" else "Δ", "right"))
    if layout.intervals:
        columns.append(Column("95 %", "right", gap=1))
    return [*columns, Column("", gap=1)]


def _cells(metric: Metric, figures: Figures, layout: _Layout) -> list[Cell]:
    style = STYLES.get(figures.verdict or "", "")
    cells = [Cell(metric_number(figures.baseline, metric), "dim"), Cell(metric_number(figures.value, metric))]
    if layout.view != "absolute":
        cells.append(Cell(_change(metric, figures, layout.view), style))
    if layout.intervals:
        relative = layout.view == "percent"
        cells.append(Cell(reach(figures.joint95, figures.baseline if relative else None, metric.digits), "dim"))
    return [*cells, Cell(verdict_mark(figures.verdict), style)]


def _change(metric: Metric, figures: Figures, view: View) -> str:
    return percent(figures.delta_pct) if view == "percent" else signed(figures.delta, metric.digits)


def long_table(comparison: Comparison) -> FlatTable:
    """One row per block and metric, every figure in full."""
    text, number = pl.String, pl.Float64
    schema = {
        **dict.fromkeys(("run", "path", "baseline_checkpoint", "checkpoint", "metric", "label", "unit"), text),
        **{"direction": text, "baseline": number, "value": number, "delta": number, "delta_pct": number},
        **{"verdict": text, "ci95_low": number, "ci95_high": number, "joint95_low": number, "joint95_high": number},
        **{"kind": text, "n": pl.Int64},
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
                *(cell.kind, cell.n),
            )


def report_table(comparison: Comparison, view: View) -> FlatTable:
    """One row per metric, one column per block, as people write it: ``1.7214 → 0.6107 (-64.5 % ▲)``."""
    columns = {
        f"block {number}": [_sentence(metric, block.cells[metric.key], view) for metric in comparison.metrics]
        for number, block in enumerate(comparison.columns)
    }
    titles = [
        f"{name} · {block.checkpoint or _('no checkpoint')}"
        for name, block in zip(_names(comparison), comparison.columns, strict=True)
    ]
    frame = pl.DataFrame(
        {
            "metric": [metric.title for metric in comparison.metrics],
            "better": [metric.direction.arrow for metric in comparison.metrics],
            **columns,
        }
    )
    return FlatTable(frame, headers=dict(zip(columns, titles, strict=True)), right=tuple(columns))


def _sentence(metric: Metric, figures: Figures, view: View) -> str:
    if figures.value is None:
        return MISSING
    value = metric_number(figures.value, metric)
    if figures.baseline is None:
        return value
    text = f"{metric_number(figures.baseline, metric)} → {value}"
    if view == "absolute":
        return f"{text} {verdict_mark(figures.verdict)}".rstrip()
    change = _change(metric, figures, view) + (" %" if view == "percent" and figures.delta_pct is not None else "")
    return f"{text} ({change} {verdict_mark(figures.verdict)}".rstrip() + ")"
