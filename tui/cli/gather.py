"""Finding the runs that a command is about, reading them, and choosing among them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import DataError, UnknownNameError, UsageError
from engine.i18n import gettext as _
from engine.i18n import listing
from engine.remote.url import shown, url_of
from engine.results.discovery import discover
from engine.results.model import RunRef
from engine.text import visible
from tui.format import distinct

if TYPE_CHECKING:
    from tui.library import Library, Loaded

_LISTED = 8


def open_library(config: Path | None) -> Library:
    """What reads and analyses runs, with the settings that apply here.

    Raises:
        ConfigError: they are wrong.
    """
    from engine.config import load_config
    from tui.library import Library

    return Library(load_config(config))


def find_runs(paths: Sequence[Path]) -> tuple[list[RunRef], list[str]]:
    """The runs at or below ``paths``, and what was not looked at, in words.

    Those of an object store (``s3://``) are brought here first, which is said on stderr.

    Raises:
        DataError: a path does not exist, a store cannot be reached, or there is no run.
    """
    if any(url_of(path) for path in paths):
        from engine.remote.bringing import bring_all

        paths = bring_all(paths, lambda said: print(visible(said), file=sys.stderr, flush=True))
    found = discover(paths)
    refs = list(found)
    if not refs:
        places = listing(shown(path.absolute()) for path in paths)
        raise DataError(
            _("no runs found in {folders}").format(folders=places),
            _("name a folder with metadata.json, metrics_overall.csv or <checkpoint>_metrics.json files, or a table"),
        )
    return refs, [str(problem) for problem in found.problems]


def load_readable(
    library: Library, refs: Iterable[RunRef], baseline: str | None = None
) -> tuple[list[Loaded], list[str]]:
    """The runs of which something could be read, and why the others could not, in words.

    Raises:
        DataError: nothing could be read of any.
        UnknownNameError: no run has a checkpoint of the name ``baseline``.
    """
    loaded: list[Loaded] = []
    left_out: list[tuple[str, str]] = []
    unknown: UnknownNameError | None = None
    for ref in refs:
        try:
            run = library.load(ref, baseline)
        except UnknownNameError as error:
            unknown = error
            said = _("it has no checkpoint {name} for a baseline").format(name=repr(baseline))
            left_out.append((ref.name, said))
            continue
        if run.run.status == "broken":
            left_out.append((run.run.name, reason(run)))
        else:
            loaded.append(run)
    if not loaded:
        if unknown is not None:
            raise unknown
        raise DataError(_("no run can be read: {reason}").format(reason=left_out[0][1]))
    return loaded, [_("{name} is left out: {reason}").format(name=name, reason=why) for name, why in left_out]


def reason(loaded: Loaded) -> str:
    """Why a broken run cannot be read."""
    problems = loaded.run.errors or loaded.run.problems
    return str(problems[0]) if problems else _("it holds no values")


def choose_run(library: Library, path: Path, name: str | None, baseline: str | None) -> tuple[Loaded, list[str]]:
    """The one run at or below ``path``, or the one of that name, read; and remarks, in words.

    Raises:
        DataError: there is no run, or it cannot be read.
        UsageError: there are several and none was named.
        UnknownNameError: there is none of that name; the run has no such baseline.
    """
    refs, notes = find_runs([path])
    loaded, more = load_readable(library, [one_of(library, refs, name)], baseline)
    return loaded[0], notes + more


def one_of(library: Library, refs: Sequence[RunRef], name: str | None) -> RunRef:
    """The only run, or the one that ``name`` (its name, or the end of its path) means.

    Raises:
        UsageError: there are several.
        UnknownNameError: there is none of that name.
    """
    matches = list(refs) if name is None else _called(library, refs, name)
    if len(matches) > 1:
        names = some(distinct([(ref.name, ref.path) for ref in matches]))
        said = (
            _("{name} means {count} runs ({names})")
            if name is not None
            else _("this path means {count} runs ({names})")
        )
        raise UsageError(
            said.format(name=repr(name), count=len(matches), names=names), _("name one of them with --run NAME")
        )
    return matches[0]


def _called(library: Library, refs: Sequence[RunRef], name: str) -> list[RunRef]:
    matches = [ref for ref in refs if name == ref.name or _ends(ref.path, name)]
    # A native run may call itself other than its folder.
    matches = matches or [ref for ref in refs if library.load(ref).run.name == name]
    if not matches:
        raise UnknownNameError("run", name, [ref.name for ref in refs], "--run")
    return matches


def means(loaded: Loaded, name: str) -> bool:
    """Whether ``name`` is this run's: its own, its folder's, or the end of its path."""
    return name in (loaded.run.name, loaded.run.ref.name) or _ends(loaded.run.path, name)


def _ends(path: Path, name: str) -> bool:
    parts = Path(name).parts
    return bool(parts) and path.parts[-len(parts) :] == parts


def some(names: Sequence[str]) -> str:
    """The first of many names: ``a, b and 4 more``."""
    shown = listing(names[:_LISTED])
    more = len(names) - _LISTED
    return _("{names} and {count} more").format(names=shown, count=more) if more > 0 else shown
