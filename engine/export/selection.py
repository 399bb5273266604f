"""A checkpoint that was chosen, and ``selection.json``, which says in the export why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine import __version__
from engine.export.escape import json_text

if TYPE_CHECKING:
    from engine.schema import RunMetadata

FILE_NAME = "selection.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Selection:
    """One checkpoint to export, and what led to it.

    Attributes:
        run: the run's name. Outside text.
        run_path: the run's folder, or the file of a single table.
        checkpoint: the checkpoint's name in the run. Outside text.
        sources: folders to look for its files in, in this order.
        recorded_path: where the run says its file or adapter folder was (absolute or relative to the run); looked at
            after ``sources``, so that a folder which the user names wins.
        metrics: ``key``, ``label``, ``unit``, ``direction``, ``baseline``, ``value``, ``delta``, ``delta_pct`` each;
            where they were judged also ``verdict``, ``kind``, ``ci95`` and ``joint95`` (intervals of ``delta``: by
            itself, and for all checkpoints of the run at once, which the verdict goes by), and ``loses`` (parts of the
            sample that are worse although the whole is better).
        objective: the key that the ranking was by, if it was chosen by one.
        where: the filter that was on, if any.
        considered: checkpoints that were looked at.
        rejected: how many of them the filter rejected.
        protocol: the protocol of the numbers.
        provenance: where the numbers come from.
        baseline: the checkpoint that the deltas are against, if there is one.
        about: what the run says of itself, for the model card.
        costs: the rows of the run's ``cost.parquet`` for this checkpoint and its baseline, for the model card.
        basis: what verdicts are based on, one sentence without a full stop; ``None`` where nothing was judged.
    """

    run: str
    run_path: Path
    checkpoint: str
    sources: tuple[Path, ...]
    recorded_path: Path | None
    metrics: Sequence[Mapping[str, object]]
    objective: str | None
    where: str | None
    considered: int
    rejected: int
    protocol: str
    provenance: str
    baseline: str | None
    about: RunMetadata | None = None
    costs: Sequence[Mapping[str, object]] = ()
    basis: str | None = None


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A copied file: its name in the export, its size in bytes, and its SHA-256 in hexadecimal."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file or folder beside the weights that was not copied, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class MergedWeights:
    """Weights that were merged for an export.

    Attributes:
        file: the file, by its path below the export.
        facts: what they were made of and how they were checked, as JSON values.
    """

    file: ExportedFile
    facts: Mapping[str, object]


def selection_json(
    selection: Selection,
    files: Iterable[ExportedFile],
    left_out: Iterable[LeftOut],
    created: datetime,
    *,
    card: ExportedFile | None = None,
    merged: MergedWeights | None = None,
) -> str:
    """The text of ``selection.json``.

    Paths are not written: of the run's path only its last name, of the files their names in the export.

    Args:
        selection: what was chosen.
        files: what was copied.
        left_out: what was not.
        created: when; any time zone.
        card: the model card, if there is one.
        merged: the merged weights, if there are any.

    Returns:
        JSON that ends in a newline. Numbers that are NaN or infinite become null.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "run": selection.run,
        "run_folder": selection.run_path.name,
        "checkpoint": selection.checkpoint,
        "baseline": selection.baseline,
        "protocol": selection.protocol,
        "provenance": selection.provenance,
        "objective": selection.objective,
        "where": selection.where,
        "considered": selection.considered,
        "rejected": selection.rejected,
        "basis": selection.basis,
        "metrics": [{key: _finite(value) for key, value in metric.items()} for metric in selection.metrics],
        "files": [asdict(file) for file in files],
        "left_out": [asdict(item) for item in left_out],
        "card": asdict(card) if card else None,
        "merged": {**asdict(merged.file), **merged.facts} if merged else None,
        "created": created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lorascope_version": __version__,
    }
    return json_text(document, indent=2) + "\n"


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
