"""The simulation of many workers: its executor hands out every shard once; what it concludes is arithmetic."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="several workers need the extra `cluster`")

from benchmarks.cluster import Rate, Store, report, scheduler_rate, write_shards
from engine.results.joining import join_shards
from engine.results.shards import shard_folders


def test_the_limit_is_the_smaller_rate_times_the_length_of_a_shard() -> None:
    store = Store(54, 0.5, 4.0, 300.0, 0.1, 20.0)
    lines = report([Rate(10, 1.0, 90.0, 0.9, 300.0), Rate(100, 2.0, 50.0, 0.8, 400.0)], store).splitlines()
    assert [line.split() for line in lines[-4:]] == [
        ["1", "s", "50", "/", "4", "first", "limit:", "the", "store"],
        ["10", "s", "500", "/", "40", "first", "limit:", "the", "store"],
        ["60", "s", "3000", "/", "240", "first", "limit:", "the", "store"],
        ["600", "s", "30000", "/", "2400", "first", "limit:", "the", "store"],
    ]


def test_its_shards_are_those_of_a_store(tmp_path: Path) -> None:
    write_shards(tmp_path, 1, 0, 2)
    assert [(folder.name, len(folder.files)) for folder in shard_folders(tmp_path)] == [
        ("baseline", 2),
        ("checkpoint_0", 2),
        ("oracle", 2),
    ]
    assert join_shards(tmp_path) == {}


@pytest.mark.e2e
def test_simulated_workers_take_every_shard(tmp_path: Path) -> None:
    rate = scheduler_rate(tmp_path, 3)
    assert rate.workers == 3
    assert rate.shards_per_second > 0
    assert 0 < rate.busy <= 1
    text = (tmp_path / "run-3" / "journal.jsonl").read_text("utf-8")
    assert text.count('"event": "shard"') == 200 + 12
