"""The rows of a run's store in one order, to compare stores."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from engine.results.discovery import discover
from engine.results.load import load_run
from engine.results.native import scan_frames

KEYS = ["checkpoint", "window", "frame", "region", "align"]


def rows(run: Path) -> pl.DataFrame:
    """All per-frame rows, sorted by what names them."""
    return scan_frames(load_run(next(iter(discover([run]))))).collect().sort(KEYS)
