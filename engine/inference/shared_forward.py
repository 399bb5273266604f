"""Forward passes that share work, and that prove it: what sharing gives is compared with what it replaces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn

from engine.inference.contract import Prediction
from engine.inference.packed import bit_equal
from engine.inference.sharing import PrefixSharing, SharingReport


class SharedForward:
    """Runs the models of one network on windows, sharing what they have in common while that is exact and fits.

    The first model of every kind (a set of changed modules) that was given kept outputs is computed once more without
    them. Where a bit differs, sharing ends, that model's own result counts, and a notice says so; it ends, too, where
    the device's memory runs out.

    Args:
        network: with the adapters of all checkpoints in place.
        changed: name -> modules that this checkpoint changes; see :class:`~engine.inference.sharing.PrefixSharing`.
        forward: runs the network as it is now on images [1, S, 3, H, W].
        limit_bytes: most memory that kept outputs may hold.
    """

    def __init__(
        self,
        network: nn.Module,
        changed: Mapping[str, Collection[nn.Module]],
        forward: Callable[[Tensor], Prediction],
        *,
        limit_bytes: int,
    ) -> None:
        self._sharing = PrefixSharing(network, changed, limit_bytes=limit_bytes)
        self._kind = {name: frozenset(modules) for name, modules in changed.items()}
        self._forward = forward
        self._proven: set[frozenset[nn.Module]] = set()
        self._ended = ""

    @property
    def report(self) -> SharingReport:
        """What sharing did so far, with the reason as its last notice where it has ended."""
        report = self._sharing.report
        return replace(report, notices=(*report.notices, self._ended)) if self._ended else report

    @contextmanager
    def window(self) -> Iterator[None]:
        """While models run on one window."""
        if self._ended:
            yield
            return
        with self._sharing.window():
            yield

    def predict(self, name: str, images: Tensor) -> Prediction:
        """Run the model of that name, which was switched to, within :meth:`window`."""
        if self._ended:
            return self._forward(images)
        before = self._sharing.report.reused
        try:
            with self._sharing.model(name):
                found = self._forward(images)
        except torch.OutOfMemoryError:
            self._end("the device's memory ran out, so sharing has ended; sharing_memory sets what it may hold")
            return self._forward(images)
        kind = self._kind.get(name, frozenset())
        if kind in self._proven or self._sharing.report.reused == before:
            return found
        alone = self._forward(images)
        if _equal(found, alone):
            self._proven.add(kind)
            return found
        again = self._forward(images)
        self._end(
            "sharing has ended: with it this model's output differs from that without it"
            if _equal(alone, again)
            else "sharing has ended: this model gives different outputs for equal inputs, so it cannot be proven exact"
        )
        return alone

    def _end(self, why: str) -> None:
        self._ended = why
        self._sharing.forget()


def _equal(first: Prediction, second: Prediction) -> bool:
    return all(
        bit_equal(getattr(first, name), getattr(second, name))
        for name in ("depth", "confidence", "world_to_camera", "intrinsics")
    )
