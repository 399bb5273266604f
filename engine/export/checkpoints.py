"""Export of chosen checkpoints: their files, copied and verified, a model card, and ``selection.json`` beside them.

``TARGET/<run>/<checkpoint>/`` holds the files, ``README.md`` and ``selection.json``. Everything is put together in a
staging folder and moved to its place at the end, so that there are all of the chosen checkpoints or none. Files are
copied, never read as weights; merging them into a base is the work of a :class:`Merger` that the caller brings. POSIX
only (locks, renames of folders).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Protocol

from engine.atomic import atomic_write_bytes
from engine.errors import ExportError, TargetExistsError
from engine.export import card
from engine.export.adapter import read_adapter, read_beside
from engine.export.card_facts import CardFacts
from engine.export.copying import Source, copy_verified, writing
from engine.export.locate import ADAPTER_CONFIG, CheckpointFiles, CheckpointKind, locate
from engine.export.selection import FILE_NAME, ExportedFile, LeftOut, MergedWeights, Selection, selection_json
from engine.export.staging import install, staging, sweep
from engine.i18n import gettext as _
from engine.text import safe_name, visible

_KEPT = "README.source{}.md"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, slots=True)
class ExportedCheckpoint:
    """A checkpoint as it was exported.

    Attributes:
        run, checkpoint: their names. Outside text.
        path: the folder it is in now.
        files: the copied files.
        left_out: what lies beside the weights and was not copied.
        card: the model card; ``None`` where none could be written.
        merged: the merged weights, where they were asked for.
    """

    run: str
    checkpoint: str
    path: Path
    files: tuple[ExportedFile, ...]
    left_out: tuple[LeftOut, ...]
    card: ExportedFile | None = None
    merged: MergedWeights | None = None


class Merger(Protocol):
    """Merges checkpoints into their base, for an export."""

    def prepare(self, selections: Sequence[Selection]) -> None:
        """See that all of them can be merged, as far as that can be known before anything is written.

        Raises:
            LorascopeError: one cannot.
        """

    def merge(self, selection: Selection, files: CheckpointFiles, folder: Path, shown: Path) -> MergedWeights:
        """Write a checkpoint's merged weights below a folder, and prove them.

        Args:
            selection: the checkpoint.
            files: its files.
            folder: of the export that is being put together.
            shown: the place to name in errors: where the folder will be in the end.

        Raises:
            LorascopeError: they cannot be written, or are not what they should be; ``folder`` may hold a part.
        """


@dataclass(frozen=True, slots=True)
class _Plan:
    selection: Selection
    files: CheckpointFiles
    sources: tuple[Source, ...]
    names: tuple[str, ...]  # of the copies
    place: Path  # below the target

    @property
    def kept(self) -> str | None:
        """What the README that lies beside the weights is called in the export, where it makes room for the card."""
        pairs = zip(self.sources, self.names, strict=True)
        return next((name for source, name in pairs if source.path.name != name), None)


def export_checkpoints(
    selections: Sequence[Selection],
    target: Path,
    *,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
    merger: Merger | None = None,
) -> list[ExportedCheckpoint]:
    """Copy the files of the chosen checkpoints to ``target/<run>/<checkpoint>/``, verified by SHA-256.

    Names of runs and checkpoints become folder names through :func:`engine.text.safe_name`. Everything that can be
    known beforehand (missing or ambiguous files, taken places, free space) is checked before anything is written. The
    model card takes the name ``README.md``; a README that lies beside the weights is kept under another name. Where
    ``huggingface_hub`` is not installed, there is no card (:func:`engine.export.card.why_no_card` says so). The final
    renames are one per checkpoint: a process killed between two of them leaves whole checkpoints, some of them
    new.

    Args:
        selections: the checkpoints; each run and checkpoint once.
        target: the folder to export to; made if missing.
        force: replace exports that are there, each in the moment when the new one is complete. Only folders with a
            ``selection.json`` are replaced: nothing else was made by an export.
        progress: called with bytes done and bytes in all; each byte counts twice, for writing and for reading back.
            It may raise to cancel.
        merger: writes merged weights beside the files.

    Returns:
        What was exported, in the order of ``selections``.

    Raises:
        TargetExistsError: one of the places is taken and ``force`` is off.
        ExportError: nothing was exported; says why in one sentence. Nothing half-written is left. The same holds for
            an interrupt (:class:`KeyboardInterrupt`) and whatever ``progress`` and ``merger`` raise, which are passed
            on.
    """
    if not selections:
        raise ExportError(_("no checkpoint was chosen"), _("choose at least one"))
    plans = [_plan(selection) for selection in selections]
    _check_places(plans, target, force)
    if merger is not None:
        merger.prepare(selections)
    with writing(target):
        sweep(target)
        _check_space(plans, target)
        with staging(target) as folder:
            counter = _Counter(sum(source.size for plan in plans for source in plan.sources), progress)
            exported = [_stage(plan, folder, target, counter.add, merger) for plan in plans]
            # A file may have been rewritten while a later one was copied: all must be of one moment.
            for plan in plans:
                for source in plan.sources:
                    source.check()
            install(folder, target, [plan.place for plan in plans], force=force)
    return exported


class _Counter:
    def __init__(self, size: int, progress: Callable[[int, int], None] | None) -> None:
        self._done = 0
        self._total = 2 * size
        self._progress = progress
        self.add(0)

    def add(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._total)


def _plan(selection: Selection) -> _Plan:
    files = locate(selection)
    place = Path(safe_name(selection.run), safe_name(selection.checkpoint))
    names = [path.name for path in files.files]
    if card.why_no_card() is None:
        names = [name if name != card.FILE_NAME else _free_name(names) for name in names]
    return _Plan(selection, files, tuple(Source.of(path) for path in files.files), tuple(names), place)


def _free_name(taken: Sequence[str]) -> str:
    """A name for a README that makes room for the card."""
    names = (_KEPT.format(f"-{number}" if number > 1 else "") for number in count(1))
    return next(name for name in names if name not in taken)


def _check_places(plans: Sequence[_Plan], target: Path, force: bool) -> None:
    if os.path.lexists(target) and not target.is_dir():
        said = _("{folder}: is no folder").format(folder=visible(str(target)))
        raise ExportError(said, _("choose another one with --to"))
    taken: dict[str, Selection] = {}
    for plan in plans:
        # Some file systems do not tell upper from lower case.
        other = taken.setdefault(str(plan.place).casefold(), plan.selection)
        if other is not plan.selection:
            name = f"{visible(plan.selection.run)} / {visible(plan.selection.checkpoint)}"
            if other.run_path == plan.selection.run_path and other.checkpoint == plan.selection.checkpoint:
                raise ExportError(_("{name} was chosen twice").format(name=name), _("choose it once"))
            said = _("two chosen checkpoints are called {name}").format(name=name)
            raise ExportError(said, _("export them to different folders"))
        final = target / plan.place
        if os.path.lexists(final):
            _check_replaceable(final, plans, force)


def _check_replaceable(final: Path, plans: Sequence[_Plan], force: bool) -> None:
    name = visible(str(final))
    if not force:
        said = _("{file}: exists already").format(file=name)
        raise TargetExistsError(said, _("replace it with --force or choose another folder with --to"))
    if final.is_symlink() or not (final / FILE_NAME).is_file():
        said = _("{folder}: is no export (no {file} in it)").format(folder=name, file=FILE_NAME)
        raise ExportError(said, _("move it away or choose another folder"))
    inside = Path(os.path.realpath(final))
    for plan in plans:
        for source in plan.sources:
            if inside in Path(os.path.realpath(source.path)).parents:
                said = _("{folder}: {file} is to be copied from there")
                raise ExportError(
                    said.format(folder=name, file=visible(str(source.path))), _("choose another folder with --to")
                )


def _check_space(plans: Sequence[_Plan], target: Path) -> None:
    needed = sum(source.size for plan in plans for source in plan.sources)
    existing = next(folder for folder in (target.absolute(), *target.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise ExportError(
            _("{folder}: {needed} are needed and {free} are free").format(
                folder=visible(str(target)), needed=_size(needed), free=_size(free)
            ),
            _("free some space or choose another folder with --to"),
        )


def _stage(
    plan: _Plan, folder: Path, target: Path, advance: Callable[[int], None], merger: Merger | None
) -> ExportedCheckpoint:
    staged, final = folder / "new" / plan.place, target / plan.place
    staged.mkdir(parents=True)
    copied = tuple(
        copy_verified(source, staged / name, final / name, advance)
        for source, name in zip(plan.sources, plan.names, strict=True)
    )
    merged = merger.merge(plan.selection, plan.files, staged, final) if merger is not None else None
    written = _write_card(plan, copied, merged, staged, final) if card.why_no_card() is None else None
    text = selection_json(plan.selection, copied, plan.files.left_out, datetime.now(UTC), card=written, merged=merged)
    with writing(final / FILE_NAME):
        atomic_write_bytes(staged / FILE_NAME, text.encode())
    return ExportedCheckpoint(
        plan.selection.run, plan.selection.checkpoint, final, copied, plan.files.left_out, written, merged
    )


def _write_card(
    plan: _Plan, copied: tuple[ExportedFile, ...], merged: MergedWeights | None, staged: Path, final: Path
) -> ExportedFile:
    # The copy is read, not the source: the card is of what was exported.
    is_adapter = plan.files.kind is CheckpointKind.ADAPTER
    adapter = read_adapter(staged / ADAPTER_CONFIG) if is_adapter else read_beside(plan.files.files[0])
    facts = CardFacts(plan.selection, plan.files.kind, copied, adapter, plan.kept, merged)
    data = card.model_card(facts).encode()
    with writing(final / card.FILE_NAME):
        atomic_write_bytes(staged / card.FILE_NAME, data)
    return ExportedFile(card.FILE_NAME, len(data), hashlib.sha256(data).hexdigest())


def _size(count: int) -> str:
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{count} B"
