"""The slices of a comparison: what its cells say, part by part of the sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from engine.analysis.comparison import Cell, Comparison, Entry
from engine.analysis.deltas import Verdict
from engine.analysis.slices import nearest
from engine.catalogue import SCORE_KEY
from engine.errors import NoFramesError, UnknownNameError
from engine.schema import SliceKind


@dataclass(frozen=True, slots=True)
class SliceCell:
    """One metric of one run in one part of the sample.

    Attributes:
        cell: its figures; ``n`` are the frames behind the difference. Intervals and verdicts hold for all checkpoints
            and parts of the kind at once.
        metric: the metric's key there: that of the region, in parts by region.
        windows: behind the difference.
        loses: worse here, although better as a whole.
    """

    cell: Cell
    metric: str
    windows: int | None
    loses: bool


@dataclass(frozen=True, eq=False)
class Sliced:
    """One kind of parts.

    Attributes:
        by: the kind: drive, stratum, region and so on.
        names: the parts, in order.
        columns: for every block of the comparison: (metric of the comparison, part) -> its figures; parts that a run
            has not are left out.
    """

    by: str
    names: tuple[str, ...]
    columns: tuple[Mapping[tuple[str, str], SliceCell], ...]


def sliced(comparison: Comparison, entries: Sequence[Entry], by: str) -> Sliced:
    """The comparison in every part of one kind.

    Args:
        comparison: of ``entries``.
        entries: the runs, with their evidence.
        by: the kind of parts.

    Raises:
        NoFramesError: no run has per-frame rows of both a baseline and a checkpoint.
        UnknownNameError: no run has parts of that kind.
    """
    columns: list[dict[tuple[str, str], SliceCell]] = []
    kinds: dict[str, None] = {}
    names: dict[str, None] = {}
    for entry, column in zip(entries, comparison.columns, strict=True):
        found: dict[tuple[str, str], SliceCell] = {}
        if entry.evidence is not None and column.checkpoint is not None:
            rows = entry.evidence.slices(list(dict.fromkeys((SCORE_KEY, *comparison.keys))))
            kinds.update(dict.fromkeys(rows.get_column("by")))
            own = rows.filter(pl.col("checkpoint") == column.checkpoint, pl.col("by") == by)
            found = _once({(row["of"], row["slice"]): _slice_cell(row) for row in own.iter_rows(named=True)})
        names.update(dict.fromkeys(name for _, name in found))
        columns.append(found)
    if not kinds:
        raise NoFramesError(
            "no run has per-frame rows of a baseline and of the checkpoint in more than one part",
            "evaluate the checkpoints with lorascope to compare parts",
        )
    if by not in kinds:
        raise UnknownNameError("kind of parts", by, list(kinds), "--by")
    order = sorted(names, key=nearest) if by == SliceKind.DISTANCE else names
    return Sliced(by, tuple(order), tuple(columns))


def _once(cells: dict[tuple[str, str], SliceCell]) -> dict[tuple[str, str], SliceCell]:
    """The same without metrics whose parts another one has as well: those of the same name in other regions."""
    shown: dict[tuple[str, ...], str] = {}
    for of in dict.fromkeys(of for of, _ in cells):
        metrics = tuple(sorted({own.metric for (other, _), own in cells.items() if other == of}))
        shown.setdefault(metrics if len(metrics) > 1 else (of,), of)
    kept = set(shown.values())
    return {place: own for place, own in cells.items() if place[0] in kept}


def sliced_document(parts: Sliced) -> list[dict[str, list[dict[str, Any]]]]:
    """For every block: metric -> its parts, as JSON values."""
    documents = []
    for column in parts.columns:
        found: dict[str, list[dict[str, Any]]] = {}
        for name in parts.names:
            for (of, part), own in column.items():
                if part == name:
                    found.setdefault(of, []).append({"by": parts.by, "slice": name, **_figures(own)})
        documents.append(found)
    return documents


def _slice_cell(row: Mapping[str, Any]) -> SliceCell:
    cell = Cell(
        key=row["metric"],
        baseline=row["baseline"],
        value=row["value"],
        delta=row["delta"],
        delta_pct=row["delta_pct"],
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
        ci95=_interval(row["ci95_low"], row["ci95_high"]),
        joint95=_interval(row["joint_low"], row["joint_high"]),
        kind=row["kind"],
        n=row["frames"],
    )
    return SliceCell(cell, row["metric"], row["windows"], bool(row["loses"]))


def _interval(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)


def _figures(own: SliceCell) -> dict[str, Any]:
    cell = own.cell
    return {
        "metric": own.metric,
        "baseline": cell.baseline,
        "value": cell.value,
        "delta": cell.delta,
        "delta_pct": cell.delta_pct,
        "verdict": None if cell.verdict is None else cell.verdict.value,
        "ci95": None if cell.ci95 is None else list(cell.ci95),
        "joint95": None if cell.joint95 is None else list(cell.joint95),
        "windows": own.windows,
        "n": cell.n,
        "loses": own.loses,
    }
