"""Completes paths as a shell does. Reads folders: to be called in a thread. Textual-free."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from engine.results.names import natural_key

# Entries of a folder that are looked at; a folder of frames can have a million.
_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Completion:
    """What a beginning can become.

    Attributes:
        text: the beginning, as far as all candidates agree on how it goes on.
        candidates: names of what fits, folders with a slash at the end; in natural order.
    """

    text: str
    candidates: tuple[str, ...] = ()


def complete(text: str, *, folders: bool) -> Completion:
    """How a path goes on; ``text`` itself where nothing fits.

    Args:
        text: as it was typed; ``~`` means the home folder.
        folders: whether files do not count.
    """
    head, slash, begin = text.rpartition("/")
    place = Path(f"{head}{slash}" or ".").expanduser()
    names: list[str] = []
    try:
        with os.scandir(place) as entries:
            for entry in islice(entries, _MOST):
                if not entry.name.startswith(begin) or (entry.name.startswith(".") and not begin.startswith(".")):
                    continue
                if entry.is_dir():
                    names.append(f"{entry.name}/")
                elif not folders:
                    names.append(entry.name)
    except (OSError, ValueError):
        return Completion(text)
    if not names:
        return Completion(text)
    common = os.path.commonprefix(names)  # noqa: RUF071 - of letters, as a shell does, not of whole components
    return Completion(f"{head}{slash}{common}", tuple(sorted(names, key=natural_key)))


def suggest(text: str, *, folders: bool) -> str | None:
    """The first path that goes on from ``text``; ``None`` where there is none, or nothing was typed."""
    if not text or text == "~":
        return None
    found = complete(text, folders=folders).candidates
    head, slash, _begin = text.rpartition("/")
    return f"{head}{slash}{found[0]}" if found and not text.endswith("/") else None
