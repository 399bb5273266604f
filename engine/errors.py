"""Every error that a user can cause, in one tree. Each knows its remedy and its exit code.

The tree::

    LorascopeError            exit 1
    ├── UsageError            exit 2   the command or a setting is wrong
    │   ├── UnknownNameError           a metric, checkpoint or run that is not there (suggests the near one)
    │   ├── WhereError                 a filter that cannot be read
    │   └── ConfigError                lorascope.toml
    ├── DataError             exit 1   a file is missing, unreadable or not what it should be
    │   ├── NoFramesError              a run that holds summaries only
    │   ├── StorageError               the disk is full, or a folder cannot be written to
    │   └── RemoteError                an object store cannot be reached, or refuses
    └── ExportError           exit 1   an export that did not happen; nothing is half-written
        └── TargetExistsError          something stands there already, which --force would replace
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from engine.i18n import gettext as _
from engine.i18n import listing, mark, pgettext, sentences


class LorascopeError(Exception):
    """An error with one sentence for the user.

    Args:
        message: what is wrong, naming the file and the place; one sentence without a full stop at the end.
        remedy: what to do about it; one short imperative phrase, or empty.
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return sentences([self.message, self.remedy]) if self.remedy else self.message


class UsageError(LorascopeError):
    """The command line, a setting or a choice is wrong."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that does not exist, with the nearest one that does.

    Args:
        kind: what the name should be, e.g. ``"metric"``.
        name: what was given.
        known: the names that exist.
        where: where the name stands, e.g. ``"--where, column 4"``.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], where: str = "") -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(known)
        near = suggest(name, self.known)
        if near:
            remedy = _("did you mean {names}?").format(names=pgettext("between alternatives", " or ").join(near))
        elif 0 < len(self.known) <= 12:
            remedy = _("known: {names}").format(names=listing(self.known))
        else:
            remedy = ""
        message = _("unknown {kind} {name} in {where}") if where else _("unknown {kind} {name}")
        super().__init__(message.format(kind=_(kind), name=repr(name), where=where), remedy)


class WhereError(UsageError):
    """A filter expression that cannot be parsed or evaluated."""


class ConfigError(UsageError):
    """``lorascope.toml`` is missing where it was named, unreadable or holds a wrong value."""


class DataError(LorascopeError):
    """A file is missing, unreadable or not what it should be."""


class NoFramesError(DataError):
    """A run that holds summaries only was asked for its per-frame rows."""


class StorageError(DataError):
    """A file cannot be written: the disk is full, or rights are missing. What was written before stays."""


class RemoteError(DataError):
    """An object store (``s3://`` and the like) cannot be reached, or refuses what was asked of it."""


class ExportError(LorascopeError):
    """An export was refused or failed; nothing was left half-written."""


class TargetExistsError(ExportError):
    """What is to be written stands there already. The only refusal that forcing would lift."""


# What is unknown; callers name it by these words.
_KINDS = (mark("metric"), mark("checkpoint"), mark("run"), mark("preset"), mark("function"), mark("model"), mark("job"))


def suggest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known names nearest to ``name`` (edit similarity, case-insensitive; also by the last dotted part).

    Args:
        name: what was given.
        known: candidate names.
        limit: how many to return at most.

    Returns:
        Up to ``limit`` names, nearest first; empty if nothing is near.
    """
    candidates = list(dict.fromkeys(known))
    lowered: dict[str, str] = {}
    for candidate in candidates:
        lowered.setdefault(candidate.lower(), candidate)
    found = [lowered[hit] for hit in difflib.get_close_matches(name.lower(), lowered, n=limit, cutoff=0.6)]
    if len(found) < limit:
        # `delt9` is far from `depth.building.delta1` as a whole, but near its last part.
        tails: dict[str, list[str]] = {}
        for candidate in candidates:
            tails.setdefault(candidate.lower().rsplit(".", 1)[-1], []).append(candidate)
        near = difflib.get_close_matches(name.lower().rsplit(".", 1)[-1], tails, n=limit, cutoff=0.7)
        found += [candidate for tail in near for candidate in tails[tail] if candidate not in found]
    return found[:limit]
