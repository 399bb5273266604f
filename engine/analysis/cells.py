"""Judged changes as cells: of a checkpoint against the baseline, and rows of differences between any two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.analysis.compare import cell_of
from engine.analysis.comparison import Cell
from engine.analysis.deltas import Verdict, deltas
from engine.analysis.evidence import Evidence
from engine.analysis.overview import RunAnalysis
from engine.catalogue import Catalogue


def change_cells(
    analysis: RunAnalysis, checkpoint: str, keys: Sequence[str], evidence: Evidence, catalogue: Catalogue
) -> dict[str, Cell]:
    """One checkpoint against the baseline in some metrics, by key, judged.

    Raises:
        UnknownNameError: the run has no such checkpoint.
    """
    rows = deltas(analysis, checkpoint, catalogue=catalogue, keys=keys, differences=evidence.differences(keys))
    return {row["metric"]: cell_of(row) for row in rows.iter_rows(named=True)}


def difference_cell(row: Mapping[str, Any]) -> Cell:
    """A row of :data:`engine.analysis.differences.DIFFERENCES` as a cell."""
    return Cell(
        key=row["metric"],
        baseline=row["baseline"],
        value=row["value"],
        delta=row["delta"],
        delta_pct=row["delta_pct"],
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
        ci95=_interval(row["ci95_low"], row["ci95_high"]),
        joint95=_interval(row["joint_low"], row["joint_high"]),
        kind=row["kind"] if row["p_adjusted"] is not None else None,
        n=row["frames"],
    )


def _interval(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)
