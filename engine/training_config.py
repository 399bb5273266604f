"""The configuration of a training: its ``lora`` section, and where it lies beside a checkpoint. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.text import listed, visible

TORCH_SUFFIXES = (".pt", ".pth", ".bin")
SAFETENSORS_SUFFIX = ".safetensors"
WEIGHT_SUFFIXES = (*TORCH_SUFFIXES, SAFETENSORS_SUFFIX)

_TRAINING_SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class LoraTraining:
    """The ``lora`` section of a training's configuration.

    Attributes:
        rank: rank of every pair of factors.
        alpha: the update is scaled by ``alpha / rank`` (``alpha / sqrt(rank)`` with ``use_rslora``).
        target_modules: patterns over full module names; ``*`` (dots too), ``?``, ``[6-9]``, ``[!0]``.
        dropout: during training; without effect here.
        use_rslora: see ``alpha``.
    """

    rank: int
    alpha: float
    target_modules: tuple[str, ...]
    dropout: float = 0.0
    use_rslora: bool = False


def read_training(path: Path) -> LoraTraining:
    """Read the ``lora`` section of a training's YAML or JSON file.

    Raises:
        DataError: no such file, no such section, or a wrong value; names the place.
    """
    shown = visible(str(path))
    section = _section(path)
    if section is None:
        raise DataError(f"{shown} has no section 'lora'", "name the training's configuration")
    return training_from(section, shown)


def training_from(section: Mapping[str, Any], where: str) -> LoraTraining:
    """A ``lora`` section: ``rank``, ``alpha``, ``target_modules``, and optionally ``dropout``, ``use_rslora``.

    Other settings (``learning_rate``, ``enabled: true``) are left alone.

    Args:
        section: the mapping.
        where: what to call it in messages.

    Raises:
        DataError: a setting is missing or wrong, or LoRA was off.
    """
    if section.get("enabled", True) is not True:
        raise DataError(f"{where}: lora.enabled is not true: the training was without LoRA", "name another file")
    for key in ("rank", "alpha", "target_modules"):
        if key not in section:
            raise DataError(f"{where}: lora.{key} is missing", "add it")
    rank = section["rank"]
    if not isinstance(rank, int) or isinstance(rank, bool) or rank < 1:
        raise DataError(f"{where}: lora.rank is {visible(repr(rank))}", "give a positive whole number")
    for key in ("alpha", "dropout"):
        value = section.get(key, 0.0)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
            raise DataError(f"{where}: lora.{key} is {visible(repr(value))}", "give a number")
    patterns = section["target_modules"]
    if isinstance(patterns, str):
        patterns = [patterns]
    if not isinstance(patterns, list | tuple) or not patterns or not all(isinstance(one, str) for one in patterns):
        raise DataError(f"{where}: lora.target_modules is {visible(repr(patterns))}", "give a list of patterns")
    return LoraTraining(
        rank,
        float(section["alpha"]),
        tuple(patterns),
        float(section.get("dropout", 0.0)),
        section.get("use_rslora", False) is True,
    )


def find_training(checkpoint: Path) -> Path | None:
    """The configuration that lies with a checkpoint file: of its own name beside it, else the only one around.

    ``checkpoint_3.yaml`` beside ``checkpoint_3.pt`` wins. Else the folder of the file, then the folder above, is
    searched for a YAML or JSON file with a section ``lora``, leaving out those that belong to another checkpoint.

    Returns:
        ``None`` where there is none.

    Raises:
        DataError: a folder holds more than one.
    """
    for suffix in _TRAINING_SUFFIXES:
        own = checkpoint.with_suffix(suffix)
        if own.is_file():
            return own
    for folder in (checkpoint.parent, checkpoint.resolve().parent.parent):
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            continue  # a folder above that may not be listed has nothing to say
        others = {entry.stem for entry in entries if entry.suffix.lower() in WEIGHT_SUFFIXES}
        configs = [entry for entry in entries if entry.suffix.lower() in _TRAINING_SUFFIXES]
        found = [entry for entry in configs if entry.stem not in others and entry.is_file() and _has_section(entry)]
        if len(found) > 1:
            raise DataError(
                f"{visible(str(folder))} holds more than one LoRA configuration: {listed(e.name for e in found)}",
                "name the right one with --training",
            )
        if found:
            return found[0]
    return None


def _section(path: Path) -> Mapping[str, Any] | None:
    """The ``lora`` section of a file; ``None`` where it has none.

    Raises:
        DataError: the file cannot be read.
    """
    import yaml  # late: only those who read a training need it

    shown = visible(str(path))
    try:
        found = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise DataError(f"{shown}: {error.strerror}", "check the path") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataError(f"{shown} is no valid YAML ({visible(str(error).partition(chr(10))[0])})", "fix it") from None
    section = found.get("lora") if isinstance(found, dict) else None
    return section if isinstance(section, dict) else None


def _has_section(path: Path) -> bool:
    try:
        return _section(path) is not None
    except DataError:
        return False
