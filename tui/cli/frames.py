"""``lorascope frames``: the frames of a checkpoint, the worst first, beside another checkpoint's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from engine.analysis.worst_frames import FrameOrder, rank_frames
from engine.catalogue import SCORE_KEY
from engine.errors import UsageError
from engine.i18n import gettext as _
from tui.cli import frames_tables
from tui.cli.gather import choose_run, open_library
from tui.cli.output import Answer, Destination
from tui.frame_reading import FramePairs, FrameReader, Subject, default_key, frame_keys, other_of
from tui.library import Library, Loaded
from tui.state import BEST

# As many as are shown to a person who did not say how many.
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the run.

    Attributes:
        checkpoint: ``best`` (by score) or a name.
        metric: a key or an alias; ``None`` for the depth error.
        against: the checkpoint beside it; ``None`` for the baseline.
        order: what decides which frames come first.
        worst: how many to show; ``None`` for all, or what a person can read.
        baseline: the checkpoint that is the baseline, instead of the run's own.
    """

    checkpoint: str
    metric: str | None
    against: str | None
    order: str
    worst: int | None
    baseline: str | None


@dataclass(frozen=True)
class Frames:
    """Frames in order.

    Attributes:
        loaded: the run.
        subject: whose frames, beside whose.
        found: all of them.
        order: what decides.
        rows: those of :func:`engine.analysis.worst_frames.rank_frames`, the first ``worst`` of them.
        total: how many there are.
    """

    loaded: Loaded
    subject: Subject
    found: FramePairs
    order: FrameOrder
    rows: pl.DataFrame
    total: int


def show_frames(
    path: Path, name: str | None, question: Question, *, config: Path | None, destination: Destination
) -> int:
    """Show the frames of a checkpoint of the run at or below ``path``, or of the one called ``name`` there.

    Raises:
        LorascopeError: there is no such run, checkpoint or metric, it has no per-frame rows, or the destination is
            wrong.
    """
    destination.check()
    library = open_library(config)
    loaded, notes = choose_run(library, path, name, question.baseline)
    frames = _frames(library, loaded, question)
    if frames.found.note:
        notes = [*notes, frames.found.note]
    shown = frames.rows if question.worst else frames.rows.head(_SHOWN)
    return destination.deliver(
        Answer(
            document=lambda: _document(frames, notes),
            draw=lambda screen: frames_tables.draw(screen, frames, shown),
            table=lambda: frames_tables.full_table(frames),
            readable=lambda: frames_tables.report_table(frames),
            notes=notes,
            in_document=True,
        )
    )


def _frames(library: Library, loaded: Loaded, question: Question) -> Frames:
    subject = Subject(
        loaded,
        checkpoint := _checkpoint(library, loaded, question.checkpoint),
        _against(loaded, checkpoint, question.against),
        _key(library, loaded, question.metric),
    )
    order = FrameOrder(question.order)
    if subject.against is None and order is not FrameOrder.WORST:
        said = _("--by {order} needs a checkpoint beside {checkpoint}, and the run has no other baseline")
        raise UsageError(said.format(order=order, checkpoint=checkpoint), _("name one with --against NAME"))
    found = FrameReader(library.catalogue).pairs(subject)
    ranked = rank_frames(found.pairs, order, found.metric)
    return Frames(
        loaded, subject, found, order, ranked.head(question.worst) if question.worst else ranked, ranked.height
    )


def _checkpoint(library: Library, loaded: Loaded, name: str) -> str:
    if name != BEST or name in loaded.analysis.names:
        return loaded.analysis.require(name)
    found = library.best(loaded, SCORE_KEY)
    if found is None:
        said = _("{run} has no score, so there is no best checkpoint").format(run=loaded.run.name)
        raise UsageError(said, _("name a checkpoint"))
    return found


def _against(loaded: Loaded, checkpoint: str, name: str | None) -> str | None:
    if name is None:
        return other_of(loaded, checkpoint)
    if loaded.analysis.require(name, "--against") == checkpoint:
        raise UsageError(_("--against {name} is the checkpoint itself").format(name=name), _("name another one"))
    return name


def _key(library: Library, loaded: Loaded, name: str | None) -> str:
    if name is None:
        return default_key(loaded, library.catalogue, [])
    if name in loaded.analysis.metrics:
        return name  # reading says so where it is no figure of a frame
    return library.catalogue.resolve(name, frame_keys(loaded), "--metric")


def _document(frames: Frames, notes: list[str]) -> dict[str, Any]:
    metric = frames.found.metric
    return {
        "run": frames.loaded.run.name,
        "path": frames.loaded.key,
        "checkpoint": frames.subject.checkpoint,
        "against": frames.subject.against,
        "metric": {
            "key": metric.key,
            "label": metric.label,
            "unit": metric.unit,
            "direction": metric.direction.value,
        },
        "align": frames.found.alignment,
        "by": frames.order.value,
        "frames": frames.total,
        "rows": frames_tables.records(frames.rows).to_dicts(),
        "notes": notes,
    }
