"""A comparison in every part of one kind, as tables: for the terminal, for programs, and for a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from engine.analysis.comparison import Comparison
from engine.analysis.sliced import SliceCell, Sliced
from engine.catalogue import Metric
from engine.i18n import gettext as _
from engine.results.names import storable
from engine.schema import SliceKind
from tui.cli.cells import Cell, Column, Row
from tui.cli.compare_tables import Layout, block_columns, block_names, figure_cells, sentence
from tui.cli.output import FlatTable
from tui.cli.verdicts import explain, write
from tui.format import MISSING, short_names, verdict_mark
from tui.parts import LOSES_MARK, part_name
from tui.plots.panels import heading
from tui.state import View

if TYPE_CHECKING:
    from tui.cli.screen import Screen


def draw(screen: Screen, comparison: Comparison, parts: Sliced, view: View, *, warning: str) -> None:
    """A table per block: the metrics downwards, each in all parts. Arguments as of the whole table."""
    if warning:
        screen.line(Cell(f"⚠ {warning}", "yellow"))
    names = short_names(list(dict.fromkeys(block_names(comparison))))
    shown = dict(zip(dict.fromkeys(block_names(comparison)), names, strict=True))
    layout = Layout(view, intervals=view in ("percent", "delta"))
    lost = False
    for index, (name, column) in enumerate(zip(block_names(comparison), comparison.columns, strict=True)):
        cells = parts.columns[index]
        title = (shown[name], column.checkpoint or _("no checkpoint"))
        columns = [Column(_("part"), outside=True), Column("windows", "right"), *block_columns(title, layout)]
        rows: list[Row] = []
        for metric in comparison.metrics:
            own = [(part, cells[metric.key, part]) for part in parts.names if (metric.key, part) in cells]
            # Parts that are regions or classes are no parts of the metric's own region.
            of_one = parts.by not in ("region", SliceKind.CLASS.value)
            rows += [Cell(heading(metric, region=of_one), "bold cyan")] if own else []
            if own and of_one:
                whole = column.cells[metric.key]
                figures = figure_cells(metric, whole, layout, verdict_mark(whole.verdict))
                rows.append([Cell("  " + _("all"), "dim"), Cell(""), *figures])
            for part, found in own:
                lost |= found.loses
                mark = verdict_mark(found.cell.verdict) + (LOSES_MARK if found.loses else "")
                count = MISSING if found.windows is None else str(found.windows)
                figures = figure_cells(metric, found.cell, layout, mark)
                rows.append([f"  {part_name(parts.by, part)}", Cell(count, "dim"), *figures])
        if rows:
            screen.table(columns, rows)
        else:
            write(screen, _("{run}: nothing to compare by {by}").format(run=shown[name], by=parts.by))
    if lost:
        write(screen, _("{mark} worse here, although better as a whole").format(mark=LOSES_MARK))
    explain(screen, [], intervals=False)
    write(screen, _("95 %: half the width of the change's interval that holds for all checkpoints and parts at once"))


def long_table(comparison: Comparison, parts: Sliced) -> FlatTable:
    """One row per block, metric and part, every figure in full."""
    text, number = pl.String, pl.Float64
    schema = {
        **dict.fromkeys(("run", "path", "baseline_checkpoint", "checkpoint", "metric", "by", "slice"), text),
        **dict.fromkeys(("baseline", "value", "delta", "delta_pct"), number),
        **{"verdict": text, "ci95_low": number, "ci95_high": number, "joint95_low": number, "joint95_high": number},
        **{"kind": text, "windows": pl.Int64, "n": pl.Int64, "loses": pl.Boolean},
    }
    return FlatTable(pl.DataFrame(list(_long_rows(comparison, parts)), schema=schema, orient="row"))


def _long_rows(comparison: Comparison, parts: Sliced) -> Iterator[tuple[object, ...]]:
    for column, cells in zip(comparison.columns, parts.columns, strict=True):
        for metric in comparison.metrics:
            for part in parts.names:
                own = cells.get((metric.key, part))
                if own is None:
                    continue
                cell = own.cell
                yield (
                    *(column.run, storable(column.path), column.baseline, column.checkpoint),
                    *(own.metric, parts.by, part, cell.baseline, cell.value, cell.delta, cell.delta_pct),
                    *(cell.verdict and cell.verdict.value, *(cell.ci95 or (None, None))),
                    *(*(cell.joint95 or (None, None)), cell.kind, own.windows, cell.n, own.loses),
                )


def report_table(comparison: Comparison, parts: Sliced, view: View) -> FlatTable:
    """One row per metric and part, one column per block, as people write it."""
    rows: list[tuple[Metric, str]] = [
        (metric, part)
        for metric in comparison.metrics
        for part in parts.names
        if any((metric.key, part) in cells for cells in parts.columns)
    ]
    columns = {
        f"block {number}": [_words(cells.get((metric.key, part)), metric, view) for metric, part in rows]
        for number, cells in enumerate(parts.columns)
    }
    titles = [
        f"{name} · {block.checkpoint or 'no checkpoint'}"
        for name, block in zip(block_names(comparison), comparison.columns, strict=True)
    ]
    frame = pl.DataFrame(
        {
            "metric": [metric.title for metric, _ in rows],
            "better": [metric.direction.arrow for metric, _ in rows],
            "part": [part_name(parts.by, part) for _, part in rows],
            **columns,
        }
    )
    return FlatTable(frame, headers=dict(zip(columns, titles, strict=True)), right=tuple(columns))


def _words(own: SliceCell | None, metric: Metric, view: View) -> str:
    if own is None:
        return MISSING
    return sentence(metric, own.cell, view) + (f" {LOSES_MARK}" if own.loses else "")
