"""Memory and use of this machine's NVIDIA GPUs, where nvidia-ml-py is installed and there are some."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_MB = 1e6


@dataclass(frozen=True, slots=True)
class GpuUse:
    """One GPU at one moment.

    Attributes:
        index: its number on its machine.
        name: the maker's.
        used_mb: memory that is used, by whomever (1e6 bytes).
        total_mb: memory that it has.
        busy_pct: share of the last moment in which it computed, 0 to 100; ``None`` where that is not told.
    """

    index: int
    name: str
    used_mb: float
    total_mb: float
    busy_pct: float | None


class GpuMeter:
    """Asks for the use of some GPUs again and again.

    Args:
        devices: names as in the configuration: ``cuda``, ``cuda:1``, ``auto`` (all); ``cpu`` has none. As PyTorch
            counts them: among those that ``CUDA_VISIBLE_DEVICES`` leaves.
    """

    def __init__(self, devices: Sequence[str]) -> None:
        self._nvml: Any = None
        self._handles: list[tuple[int, Any]] = []
        try:
            import pynvml

            pynvml.nvmlInit()
            self._nvml = pynvml
            self._handles = self._chosen(devices)
        except Exception:
            # No package, no driver, no device, no right to ask: there is nothing to tell then, and nothing else to do.
            self._nvml = None

    def _chosen(self, devices: Sequence[str]) -> list[tuple[int, Any]]:
        there = [
            (index, self._nvml.nvmlDeviceGetHandleByIndex(index)) for index in range(self._nvml.nvmlDeviceGetCount())
        ]
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        if visible is not None:
            names = [part.strip() for part in visible.split(",") if part.strip()]
            there = [found for name in names for found in there if self._is_called(found, name)]
        if "auto" in devices:
            return there
        places = [0 if name == "cuda" else int(name.partition(":")[2]) for name in devices if name.startswith("cuda")]
        return [there[place] for place in places if place < len(there)]

    def _is_called(self, found: tuple[int, Any], name: str) -> bool:
        index, handle = found
        if name.isdecimal():
            return index == int(name)
        uuid = self._nvml.nvmlDeviceGetUUID(handle)
        return (uuid.decode() if isinstance(uuid, bytes) else str(uuid)).startswith(name)

    def read(self) -> tuple[GpuUse, ...]:
        """Each of the GPUs now; empty where they cannot be asked."""
        found = []
        for index, handle in self._handles if self._nvml is not None else []:
            try:
                name = self._nvml.nvmlDeviceGetName(handle)
                memory = self._nvml.nvmlDeviceGetMemoryInfo(handle)
            except Exception:  # noqa: S112 - as in the beginning: what cannot be asked is not told
                continue
            try:
                busy: float | None = float(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
            except Exception:
                busy = None  # parts of a GPU do not tell
            shown = name.decode() if isinstance(name, bytes) else str(name)
            found.append(GpuUse(index, shown, memory.used / _MB, memory.total / _MB, busy))
        return tuple(found)
