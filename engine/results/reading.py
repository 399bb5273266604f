"""What every reader of a run hands to :mod:`engine.results.load`, and how files are opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from polars.exceptions import PanicException, PolarsError

from engine.i18n import gettext as _
from engine.i18n import mark
from engine.results.layout import LARGEST_FILE
from engine.results.problems import ProblemLog
from engine.schema import SUMMARY, ProtocolInfo, Provenance, Role, RunMetadata, empty

# What Polars raises on a damaged file: its own errors, those of the system, paths that are not UTF-8, and panics of
# its Parquet decoder.
PARQUET_ERRORS = (PolarsError, OSError, ValueError, PanicException)


@dataclass(frozen=True, slots=True)
class Entry:
    """A checkpoint as its reader met it.

    Attributes:
        name: unique within the run.
        step: where the source tells one apart from the name.
        role: where the source tells it.
        problem: why it could not be read whole, if so.
    """

    name: str
    step: int | None = None
    role: Role | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A run as it was read, before checkpoints are put in order."""

    metadata: RunMetadata
    entries: list[Entry] = field(default_factory=list)
    summary: pl.DataFrame = field(default_factory=lambda: empty(SUMMARY))
    has_frames: bool = False


def imported(name: str) -> RunMetadata:
    """The metadata of a run that another program wrote: its name, provenance and protocol are all that is known."""
    return RunMetadata(run=name, provenance=Provenance.IMPORTED, protocol=ProtocolInfo(name="compat"))


def read_bytes(path: Path, file: str, log: ProblemLog) -> bytes | None:
    """The bytes of a metrics file, or ``None`` after reporting why there are none.

    Args:
        path: the file.
        file: its name in messages.
        log: where problems are reported.
    """
    try:
        with path.open("rb") as source:
            data = source.read(LARGEST_FILE + 1)
    except OSError as error:
        log.error(file, why_unreadable(error))
        return None
    if len(data) > LARGEST_FILE:
        said = _("larger than {size} MiB, so this is no file of results")
        log.error(file, said.format(size=LARGEST_FILE // 2**20))
        return None
    if not data.strip():
        log.error(file, mark("the file is empty"))
        return None
    return data


def why_unreadable(error: BaseException) -> str:
    """One short sentence for an error that :func:`open` or Polars raised."""
    if isinstance(error, PermissionError):
        return _("no permission to read it")
    if isinstance(error, FileNotFoundError):
        return _("no such file")
    if isinstance(error, OSError) and error.strerror:
        return _("cannot be read ({reason})").format(reason=error.strerror)
    if isinstance(error, PolarsError):
        return _("not a Parquet file that can be read: damaged or cut off")
    if isinstance(error, PanicException):
        return _("damaged inside")
    return _("cannot be read")
