"""Finds runs at or below folders, from file names and first bytes alone. Imports neither Polars nor pydantic."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DataError
from engine.i18n import gettext as _
from engine.i18n import mark
from engine.results import layout
from engine.results.folders import MAX_ENTRIES, Listing, is_skipped, is_table, list_folder, run_in, run_name
from engine.results.model import Problem, RunKind, RunRef, Severity
from engine.results.names import natural_key, storable
from engine.results.sniff import looks_like_table

MAX_DEPTH = 10  # folders below a given path
MAX_FOLDERS = 20_000  # folders looked at in one discovery
MAX_TABLES = 2_000  # tables of one folder that are looked into


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder or file to look at, ``depth`` folders below a given path; 0 where it was given itself."""

    path: Path
    depth: int


class Discovery(Iterator[RunRef]):
    """An iterator over the runs at or below some paths, that also tells what it did not look at.

    Attributes:
        folders: how many folders have been looked at so far.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.folders = 0
        self._limits: dict[str, list[str]] = {}
        self._walked: set[tuple[int, int]] = set()
        self._found: set[tuple[int, int]] = set()
        self._links: deque[_Place] = deque()
        self._runs = self._walk([_Place(_given(path), 0) for path in paths])

    def __iter__(self) -> Discovery:
        return self

    def __next__(self) -> RunRef:
        return next(self._runs)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The bounds that were hit so far; complete once the iterator is exhausted, empty where all was looked at."""
        problems = []
        for message, places in self._limits.items():
            where = storable(places[0])
            if len(places) > 1:
                where = _("{folder} (and {count} others)").format(folder=where, count=len(places) - 1)
            problems.append(Problem(Severity.WARNING, where, message, remedy=mark("name a folder nearer to the runs")))
        return tuple(problems)

    def _limit(self, path: Path, message: str) -> None:
        self._limits.setdefault(message, []).append(str(path))

    def _walk(self, given: list[_Place]) -> Iterator[RunRef]:
        # Links wait until everything else was looked at, so that a run is called by its own name and not by a link's.
        for place in given:
            yield from self._look(place)
        while self._links:
            yield from self._look(self._links.popleft())

    def _look(self, start: _Place) -> Iterator[RunRef]:
        stack = [start]
        while stack:
            place = stack.pop()
            try:
                status = place.path.stat()
                if not stat.S_ISDIR(status.st_mode):
                    run = _run_of_file(place, regular=stat.S_ISREG(status.st_mode))
                elif self._may_enter(place, status):
                    listing = list_folder(place.path)
                    run = run_in(place.path, listing)
                    stack += self._below(place, listing, run)
                else:
                    continue
                if run is not None and self._is_new(run):
                    yield run
            except (FileNotFoundError, NotADirectoryError):
                continue  # removed or replaced since it was listed
            except OSError as error:
                yield _unreadable(place.path, error)

    def _may_enter(self, place: _Place, status: os.stat_result) -> bool:
        identity = (status.st_dev, status.st_ino)
        if identity in self._walked and place.depth > 0:
            return False
        if place.depth > MAX_DEPTH:
            self._limit(place.path, _("not looked into: more than {count} folders deep").format(count=MAX_DEPTH))
            return False
        if self.folders >= MAX_FOLDERS:
            said = _("not looked into: {count} folders were looked at before")
            self._limit(place.path, said.format(count=MAX_FOLDERS))
            return False
        self._walked.add(identity)
        self.folders += 1
        return True

    def _is_new(self, run: RunRef) -> bool:
        status = run.path.stat()
        identity = (status.st_dev, status.st_ino)
        if identity in self._found:
            return False
        self._found.add(identity)
        return True

    def _below(self, place: _Place, listing: Listing, run: RunRef | None) -> list[_Place]:
        """What to look at below a folder, the last one first; links are put aside."""
        if listing.cut:
            self._limit(place.path, _("looked at in part: more than {count} entries").format(count=MAX_ENTRIES))
        if run is not None and run.kind is RunKind.NATIVE:
            return []
        names = [] if run is not None else self._tables(place.path, listing)
        if place.depth == 0 or not listing.is_data:
            names += [name for name in listing.folders if not is_skipped(name)]
        names.sort(key=natural_key)
        self._links += [_Place(place.path / name, place.depth + 1) for name in names if name in listing.links]
        return [_Place(place.path / name, place.depth + 1) for name in reversed(names) if name not in listing.links]

    def _tables(self, folder: Path, listing: Listing) -> list[str]:
        tables = sorted(listing.tables, key=natural_key)
        if len(tables) > MAX_TABLES:
            self._limit(folder, _("looked at in part: more than {count} tables").format(count=MAX_TABLES))
        return tables[:MAX_TABLES]


def discover(paths: Sequence[Path]) -> Discovery:
    """Find the runs at or below ``paths``, lazily.

    A run is a native store, a legacy folder, or a single table. A table that was named is always one; in a walk a CSV
    or Parquet file is one if its header has a column that names checkpoints and a known metric. The tables inside a
    legacy or native run are not runs of their own. Data folders, hidden folders and Python environments are not walked
    into unless they were named, nor is a native run. A link is followed once; what can be reached in two ways is found
    once.

    Args:
        paths: folders or files; looked at in this order, each in natural order of names, links last.

    Returns:
        An iterator over the runs. What cannot be read is a run with a problem. ``Discovery.problems`` tells which
        bounds (:data:`MAX_DEPTH` and so on) were hit.

    Raises:
        DataError: one of ``paths`` does not exist.
    """
    return Discovery(paths)


def _given(path: Path) -> Path:
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would rename a link that the user named
    try:
        absolute.stat()
    except (FileNotFoundError, NotADirectoryError):
        said = _("{path}: no such file or folder").format(path=storable(str(path)))
        raise DataError(said, _("check the path")) from None
    except ValueError:  # a NUL in it
        said = _("{path} cannot be a path").format(path=repr(storable(str(path))))
        raise DataError(said, _("check the path")) from None
    except OSError:
        pass  # there but out of reach: reported as a run with a problem when its turn comes
    return absolute


def _run_of_file(place: _Place, *, regular: bool) -> RunRef | None:
    path = place.path
    named = place.depth == 0
    if named and regular and path.name == layout.METADATA:
        return RunRef(path.parent, run_name(path.parent), RunKind.NATIVE)
    if named and regular and path.name.endswith(layout.LEGACY_JSON_ENDING):
        return RunRef(path.parent, run_name(path.parent), RunKind.LEGACY)
    if regular and is_table(path.name) and (named or looks_like_table(path)):
        return RunRef(path, storable(path.stem), RunKind.TABLE)
    if not named:
        return None
    problem = Problem(
        Severity.ERROR, storable(path.name), mark("not a table"), remedy=mark("name a folder, a CSV or a Parquet file")
    )
    return RunRef(path, storable(path.name), RunKind.TABLE, problem=problem)


def _unreadable(path: Path, error: OSError) -> RunRef:
    name = run_name(path)
    reason = _("cannot be read ({reason})").format(reason=error.strerror)
    if isinstance(error, PermissionError):
        reason = _("no permission to read it")
    # Nothing tells what lies there; a folder of results is the likeliest.
    return RunRef(
        path, name, RunKind.LEGACY, problem=Problem(Severity.ERROR, name, reason, remedy=mark("check its rights"))
    )
