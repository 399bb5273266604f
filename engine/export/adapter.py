"""What a checkpoint says of itself, read without any model library: its configuration, the names of its tensors."""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.training_config import find_training, read_training

# The header of a safetensors file: its length in eight bytes, then JSON. The format allows no longer one.
_LONGEST_HEADER = 100_000_000
_FACTOR = re.compile(r"(?:base_model\.model\.)?(?P<module>.+)\.lora_A(?:\.[^.]+)?\.weight")


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """The settings of a PEFT adapter that a reader wants to know; ``None`` where they are not said.

    Attributes:
        rank, alpha, dropout: the nominal ones.
        target_modules: ends of module names, or one regular expression.
        base_model: what the adapter calls its base; often a name on the Hugging Face Hub.
        use_rslora: whether updates are scaled by alpha / sqrt(rank) instead of alpha / rank.
    """

    rank: int | None = None
    alpha: float | None = None
    dropout: float | None = None
    target_modules: tuple[str, ...] = ()
    base_model: str | None = None
    use_rslora: bool = False


def read_adapter(config: Path) -> AdapterFacts:
    """What an ``adapter_config.json`` says; what is missing or of the wrong type there is not said.

    Args:
        config: the file; one that cannot be read says nothing.
    """
    try:
        found = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return AdapterFacts()
    if not isinstance(found, dict):
        return AdapterFacts()
    rank, base, targets = found.get("r"), found.get("base_model_name_or_path"), found.get("target_modules")
    if isinstance(targets, str):
        targets = [targets]
    return AdapterFacts(
        rank=rank if isinstance(rank, int) and not isinstance(rank, bool) else None,
        alpha=_number(found.get("lora_alpha")),
        dropout=_number(found.get("lora_dropout")),
        target_modules=tuple(sorted(one for one in targets if isinstance(one, str)))
        if isinstance(targets, list)
        else (),
        base_model=base if isinstance(base, str) and base else None,
        use_rslora=found.get("use_rslora") is True,
    )


def read_beside(weights: Path) -> AdapterFacts:
    """What the training's configuration that lies with a weights file says; nothing where there is none to be sure of.

    Args:
        weights: the file, where it was found.
    """
    try:
        config = find_training(weights)
        training = read_training(config) if config is not None else None
    except DataError:
        return AdapterFacts()
    if training is None:
        return AdapterFacts()
    return AdapterFacts(
        training.rank, training.alpha, training.dropout, training.target_modules, use_rslora=training.use_rslora
    )


def lora_modules(weights: Path) -> tuple[str, ...]:
    """The full names of the modules that a safetensors file holds LoRA factors for, in their order by name.

    Only the file's header is read. Empty for any other file, and for one that cannot be read.

    Args:
        weights: the file.
    """
    if weights.suffix.lower() != ".safetensors":
        return ()
    try:
        with weights.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > _LONGEST_HEADER:
                return ()
            header = json.loads(file.read(length))
    except (OSError, struct.error, ValueError, RecursionError):
        return ()
    names = header if isinstance(header, dict) else {}
    return tuple(sorted(match["module"] for name in names if (match := _FACTOR.fullmatch(name))))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
