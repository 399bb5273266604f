"""Numbers and verdicts as text, and names short enough for a column. No screen in here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from engine.catalogue import Metric
from engine.i18n import gettext as _
from engine.number_text import MISSING, number, percent, reach, signed
from engine.remote.url import origin_of

__all__ = [
    "CHANGE_MARKS",
    "MARKS",
    "MISSING",
    "change_mark",
    "distinct",
    "duration",
    "metric_number",
    "number",
    "percent",
    "plain_text",
    "reach",
    "short_names",
    "short_path",
    "signed",
    "verdict_mark",
    "verdict_role",
]

_SHORTEST_NAME = 6
MARKS = {"better": "▲", "worse": "▼", "tied": "≈"}
# Of a change that was not told from chance, or that chance has no part in: hollow.
CHANGE_MARKS = {"better": "△", "worse": "▽", "equal": "="}

# One ASCII cell or short word for every sign that the app draws, for plain mode. Better and worse are letters there:
# a plus or minus behind a signed number would read as its sign.
_PLAIN = str.maketrans(
    {
        "▲": "B",
        "▼": "W",
        "△": "b",
        "▽": "w",
        "≈": "=",
        "↑": "^",
        "↓": "v",
        "→": ">",
        "←": "<",
        "│": "|",
        "─": "-",
        "…": "~",
        "–": "-",
        "−": "-",
        "δ": "d",
        "Δ": "D",
        "²": "^2",
        "³": "^3",
        "°": "deg",
        "●": "*",
        "◆": "#",
        "◇": "o",
        "▣": "*",
        "·": ".",
        "⚠": "!",
        "✓": "+",
        "✗": "x",
        "≥": ">=",
        "≤": "<=",
        "±": "+-",
        "×": "x",
        "━": "=",
        "█": "#",
        "▏": "|",
        "┃": "|",
        "‹": "<",
        "›": ">",
        "░": ".",
    }
)


def plain_text(text: str) -> str:
    """``text`` with the app's own signs replaced by ASCII; outside text in other scripts is left alone."""
    return text if text.isascii() else text.translate(_PLAIN)


def metric_number(value: float | None, metric: Metric) -> str:
    """A value of ``metric`` with the digits that the catalogue gives it."""
    return number(value, metric.digits)


def verdict_mark(verdict: str | None) -> str:
    """``▲`` better, ``▼`` worse, ``≈`` tied, a space where nothing can be said."""
    return MARKS.get(verdict or "", " ")


def change_mark(change: str | None) -> str:
    """``△`` for the better, ``▽`` for the worse, by direction alone; a space where there is none. See ``MARKS``."""
    return CHANGE_MARKS.get(change or "", " ")


def verdict_role(verdict: str | None) -> str:
    """The style role of a verdict; empty where nothing can be said."""
    return verdict if verdict in MARKS else ""


def short_path(path: Path) -> str:
    """A path as one would type it: relative to the current folder, with ``~`` for the home folder, else in full.

    What was brought from an object store is called by its URL.
    """
    url = origin_of(path)
    if url is not None:
        return url
    here, home = Path.cwd(), Path.home()
    if path.is_relative_to(here):
        return str(path.relative_to(here))
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def duration(seconds: float) -> str:
    """A time that people read: ``8 s``, ``12 min``, ``3 h 20 min``, ``2 d 4 h``."""
    if seconds < 90:
        return _("{seconds} s").format(seconds=f"{seconds:.0f}")
    minutes = round(seconds / 60)
    if minutes < 90:
        return _("{minutes} min").format(minutes=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)
    return _("{days} d {hours} h").format(days=hours // 24, hours=hours % 24)


def distinct(runs: Sequence[tuple[str, Path]]) -> list[str]:
    """Names that tell runs apart: where two are the same, with as much of their paths as it takes.

    Args:
        runs: name and path of each; a run that is there twice has one name.
    """
    paths: dict[str, set[Path]] = {}
    for name, path in runs:
        paths.setdefault(name, set()).add(path)
    return [_label(name, path, paths[name] - {path}) for name, path in runs]


def _label(name: str, path: Path, rivals: set[Path]) -> str:
    if not rivals:
        return name
    parts = path.parts
    unlike = (n for n in range(1, len(parts)) if all(rival.parts[-n:] != parts[-n:] for rival in rivals))
    tail = str(Path(*parts[-next(unlike, len(parts)) :]))
    return tail if path.name == name else f"{name} ({tail})"


def short_names(names: Sequence[str]) -> list[str]:
    """``names`` without words that all of them begin with, as long as every name keeps six characters.

    Words end at ``_``, ``-``, ``.`` or ``/``: ``kitti360_strict`` and ``kitti360_strict_soft`` become ``strict``
    and ``strict_soft``.
    """
    if len(names) < 2 or len(set(names)) < len(names):
        return list(names)
    cut = 0
    room = min(map(len, names)) - _SHORTEST_NAME
    for index, characters in enumerate(zip(*names, strict=False)):
        if len(set(characters)) > 1 or index >= room:
            break
        if characters[0] in "_-./":
            cut = index + 1
    return [name[cut:] for name in names]
