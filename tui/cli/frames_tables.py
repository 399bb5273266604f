"""Frames as tables: for the terminal, for programs, and for a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from engine.i18n import gettext as _
from engine.i18n import mark
from tui.cli.cells import Cell, Column
from tui.cli.output import FlatTable
from tui.format import MISSING, change_mark, metric_number, signed
from tui.plots.panels import heading

if TYPE_CHECKING:
    from tui.cli.frames import Frames
    from tui.cli.screen import Screen

_STYLES = {"better": "green", "worse": "red", "equal": "dim"}
_ORDERS = {
    "worst": mark("the worst first"),
    "lost": mark("most lost first"),
    "difference": mark("most different first"),
}


def draw(screen: Screen, frames: Frames, shown: pl.DataFrame) -> None:
    """What is shown, the table, and how much of all it is."""
    subject, metric = frames.subject, frames.found.metric
    screen.outside(f"{frames.loaded.run.name}: {subject.checkpoint}", "bold")
    every = _("{count} frames") if metric.region else _("{count} windows")
    parts = [
        heading(metric),
        _(_ORDERS[frames.order]),
        _("alignment {name}").format(name=frames.found.alignment),
        every.format(count=frames.total),
    ]
    screen.line(Cell("  ·  ".join(parts), "dim"))
    if shown.is_empty():
        screen.line(_("measured in no frame"))
        return
    columns = [
        Column("#", "right"),
        Column(_("window"), "right"),
        Column(_("drive"), outside=True, least=8),
        Column(_("frame"), "right"),
        Column(_("stratum"), rank=1),
        Column(_("value"), "right"),
    ]
    if subject.against is not None:
        columns += [Column(subject.against, "right", outside=True, least=9), Column("Δ", "right"), Column("", gap=1)]
    rows = []
    for row in shown.iter_rows(named=True):
        cells: list[Cell | str] = [
            Cell(str(row["rank"]), "dim"),
            str(row["window"]),
            row["drive"],
            MISSING if row["frame"] is None else str(row["frame"]),
            row["stratum"] or MISSING,
            metric_number(row["value"], metric),
        ]
        if subject.against is not None:
            style = _STYLES.get(row["change"] or "", "")
            cells += [
                metric_number(row["against"], metric),
                Cell(signed(row["difference"], metric.digits), style),
                Cell(change_mark(row["change"]), style),
            ]
        rows.append(cells)
    screen.table(columns, rows)
    if shown.height < frames.total:
        of = _("{shown} of {count} frames: --worst N shows more")
        if not metric.region:
            of = _("{shown} of {count} windows: --worst N shows more")
        screen.line(Cell(of.format(shown=shown.height, count=frames.total), "dim"))


def records(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with names that stand for themselves."""
    return rows.rename({"against": "against_value"}).select(
        *("rank", "drive", "window", "frame", "stratum", "value", "against_value", "difference", "change")
    )


def full_table(frames: Frames) -> FlatTable:
    """A row per frame, every figure in full."""
    subject = frames.subject
    return FlatTable(
        records(frames.rows).select(
            pl.lit(frames.loaded.run.name).alias("run"),
            pl.lit(subject.checkpoint).alias("checkpoint"),
            pl.lit(subject.against, pl.String).alias("against"),
            pl.lit(subject.key).alias("metric"),
            pl.lit(frames.found.alignment).alias("align"),
            pl.all(),
        )
    )


def report_table(frames: Frames) -> FlatTable:
    """Rank, place, values and their difference; rounded."""
    metric, against = frames.found.metric, frames.subject.against
    names = ["rank", "drive", "window", "frame", "stratum", "value"]
    names += ["against_value", "difference"] if against is not None else []
    digits = dict.fromkeys(("value", "against_value", "difference"), metric.digits)
    headers = {
        "value": f"{frames.subject.checkpoint}: {metric.title}",
        "against_value": against or "",
        "difference": "Δ",
    }
    return FlatTable(records(frames.rows).select(names), headers=headers, digits=digits)
