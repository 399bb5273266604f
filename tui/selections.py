"""From a chosen checkpoint to what the export writes about it; for the command and the app alike. Textual-free."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from engine.analysis.deltas import deltas
from engine.analysis.documents import loses_document
from engine.analysis.evidence import Evidence
from engine.analysis.losses import losses
from engine.export.selection import Selection
from engine.results.costs import read_costs
from engine.results.model import RunKind
from engine.results.problems import ProblemLog
from engine.schema import COST
from tui.library import Library, Loaded


def make_selection(
    library: Library,
    loaded: Loaded,
    checkpoint: str,
    *,
    sources: tuple[Path, ...] = (),
    objective: str | None = None,
    where: str | None = None,
    considered: int | None = None,
    rejected: int = 0,
    evidence: Evidence | None = None,
) -> Selection:
    """Describe one checkpoint for the export.

    Args:
        library: the analysis.
        loaded: the run.
        checkpoint: the checkpoint's name.
        sources: folders that the user named; the run's own checkpoint folder is looked at after them.
        objective: the key that it was chosen by, if any.
        where: the filter that was on, if any.
        considered: how many checkpoints were looked at; all of the run by default.
        rejected: how many of them the filter rejected.
        evidence: what tells changes from chance; without it nothing is judged.
    """
    run = loaded.run
    own = run.metadata.checkpoint_dir
    base = run.path if run.path.is_dir() else run.path.parent
    recorded = next((entry.path for entry in run.metadata.checkpoints if entry.name == checkpoint), None)
    return Selection(
        run=run.name,
        run_path=run.path,
        checkpoint=checkpoint,
        sources=(*sources, base / own) if own else sources,
        recorded_path=Path(recorded) if recorded else None,
        metrics=metric_rows(library, loaded, checkpoint, evidence),
        basis=None if evidence is None else evidence.basis(evidence.differences(loaded.analysis.metrics)),
        objective=objective,
        where=where or None,
        considered=len(loaded.checkpoints) if considered is None else considered,
        rejected=rejected,
        protocol=run.metadata.protocol.name,
        provenance=run.metadata.provenance.value,
        baseline=run.baseline,
        about=run.metadata,
        costs=cost_rows(loaded, checkpoint),
    )


def cost_rows(loaded: Loaded, checkpoint: str) -> list[dict[str, object]]:
    """What was measured of the costs of a checkpoint and of its baseline: rows of the run's ``cost.parquet``."""
    run = loaded.run
    if run.ref.kind is not RunKind.NATIVE:
        return []
    table = read_costs(run.path, ProblemLog())  # the loader has told what is wrong with it
    names = [name for name in (run.baseline, checkpoint) if name is not None]
    return table.filter(pl.col("checkpoint").is_in(names)).select(COST.names()).to_dicts()


def metric_rows(
    library: Library, loaded: Loaded, checkpoint: str, evidence: Evidence | None = None
) -> list[dict[str, object]]:
    """Every metric of a checkpoint with its change against the baseline, as ``selection.json`` holds them.

    Args:
        library: labels and directions.
        loaded: the run.
        checkpoint: its name.
        evidence: what tells changes from chance; without it nothing is judged.
    """
    metrics = loaded.analysis.metrics
    judged = None if evidence is None else evidence.differences(metrics)
    loses = {} if evidence is None else losses(evidence.lost(metrics), checkpoint)
    rows: list[dict[str, object]] = []
    for row in deltas(loaded.analysis, checkpoint, catalogue=library.catalogue, differences=judged).iter_rows(
        named=True
    ):
        metric = library.catalogue.get(row["metric"])
        rows.append(
            {
                "key": metric.key,
                "label": metric.label,
                "unit": metric.unit,
                "direction": metric.direction.value,
                **{name: row[name] for name in ("baseline", "value", "delta", "delta_pct", "verdict", "kind")},
                "ci95": _pair(row["ci95_low"], row["ci95_high"]),
                "joint95": _pair(row["joint_low"], row["joint_high"]),
                "loses": loses_document(loses.get(metric.key, ())),
            }
        )
    return rows


def judged_selection(library: Library, loaded: Loaded, selection: Selection, evidence: Evidence) -> Selection:
    """The same selection with what was judged of its changes. Takes long where the evidence is fresh: for threads."""
    return replace(
        selection,
        metrics=metric_rows(library, loaded, selection.checkpoint, evidence),
        basis=evidence.basis(evidence.differences(loaded.analysis.metrics)),
    )


def _pair(low: float | None, high: float | None) -> list[float] | None:
    return None if low is None or high is None else [low, high]
