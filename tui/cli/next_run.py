"""``lorascope next``: the starting configuration of a gentle follow-up training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.atomic import atomic_write_bytes
from engine.catalogue import SCORE_KEY
from engine.errors import ExportError, TargetExistsError, UsageError
from engine.export.copying import writing
from engine.export.locate import CheckpointFiles, locate
from engine.followup.branches import parse_branches
from engine.followup.configuration import FollowUp, configuration, origin_of
from engine.followup.wish import Wish
from engine.i18n import activate, speaking
from engine.i18n import gettext as _
from engine.text import visible
from tui.cli import export
from tui.cli.gather import choose_run, open_library
from tui.cli.output import print_json, tell

if TYPE_CHECKING:
    from engine.export.selection import Selection
    from tui.cli.screen import Screen

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Question:
    """What is wanted.

    Attributes:
        checkpoint: a name, or ``best``.
        training: the training's configuration; ``None`` looks for it.
        lr_factor, alpha_factor, epochs: how gentle.
        freeze: branches to leave out, separated by commas.
        start: the weights to begin from.
        sources: folders to look for the checkpoint's files in.
        objective: what best means; ``None`` is the score.
    """

    checkpoint: str
    training: Path | None
    lr_factor: float
    alpha_factor: float
    epochs: int
    freeze: str | None
    start: Path | None
    sources: tuple[Path, ...]
    objective: str | None


def write_next(
    path: Path, name: str | None, question: Question, to: Path, *, force: bool, as_json: bool, config: Path | None
) -> int:
    """Write the configuration that goes on from a checkpoint of the run at or below ``path``.

    Raises:
        LorascopeError: there is no such run or checkpoint, its training is not known, or the file cannot be written.
    """
    if as_json:
        activate("en")
    freeze = parse_branches(question.freeze) if question.freeze is not None else ()
    wish = Wish(question.lr_factor, question.alpha_factor, question.epochs, freeze, question.start)
    _check_target(to, question.training, force)
    library = open_library(config)
    loaded, notes = choose_run(library, path, name, None)
    wanted = export.Question((question.checkpoint,), question.objective, None, question.sources, None)
    (selection,) = export.choose(library, loaded, wanted)
    files, why = _files(selection, asked=bool(question.sources))
    origin = origin_of(selection.run, selection.checkpoint, files, loaded.run.metadata.lora, [*_evidence(selection)])
    with speaking("en"):  # the file's remarks are
        made = configuration(origin, wish, files, question.training)
    if made.based_on is not None:
        _check_target(to, made.based_on, force)
    with writing(to):
        atomic_write_bytes(to, made.text.encode())
    notes += [why] if why else []
    if as_json:
        print_json(_document(selection, to, made))
    else:
        from tui.cli.screen import Screen

        _draw(Screen(), selection, to, made)
    tell(notes)
    return 0


def _check_target(to: Path, training: Path | None, force: bool) -> None:
    """Refuse a file that cannot or must not be written.

    Raises:
        UsageError: its ending is not YAML's, or it is the training's own configuration.
        ExportError: it is there already, or its folder is not.
    """
    shown = visible(str(to))
    if to.suffix.lower() not in _SUFFIXES:
        said = _("{file}: the configuration is YAML").format(file=shown)
        raise UsageError(said, _("let the name end in .yaml"))
    if to.is_dir():
        raise ExportError(_("{file}: is a folder").format(file=shown), _("name a file in it"))
    if not to.absolute().parent.is_dir():
        raise ExportError(_("{file}: its folder does not exist").format(file=shown), _("create it first"))
    if not to.exists():
        return
    if training is not None and training.exists() and to.samefile(training):
        said = _("{file}: is the training's own configuration").format(file=shown)
        raise UsageError(said, _("choose another name"))
    if not force:
        said = _("{file}: exists already").format(file=shown)
        raise TargetExistsError(said, _("choose another name or replace it with --force"))


def _files(selection: Selection, *, asked: bool) -> tuple[CheckpointFiles | None, str | None]:
    """The checkpoint's files; where they are not needed to be there, why they were not found instead."""
    try:
        return locate(selection), None
    except ExportError as error:
        if asked:
            raise
        return None, _("the checkpoint's own files were not looked at: {reason}").format(reason=error)


def _evidence(selection: Selection) -> Iterator[str]:
    """What speaks for the checkpoint, and what the figures are."""
    for metric in selection.metrics:
        value, before = metric["value"], metric["baseline"]
        if metric["key"] == SCORE_KEY and isinstance(value, float):
            change = metric["delta_pct"]
            against = f" ({change:+.1f} % against its baseline)" if isinstance(before, float) and change else ""
            yield f"Its score is {value:.4f}{against}, protocol {selection.protocol}."


def _document(selection: Selection, to: Path, made: FollowUp) -> dict[str, object]:
    return {
        "run": selection.run,
        "checkpoint": selection.checkpoint,
        "written": str(to),
        "based_on": str(made.based_on) if made.based_on else None,
        "changes": [asdict(change) for change in made.changes],
        "by_hand": list(made.by_hand),
    }


def _draw(screen: Screen, selection: Selection, to: Path, made: FollowUp) -> None:
    screen.outside(f"{selection.run} / {selection.checkpoint}", "bold")
    screen.outside(f"  {to}")
    based = _("based on the checkpoint's own settings")
    if made.based_on:
        based = _("based on {file}").format(file=made.based_on)
    screen.outside(f"  {based}")
    for change in made.changes:
        old = _("(not there)") if change.old is None else change.old
        screen.outside(f"  {change.key}: {old} -> {change.new}")
    screen.outside(_("to do by hand:"))
    for sentence in made.by_hand:
        screen.paragraph(sentence, "  ")
