"""What sharing knows of a network's modules, of one pass through it, and of one call."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from engine.inference.packed import Kept


@dataclass(slots=True, eq=False)
class Entry:
    """One computed call."""

    template: object  # of what went in
    inputs: tuple[Kept, ...]
    result: object  # template of what came out
    outputs: tuple[Kept, ...]
    ran: frozenset[nn.Module]  # modules that some checkpoint changes and that ran inside


@dataclass(slots=True, eq=False)
class Node:
    """What is known of one module."""

    module: nn.Module
    name: str
    largest: bool = False  # of those that some checkpoint leaves as they are
    wanted: bool | None = None  # whether its outputs are kept; None: not asked yet
    copies: bool = False  # the network writes into its output, so copies are kept and given
    called: bool = False  # ever
    # By the number of the call and what a model changes: calls whose inputs were not the kept ones.
    missed: set[tuple[int, frozenset[nn.Module]]] = field(default_factory=set)
    compared: int = 0  # in this window, as is the next
    hits: int = 0
    entries: dict[int, Entry] = field(default_factory=dict)  # by the number of the call within a pass


@dataclass(slots=True)
class Pass:
    """One model on the window."""

    changed: frozenset[nn.Module]
    touched: frozenset[nn.Module]
    calls: dict[nn.Module, int] = field(default_factory=dict)


def touched_by(network: nn.Module, changed: Collection[nn.Module]) -> frozenset[nn.Module]:
    """The modules that changed, and all that hold one of them."""
    found: set[nn.Module] = set()

    def visit(module: nn.Module) -> bool:
        inside = [visit(child) for child in module.children()]
        if module in changed or any(inside):
            found.add(module)
        return module in found

    visit(network)
    return frozenset(found)


def largest_untouched(network: nn.Module, touched: Collection[nn.Module]) -> Iterator[nn.Module]:
    """The untouched modules whose parent is touched; of a container that cannot be called, its parts."""
    if network not in touched and type(network).forward is not nn.Module.forward:
        yield network
        return
    for child in network.children():
        yield from largest_untouched(child, touched)


def random_states(tensors: tuple[Tensor, ...]) -> list[Tensor]:
    """The states of the generators that a module with these inputs would draw from."""
    devices = {tensor.device for tensor in tensors if tensor.is_cuda}
    return [torch.random.get_rng_state(), *(torch.cuda.get_rng_state(device) for device in devices)]
