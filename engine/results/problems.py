"""Collects what was wrong with a run while it is read, and keeps the list readable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from engine.i18n import gettext as _
from engine.i18n import listing
from engine.results.model import Problem, Severity
from engine.results.names import storable

_LISTED = 6  # problems of one sort that are listed one by one; more are put together
_SHOWN = 3  # examples in a problem that stands for many
_LONGEST_VALUE = 40  # characters of a wrong value that are shown


class ProblemLog:
    """The problems of one run, in the order of their discovery; single wrong values are put together at the end."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._wrong: list[tuple[str, str, str]] = []

    def error(self, file: str, message: str, *, place: str = "", remedy: str = "") -> None:
        """Something could not be read."""
        self._problems.append(_problem(Severity.ERROR, file, message, place, remedy))

    def warning(self, file: str, message: str, *, place: str = "", remedy: str = "") -> None:
        """Something was read but is worth knowing."""
        self._problems.append(_problem(Severity.WARNING, file, message, place, remedy))

    def wrong_value(self, file: str, place: str, what: str, reason: str) -> None:
        """A value that is not what belongs there; it counts as not measured.

        Args:
            file: the file.
            place: the row or line with its checkpoint, or empty where the file is the checkpoint's own.
            what: the metric and statistic, e.g. ``depth.full.mae.mean``.
            reason: what is wrong, e.g. ``'abc' is not a number``.
        """
        self._wrong.append((file, place, f"{what}: {reason}"))

    def take(self, problems: Iterable[Problem]) -> None:
        """Problems that another log collected."""
        self._problems += problems

    @property
    def has_errors(self) -> bool:
        """Whether something could not be read so far."""
        return bool(self._wrong) or any(problem.severity is Severity.ERROR for problem in self._problems)

    def result(self) -> tuple[Problem, ...]:
        """All problems, errors first, each sort in the order of discovery, repetitions dropped."""
        problems = dict.fromkeys([*self._problems, *self._condensed()])
        return tuple(sorted(problems, key=lambda problem: problem.severity is not Severity.ERROR))

    def _condensed(self) -> Iterable[Problem]:
        if len(self._wrong) <= _LISTED:
            return [self._many(file, [(file, place, what)]) for file, place, what in self._wrong]
        files = Counter(file for file, _place, _what in self._wrong)
        if len(files) <= _LISTED:
            return [self._many(file, [wrong for wrong in self._wrong if wrong[0] == file]) for file in files]
        first, *others = files
        return [self._many(_("{file} and {count} other files").format(file=first, count=len(others)), self._wrong)]

    def _many(self, file: str, wrong: list[tuple[str, str, str]]) -> Problem:
        _file, place, first = wrong[0]
        if len(wrong) == 1:
            message = _("{value}, so it counts as not measured").format(value=first)
        else:
            said = _("{count} values are wrong and count as not measured; the first is {value}")
            message = said.format(count=len(wrong), value=first)
        return _problem(Severity.ERROR, file, message, place)


def _problem(severity: Severity, file: str, message: str, place: str = "", remedy: str = "") -> Problem:
    return Problem(severity, storable(file), storable(message), storable(place), remedy)


def shown(value: object) -> str:
    """A wrong value as it may stand in a message: quoted where it is text, and short."""
    if isinstance(value, str):
        text = repr(value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + "…")
        return storable(text)
    if isinstance(value, (dict, list)):
        return _("an object") if isinstance(value, dict) else _("a list")
    text = str(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


def some(names: Iterable[str]) -> str:
    """The first few of many names: ``a, b, c and 4 more``."""
    listed = [name if len(name) <= _LONGEST_VALUE else name[:_LONGEST_VALUE] + "…" for name in names]
    names = listing(listed[:_SHOWN])
    more = len(listed) - _SHOWN
    return _("{names} and {count} more").format(names=names, count=more) if more > 0 else names
