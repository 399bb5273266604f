"""The two real runs, read once."""

from __future__ import annotations

from pathlib import Path

import pytest
from analysis_frames import read_json_run

from engine.analysis.overview import RunAnalysis


@pytest.fixture(scope="session")
def strategy_b(shared_data: Path) -> RunAnalysis:
    return read_json_run(shared_data / "kitti360_lora" / "lora_kitti360_strategy_b")


@pytest.fixture(scope="session")
def strategy_b_soft(shared_data: Path) -> RunAnalysis:
    return read_json_run(shared_data / "kitti360_lora" / "lora_kitti360_strategy_b_soft")
