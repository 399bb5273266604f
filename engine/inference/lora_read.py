"""LoRA checkpoints from disk, strictly: every tensor of a file is used or named in an error."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.errors import DataError
from engine.inference.adapter_config import resolve_adapter
from engine.inference.checkpoints import ADAPTER_CONFIG, CheckpointKind, CheckpointSource, adapter_weights
from engine.inference.lora_config import (
    BaseNetwork,
    Recipe,
    resolve_training,
)
from engine.inference.weights import check_fit, read_tensors
from engine.text import listed, visible
from engine.training_config import LoraTraining, find_training, read_training

_PREFIX = "base_model.model."
_FACTOR = re.compile(r"(?P<module>.+)\.lora_(?P<half>[AB])(?:\.(?P<adapter>[^.]+))?\.weight")
_REPLACED = re.compile(r"(?P<module>.+)\.modules_to_save\.(?P<adapter>[^.]+)\.(?P<rest>.+)")
# How PEFT calls what it has wrapped: the layer under LoRA, and the original of a module trained as a whole.
_WRAPPED = re.compile(r"\.(?:base_layer|original_module)(?=\.)")


@dataclass(frozen=True)
class LoraCheckpoint:
    """A checkpoint in memory, checked against its base.

    Attributes:
        source: where it came from.
        recipe: modules, ranks, scaling.
        factors: module name -> (A, B), on the CPU.
        replaced: parameter or buffer name -> what it was trained to, on the CPU.
    """

    source: CheckpointSource
    recipe: Recipe
    factors: Mapping[str, tuple[Tensor, Tensor]]
    replaced: Mapping[str, Tensor]

    @property
    def parameters(self) -> int:
        """How many numbers were trained."""
        return sum(tensor.numel() for tensor in self._tensors())

    @property
    def bytes(self) -> int:
        """How much memory they take."""
        return sum(tensor.numel() * tensor.element_size() for tensor in self._tensors())

    @property
    def changed_modules(self) -> frozenset[str]:
        """Every module whose outputs differ from the base's for the same inputs, by its plain name."""
        return frozenset([*self.factors, *(name.rpartition(".")[0] for name in self.replaced)])

    def _tensors(self) -> Iterable[Tensor]:
        for pair in self.factors.values():
            yield from pair
        yield from self.replaced.values()


@dataclass
class _Sorted:
    """The tensors of a file by what they are."""

    halves: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    replaced: dict[str, Tensor] = field(default_factory=dict)
    others: dict[str, Tensor] = field(default_factory=dict)


def read_checkpoint(
    source: CheckpointSource,
    base: BaseNetwork,
    training: LoraTraining | None = None,
    unused_parts: Iterable[str] = (),
) -> LoraCheckpoint:
    """Read a checkpoint and check it against the base that it is to run on.

    A file that holds a full PEFT state dict must hold the base's own weights, bit for bit.

    Args:
        source: where it is.
        base: the network, with pristine weights.
        training: settings for weights files, which do not hold alpha; else the configuration beside the file is read
            (see :func:`~engine.inference.lora_config.find_training`). An adapter folder has its own.
        unused_parts: name prefixes of parts that the network was built without; a full state dict may hold them.

    Raises:
        DataError: unreadable, does not fit, belongs to another base, holds NaN, or would change nothing.
    """
    if source.kind is CheckpointKind.ADAPTER:
        path = adapter_weights(source.path)
        recipe = resolve_adapter(source.path / ADAPTER_CONFIG, base)
        found = _sort(read_tensors(path), path)
        # In an adapter folder, what was trained as a whole has its plain name.
        found.replaced.update(found.others)
        found.others = {}
    else:
        path = source.path
        found = _sort(read_tensors(path), path)
        if not found.halves:
            raise DataError(f"{visible(str(path))} holds no LoRA tensors", "give LoRA checkpoints; the base is --base")
        recipe = _recipe_of_file(path, base, training, found.replaced)
    _check_base(found.others, base, path, tuple(unused_parts))
    factors = _check_factors(found.halves, recipe, base, path)
    check_fit({name: base.state[name].shape for name in sorted(recipe.trained_whole)}, found.replaced, path, "the base")
    _check_values(factors, found.replaced, recipe, base, path)
    return LoraCheckpoint(
        source,
        recipe,
        # Clones: the file may be mapped, and must not stay so.
        {name: (a.clone(), b.clone()) for name, (a, b) in factors.items()},
        {name: tensor.clone() for name, tensor in found.replaced.items()},
    )


def _recipe_of_file(
    path: Path, base: BaseNetwork, training: LoraTraining | None, replaced: Mapping[str, Tensor]
) -> Recipe:
    shown = visible(str(path))
    where = "the given LoRA configuration"
    if training is None:
        config = find_training(path)
        if config is None:
            raise DataError(
                f"{shown} does not say its LoRA alpha and targets",
                "put the training's configuration beside it or name it with --training",
            )
        training, where = read_training(config), visible(str(config))
    recipe = resolve_training(training, base, where)
    unknown = [name for name in replaced if name not in base.state]
    if unknown:
        raise DataError(f"{shown} replaces {listed(unknown)}, which the model does not have", "check the model")
    # A module is trained as a whole or not at all.
    modules = {name.rpartition(".")[0] for name in replaced}
    whole = frozenset(name for name in base.state if name.rpartition(".")[0] in modules)
    return Recipe(**{**vars(recipe), "trained_whole": whole})


