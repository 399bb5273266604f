"""The upstream VGGT class through ``evaluate``: random weights, two small frames. Needs the package and 8 GB."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from engine.evaluation.config import EvaluationConfig
from engine.evaluation.runner import evaluate
from engine.results.discovery import discover
from engine.results.load import load_run
from engine.results.native import scan_frames


def test_the_upstream_model_runs_through_evaluate(street: Path, tmp_path: Path) -> None:
    pytest.importorskip("vggt", reason="the package vggt is not installed: pip install 'vggt @ git+…'")
    config = EvaluationConfig(
        data=street, to=tmp_path / "run", model="vggt", base_seed=0, seq_len=2, stride=2, max_seqs=1, size=112
    )
    run = load_run(next(iter(discover([evaluate(config)]))))
    frames = scan_frames(run).filter(pl.col("checkpoint") == "baseline").collect()
    measured = frames.filter((pl.col("region") == "full") & (pl.col("align") == "median"))
    assert measured["depth.abs_rel"].is_not_null().all()
    assert frames.filter(pl.col("region") == "")["pose.rpe_rot_deg"].is_not_null().all()
