"""The store that the benchmark writes, and both ways of asking it: two independent programs agree."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from benchmarks import store_work
from benchmarks.store import Measured, differences
from benchmarks.store_data import StoreData, is_written, write_store
from benchmarks.store_sql import narrow_query, whole_query
from engine.schema import FRAMES


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark") / "store's"
    assert not is_written(folder)
    assert list(write_store(folder, StoreData(4, 41, 2), threads=2)) == [1, 2, 3, 4]
    assert is_written(folder)
    return folder


def lorascope(store: Path, *, whole: bool = True) -> Measured:
    answer = store_work._lorascope({"store": str(store), "whole": whole})()
    return Measured(0.0, 0.0, 0.0, json.loads(json.dumps(answer)))


def duckdb(store: Path, statements: list[str], tables: list[str], scratch: Path) -> Measured:
    task = {"statements": statements, "tables": tables, "threads": 1, "scratch": str(scratch)}
    return Measured(0.0, 0.0, 0.0, json.loads(json.dumps(store_work._duckdb(task)())))


def test_its_rows_are_those_of_an_evaluation(store: Path) -> None:
    (file,) = (store / "frames" / "checkpoint_2").iterdir()
    rows = pl.read_parquet(file)
    assert rows.schema == FRAMES
    assert rows.filter(pl.col("region") != "").group_by("region").len()["len"].to_list() == [41, 41]
    assert rows.filter(region="").height == 6
    assert rows["window"].is_sorted()
    assert rows["depth.delta1"].drop_nulls().is_between(0, 1).all()
    # Values of one checkpoint are not those of another, nor few.
    (other,) = (store / "frames" / "checkpoint_3").iterdir()
    assert not set(rows["depth.mae"].drop_nulls()) & set(pl.read_parquet(other)["depth.mae"].drop_nulls())


def test_lorascope_and_duckdb_agree(store: Path, tmp_path: Path) -> None:
    ours = lorascope(store)
    theirs = duckdb(store, whole_query(store), ["of_frames", "of_windows"], tmp_path)
    assert len(ours.answer["ranking"]) == 3
    assert len(ours.answer["statistics"]) == 4 * (2 * 25 + 7)
    assert differences(ours, theirs) == []
    assert differences(lorascope(store, whole=False), duckdb(store, narrow_query(store), [], tmp_path)) == []


def test_a_difference_is_seen(store: Path, tmp_path: Path) -> None:
    ours = lorascope(store)
    theirs = duckdb(store, whole_query(store), ["of_frames", "of_windows"], tmp_path)
    ours.answer["statistics"][0][3] += 1e-6
    ours.answer["ranking"].reverse()
    found = differences(ours, theirs)
    assert "the rankings are in another order" in found
    assert any("depth." in text for text in found)


@pytest.mark.parametrize("sizes", [(1, 8, 1), (2, 0, 1), (2, 8, 4)])
def test_sizes_that_make_no_store_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least two checkpoints"):
        StoreData(*sizes)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell")
def test_the_peak_of_memory_is_told() -> None:
    assert 10 < store_work.peak_mb() < 100_000