def _sort(tensors: Mapping[str, Tensor], path: Path) -> _Sorted:
    found = _Sorted()
    adapters: set[str] = set()
    for key, tensor in tensors.items():
        name = key.removeprefix(_PREFIX)
        if match := _FACTOR.fullmatch(name):
            halves = found.halves.setdefault(_WRAPPED.sub("", match["module"]), {})
            taken = match["half"] in halves
            halves[match["half"]] = tensor
        elif match := _REPLACED.fullmatch(name):
            plain = f"{match['module']}.{match['rest']}"
            taken = plain in found.replaced
            found.replaced[plain] = tensor
        elif ".lora_" in name:
            raise DataError(f"{visible(str(path))}: {visible(key)} is not of plain LoRA", "use plain LoRA (no DoRA)")
        else:
            plain = _WRAPPED.sub("", name)
            taken = plain in found.others
            found.others[plain] = tensor
        if match is not None and match["adapter"] is not None:
            adapters.add(match["adapter"])
        if len(adapters) > 1:
            raise DataError(
                f"{visible(str(path))} holds several adapters: {listed(sorted(adapters))}", "save them one by one"
            )
        if taken:
            raise DataError(f"{visible(str(path))} holds {visible(key)} twice, under two names", "save it again")
    return found


def _check_base(tensors: Mapping[str, Tensor], base: BaseNetwork, path: Path, unused_parts: tuple[str, ...]) -> None:
    """A full state dict brings its base along: it must be this one."""
    given = {name: tensor for name, tensor in tensors.items() if not name.startswith(unused_parts)}
    if not given:
        return
    wanted = {name: tensor.shape for name, tensor in base.state.items()}
    check_fit(wanted, given, path, "the base")
    different = [name for name, tensor in given.items() if not _same(tensor, base.state[name])]
    if different:
        raise DataError(
            f"{visible(str(path))} belongs to another base: {len(different)} of its {len(given)} base tensors differ "
            f"from the base weights, the first is {visible(different[0])}",
            "name the base that it was trained on with --base",
        )


def _same(given: Tensor, reference: Tensor) -> bool:
    """Equal bit for bit, or as close as the less precise of the two types can say."""
    coarser = min(given.dtype, reference.dtype, key=lambda dtype: dtype.itemsize)
    there = given.to(reference.device)
    return torch.equal(there.to(coarser), reference.detach().to(coarser))


def _check_factors(
    halves: Mapping[str, Mapping[str, Tensor]], recipe: Recipe, base: BaseNetwork, path: Path
) -> dict[str, tuple[Tensor, Tensor]]:
    wanted: dict[str, torch.Size] = {}
    for name, rank in recipe.ranks.items():
        for half, shape in zip("AB", _shapes(base.modules[name], rank), strict=True):
            wanted[f"{name}.lora_{half}"] = shape
    given = {f"{name}.lora_{half}": tensor for name, both in halves.items() for half, tensor in both.items()}
    check_fit(wanted, given, path, "its LoRA configuration")
    return {name: (halves[name]["A"], halves[name]["B"]) for name in recipe.ranks}


def _shapes(module: nn.Module, rank: int) -> tuple[torch.Size, torch.Size]:
    """The shapes of A and B on a layer, as PEFT makes them."""
    if isinstance(module, nn.Linear):
        return torch.Size((rank, module.in_features)), torch.Size((module.out_features, rank))
    if isinstance(module, nn.Conv1d | nn.Conv2d):
        kernel = module.kernel_size
        pointwise = (1,) * len(kernel)
        return (
            torch.Size((rank, module.in_channels, *kernel)),
            torch.Size((module.out_channels, rank // module.groups, *pointwise)),
        )
    raise TypeError(f"no LoRA on {type(module).__name__}")


def _check_values(
    factors: Mapping[str, tuple[Tensor, Tensor]],
    replaced: Mapping[str, Tensor],
    recipe: Recipe,
    base: BaseNetwork,
    path: Path,
) -> None:
    shown = visible(str(path))
    named = [
        (f"{name}.lora_{half}", tensor)
        for name, both in factors.items()
        for half, tensor in zip("AB", both, strict=True)
    ]
    broken = [name for name, tensor in [*named, *replaced.items()] if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise DataError(f"{shown} holds NaN or infinity in {listed(broken)}", "the training diverged: leave it out")
    changes = any(
        recipe.scaling[name] != 0 and bool(a.count_nonzero()) and bool(b.count_nonzero())
        for name, (a, b) in factors.items()
    )
    if not changes and all(_same(tensor, base.state[name]) for name, tensor in replaced.items()):
        raise DataError(
            f"{shown} would change nothing: every update in it is zero", "it was saved before training: leave it out"
        )
