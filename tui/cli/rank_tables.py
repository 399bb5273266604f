"""A ranking as tables: for the terminal, for programs, and for a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from engine.catalogue import Metric, region_shown
from engine.i18n import gettext as _
from engine.i18n import listing
from tui.cli.cells import Cell, Column
from tui.cli.output import FlatTable
from tui.cli.verdicts import STYLES, draw_losses, explain
from tui.format import metric_number, percent, reach, verdict_mark
from tui.parts import LOSES_MARK, lost_codes

if TYPE_CHECKING:
    from tui.cli.rank import Ranked, RankedRow
    from tui.cli.screen import Screen

# Intervals go after the first of the metrics beside the objective, before the others.
_INTERVALS = 2


def draw(screen: Screen, ranked: Ranked) -> None:
    """What was ranked by what, the table, and what its signs mean."""
    ranking = ranked.ranking
    screen.outside(ranked.loaded.run.name, "bold")
    count = _("{count} checkpoints").format(count=ranking.total)
    if ranking.where:
        said = _("{kept} of {total} checkpoints remain, {rejected} rejected")
        count = said.format(kept=ranking.kept, total=ranking.total, rejected=ranking.rejected)
    by = _("by {metric} {arrow}").format(metric=ranked.objective.title, arrow=ranked.objective.direction.arrow)
    screen.line(Cell(f"{by}  ·  {count}", "dim"))
    if ranking.where:
        screen.outside(_("where {condition}").format(condition=ranking.where), "dim")
    if not ranked.rows:
        screen.line(_("no checkpoint remains"))
        return
    screen.table(_columns(ranked), [_row(ranked, row) for row in ranked.rows])
    if any(_shares_first_place(ranked, row) for row in ranked.rows):
        rows = ranking.rows
        tied = rows.filter("tied_with_best").height
        text = _("= tied with the best: {count} of {total}, the best among them, cannot be told from it")
        screen.line(Cell(text.format(count=tied, total=rows.height), "dim"))
    if ranked.axes:
        titles = listing(f"{metric.title} {metric.direction.arrow}" for metric in ranked.axes)
        screen.line(Cell(_("◆ on the Pareto front over {metrics}").format(metrics=titles), "dim"))
    shown = [str(row.ranked["checkpoint"]) for row in ranked.rows]
    told = {name: ranking.loses[name] for name in shown if name in ranking.loses}
    draw_losses(screen, [(name, ranked.objective, loses) for name, loses in told.items()])
    explain(screen, [ranking.basis] if ranking.basis else [], intervals=any(row.ranked["kind"] for row in ranked.rows))


def _columns(ranked: Ranked) -> list[Column]:
    return [
        Column(_("rank"), "right"),
        Column(_("checkpoint"), outside=True, least=12),
        Column(_heading(ranked.objective), "right"),
        Column("Δ%", "right"),
        *([Column("95 %", "right", gap=1, rank=_INTERVALS)] if _has_intervals(ranked) else []),
        Column("", gap=1),
        *([Column(_("front"))] if ranked.axes else []),
        *(
            Column(_heading(metric), "right", rank=0 if metric in ranked.axes else number)
            for number, metric in enumerate(ranked.context, 1)
        ),
    ]


def _heading(metric: Metric) -> str:
    unit = f" {metric.unit}" if metric.unit and metric.unit != "1/s" else ""
    region = f" {region_shown(metric.region)}" if metric.region not in ("", "building") else ""
    return f"{metric.shown}{unit}{region}"


def _row(ranked: Ranked, row: RankedRow) -> list[Cell | str]:
    entry = row.ranked
    verdict = entry["verdict"]
    style = STYLES.get(verdict or "", "")
    return [
        Cell("=" if _shares_first_place(ranked, row) else str(entry["rank"]), "dim"),
        Cell(entry["checkpoint"], "bold yellow" if entry["rank"] == 1 else ""),
        metric_number(entry["value"], ranked.objective),
        Cell(percent(entry["delta_pct"]), style),
        *([Cell(_reach(ranked, row), "dim")] if _has_intervals(ranked) else []),
        Cell(f"{verdict_mark(verdict)}{LOSES_MARK if entry['checkpoint'] in ranked.ranking.loses else ''}", style),
        *([Cell("◆" if row.on_front else "", "yellow")] if ranked.axes else []),
        *(metric_number(row.context[metric.key], metric) for metric in ranked.context),
    ]


def _shares_first_place(ranked: Ranked, row: RankedRow) -> bool:
    return bool(row.ranked["tied_with_best"]) and row is not ranked.rows[0]


def _has_intervals(ranked: Ranked) -> bool:
    return any(row.ranked["joint_low"] is not None for row in ranked.rows)


def _reach(ranked: Ranked, row: RankedRow) -> str:
    low, high = row.ranked["joint_low"], row.ranked["joint_high"]
    baseline = ranked.loaded.analysis.value(ranked.loaded.analysis.baseline, ranked.objective.key)
    return reach(None if low is None or high is None else (low, high), baseline, ranked.objective.digits)


def full_table(ranked: Ranked) -> FlatTable:
    """A row per checkpoint, every figure in full; the metrics beside the objective under their keys."""
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        **{"rank": pl.Int64, "checkpoint": pl.String, "step": pl.Int64, "value": pl.Float64},
        **dict.fromkeys(("delta", "delta_pct", "ci95_low", "ci95_high", "joint_low", "joint_high"), pl.Float64),
        **{"verdict": pl.String, "kind": pl.String},
        "tied_with_best": pl.Boolean,
    }
    front = [pl.Series("on_front", [row.on_front for row in ranked.rows], pl.Boolean)] if ranked.axes else []
    frame = pl.DataFrame([{name: row.ranked[name] for name in schema} for row in ranked.rows], schema=schema)
    count = len(ranked.rows)
    return FlatTable(
        pl.DataFrame(
            [
                pl.Series("run", [ranked.loaded.run.name] * count, pl.String),
                pl.Series("objective", [ranked.objective.key] * count, pl.String),
                *frame.get_columns(),
                pl.Series("loses", [_lost(ranked, row) for row in ranked.rows], pl.String),
                *front,
                *_context(ranked),
            ]
        )
    )


def _lost(ranked: Ranked, row: RankedRow) -> str:
    """The parts that a checkpoint loses; empty where it loses none."""
    return lost_codes(ranked.ranking.loses.get(row.ranked["checkpoint"], ()))


def report_table(ranked: Ranked) -> FlatTable:
    """Rank, checkpoint, value, change, and the metrics beside the objective; rounded."""
    entries = [row.ranked for row in ranked.rows]
    front = [pl.Series("front", ["◆" if row.on_front else "" for row in ranked.rows], pl.String)] if ranked.axes else []
    frame = pl.DataFrame(
        [
            pl.Series("rank", [entry["rank"] for entry in entries], pl.Int64),
            pl.Series("checkpoint", [entry["checkpoint"] for entry in entries], pl.String),
            pl.Series("value", [entry["value"] for entry in entries], pl.Float64),
            pl.Series("change", [percent(entry["delta_pct"]) for entry in entries], pl.String),
            *front,
            *_context(ranked),
        ]
    )
    metrics = {metric.key: metric for metric in ranked.context}
    return FlatTable(
        frame,
        headers={
            **{key: metric.title for key, metric in metrics.items()},
            **{"value": ranked.objective.title, "change": "Δ%", "front": _("Pareto front")},
        },
        digits={**{key: metric.digits for key, metric in metrics.items()}, "value": ranked.objective.digits},
        right=("change",),
    )


def _context(ranked: Ranked) -> list[pl.Series]:
    return [
        pl.Series(metric.key, [row.context[metric.key] for row in ranked.rows], pl.Float64) for metric in ranked.context
    ]
