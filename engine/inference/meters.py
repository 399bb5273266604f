"""Clocks and memory counters of devices, as one interface, so that measuring can be tested without a device."""

from __future__ import annotations

import gc
import time
from typing import Protocol

import torch


class Meter(Protocol):
    """The clock and the memory counter of one device."""

    @property
    def memory_note(self) -> str:
        """Why memory is not measured; empty where it is."""

    def settle(self) -> None:
        """Give back what nothing uses any more, so that one measurement does not start with the rest of another."""

    def synchronize(self) -> None:
        """Wait until the device has done all that it was given."""

    def now(self) -> float:
        """A monotonic clock, in seconds."""

    def start_memory(self) -> int | None:
        """Bytes of tensors on the device now; the peak is counted from here on. ``None`` where not measured."""

    def peak_memory(self) -> int | None:
        """The most bytes of tensors on the device at one time since :meth:`start_memory`."""

    def others_memory(self) -> int | None:
        """Bytes of the device's memory that are not this process' tensors or cache: its context and other programs."""


class CpuMeter:
    """The processor: its work is done when a call returns, and it counts no memory.

    The high-water mark of a process holds Python, the libraries, the files that were read and everything that ran
    before, so that it says nothing of one model; a null is said instead.
    """

    memory_note = "on a CPU only the memory of the whole process could be told, not that of one model"

    def settle(self) -> None:
        """Collect garbage."""
        gc.collect()

    def synchronize(self) -> None:
        """Nothing to wait for."""

    def now(self) -> float:
        """See :class:`Meter`."""
        return time.perf_counter()

    def start_memory(self) -> None:
        """Not measured."""

    def peak_memory(self) -> None:
        """Not measured."""

    def others_memory(self) -> None:
        """Not known."""


class CudaMeter:
    """A CUDA device; its memory is what PyTorch's caching allocator has given to tensors.

    Args:
        device: which one.
    """

    memory_note = ""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def settle(self) -> None:
        """Collect garbage and hand cached blocks back to the device."""
        gc.collect()
        torch.cuda.empty_cache()

    def synchronize(self) -> None:
        """Wait for all streams of the device."""
        torch.cuda.synchronize(self._device)

    def now(self) -> float:
        """See :class:`Meter`."""
        return time.perf_counter()

    def start_memory(self) -> int:
        """Bytes allocated now."""
        torch.cuda.reset_peak_memory_stats(self._device)
        return torch.cuda.memory_allocated(self._device)

    def peak_memory(self) -> int:
        """Bytes allocated at the peak."""
        return torch.cuda.max_memory_allocated(self._device)

    def others_memory(self) -> int:
        """See :class:`Meter`."""
        free, total = torch.cuda.mem_get_info(self._device)
        return max(0, total - free - torch.cuda.memory_reserved(self._device))


def meter_of(device: torch.device) -> Meter:
    """The meter of a device."""
    return CudaMeter(device) if device.type == "cuda" else CpuMeter()
