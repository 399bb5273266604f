"""What the readers hand on: a found run, a loaded run, and what was wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from engine.i18n import mark, sentences

if TYPE_CHECKING:  # discovery and the first paint do without Polars
    import polars as pl

    from engine.schema import RunMetadata


# Statuses of runs that do not have all their windows yet.
UNFINISHED = frozenset({"running", "stopped"})


class RunKind(StrEnum):
    """The form in which a run lies on disk."""

    NATIVE = mark("native")
    LEGACY = mark("legacy")
    TABLE = mark("table")


class Severity(StrEnum):
    """``ERROR``: something could not be read. ``WARNING``: read, but worth knowing."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a file, in words for the user.

    Attributes:
        severity: whether data is missing because of it.
        file: the file or folder's name, relative to the run where it lies inside.
        place: where in the file (a line, a row, a key), or empty.
        message: what is wrong, one sentence without a full stop.
        remedy: what to do, or empty.
    """

    severity: Severity
    file: str
    message: str
    place: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        # What holds a value was put together in the user's language already; the rest is kept in English in caches.
        at = f" ({_(self.place)})" if self.place else ""
        said = f"{self.file}{at}: {_(self.message)}"
        return sentences([said, _(self.remedy)]) if self.remedy else said


@dataclass(frozen=True, slots=True)
class RunRef:
    """A run that discovery found. Nothing of it has been read yet beyond file names.

    Attributes:
        path: the run's folder, or the file of a single table; absolute.
        name: what to call it: the folder's name, or the file's without its ending. Outside text: show it literally.
        kind: its form.
        checkpoints: how many checkpoints the file names suggest; ``None`` where they do not tell.
        problem: why nothing can be read at all (no permission), if so.
    """

    path: Path
    name: str
    kind: RunKind
    checkpoints: int | None = None
    problem: Problem | None = None


@dataclass(frozen=True)
class Run:
    """A loaded run. A broken one has empty frames and an error among its problems.

    Attributes:
        ref: what discovery found.
        name: the run's own name (``metadata.json``), else the folder's.
        metadata: protocol, dataset, model and so on; for imports what can be inferred (protocol ``compat``).
        checkpoints: frame of schema :data:`engine.schema.CHECKPOINTS`, in training order, baseline first.
        summary: frame of schema :data:`engine.schema.SUMMARY`.
        baseline: the name of the checkpoint that deltas are against; ``None`` where there is none.
        problems: everything that was wrong, errors first.
        has_frames: whether per-frame rows exist.
    """

    ref: RunRef
    name: str
    metadata: RunMetadata
    checkpoints: pl.DataFrame
    summary: pl.DataFrame
    baseline: str | None = None
    problems: tuple[Problem, ...] = field(default=())
    has_frames: bool = False

    @property
    def path(self) -> Path:
        """The run's folder, or the file of a single table."""
        return self.ref.path

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems because of which something could not be read."""
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)

    @property
    def status(self) -> str:
        """``broken`` (nothing readable), ``partial`` (something cannot be read), ``running``, ``stopped`` or ``ok``."""
        unfinished = self.metadata.status if self.metadata.status != "done" else None
        if self.summary.is_empty():
            return unfinished if unfinished and not self.errors else mark("broken")
        if self.errors:
            return mark("partial")
        return unfinished or mark("ok")
