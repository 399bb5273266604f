"""Numbers and verdicts as text, and names short enough for a column. No screen in here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from engine.catalogue import Metric

MISSING = "–"
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
    }
)


def plain_text(text: str) -> str:
    """``text`` with the app's own signs replaced by ASCII; outside text in other scripts is left alone."""
    return text if text.isascii() else text.translate(_PLAIN)


def number(value: float | None, digits: int) -> str:
    """A value with ``digits`` decimals, fewer where large, scientific where huge or tiny; ``–`` for null."""
    if value is None or not math.isfinite(value):
        return MISSING
    size = abs(value)
    if size >= 1e7 or (digits and 0 < size < 0.5 * 10**-digits):
        return f"{value:.2e}"
    if size >= 1e4:
        digits = min(digits, 0 if size >= 1e6 else 1)
    elif size >= 1e3:
        digits = min(digits, 2)
    return f"{value:.{digits}f}"


def signed(value: float | None, digits: int) -> str:
    """A difference with its sign; an exact zero has none."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = number(value, digits)
    return text if value <= 0 else f"+{text}"


def percent(value: float | None) -> str:
    """A change in percent with its sign and one decimal (two where it is tiny), no percent sign: ``+30.9``."""
    if value is None or not math.isfinite(value):
        return MISSING
    if abs(value) >= 1e5:
        return f"{value:+.1e}"
    if 0 < abs(value) < 0.05:
        return f"{value:+.2f}"
    return f"{value:+.0f}" if abs(value) >= 1e3 else f"{value:+.1f}"


def reach(interval: tuple[float, float] | None, baseline: float | None, digits: int) -> str:
    """Half the width of an interval of a change: ``±0.0041``, or with a baseline in percent of it, ``±1.2``.

    Args:
        interval: both ends; ``None`` gives nothing, and so does a baseline of 0.
        baseline: what the change is relative to; ``None`` leaves it in the metric's unit.
        digits: decimals in the metric's unit.
    """
    if interval is None or baseline == 0:
        return ""
    half = (interval[1] - interval[0]) / 2
    if baseline is None:
        return f"±{number(half, digits)}"
    return f"±{percent(100.0 * half / abs(baseline)).lstrip('+')}"


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
    """A path as one would type it: relative to the current folder, with ``~`` for the home folder, else in full."""
    here, home = Path.cwd(), Path.home()
    if path.is_relative_to(here):
        return str(path.relative_to(here))
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


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
