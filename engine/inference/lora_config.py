"""What a LoRA is made of: which modules, which rank, which scaling; and how a training's settings say it."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from torch import Tensor, nn

from engine.errors import DataError
from engine.inference.weights import WEIGHT_SUFFIXES, listed
from engine.text import visible

# Modules that LoRA is put on here. PEFT knows more; none of the families has them.
SUPPORTED = (nn.Linear, nn.Conv1d, nn.Conv2d)

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


@dataclass(frozen=True)
class Recipe:
    """A LoRA resolved against a base network.

    Attributes:
        ranks: module name -> rank.
        scaling: module name -> factor of the update.
        trained_whole: names of the parameters and buffers that were trained beside LoRA and replaced as a whole.
        rank: the nominal rank.
        alpha: the nominal alpha.
        dropout: during training.
        target_modules: as configured.
    """

    ranks: Mapping[str, int]
    scaling: Mapping[str, float]
    trained_whole: frozenset[str]
    rank: int
    alpha: float
    dropout: float
    target_modules: tuple[str, ...]


@dataclass(frozen=True)
class BaseNetwork:
    """A network before anything was injected into it: its modules and its tensors, by their plain names.

    The tensors are the network's own, so that they follow it from device to device.
    """

    modules: Mapping[str, nn.Module]
    state: Mapping[str, Tensor]

    @classmethod
    def of(cls, module: nn.Module) -> BaseNetwork:
        """Take stock of ``module``."""
        return cls(dict(module.named_modules()), module.state_dict(keep_vars=True))


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


def match_modules(base: BaseNetwork, patterns: tuple[str, ...], where: str) -> list[str]:
    """The modules that a training's patterns mean: Linear, Conv1d and Conv2d whose full name matches one.

    Raises:
        DataError: a pattern matches no such module.
    """
    leaves = [name for name, module in base.modules.items() if isinstance(module, SUPPORTED)]
    found: dict[str, None] = {}
    for pattern in patterns:
        hits = [name for name in leaves if fnmatch.fnmatchcase(name, pattern)]
        if not hits:
            raise DataError(
                f"{where}: target {visible(pattern)!r} matches no layer of the model", "check model and pattern"
            )
        found.update(dict.fromkeys(hits))
    return list(found)


def resolve_training(training: LoraTraining, base: BaseNetwork, where: str) -> Recipe:
    """The recipe of a training's configuration for this base.

    Raises:
        DataError: a pattern matches nothing.
    """
    names = match_modules(base, training.target_modules, where)
    factor = update_scaling(training.alpha, training.rank, training.use_rslora)
    return Recipe(
        dict.fromkeys(names, training.rank),
        dict.fromkeys(names, factor),
        frozenset(),
        training.rank,
        training.alpha,
        training.dropout,
        training.target_modules,
    )


def update_scaling(alpha: float, rank: int, use_rslora: bool) -> float:
    """What PEFT multiplies an update by: ``alpha / rank``, or ``alpha / sqrt(rank)`` with rank stabilisation."""
    return alpha / math.sqrt(rank) if use_rslora else alpha / rank


def _section(path: Path) -> Mapping[str, Any] | None:
    """The ``lora`` section of a file; ``None`` where it has none.

    Raises:
        DataError: the file cannot be read.
    """
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
