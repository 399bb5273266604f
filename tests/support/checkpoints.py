"""Checkpoints on disk, and selections of them for an export."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from engine.export.selection import Selection

METRICS = (
    {
        "key": "depth.building.abs_rel",
        "label": "AbsRel",
        "unit": "",
        "direction": "lower",
        "baseline": 1.7214,
        "value": 0.6107,
        "delta": -1.1107,
        "delta_pct": -64.5,
    },
    {
        "key": "odd",
        "label": "odd",
        "unit": "",
        "direction": "none",
        "baseline": None,
        "value": float("nan"),
        "delta": None,
        "delta_pct": None,
    },
)

Select = Callable[..., Selection]


def adapter(folder: Path, files: dict[str, bytes] | None = None) -> Path:
    """Write a PEFT adapter folder, with further files in it."""
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"r": 8}))
    (folder / "adapter_model.safetensors").write_bytes(b"weights" * 500)
    for name, content in (files or {}).items():
        (folder / name).write_bytes(content)
    return folder


def write_weights(folder: Path) -> Path:
    """Write two checkpoints (10,240 and 6,000 bytes) and an adapter (about 3,500 bytes)."""
    folder.mkdir()
    (folder / "checkpoint_34.pt").write_bytes(bytes(range(256)) * 40)
    (folder / "checkpoint_36.pt").write_bytes(b"36" * 3000)
    adapter(folder / "checkpoint_37")
    return folder


def selection(run_path: Path, weights: Path, checkpoint: str = "checkpoint_34", **changes: object) -> Selection:
    """A selection of a checkpoint in ``weights``."""
    values: dict[str, object] = {
        "run": "strategy_b",
        "run_path": run_path,
        "checkpoint": checkpoint,
        "sources": (weights,),
        "recorded_path": None,
        "metrics": METRICS,
        "objective": "score",
        "where": "vram_gb <= 24",
        "considered": 51,
        "rejected": 34,
        "protocol": "compat",
        "provenance": "imported",
        "baseline": "baseline",
    }
    return Selection(**{**values, **changes})  # type: ignore[arg-type]
