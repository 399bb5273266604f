"""Where the files of a checkpoint are: a weights file, or a folder that holds an adapter or one weights file.

In each folder that is looked in, the entries whose name (with or without a weights ending) is the checkpoint's own
count first. Where there is none, those count whose name says the same in other words: upper and lower case, ``-``,
``_``, ``.`` and spaces, leading zeros, and the words ``checkpoint`` and ``ckpt`` make no difference, so that
``checkpoint_34`` is also ``checkpoint-34.safetensors``, ``ckpt034.pt`` or the folder ``34``. Words such as ``epoch``
and ``step`` do: they count different things. The first folder with a match decides; two matches in one folder are an
error.

Files are found by listing folders, never by joining a name from outside to a path.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.errors import ExportError
from engine.export.selection import FILE_NAME, LeftOut, Selection
from engine.i18n import gettext as _
from engine.i18n import pgettext, sentences
from engine.text import visible
from engine.training_config import WEIGHT_SUFFIXES

ADAPTER_CONFIG = "adapter_config.json"
# Safetensors first: of two forms of the same weights the one without pickle goes out.
ADAPTER_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")

# What trainers write beside the weights to resume: large, and of no use to whoever loads the checkpoint.
_TRAINING_STATE = re.compile(
    r"(optimizer|optim|scheduler|scaler|rng_state|random_states|training_args|trainer_state)([._-].*)?", re.IGNORECASE
)
_TOKENS = re.compile(r"\d+|[^\W\d_]+")
_CHECKPOINT_WORDS = frozenset({"checkpoint", "ckpt", "chkpt"})


class CheckpointKind(StrEnum):
    """A single weights file, a PEFT adapter folder, or a folder with one weights file."""

    FILE = "file"
    ADAPTER = "adapter"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """The files of one checkpoint.

    Attributes:
        kind: its form.
        path: the weights file, or the folder.
        files: what to copy: the weights first, links not resolved.
        left_out: what lies beside them in the folder and is not copied.
    """

    kind: CheckpointKind
    path: Path
    files: tuple[Path, ...]
    left_out: tuple[LeftOut, ...] = ()


class _UnfitError(Exception):
    """An entry has the right name but is no checkpoint; the text says why."""


def locate(selection: Selection) -> CheckpointFiles:
    """The files of the selected checkpoint.

    Raises:
        ExportError: they are not found, are found twice in one folder, or cannot be read; names the places.
    """
    name = visible(selection.checkpoint)
    reasons: list[str] = []
    for folder in selection.sources:
        found = _in_folder(folder, selection.checkpoint, reasons)
        if found is not None:
            return found
    if selection.recorded_path is not None:
        base = selection.run_path if selection.run_path.is_dir() else selection.run_path.parent
        recorded = base / selection.recorded_path
        try:
            return _inspect(recorded)
        except _UnfitError as error:
            reasons.append(str(error))
    where = sentences(dict.fromkeys(reasons)) or _("the run does not say where its checkpoints are")
    said = _("{checkpoint}: no weights file or adapter folder ({where})").format(checkpoint=name, where=where)
    raise ExportError(said, _("say where it is with --checkpoints DIR"))


def _in_folder(folder: Path, name: str, reasons: list[str]) -> CheckpointFiles | None:
    shown = visible(str(folder))
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError:
        reasons.append(_("no such folder: {folder}").format(folder=shown))
        return None
    except OSError as error:
        reasons.append(f"{shown}: {error.strerror}")
        return None
    exact = [entry for entry in entries if name in (entry.name, _stem(entry.name))]
    meaning = _meaning(_stem(name))
    alike = [entry for entry in entries if _meaning(_stem(entry.name)) == meaning]
    for candidates in (exact, alike):
        fit = []
        for entry in candidates:
            try:
                fit.append(_inspect(entry))
            except _UnfitError as error:
                reasons.append(str(error))
        if len(fit) > 1:
            names = ", ".join(visible(files.path.name) for files in fit)
            said = _("{checkpoint}: {count} candidates in {folder}: {names}")
            raise ExportError(
                said.format(checkpoint=visible(name), count=len(fit), folder=shown, names=names),
                _("keep one of them, or name another folder with --checkpoints DIR"),
            )
        if fit:
            return fit[0]
    reasons.append(_("not in {folder}").format(folder=shown))
    return None


def _stem(name: str) -> str:
    lowered = name.lower()
    return next((name[: -len(suffix)] for suffix in WEIGHT_SUFFIXES if lowered.endswith(suffix)), name)


def _meaning(name: str) -> tuple[str, ...]:
    tokens = [token.lstrip("0") or "0" if token.isdecimal() else token.casefold() for token in _TOKENS.findall(name)]
    kept = [token for token in tokens if token not in _CHECKPOINT_WORDS]
    # Different scripts or punctuation only: nothing to compare but the name itself.
    return tuple(kept or tokens or [name])


def _inspect(path: Path) -> CheckpointFiles:
    """The checkpoint at ``path``.

    Raises:
        _UnfitError: there is none.
    """
    shown = visible(str(path))
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return _inspect_folder(path)
    except FileNotFoundError:
        said = _("{path} is a link to nothing") if path.is_symlink() else _("{path} is not there")
        raise _UnfitError(said.format(path=shown)) from None
    except OSError as error:
        raise _UnfitError(f"{shown}: {error.strerror}") from None
    except ValueError:  # a recorded path may hold a null byte
        raise _UnfitError(_("{text} is no path").format(text=shown)) from None
    if not stat.S_ISREG(mode) or path.suffix.lower() not in WEIGHT_SUFFIXES:
        said = _("{path} is no weights file ({endings})")
        raise _UnfitError(said.format(path=shown, endings=", ".join(WEIGHT_SUFFIXES)))
    return CheckpointFiles(CheckpointKind.FILE, path, (path,))


def _inspect_folder(folder: Path) -> CheckpointFiles:
    shown = visible(str(folder))
    entries = sorted(folder.iterdir())
    names = {entry.name: entry for entry in entries}
    if ADAPTER_CONFIG in names:
        weights = next((names[name] for name in ADAPTER_WEIGHTS if name in names), None)
        if weights is None:
            said = _("{folder} has {file} but no {others}")
            others = pgettext("between alternatives", " or ").join(ADAPTER_WEIGHTS)
            raise _UnfitError(said.format(folder=shown, file=ADAPTER_CONFIG, others=others))
        return _whole(CheckpointKind.ADAPTER, folder, entries, (weights, names[ADAPTER_CONFIG]))
    weights_here = [entry for entry in entries if _is_weights(entry)]
    adapters = [entry for entry in entries if entry.is_dir() and (entry / ADAPTER_CONFIG).is_file()]
    if len(weights_here) + len(adapters) > 1:
        listed = ", ".join(visible(entry.name) for entry in (*weights_here, *adapters))
        said = _("{folder}: more than one checkpoint in it: {names}").format(folder=shown, names=listed)
        raise ExportError(said, _("keep one of them"))
    if adapters:
        return _inspect_folder(adapters[0])
    if weights_here:
        return _whole(CheckpointKind.FOLDER, folder, entries, (weights_here[0],))
    raise _UnfitError(_("{folder} holds neither an adapter nor weights").format(folder=shown))


def _is_weights(path: Path) -> bool:
    return path.suffix.lower() in WEIGHT_SUFFIXES and not _TRAINING_STATE.fullmatch(path.name) and not path.is_dir()


def _whole(kind: CheckpointKind, folder: Path, entries: list[Path], needed: tuple[Path, ...]) -> CheckpointFiles:
    """The folder as a checkpoint: what it needs, the small files beside it, and what is left out."""
    for entry in needed:
        if not entry.is_file():
            said = _("{path}: a link to nothing") if entry.is_symlink() else _("{path}: no regular file")
            raise ExportError(said.format(path=visible(str(entry))), _("restore it or name another folder"))
    others: list[Path] = []
    left_out: list[LeftOut] = []
    for entry in entries:
        if entry in needed:
            continue
        reason = next(_reasons_against(entry, folder), None)
        if reason is None:
            others.append(entry)
        else:
            left_out.append(LeftOut(entry.name, reason))
    return CheckpointFiles(kind, folder, (*needed, *others), tuple(left_out))


def _reasons_against(entry: Path, folder: Path) -> Iterator[str]:
    # The needed files may be links to anywhere (model caches store them so); any other link that leaves the folder
    # would carry something into the export that nobody looked at.
    if entry.name in ADAPTER_WEIGHTS:
        yield "the same weights in another form"
    if entry.name.lower() == FILE_NAME or _is_earlier_card(entry):
        yield "of an earlier export"
    if _TRAINING_STATE.fullmatch(entry.name):
        yield "training state"
    if entry.is_symlink() and not entry.exists():
        yield "link to nothing"
    if entry.is_dir():
        yield "folder"
    if not entry.is_file():
        yield "no regular file"
    if entry.is_symlink() and Path(os.path.realpath(folder)) not in Path(os.path.realpath(entry)).parents:
        yield "link to outside the folder"


def _is_earlier_card(entry: Path) -> bool:
    """Whether a file is the model card of an earlier export, as it was written then."""
    try:
        card = json.loads((entry.parent / FILE_NAME).read_text(encoding="utf-8"))["card"]
        same = card["name"] == entry.name and card["sha256"] == hashlib.sha256(entry.read_bytes()).hexdigest()
        return bool(same)
    except (OSError, ValueError, RecursionError, LookupError, TypeError):
        return False  # no export, or one without a card
