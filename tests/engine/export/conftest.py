"""Checkpoints on disk and selections of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from support.checkpoints import Select, selection, write_weights


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder with the weights of two checkpoints and an adapter."""
    return write_weights(tmp_path / "weights")


@pytest.fixture
def select(tmp_path: Path, weights: Path) -> Select:
    """Makes selections of checkpoints in ``weights``."""
    run_path = tmp_path / "runs" / "lora_kitti360_strategy_b"
    run_path.mkdir(parents=True)
    return partial(selection, run_path, weights)
