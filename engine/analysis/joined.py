"""Runs that may be compared, as one: the checkpoints of all stand for choice together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from engine.analysis.evidence import Evidence
from engine.analysis.overview import RunAnalysis, analyse
from engine.analysis.weighing import weigh
from engine.catalogue import Catalogue
from engine.schema import CHECKPOINTS, Role


@dataclass(frozen=True)
class Part:
    """One of the runs.

    Attributes:
        label: what it is called among them; unique.
        analysis: the run.
        summary: frame of schema :data:`engine.schema.SUMMARY`.
    """

    label: str
    analysis: RunAnalysis
    summary: pl.DataFrame


@dataclass(frozen=True)
class Joined:
    """Several runs as one. Checkpoints are called ``label/checkpoint``, as in their joint sums.

    Attributes:
        analysis: one table; the first run's baseline is everyone's.
        evidence: paired across the runs where there are joint sums.
        origin: name -> the run's label and its checkpoint.
    """

    analysis: RunAnalysis
    evidence: Evidence
    origin: Mapping[str, tuple[str, str]]


def join(
    parts: Sequence[Part], sums: pl.DataFrame | None, *, catalogue: Catalogue, weights: Mapping[str, float]
) -> Joined:
    """Join runs that may be compared (:func:`engine.analysis.comparability.comparability`).

    Args:
        parts: at least one run.
        sums: of all of them (:func:`engine.results.sums.joint_window_sums`), where all have per-frame rows.
        catalogue: directions.
        weights: of the composite score.

    Raises:
        DataError: as :func:`engine.analysis.evidence.weigh`.
    """
    origin: dict[str, tuple[str, str]] = {}
    roles: dict[str, tuple[Role, int | None]] = {}
    baseline = None
    for part in parts:
        table = part.analysis.table.select("checkpoint", "role", "step")
        for name, role, step in table.iter_rows():
            joint = f"{part.label}/{name}"
            if name == part.analysis.baseline and baseline is None:
                baseline = joint
                roles[joint] = (Role.BASELINE, step)
            elif name != part.analysis.baseline and role == Role.CHECKPOINT:
                origin[joint] = (part.label, name)
                roles[joint] = (Role.CHECKPOINT, step)
    order = sorted(roles, key=lambda name: name != baseline)  # the baseline first; a stable sort
    checkpoints = pl.DataFrame(
        [(name, roles[name][0].value, roles[name][1], None) for name in order], schema=CHECKPOINTS, orient="row"
    )
    summary = pl.concat(
        [
            part.summary.with_columns(pl.lit(f"{part.label}/").add(pl.col("checkpoint")).alias("checkpoint"))
            for part in parts
        ]
    ).filter(pl.col("checkpoint").is_in(order))
    analysis = analyse(summary, checkpoints, baseline=baseline, catalogue=catalogue, weights=weights)
    own = None if sums is None else sums.filter(pl.col("checkpoint").cast(pl.String).is_in(order))
    return Joined(analysis, weigh(analysis, summary, own, catalogue=catalogue, weights=weights), origin)
