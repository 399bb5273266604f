"""What a LoRA is made of on a network: which modules, which rank, which scaling."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from engine.errors import DataError
from engine.text import visible
from engine.training_config import LoraTraining

# Modules that LoRA is put on here. PEFT knows more; none of the families has them.
SUPPORTED = (nn.Linear, nn.Conv1d, nn.Conv2d)


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
