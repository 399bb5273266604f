"""Export of chosen checkpoints: their files, copied and verified, and ``selection.json`` beside them.

``TARGET/<run>/<checkpoint>/`` holds the files and ``selection.json``. Everything is put together in a staging folder
and moved to its place at the end, so that there are all of the chosen checkpoints or none. Files are copied, never
read as weights. POSIX only (locks, renames of folders).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.atomic import atomic_write_bytes
from engine.errors import ExportError, TargetExistsError
from engine.export.copying import Source, copy_verified, writing
from engine.export.locate import CheckpointFiles, locate
from engine.export.selection import FILE_NAME, ExportedFile, LeftOut, Selection, selection_json
from engine.export.staging import install, staging, sweep
from engine.text import safe_name, visible

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, slots=True)
class ExportedCheckpoint:
    """A checkpoint as it was exported.

    Attributes:
        run, checkpoint: their names. Outside text.
        path: the folder it is in now.
        files: the copied files.
        left_out: what lies beside the weights and was not copied.
    """

    run: str
    checkpoint: str
    path: Path
    files: tuple[ExportedFile, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    selection: Selection
    files: CheckpointFiles
    sources: tuple[Source, ...]
    place: Path  # below the target


def export_checkpoints(
    selections: Sequence[Selection],
    target: Path,
    *,
    force: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[ExportedCheckpoint]:
    """Copy the files of the chosen checkpoints to ``target/<run>/<checkpoint>/``, verified by SHA-256.

    Names of runs and checkpoints become folder names through :func:`engine.text.safe_name`. Everything that can be
    known beforehand (missing or ambiguous files, taken places, free space) is checked before anything is written. The
    final renames are one per checkpoint: a process killed between two of them leaves whole checkpoints, some of them
    new.

    Args:
        selections: the checkpoints; each run and checkpoint once.
        target: the folder to export to; made if missing.
        force: replace exports that are there, each in the moment when the new one is complete. Only folders with a
            ``selection.json`` are replaced: nothing else was made by an export.
        progress: called with bytes done and bytes in all; each byte counts twice, for writing and for reading back.
            It may raise to cancel.

    Returns:
        What was exported, in the order of ``selections``.

    Raises:
        TargetExistsError: one of the places is taken and ``force`` is off.
        ExportError: nothing was exported; says why in one sentence. Nothing half-written is left. The same holds for
            an interrupt (:class:`KeyboardInterrupt`) and whatever ``progress`` raises, which are passed on.
    """
    if not selections:
        raise ExportError("no checkpoint was chosen", "choose at least one")
    plans = [_plan(selection) for selection in selections]
    _check_places(plans, target, force)
    with writing(target):
        sweep(target)
        _check_space(plans, target)
        with staging(target) as folder:
            count = _Counter(sum(source.size for plan in plans for source in plan.sources), progress)
            exported = [_stage(plan, folder, target, count.add) for plan in plans]
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
    return _Plan(selection, files, tuple(Source.of(path) for path in files.files), place)


def _check_places(plans: Sequence[_Plan], target: Path, force: bool) -> None:
    if os.path.lexists(target) and not target.is_dir():
        raise ExportError(f"{visible(str(target))}: is no folder", "choose another one with --to")
    taken: dict[str, Selection] = {}
    for plan in plans:
        # Some file systems do not tell upper from lower case.
        other = taken.setdefault(str(plan.place).casefold(), plan.selection)
        if other is not plan.selection:
            name = f"{visible(plan.selection.run)} / {visible(plan.selection.checkpoint)}"
            if other.run_path == plan.selection.run_path and other.checkpoint == plan.selection.checkpoint:
                raise ExportError(f"{name} was chosen twice", "choose it once")
            raise ExportError(f"two chosen checkpoints are called {name}", "export them to different folders")
        final = target / plan.place
        if os.path.lexists(final):
            _check_replaceable(final, plans, force)


def _check_replaceable(final: Path, plans: Sequence[_Plan], force: bool) -> None:
    name = visible(str(final))
    if not force:
        raise TargetExistsError(f"{name}: exists already", "replace it with --force or choose another folder with --to")
    if final.is_symlink() or not (final / FILE_NAME).is_file():
        raise ExportError(f"{name}: is no export (no {FILE_NAME} in it)", "move it away or choose another folder")
    inside = Path(os.path.realpath(final))
    for plan in plans:
        for source in plan.sources:
            if inside in Path(os.path.realpath(source.path)).parents:
                raise ExportError(
                    f"{name}: {visible(str(source.path))} is to be copied from there", "choose another folder with --to"
                )


def _check_space(plans: Sequence[_Plan], target: Path) -> None:
    needed = sum(source.size for plan in plans for source in plan.sources)
    existing = next(folder for folder in (target.absolute(), *target.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise ExportError(
            f"{visible(str(target))}: {_size(needed)} are needed and {_size(free)} are free",
            "free some space or choose another folder with --to",
        )


def _stage(plan: _Plan, folder: Path, target: Path, advance: Callable[[int], None]) -> ExportedCheckpoint:
    staged, final = folder / "new" / plan.place, target / plan.place
    staged.mkdir(parents=True)
    copied = tuple(
        copy_verified(source, staged / source.path.name, final / source.path.name, advance) for source in plan.sources
    )
    text = selection_json(plan.selection, copied, plan.files.left_out, datetime.now(UTC))
    with writing(final / FILE_NAME):
        atomic_write_bytes(staged / FILE_NAME, text.encode())
    return ExportedCheckpoint(plan.selection.run, plan.selection.checkpoint, final, copied, plan.files.left_out)


def _size(count: int) -> str:
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit else f"{count} B"
