"""What ``--checkpoint`` means: which checkpoints of which runs a comparison shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.analysis.ranking import best
from engine.errors import UnknownNameError, UsageError
from engine.i18n import gettext as _
from tui.cli.gather import means
from tui.library import Library, Loaded
from tui.state import BEST


@dataclass(frozen=True)
class Block:
    """A run and the checkpoint of it that is shown; ``None`` where the run has no value of the objective."""

    loaded: Loaded
    checkpoint: str | None


@dataclass(frozen=True, slots=True)
class _Wish:
    """One ``--checkpoint``: for all runs that have it, or for the runs at ``places`` only."""

    checkpoint: str
    places: frozenset[int] | None


def choose_blocks(
    library: Library, runs: Sequence[Loaded], wanted: Sequence[str], objective: str, where: str | None
) -> tuple[list[Block], list[str]]:
    """The blocks of a comparison.

    Args:
        library: directions.
        runs: what is compared.
        wanted: ``best``, a name (a block of every run that has it), or ``RUN=NAME`` (of that run; runs that are named
            by none then show their best).
        objective: what best means.
        where: a condition that a best checkpoint must meet.

    Returns:
        At least one block, run by run, and what was left out, in words.

    Raises:
        UnknownNameError: no run has such a checkpoint, or there is no such run.
        UsageError: no checkpoint meets ``where``, or that or the objective is wrong.
    """
    wishes = [_wish(text, runs) for text in wanted]
    blocks: list[Block] = []
    notes: list[str] = []
    failures: list[UsageError] = []
    for place, loaded in enumerate(runs):
        names = [wish.checkpoint for wish in wishes if wish.places is None or place in wish.places]
        for name in dict.fromkeys(names or [BEST]):
            try:
                blocks.append(Block(loaded, _checkpoint(library, loaded, name, objective, where)))
            except (_NothingLeftError, UnknownNameError) as error:
                failures.append(error)
                notes.append(_("{name} is left out: {reason}").format(name=loaded.run.name, reason=error))
    if not blocks:
        raise failures[0]
    return blocks, notes


class _NothingLeftError(UsageError):
    """No checkpoint of a run meets the condition."""


def _wish(text: str, runs: Sequence[Loaded]) -> _Wish:
    known = dict.fromkeys(name for loaded in runs for name in loaded.analysis.names)
    if text == BEST or text in known:
        return _Wish(text, None)
    run, separator, name = text.partition("=")
    places = [place for place, loaded in enumerate(runs) if means(loaded, run)] if separator else []
    if not places:
        if separator and name in (*known, BEST):
            raise UnknownNameError("run", run, [loaded.run.name for loaded in runs], "--checkpoint")
        raise UnknownNameError("checkpoint", text, known, "--checkpoint")
    for place in places:
        if name != BEST:
            runs[place].analysis.require(name, f"--checkpoint {text}")
    return _Wish(name, frozenset(places))


def _checkpoint(library: Library, loaded: Loaded, name: str, objective: str, where: str | None) -> str | None:
    if name != BEST:
        return loaded.analysis.require(name)
    found = best(loaded.analysis, objective=objective, catalogue=library.catalogue, where=where)
    if found is None and where and best(loaded.analysis, objective=objective, catalogue=library.catalogue):
        said = _("no checkpoint meets --where {condition}").format(condition=repr(where))
        raise _NothingLeftError(said, _("loosen the condition"))
    return found
