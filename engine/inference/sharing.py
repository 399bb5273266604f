"""Work that models have in common is done once: a module that is called with equal inputs returns its first output.

A base and its LoRA checkpoints run one after the other on the same window. What no adapter reaches computes the same
again and again: the patch embedding and the early blocks, parts of a head. :class:`PrefixSharing` wraps the modules of
any network while a window is computed; it knows neither their names nor how they are connected. Three facts make an
output the same, and all three are looked at, not assumed: the inputs are equal bit for bit, no weight of the module
changed, and nothing that changed ran inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from engine.inference.packed import Kept, held_bytes, pack, unpack
from engine.inference.sharing_parts import Entry, Node, Pass, largest_untouched, random_states, touched_by

# A missed call is looked into where more than this share of its input bytes was equal: that part may be worth keeping.
_PARTLY = 0.05


@dataclass(frozen=True, slots=True)
class SharingReport:
    """What sharing did so far.

    Attributes:
        modules: how many modules gave an output again at least once in the last window.
        reused: calls that were answered with a kept output.
        computed: calls whose output was kept.
        peak_bytes: most memory that kept tensors held at a time.
        limit_bytes: most that they may hold.
        notices: what a user should know, in sentences.
    """

    modules: int
    reused: int
    computed: int
    peak_bytes: int
    limit_bytes: int
    notices: tuple[str, ...]


class PrefixSharing:
    """Shares the work of models that differ in some modules of one network.

    Between windows the network is untouched; nothing is kept from one window to the next but which modules were worth
    keeping. The network must be in eval mode, and its inputs must not be written to while a window is computed.

    Writes into kept tensors are noticed by PyTorch's version counters; what was made in inference mode has none and is
    copied. A module that writes into its inputs, draws random numbers, or takes or gives anything but tensors and plain
    values in tuples, lists and dictionaries is computed every time; its parts may still be shared.

    Args:
        network: the network with the adapters of all checkpoints in place.
        changed: name -> the modules that this model changes; their outputs, and the values of their own parameters,
            differ from the base's. A model without an entry is the base.
        limit_bytes: most memory that kept tensors may hold; what does not fit is computed again.
    """

    def __init__(self, network: nn.Module, changed: Mapping[str, Collection[nn.Module]], *, limit_bytes: int) -> None:
        self._network = network
        self._changed = {name: frozenset(modules) for name, modules in changed.items()}
        self._ever_changed = frozenset().union(*self._changed.values())
        self._limit = limit_bytes
        self._nodes = {module: Node(module, name) for name, module in network.named_modules()}
        self._weighs = {module: any(True for _ in module.parameters()) for module in self._nodes}
        self._touched: dict[str, frozenset[nn.Module]] = {}
        for name, modules in self._changed.items():
            touched = self._touched[name] = touched_by(network, modules)
            for module in largest_untouched(network, touched):
                if self._weighs[module]:
                    self._nodes[module].largest = self._nodes[module].wanted = True
        self._pass: Pass | None = None
        self._running: list[set[nn.Module]] = []  # of every call that is being computed and kept: what ran inside
        self._held: dict[int, int] = {}
        self._modules = self._reused = self._computed = self._peak = 0
        self._notices: dict[str, None] = {}

    @property
    def report(self) -> SharingReport:
        """What sharing did so far."""
        return SharingReport(self._modules, self._reused, self._computed, self._peak, self._limit, tuple(self._notices))

    @contextmanager
    def window(self) -> Iterator[None]:
        """While models run on one window. The network's modules are wrapped; afterwards all is as it was.

        Raises:
            ValueError: a module is in train mode, where dropout and statistics make equal inputs give other outputs.
        """
        self._refuse_training()
        with self._wrapped():
            try:
                yield
            finally:
                self._learn()

    @contextmanager
    def model(self, name: str) -> Iterator[None]:
        """While the model of that name runs once; it has been switched to."""
        self._refuse_training()
        self._pass = Pass(self._changed.get(name, frozenset()), self._touched.get(name, frozenset()))
        self._running.clear()
        try:
            yield
        finally:
            self._pass = None

    def forget(self) -> None:
        """Drop everything kept of this window and free its memory."""
        for node in self._nodes.values():
            node.entries.clear()
        self._held.clear()

    def _refuse_training(self) -> None:
        for module, node in self._nodes.items():
            if module.training:
                raise ValueError(f"{node.name or 'the network'} is in train mode; outputs are shared in eval mode only")

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        own = {module: module.__dict__["forward"] for module in self._nodes if "forward" in module.__dict__}
        for module, node in self._nodes.items():
            module.__dict__["forward"] = self._wrapper(node, module.forward)
        try:
            yield
        finally:
            for module in self._nodes:
                del module.__dict__["forward"]
            for module, forward in own.items():
                module.__dict__["forward"] = forward

    def _wrapper(self, node: Node, forward: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            return self._call(node, forward, args, kwargs)

        return wrapped

    def _call(self, node: Node, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        now = self._pass
        node.called = True
        if self._running and node.module in self._ever_changed:
            for ran in self._running:
                ran.add(node.module)
        if now is None or not node.wanted or node.module in now.touched or (self._running and not node.largest):
            return forward(*args, **kwargs)
        place = now.calls[node.module] = now.calls.get(node.module, -1) + 1
        entry = node.entries.get(place)
        if entry is None:
            return self._compute(node, now, place, forward, args, kwargs)
        if entry.ran & now.changed or (place, now.changed) in node.missed:
            return forward(*args, **kwargs)
        node.compared += 1
        call = pack((args, kwargs))
        if call is not None and call.template == entry.template and self._matches(node, entry, call.tensors):
            node.hits += 1
            self._reused += 1
            for ran in self._running:
                ran |= entry.ran
            return unpack(entry.result, [kept.give() for kept in entry.outputs])
        if not node.entries:  # it was written into; what differs is not known
            return forward(*args, **kwargs)
        # What differs by what one checkpoint changes differs for all that change the same: they need not be compared.
        node.missed.add((place, now.changed))
        return forward(*args, **kwargs)

    def _matches(self, node: Node, entry: Entry, tensors: tuple[Tensor, ...]) -> bool:
        """Whether the entry answers a call with these inputs."""
        if not all(kept.intact for kept in (*entry.inputs, *entry.outputs)):
            # The network writes into what goes in or comes out: from now on copies are kept and given.
            node.copies = True
            node.compared = 0
            node.entries.clear()
            self._held = held_bytes(
                kept.tensor
                for other in self._nodes.values()
                for left in other.entries.values()
                for kept in (*left.inputs, *left.outputs)
            )
            return False
        equal = [kept.equals(tensor) for kept, tensor in zip(entry.inputs, tensors, strict=True)]
        if all(equal):
            return True
        if not node.hits:
            total = sum(tensor.nbytes for tensor in tensors)
            same = sum(tensor.nbytes for tensor, is_equal in zip(tensors, equal, strict=True) if is_equal)
            if same > _PARTLY * total:
                self._look_into(node.module)
        return False

    def _look_into(self, module: nn.Module) -> None:
        for child in module.children():
            node = self._nodes[child]
            if node.wanted is None and self._weighs[child]:
                node.wanted = True

    def _compute(
        self,
        node: Node,
        now: Pass,
        place: int,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Compute a call and keep it, if it can be kept."""
        call = pack((args, kwargs))
        if call is None:
            self._give_up(node)
            return forward(*args, **kwargs)
        inputs = tuple(Kept.of(tensor, copy=node.copies) for tensor in call.tensors)
        random = random_states(call.tensors)
        ran: set[nn.Module] = set()
        self._running.append(ran)
        try:
            found = forward(*args, **kwargs)
        finally:
            self._running.pop()
        result = pack(found)
        states = zip(random, random_states(call.tensors), strict=True)
        drawn = any(not torch.equal(before, after) for before, after in states)
        if drawn:
            self._notices[f"{node.name} draws random numbers and is computed for every checkpoint"] = None
        unwritten = all(kept.equals(tensor) for kept, tensor in zip(inputs, call.tensors, strict=True))
        if result is None or drawn or not unwritten:
            self._give_up(node)
            return found
        if ran & now.changed:
            return found
        outputs = tuple(Kept.of(tensor, copy=node.copies) for tensor in result.tensors)
        held = held_bytes(kept.tensor for kept in (*inputs, *outputs))
        more = sum(size for address, size in held.items() if address not in self._held)
        total = sum(self._held.values()) + more
        if total > self._limit:
            self._notices[
                f"outputs to share need more than the {self._limit / 1e6:.0f} MB that they may hold; "
                "what does not fit is computed for every checkpoint"
            ] = None
            return found
        self._held |= held
        self._peak = max(self._peak, total)
        self._computed += 1
        node.entries[place] = Entry(call.template, inputs, result.template, outputs, frozenset(ran))
        return found

    def _give_up(self, node: Node) -> None:
        """Never keep this module's outputs; its parts are asked from now on."""
        node.wanted = False
        self._look_into(node.module)

    def _learn(self) -> None:
        """At the end of a window: what was compared and never equal is not kept again."""
        self._modules = sum(node.hits > 0 for node in self._nodes.values())
        for node in self._nodes.values():
            if node.compared and not node.hits:
                node.wanted = False
            elif node.wanted and not node.called:  # its parts are called past it
                node.wanted = None
                self._look_into(node.module)
            node.compared = node.hits = 0
        self.forget()
