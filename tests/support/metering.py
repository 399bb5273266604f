"""A device that exists in numbers alone: a pass takes as long as a test says, and only who waits for it knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from engine.inference.contract import Prediction


class FakeDevice:
    """Clock and memory counter of a device that works behind the back of the program.

    Work that is queued takes no time until somebody waits for it.

    Args:
        memory: bytes that are allocated before a pass and at its peak, or ``None`` for a device that cannot tell.
    """

    def __init__(self, memory: tuple[int, int] | None = None) -> None:
        self.log: list[str] = []
        self._time = 1000.0
        self._queued = 0.0
        self._memory = memory

    @property
    def memory_note(self) -> str:
        """See :class:`engine.inference.meters.Meter`."""
        return "" if self._memory else "it is a fake"

    def work(self, seconds: float) -> None:
        """Queue some work."""
        self.log.append("pass")
        self._queued += seconds

    def settle(self) -> None:
        self.log.append("settle")

    def synchronize(self) -> None:
        self.log.append("synchronize")
        self._time += self._queued
        self._queued = 0.0

    def now(self) -> float:
        self.log.append("now")
        return self._time

    def start_memory(self) -> int | None:
        self.log.append("start memory")
        return self._memory[0] if self._memory else None

    def peak_memory(self) -> int | None:
        return self._memory[1] if self._memory else None

    def others_memory(self) -> int | None:
        return 0 if self._memory else None


class TickingMeter(FakeDevice):
    """A device on which every pass takes the same time: two readings of its clock are so far apart.

    Args:
        tick: seconds between two readings.
        memory: see :class:`FakeDevice`.
    """

    def __init__(self, tick: float = 0.25, memory: tuple[int, int] | None = None) -> None:
        super().__init__(memory)
        self._tick = tick

    def now(self) -> float:
        self._time += self._tick
        return self._time


class FakeModel:
    """A model whose passes take the times that a test says, one after another.

    Args:
        device: where they take place.
        times: seconds of each pass.
        module: its network.
    """

    name, patch, default_size = "fake", 1, 8

    def __init__(self, device: FakeDevice, times: Iterable[float], module: nn.Module | None = None) -> None:
        self.module = module or nn.Identity()
        self._device = device
        self._times: Iterator[float] = iter(times)

    def predict(self, images: Tensor) -> Prediction:
        """A pass."""
        self._device.work(next(self._times))
        nothing = torch.zeros(())
        return Prediction(nothing, nothing, nothing, nothing)
