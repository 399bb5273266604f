"""Model families by name. A new family is a module and a line in :data:`FAMILIES`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, cast

from engine.errors import UnknownNameError, UsageError
from engine.inference.contract import GeometryModel

# Name -> "module:factory". Modules are imported when their family is asked for.
FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "vggt": "engine.inference.vggt:build",
        "tiny": "engine.inference.tiny:build",
    }
)


class Factory(Protocol):
    """Builds a model on the CPU, in eval mode."""

    def __call__(self, weights: Path | None, seed: int | None) -> GeometryModel:
        """Exactly one of ``weights`` (a file) and ``seed`` (random weights) is given."""


def build_model(name: str, *, weights: Path | None = None, seed: int | None = None) -> GeometryModel:
    """The model of a family with its base weights, on the CPU, in eval mode.

    A base is a file, or random weights that are asked for by a seed; it is never random by default, since an adapter
    on a random base gives numbers that look like results.

    Args:
        name: a key of :data:`FAMILIES`.
        weights: base weights, ``.safetensors`` or ``.pt``, a local path.
        seed: initialise randomly from this seed instead.

    Raises:
        UnknownNameError: no family of that name.
        UsageError: neither weights nor a seed, or both.
        DataError: the weights do not fit, or the family's package is not installed.
    """
    if name not in FAMILIES:
        raise UnknownNameError("model", name, FAMILIES)
    if weights is None and seed is None:
        raise UsageError(f"model {name!r} has no base weights", "name the file with --base")
    if weights is not None and seed is not None:
        raise UsageError(f"model {name!r} was given base weights and a seed for random ones", "give one of them")
    module_name, _, attribute = FAMILIES[name].partition(":")
    factory = cast(Factory, getattr(importlib.import_module(module_name), attribute))
    return factory(weights, seed)
