"""What a run says of the machine that it was computed on: the device's name, the versions of libraries."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from engine.schema import DeviceInfo

_LIBRARIES = ("torch", "peft", "numpy", "polars", "opencv-python-headless")
_CPU_FILE = Path("/proc/cpuinfo")


def device_name(device: torch.device) -> str:
    """The maker's name of the device: of the GPU, or of the processor as far as the system tells it; ``cpu`` else."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return _processor() or platform.processor() or "cpu"


def device_info(device: torch.device, dtype: str) -> DeviceInfo:
    """What a run says of the device that computed it, at that precision of the forward pass."""
    return DeviceInfo(name=device_name(device), kind=device.type, dtype=dtype, libraries=library_versions(_LIBRARIES))


def library_versions(packages: Iterable[str]) -> dict[str, str]:
    """Package -> version, of those that are installed."""
    return {name: found for name in packages if (found := _version(name))}


def _processor() -> str:
    try:
        text = _CPU_FILE.read_text("utf-8", errors="replace")
    except OSError:
        return ""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return " ".join(value.split())
    return ""


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
