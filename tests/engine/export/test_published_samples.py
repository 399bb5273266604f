"""The published samples: the printed figures, nothing else, and made by their script."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import sample_results
from engine.config import DEFAULT_WEIGHTS
from engine.results.load import load_runs
from engine.schema import SUMMARY, Provenance, RunMetadata
from sample_results.make_published import RUNS, make

PUBLISHED = Path(sample_results.__file__).parent / "published"

# As printed: AbsRel, delta1, RMSE, normal mean, normal inlier 30, plane inlier, photometric inlier, ATE.
PRINTED = {
    ("strategy_b", "baseline"): "1.7214 0.4030 16.50 83.76 0.122 0.141 0.650 3603",
    ("strategy_b", "checkpoint_34"): "0.6107 0.4375 11.02 82.67 0.158 0.200 0.498 3556",
    ("strategy_b_soft", "baseline"): "2.044 0.382 18.13 83.73 0.118 0.149 0.655 3629",
    ("strategy_b_soft", "checkpoint_37"): "0.789 0.386 11.74 81.19 0.173 0.229 0.486 3639",
    ("strategy_b_soft_full", "baseline"): "2.236 0.368 18.40 84.08 0.117 0.149 0.647 3620.31",
    ("strategy_b_soft_full", "checkpoint_45"): "0.819 0.385 11.90 81.10 0.174 0.216 0.480 3620.25",
}
KEYS = (
    "depth.building.abs_rel",
    "depth.building.delta1",
    "depth.building.rmse",
    "normals.building.angular_mean",
    "normals.building.inlier_30",
    "planarity.building.inlier_ratio",
    "photometric.building.inlier_ratio",
    "pose.ate_trans",
)
RESOURCES = {"performance.fps", "performance.latency_sec", "performance.vram_mb"}
SCORES = {
    "strategy_b": (0.26395, 0.34541),
    "strategy_b_soft": (0.25880, 0.29985),
    "strategy_b_soft_full": (0.25320, 0.29090),
}


def stored(run: str) -> pl.DataFrame:
    return pl.read_parquet(PUBLISHED / run / "summary.parquet")


def means(run: str, checkpoint: str) -> dict[str, float]:
    rows = stored(run).filter(pl.col("checkpoint") == checkpoint)
    return dict(zip(rows["metric"], rows["mean"], strict=True))


@pytest.mark.parametrize(("run", "checkpoint"), PRINTED)
def test_the_store_holds_the_printed_figures(run: str, checkpoint: str) -> None:
    expected = dict(zip(KEYS, map(float, PRINTED[run, checkpoint].split()), strict=True))
    held = means(run, checkpoint)
    assert {key: value for key, value in held.items() if key not in RESOURCES} == expected
    assert stored(run).schema == SUMMARY
    assert stored(run).select("std", "median", "min", "max", "count").null_count().row(0) == (stored(run).height,) * 5


def test_resources_are_those_of_two_checkpoints() -> None:
    held = {
        (run, row["checkpoint"], row["metric"]): row["mean"]
        for run in RUNS
        for row in stored(run).filter(pl.col("metric").is_in(RESOURCES)).to_dicts()
    }
    assert held == {
        ("strategy_b", "checkpoint_34", "performance.fps"): 1.12,
        ("strategy_b", "checkpoint_34", "performance.latency_sec"): 0.90,
        ("strategy_b", "checkpoint_34", "performance.vram_mb"): pytest.approx(20300.0),
        ("strategy_b_soft_full", "checkpoint_45", "performance.fps"): 0.45,
        ("strategy_b_soft_full", "checkpoint_45", "performance.latency_sec"): 2.23,
        ("strategy_b_soft_full", "checkpoint_45", "performance.vram_mb"): pytest.approx(20300.0),
    }


def test_the_report_prints_these_figures(shared_data: Path) -> None:
    report = shared_data.parent / "report_zh.md"
    if not report.is_file():
        pytest.skip(f"no report at {report}")
    pairs = re.findall(r"^  - .*: ([0-9.]+) → ([0-9.]+)（", report.read_text("utf-8"), re.MULTILINE)
    columns = [" ".join(column) for start in (0, 8, 16) for column in zip(*pairs[start : start + 8], strict=True)]
    assert columns == list(PRINTED.values()) and len(pairs) == 24


@pytest.mark.parametrize("run", RUNS)
def test_scores_from_rounded_figures_are_what_the_notes_say(run: str) -> None:
    values = []
    for checkpoint in ("baseline", f"checkpoint_{RUNS[run].best}"):
        held = means(run, checkpoint)
        lower = "depth.building.abs_rel"
        parts = [w * (1 - min(held[key], 1.0) if key == lower else held[key]) for key, w in DEFAULT_WEIGHTS.items()]
        values.append(sum(parts))
    assert values == pytest.approx(SCORES[run], abs=1e-9)
    assert RUNS[run].score_from_rounded == f"{values[1]:.5f} ({(values[1] / values[0] - 1) * 100:+.2f} %)"
    assert abs(values[1] - float(RUNS[run].score)) <= 1e-4
    note = next(note for note in RunMetadata.model_validate_json(_json(run)).notes if "composite score" in note)
    assert RUNS[run].score in note and RUNS[run].score_from_rounded in note and "unrounded" in note


def _json(run: str) -> bytes:
    return (PUBLISHED / run / "metadata.json").read_bytes()


def test_the_script_writes_what_is_stored(tmp_path: Path) -> None:
    make(tmp_path)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(PUBLISHED) for path in PUBLISHED.rglob("*") if path.is_file())
    for file in files:
        if file.suffix == ".parquet":
            assert_frame_equal(pl.read_parquet(tmp_path / file), pl.read_parquet(PUBLISHED / file), check_exact=True)
        else:
            assert (tmp_path / file).read_bytes() == (PUBLISHED / file).read_bytes()


def test_the_runs_open_without_an_error() -> None:
    runs = {run.name: run for run in load_runs([PUBLISHED])}
    assert list(runs) == list(RUNS)
    for name, run in runs.items():
        assert (run.baseline, run.status, run.errors) == ("baseline", "ok", ())
        # The report has resources of the best checkpoint only, which the reader says.
        assert all("performance." in str(problem) for problem in run.problems)
        assert run.metadata.provenance is Provenance.PUBLISHED and run.metadata.protocol.name == "compat"
        assert run.checkpoints["checkpoint"].to_list() == ["baseline", f"checkpoint_{RUNS[name].best}"]
