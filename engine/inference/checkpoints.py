"""The LoRA checkpoints of a folder, in training order. Looks at names only; opens nothing, imports nothing heavy."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

from engine.errors import DataError, UnknownNameError
from engine.i18n import gettext as _
from engine.results.names import natural_key, unique_name
from engine.text import visible
from engine.training_config import WEIGHT_SUFFIXES

ADAPTER_CONFIG = "adapter_config.json"
# Safetensors first: of two forms of the same weights the one without pickle is read.
ADAPTER_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")

# What trainers write beside the weights to resume.
_TRAINING_STATE = re.compile(
    r"(optimizer|optim|scheduler|scaler|rng_state|random_states|training_args|trainer_state)([._-].*)?", re.IGNORECASE
)


class CheckpointKind(StrEnum):
    """The form that a checkpoint has on disk."""

    ADAPTER = "adapter"  # a PEFT folder: adapter_config.json and the LoRA tensors
    WEIGHTS = "weights"  # a file of tensors: a full PEFT state dict, or its LoRA tensors alone


@dataclass(frozen=True, slots=True)
class CheckpointSource:
    """Where a checkpoint is.

    Attributes:
        name: the folder's name, or the file's without its ending; unique in its list.
        path: the adapter folder or the weights file.
        kind: its form.
    """

    name: str
    path: Path
    kind: CheckpointKind


def discover_checkpoints(path: Path, *, exclude: Collection[Path] = ()) -> list[CheckpointSource]:
    """The checkpoints at ``path``, in natural order of their names (``checkpoint_2`` before ``checkpoint_10``).

    A checkpoint is a PEFT adapter folder, a weights file (``.pt``, ``.pth``, ``.bin``, ``.safetensors``), or a folder
    that holds exactly one of these. ``path`` may itself be one. Hidden entries and a trainer's own state (optimizer
    and the like) do not count.

    Args:
        path: a folder, or a single checkpoint.
        exclude: files that are no checkpoints, e.g. the base weights.

    Raises:
        DataError: no such folder, unreadable, or no checkpoint in it.
    """
    shown = visible(str(path))
    left_out = {excluded.resolve() for excluded in exclude}
    try:
        found = _inspect(path, left_out)
        if found is not None:
            entries = [found]
        elif path.is_dir():
            entries = [
                one for entry in path.iterdir() if not entry.name.startswith(".") and (one := _within(entry, left_out))
            ]
        else:
            path.stat()
            said = _("{path} is neither a folder nor a weights file").format(path=shown)
            raise DataError(said, _("name a folder with checkpoints"))
    except OSError as error:
        raise DataError(f"{shown}: {error.strerror}", _("check the path")) from None
    if not entries:
        remedy = _("they are folders with {file} or files ending in {endings}")
        raise DataError(
            _("{path} holds no checkpoints").format(path=shown),
            remedy.format(file=ADAPTER_CONFIG, endings=", ".join(WEIGHT_SUFFIXES)),
        )
    taken: set[str] = set()
    ordered = sorted(entries, key=lambda entry: (natural_key(entry.name), entry.path.name))
    return [CheckpointSource(unique_name(entry.name, taken), entry.path, entry.kind) for entry in ordered]


def choose(sources: Sequence[CheckpointSource], only: str | None) -> list[CheckpointSource]:
    """Those of some checkpoints that are called by name.

    Args:
        sources: all of them.
        only: names with commas between, in any order; ``*``, ``?`` and ``[34]`` match as in a shell. ``None``: all.

    Returns:
        The chosen ones, in the order of ``sources``.

    Raises:
        UnknownNameError: a name is that of none.
    """
    if only is None:
        return list(sources)
    wanted: set[str] = set()
    for pattern in map(str.strip, only.split(",")):
        # A name that happens to hold such signs is first of all a name.
        exact = [source.name for source in sources if source.name == pattern]
        found = exact or [source.name for source in sources if fnmatchcase(source.name, pattern)]
        if not found:
            raise UnknownNameError("checkpoint", pattern, [source.name for source in sources])
        wanted.update(found)
    return [source for source in sources if source.name in wanted]


def pattern_of(names: Sequence[str]) -> str:
    """What :func:`choose` takes for these names, whatever signs they hold."""
    return ",".join(re.sub(r",|^\s|\s$", "?", re.sub(r"[*?\[]", r"[\g<0>]", name)) for name in names)


def adapter_weights(folder: Path) -> Path:
    """The weights file of an adapter folder.

    Raises:
        DataError: it has none.
    """
    for name in ADAPTER_WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        f"{visible(str(folder))} has {ADAPTER_CONFIG} but no {' or '.join(ADAPTER_WEIGHTS)}", "copy the folder again"
    )


def _inspect(path: Path, left_out: Collection[Path]) -> CheckpointSource | None:
    """The checkpoint that ``path`` itself is."""
    if path.is_dir():
        if (path / ADAPTER_CONFIG).is_file():
            # The name of "." is empty; that of its real place is not.
            return CheckpointSource(path.name or path.resolve().name, path, CheckpointKind.ADAPTER)
        return None
    wanted = path.suffix.lower() in WEIGHT_SUFFIXES and not _TRAINING_STATE.fullmatch(path.name)
    if not wanted or not path.is_file() or path.resolve() in left_out:
        return None
    return CheckpointSource(path.stem, path, CheckpointKind.WEIGHTS)


def _within(entry: Path, left_out: Collection[Path]) -> CheckpointSource | None:
    """The checkpoint that an entry of the folder is, or holds as its only one."""
    found = _inspect(entry, left_out)
    if found is not None or not entry.is_dir():
        return found
    try:
        inner = [one for nested in entry.iterdir() if (one := _inspect(nested, left_out))]
    except PermissionError:
        return None
    return CheckpointSource(entry.name, inner[0].path, inner[0].kind) if len(inner) == 1 else None
