"""Many LoRA checkpoints on one network: injected once, held in memory, copied into place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from engine.errors import DataError, UnknownNameError
from engine.inference.checkpoints import CheckpointSource
from engine.inference.contract import GeometryModel
from engine.inference.lora_config import BaseNetwork
from engine.inference.lora_read import LoraCheckpoint, read_checkpoint
from engine.training_config import LoraTraining


@dataclass(frozen=True)
class _Group:
    """One injected structure: the LoRA layers of all checkpoints with the same modules and ranks."""

    adapter: str
    layers: dict[str, LoraLayer]
    factors: dict[str, tuple[Tensor, Tensor]]


class AdapterBank:
    """The checkpoints of a run on one model, switched in about a millisecond.

    LoRA layers are injected by PEFT once per structure. Checkpoints of the same modules and ranks share a structure
    (alpha may differ: it is set when they are switched to); others get one of their own, so that any mixture works,
    at the cost of one more set of LoRA parameters on the device for each different structure. Switching copies a
    checkpoint's tensors into the parameters; nothing is reloaded. Modules that a checkpoint trained as a whole are
    overwritten in place, and restored from copies for everything else.

    The bank owns the model's module from here on: do not inject, merge or train on it otherwise. Not thread-safe.

    Args:
        model: with its base weights loaded and nothing injected.

    Raises:
        ValueError: LoRA was injected into the module before.
    """

    def __init__(self, model: GeometryModel) -> None:
        self._module = model.module
        if any(isinstance(layer, LoraLayer) for layer in self._module.modules()):
            raise ValueError("the module holds LoRA layers already")
        self._base = BaseNetwork.of(self._module)
        self._unused_parts: Sequence[str] = getattr(model, "unused_parts", ())
        self._checkpoints: dict[str, LoraCheckpoint] = {}
        self._groups: dict[tuple[tuple[str, int], ...], _Group] = {}
        self._pristine: dict[str, Tensor] = {}
        self._overwritten: tuple[str, ...] = ()
        self._active: str | None = None
        self._switched_to: str | None = None
        self._merged = False

    @property
    def names(self) -> tuple[str, ...]:
        """The checkpoints held, in the order in which they were added."""
        return tuple(self._checkpoints)

    @property
    def active(self) -> str | None:
        """The checkpoint that the model is now; ``None`` for the baseline."""
        return self._active

    def get(self, name: str) -> LoraCheckpoint:
        """The checkpoint of that name: sizes, recipe, changed modules.

        Raises:
            UnknownNameError: it was not added.
        """
        if name not in self._checkpoints:
            raise UnknownNameError("checkpoint", name, self._checkpoints)
        return self._checkpoints[name]

    def changed(self, name: str) -> frozenset[nn.Module]:
        """The modules of the network whose weights or outputs, for equal inputs, are not the base's under a checkpoint.

        By the tensors themselves, not by name: of a tensor that several modules share, all of them.

        Raises:
            UnknownNameError: it was not added.
        """
        checkpoint = self.get(name)
        found: set[nn.Module] = set()
        for layer in self._group(checkpoint).layers.values():
            module = cast(nn.Module, layer)
            found |= set(module.modules()) - set(layer.get_base_layer().modules())
        written = {self._base.state[key].untyped_storage().data_ptr() for key in checkpoint.replaced}
        for module in self._module.modules():
            own = (*module.parameters(recurse=False), *module.buffers(recurse=False))
            if any(tensor.untyped_storage().data_ptr() in written for tensor in own):
                found.add(module)
        return frozenset(found)

    def add(self, source: CheckpointSource, training: LoraTraining | None = None) -> LoraCheckpoint:
        """Read a checkpoint, check it strictly and hold it. The model is the baseline afterwards.

        Args:
            source: where it is.
            training: settings for weights files that have no configuration beside them.

        Raises:
            DataError: it cannot be used; the bank is what it was.
        """
        if source.name in self._checkpoints:
            raise DataError(f"there are two checkpoints named {source.name!r}", "rename one of them")
        self.baseline()
        checkpoint = read_checkpoint(source, self._base, training, self._unused_parts)
        for name in checkpoint.replaced:
            self._pristine.setdefault(name, self._base.state[name].detach().clone())
        self._group(checkpoint)
        self._checkpoints[source.name] = checkpoint
        return checkpoint

    def remove(self, name: str) -> None:
        """Forget a checkpoint and its tensors. The model is the baseline afterwards."""
        self.get(name)
        self.baseline()
        del self._checkpoints[name]

    def release(self) -> None:
        """Take all LoRA layers out of the module and forget all checkpoints.

        The module is what it was before the bank, bit for bit, and nothing of any checkpoint is left on its device.
        Checkpoints may be added anew.
        """
        self.baseline()
        for path, layer in self._lora_layers():
            self._place(path, layer.get_base_layer())
        self._checkpoints.clear()
        self._groups.clear()
        self._pristine.clear()
        self._switched_to = None

    @torch.no_grad()
    def activate(self, name: str) -> None:
        """Make the model this checkpoint.

        Raises:
            UnknownNameError: it was not added.
        """
        checkpoint = self.get(name)
        self._not_while_merged()
        group = self._group(checkpoint)
        self._restore(keep=checkpoint.replaced.keys())
        for module, (a, b) in checkpoint.factors.items():
            into_a, into_b = group.factors[module]
            into_a.copy_(a, non_blocking=True)
            into_b.copy_(b, non_blocking=True)
            group.layers[module].scaling[group.adapter] = checkpoint.recipe.scaling[module]
        for key, tensor in checkpoint.replaced.items():
            self._base.state[key].copy_(tensor, non_blocking=True)
        self._overwritten = tuple(checkpoint.replaced)
        self._switch(group.adapter)
        self._active = name

    @torch.no_grad()
    def baseline(self) -> None:
        """Make the model its plain base again, bit for bit."""
        self._not_while_merged()
        self._restore(keep=())
        self._switch(None)
        self._active = None

    @contextmanager
    def merged(self, name: str | None) -> Iterator[nn.Module]:
        """The plain network with a checkpoint's updates added to its weights, without any LoRA layer, for a while.

        Always merged from pristine weights, which are put back afterwards bit for bit. The model's module is the same
        object, so that the model predicts through it.

        Args:
            name: a checkpoint, or ``None`` for the plain base without LoRA layers.

        Yields:
            The module.

        Raises:
            UnknownNameError: it was not added.
        """
        if name is None:
            self.baseline()
        else:
            self.activate(name)
        layers = self._lora_layers()
        kept: list[tuple[Tensor, Tensor]] = []
        self._merged = True
        try:
            with torch.no_grad():
                for weight, update in self._updates(name):
                    kept.append((weight, weight.detach().clone()))
                    weight += update
            for path, layer in layers:
                self._place(path, layer.get_base_layer())
            yield self._module
        finally:
            for path, layer in layers:
                self._place(path, cast(nn.Module, layer))
            with torch.no_grad():
                for weight, pristine in kept:
                    weight.copy_(pristine)
            self._merged = False

    def _updates(self, name: str | None) -> Iterator[tuple[Tensor, Tensor]]:
        """The base weights that the active checkpoint ``name`` updates, each with its update."""
        if name is not None:
            group = self._group(self._checkpoints[name])
            for layer in group.layers.values():
                weight = cast(Tensor, layer.get_base_layer().weight)
                yield weight, cast(Any, layer).get_delta_weight(group.adapter).to(weight.dtype)

    def _lora_layers(self) -> list[tuple[str, LoraLayer]]:
        return [(path, layer) for path, layer in self._module.named_modules() if isinstance(layer, LoraLayer)]

    def _place(self, path: str, module: nn.Module) -> None:
        parent, _, leaf = path.rpartition(".")
        setattr(self._module.get_submodule(parent), leaf, module)

    def _not_while_merged(self) -> None:
        if self._merged:
            raise RuntimeError("checkpoints cannot be switched while one is merged")

    def _restore(self, keep: Collection[str]) -> None:
        for key in self._overwritten:
            if key not in keep:
                self._base.state[key].copy_(self._pristine[key])
        self._overwritten = ()

    def _switch(self, adapter: str | None) -> None:
        """Let exactly this injected structure take part, or none."""
        if adapter == self._switched_to:
            return
        for layer in {id(layer): layer for group in self._groups.values() for layer in group.layers.values()}.values():
            layer.enable_adapters(adapter is not None)
            if adapter is not None:
                layer.set_adapter([adapter], inference_mode=True)
        self._switched_to = adapter

    def _group(self, checkpoint: LoraCheckpoint) -> _Group:
        ranks = checkpoint.recipe.ranks
        signature = tuple(sorted(ranks.items()))
        if signature not in self._groups:
            self._groups[signature] = self._inject(f"lora{len(self._groups)}", ranks)
        return self._groups[signature]

    def _inject(self, adapter: str, ranks: Mapping[str, int]) -> _Group:
        # PEFT matches ranks by the end of a name: the longest first, so that no name takes another's.
        by_length = sorted(ranks, key=len, reverse=True)
        config = LoraConfig(
            r=max(ranks.values()),
            target_modules="|".join(re.escape(name) for name in ranks),
            rank_pattern={re.escape(name): ranks[name] for name in by_length},
            inference_mode=True,
        )
        with torch.random.fork_rng(devices=[]):
            inject_adapter_in_model(config, self._module, adapter_name=adapter)
        # PEFT's note of what it injected makes it warn of the next one; the bank keeps its own.
        del self._module.peft_config
        layers = {name: cast(LoraLayer, self._module.get_submodule(name)) for name in ranks}
        for layer in layers.values():
            layer.enable_adapters(False)
            cast(nn.Module, layer).train(self._module.training)  # new layers are in train mode
        self._switched_to = None
        factors = {
            name: (cast(Tensor, layer.lora_A[adapter].weight), cast(Tensor, layer.lora_B[adapter].weight))
            for name, layer in layers.items()
        }
        return _Group(adapter, layers, factors)
