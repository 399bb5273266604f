"""Frames of the store's schemas for tests of what reads and writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from engine.schema import (
    COST,
    CURVES,
    FRAME_SLICES,
    FRAMES,
    SUMMARY,
    WINDOWS,
    CheckpointInfo,
    ProtocolInfo,
    Role,
    RunMetadata,
)


def frame_row(checkpoint: str, frame: int | None = 0, **values: Any) -> dict[str, Any]:
    """One per-frame row; metrics are given as ``depth__abs_rel``. ``frame=None`` makes it a pose row."""
    row: dict[str, Any] = dict.fromkeys(FRAMES)
    row |= {"checkpoint": checkpoint, "window": 0, "drive": "d", "frame": frame, "align": "median"}
    row |= {"region": "building" if frame is not None else "", "degenerate": False}
    return row | {name.replace("__", "."): value for name, value in values.items()}


def frames(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """A frame of schema ``FRAMES``."""
    return pl.DataFrame(list(rows), schema=FRAMES)


def slice_row(checkpoint: str, frame: int, part: str, by: str = "distance", **values: Any) -> dict[str, Any]:
    """One row of a slice; metrics are given as ``depth__abs_rel``."""
    row: dict[str, Any] = dict.fromkeys(FRAME_SLICES)
    row |= {"checkpoint": checkpoint, "window": 0, "drive": "d", "frame": frame, "align": "median", "pixels": 30}
    row |= {"region": "building" if by == "distance" else "full", "by": by, "slice": part}
    return row | {name.replace("__", "."): value for name, value in values.items()}


def slices(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """A frame of schema ``FRAME_SLICES``."""
    return pl.DataFrame(list(rows), schema=FRAME_SLICES)


def summary(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """A frame of schema ``SUMMARY`` from (checkpoint, metric, mean, std, median, min, max, count)."""
    return pl.DataFrame(list(rows), schema=SUMMARY, orient="row")


def cost(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """A frame of schema ``COST``."""
    return pl.DataFrame(list(rows), schema=COST, orient="row")


def windows(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """A frame of schema ``WINDOWS``."""
    return pl.DataFrame(list(rows), schema=WINDOWS, orient="row")


def curves(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """A frame of schema ``CURVES``."""
    return pl.DataFrame(list(rows), schema=CURVES, orient="row")


def metadata(*checkpoints: str, align: str | None = "median", **fields: Any) -> RunMetadata:
    """Metadata of a run; the checkpoint ``baseline`` has its role."""
    infos = [
        CheckpointInfo(name=name, role=Role.BASELINE if name == "baseline" else Role.CHECKPOINT) for name in checkpoints
    ]
    return RunMetadata(run="run", protocol=ProtocolInfo(align=align), checkpoints=infos, **fields)
