"""``lorascope export``: the files of chosen checkpoints, verified, with the reasons of the choice."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.analysis.ranking import Ranking, rank
from engine.catalogue import SCORE_KEY
from engine.errors import UsageError
from engine.export.card import why_no_card
from engine.export.checkpoints import ExportedCheckpoint
from engine.export.checkpoints import export_checkpoints as copy_checkpoints
from engine.i18n import activate
from engine.i18n import gettext as _
from tui.cli.gather import choose_run, open_library
from tui.cli.merging import Merging, merger_for
from tui.cli.output import print_json, tell
from tui.evidence import gather_evidence
from tui.library import Library, Loaded
from tui.selections import make_selection
from tui.state import BEST
from tui.text import fit

if TYPE_CHECKING:
    from engine.export.selection import Selection
    from tui.cli.screen import Screen

_LINE = 60  # cells of progress
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be exported.

    Attributes:
        checkpoints: names, or ``best``.
        objective: what best means; ``None`` is the score.
        where: a condition that the exported checkpoints must meet.
        sources: folders to look for the checkpoints' files in.
        baseline: the checkpoint that changes are against, instead of the run's own.
    """

    checkpoints: tuple[str, ...]
    objective: str | None
    where: str | None
    sources: tuple[Path, ...]
    baseline: str | None


def export_checkpoints(
    path: Path,
    name: str | None,
    question: Question,
    target: Path,
    *,
    merging: Merging,
    force: bool,
    as_json: bool,
    config: Path | None,
) -> int:
    """Export checkpoints of the run at or below ``path``, or of the one called ``name`` there, to ``target``.

    Raises:
        LorascopeError: there is no such run or checkpoint, or nothing could be exported.
    """
    if as_json:
        activate("en")
    merging.check()
    library = open_library(config)
    loaded, notes = choose_run(library, path, name, question.baseline)
    selections = choose(library, loaded, question)
    merger = merger_for(loaded, merging) if merging.wanted else None
    exported = copy_checkpoints(selections, target, force=force, progress=_progress(), merger=merger)
    why = why_no_card()
    notes += [why] if why else []
    if as_json:
        print_json({"exported": [_entry(item) for item in exported]})
        tell([why] if why else [])
        return 0
    from tui.cli.screen import Screen

    _draw(Screen(), exported)
    tell(notes)
    return 0


def choose(library: Library, loaded: Loaded, question: Question) -> list[Selection]:
    """The chosen checkpoints, each once, with what led to them.

    Raises:
        UsageError: there is no such checkpoint or objective, or one does not meet the condition.
    """
    by_choice = BEST in question.checkpoints or question.objective or question.where
    ranking = _ranking(library, loaded, question) if by_choice else None
    names = dict.fromkeys(_resolve(loaded, ranking, name) for name in question.checkpoints)
    evidence = gather_evidence(library, loaded, loaded.analysis.metrics)
    if ranking is not None and ranking.where:
        met = {*ranking.rows.get_column("checkpoint"), *ranking.unranked}
        for name in names:
            if name not in met:
                said = _("{name} does not meet --where {condition}")
                raise UsageError(
                    said.format(name=repr(name), condition=repr(ranking.where)), _("leave out one of the two")
                )
    return [
        make_selection(
            library,
            loaded,
            name,
            sources=question.sources,
            objective=ranking.objective if ranking else None,
            where=ranking.where if ranking else None,
            considered=ranking.total if ranking else None,
            rejected=ranking.rejected if ranking else 0,
            evidence=evidence,
        )
        for name in names
    ]


def _ranking(library: Library, loaded: Loaded, question: Question) -> Ranking:
    objective = question.objective or SCORE_KEY
    return rank(loaded.analysis, objective=objective, catalogue=library.catalogue, where=question.where)


def _resolve(loaded: Loaded, ranking: Ranking | None, name: str) -> str:
    if name != BEST or ranking is None:
        return loaded.analysis.require(name)
    if ranking.best is None:
        if ranking.where and not ranking.kept:
            said = _("no checkpoint meets --where {condition}").format(condition=repr(ranking.where))
            raise UsageError(said, _("loosen the condition"))
        said = _("no checkpoint has a value of {metric}").format(metric=ranking.objective)
        raise UsageError(said, _("choose another --objective"))
    return ranking.best


def _entry(item: ExportedCheckpoint) -> dict[str, object]:
    return {
        "run": item.run,
        "checkpoint": item.checkpoint,
        "path": str(item.path),
        "files": [asdict(file) for file in item.files],
        "left_out": [asdict(file) for file in item.left_out],
        "card": asdict(item.card) if item.card else None,
        "merged": {**asdict(item.merged.file), **item.merged.facts} if item.merged else None,
    }


def _draw(screen: Screen, exported: Sequence[ExportedCheckpoint]) -> None:
    for item in exported:
        screen.outside(f"{item.run} / {item.checkpoint}", "bold")
        screen.outside(f"  {item.path}")
        merged, card = item.merged, item.card
        for file in (*item.files, *([merged.file] if merged else ()), *([card] if card else ())):
            screen.outside(f"  {file.name}  {_size(file.bytes)}")
            screen.outside(f"    sha256 {file.sha256}", "dim")
        for left in item.left_out:
            said = _("left out: {file} ({reason})").format(file=left.name, reason=left.reason)
            screen.outside(f"  {said}", "dim")


def _size(count: int) -> str:
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{count} B"


def _progress() -> Callable[[int, int], None] | None:
    """Shows how far the copying is on a line of stderr that is overwritten and wiped in the end; none in a pipe."""
    if not sys.stderr.isatty():
        return None
    shown = -1

    def show(done: int, total: int) -> None:
        nonlocal shown
        percent = 100 if total == 0 else 100 * done // total
        if percent != shown:
            shown = percent
            said = _("copying and verifying {size}: {percent} %").format(size=_size(total // 2), percent=percent)
            words = "" if done >= total else said
            print(f"\r{fit(words, _LINE)}\r{words}", end="", file=sys.stderr, flush=True)

    return show
