"""The end of an evaluation: fewer files, a summary beside them, and nothing lost when it is killed there."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from support.killed import states
from support.results import load_one
from support.store import curves, frame_row, frames, metadata

from engine.evaluation.finish import finish_store
from engine.evaluation.record import CURVE_SHARDS
from engine.results import layout, summaries
from engine.results.native import scan_frames
from engine.results.writer import write_frames, write_metadata, write_table

NAMES = ("baseline", "checkpoint_1")
SHARDS = 2


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose last shard is computed."""
    folder = tmp_path / "run"
    for shard in range(SHARDS):
        for place, name in enumerate(NAMES):
            rows = frames(
                [
                    *(frame_row(name, f, window=shard, depth__mae=place + shard + f / 8) for f in range(4)),
                    *(frame_row(name, f, window=shard, depth__mae=99.0, align="none") for f in range(4)),
                    frame_row(name, None, window=shard, pose__ate_trans=0.5),
                ]
            )
            write_frames(folder, name, rows, f"{shard:06d}")
        table = curves(*((name, "inlier", "full", 0.01, 0.25 * shard, 1 + shard) for name in NAMES))
        write_table(folder / CURVE_SHARDS / f"{shard:06d}", layout.CURVES, table)
    write_metadata(folder, metadata(*NAMES, status="running"))
    return folder


def test_what_is_left_is_few_files_and_the_same_run(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, rows = load_one(run), scan_frames(load_one(run)).collect()
    assert finish_store(run, "median") == {}
    assert {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()} == {
        "metadata.json",
        "curves.parquet",
        "summary.cache",
        *(f"frames/{name}/joined-000000-000001.parquet" for name in NAMES),
    }
    assert not (run / CURVE_SHARDS).exists()
    assert_frame_equal(scan_frames(load_one(run)).collect(), rows)

    def never(*_: object) -> None:
        raise AssertionError("derived though the evaluation left a summary")

    monkeypatch.setattr(summaries, "summarise_folders", never)
    assert_frame_equal(load_one(run).summary, before.summary, check_exact=True)


def test_killed_at_any_moment_nothing_is_lost_or_counted_twice(run: Path) -> None:
    summary, rows = load_one(run).summary, scan_frames(load_one(run)).collect()
    finish_store(run.parent / "reference", "median")  # nothing there yet: no error either
    copies = list(states(run, lambda folder: finish_store(folder, "median")))
    reference = pl.read_parquet(copies[-1] / layout.CURVES)
    assert reference["y"].to_list() == pytest.approx([0.25 * 2 / 3] * 2)
    assert len(copies) > 15
    for copy in copies:
        assert_frame_equal(scan_frames(load_one(copy)).collect(), rows)
        assert_frame_equal(load_one(copy).summary, summary, check_exact=True)
        # Started again, it ends where an undisturbed one does.
        assert finish_store(copy, "median") == {}
        assert_frame_equal(scan_frames(load_one(copy)).collect(), rows)
        assert_frame_equal(load_one(copy).summary, summary, check_exact=True)
        assert_frame_equal(pl.read_parquet(copy / layout.CURVES), reference)
        assert len(list(copy.rglob("frames/*/*.parquet"))) == len(NAMES)
        assert (copy / layout.SUMMARY_CACHE).is_file()
        assert not list(copy.glob(f"*{CURVE_SHARDS}*"))


def test_a_disk_without_space_for_what_saves_time_fails_nothing(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = load_one(run).summary

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.results.joining.atomic_path", full)
    monkeypatch.setattr("engine.results.summary_cache.atomic_write_bytes", full)
    kept = finish_store(run, "median")
    assert set(kept) == set(NAMES)
    assert "No space left" in kept["baseline"]
    assert_frame_equal(load_one(run).summary, summary, check_exact=True)
    assert not (run / layout.SUMMARY_CACHE).exists()
