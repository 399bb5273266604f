"""Snapshots of jobs from their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.jobs import shard_done, write_beat, write_started

from engine.errors import DataError, UnknownNameError
from engine.evaluation.journal import Event
from engine.jobs import registry
from engine.jobs.command import evaluate_command
from engine.jobs.files import JobFiles
from engine.jobs.listing import choose_job, find_jobs, look_at_all
from engine.jobs.progress import Progress
from engine.jobs.queue import ahead_of
from engine.jobs.record import JobRecord, job_id, read_record
from engine.jobs.snapshot import JobState, ShardState
from engine.jobs.watch import JobWatch


def record(run: Path, **changes: object) -> JobRecord:
    fields = {"id": job_id(run), "run": run, "created": "2026-01-01T00:00:00", "started": "2026-01-01T00:00:00"}
    return JobRecord(**{**fields, **changes})  # type: ignore[arg-type]


def write_record(run: Path, **changes: object) -> JobRecord:
    (run / "job").mkdir(parents=True, exist_ok=True)
    made = record(run, **changes)
    made.write()
    return made


def test_a_job_that_runs(tmp_path: Path) -> None:
    run = tmp_path / "run"
    journal = write_started(run, windows=5, shard=2)
    journal.append("checkpoint_failed", checkpoint="b", why="no tensors")
    shard_done(journal, 0, worker="gpu0")
    journal.append("shard_failed", shard=1, attempt=1, why="out of memory", set_aside=False)
    gpu = {"index": 0, "name": "H", "used_mb": 10.0, "total_mb": 80.0, "busy_pct": 50.0}
    worker = {"host": "h", "pid": 7, "device": "cuda:0", "shard": 1, "memory_mb": 1.0, "gpus": [gpu]}
    write_beat(run, data={"shards": {"1": {"worker": "gpu0", "since": 100.0}}, "workers": [{"name": "gpu0", **worker}]})
    found = JobWatch(run, clock=lambda: 104.0).snapshot()
    assert (found.state, found.detached) == (JobState.RUNNING, False)
    assert (found.windows_done, found.windows, found.share) == (2, 5, 0.4)
    assert [(shard.state, shard.windows, shard.worker) for shard in found.shards] == [
        (ShardState.DONE, 2, "gpu0"),
        (ShardState.RUNNING, 2, "gpu0"),
        (ShardState.WAITING, 1, ""),
    ]
    assert [shard.seconds for shard in found.shards] == [1.5, 4.0, None]
    assert (found.shards[1].failures, found.shards[1].why) == (1, "out of memory")
    assert [(one.name, one.done, one.why) for one in found.checkpoints] == [
        ("baseline", 2, ""),
        ("a", 2, ""),
        ("b", 0, "no tensors"),
    ]
    (shown,) = found.workers
    assert (shown.name, shown.shard, shown.done, shown.gpus[0].busy_pct) == ("gpu0", 1, 1, 50.0)
    assert found.problems == ("checkpoint b: no tensors", "shard 1: attempt 1 failed: out of memory")


def test_what_is_new_is_read_and_half_a_line_is_not(tmp_path: Path) -> None:
    journal = write_started(tmp_path)
    watch = JobWatch(tmp_path)
    assert watch.snapshot().windows_done == 0
    shard_done(journal, 0)
    line = (tmp_path / "journal.jsonl").read_bytes()
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"event": "shard", "ti')
    assert watch.snapshot().windows_done == 2
    with (tmp_path / "journal.jsonl").open("wb") as file:
        file.write(line)
    shard_done(journal, 2)
    assert watch.snapshot().windows_done == 3
    (tmp_path / "journal.jsonl").unlink()
    write_started(tmp_path, windows=9)
    assert watch.snapshot().windows == 9


def test_how_jobs_end(tmp_path: Path) -> None:
    run = tmp_path
    journal = write_started(run)
    write_beat(run, start="gone")
    watch = JobWatch(run)
    assert watch.snapshot().state is JobState.DEAD
    assert "is gone" in watch.snapshot().why
    write_beat(run, phase="ended", why="the disk is full")
    assert (watch.snapshot().state, watch.snapshot().why) == (JobState.FAILED, "the disk is full")
    write_beat(run, phase="ended")
    assert watch.snapshot().state is JobState.STOPPED
    journal.append("shard_failed", shard=1, attempt=3, why="no", set_aside=True)
    journal.append("stopped", done=0, of=3, set_aside=[1])
    assert watch.snapshot().why == "1 of 3 shards are set aside"
    assert [shard.number for shard in watch.snapshot().set_aside] == [1]
    journal.append("resumed", done=0, of=3)
    assert watch.snapshot().set_aside == ()
    journal.append("stopped", done=0, of=3, why="no space left")
    write_beat(run, start="gone")
    assert (watch.snapshot().state, watch.snapshot().why) == (JobState.FAILED, "no space left")
    journal.append("finished", seconds=1)
    assert watch.snapshot().state is JobState.FINISHED
    assert not watch.snapshot().partial


@pytest.mark.parametrize(
    ("phase", "state"), [("queued", JobState.QUEUED), ("loading", JobState.STARTING), ("cost", JobState.RUNNING)]
)
def test_phases(tmp_path: Path, phase: str, state: JobState) -> None:
    write_started(tmp_path)
    write_beat(tmp_path, phase=phase)
    assert JobWatch(tmp_path).snapshot().state is state
    JobFiles(tmp_path).stop.write_text("gracefully", "utf-8")
    assert JobWatch(tmp_path).snapshot().state is JobState.STOPPING


def test_last_words_where_the_folder_could_not_be_written(tmp_path: Path) -> None:
    write_started(tmp_path)
    write_beat(tmp_path, start="gone")
    registry.register(write_record(tmp_path))
    registry.leave_words(tmp_path, "read-only")
    assert JobWatch(tmp_path).snapshot().why == "read-only"
    registry.register(record(tmp_path, started="2026-01-02"))
    assert JobWatch(tmp_path).snapshot().state is JobState.DEAD


def test_the_rate_is_over_what_was_done_since_the_last_start() -> None:
    progress = Progress()
    settings = {"shard": 2, "checkpoint_files": {}}
    progress.take(Event("started", {"settings": settings, "windows": 9}, "2026-01-01T00:00:00"))
    assert progress.windows_per_second is None
    done = {"seconds": 1, "failed_windows": {"1": "torn"}, "failed_checkpoints": {}}
    progress.take(Event("shard", {"shard": 0, **done}, "2026-01-01T00:00:10"))
    assert progress.windows_per_second == pytest.approx(0.2)
    progress.take(Event("resumed", {}, "2026-01-02T00:00:00"))
    assert progress.windows_per_second is None
    progress.take(Event("shard", {"shard": 4, **done}, "2026-01-02T00:00:04"))
    progress.take(Event("shard", {"shard": 4, **done}, "2026-01-02T00:00:05"))
    assert progress.windows_per_second == pytest.approx(0.25)
    assert (progress.windows_done, progress.shards, progress.failed_windows) == (3, 5, {1: "torn"})


def test_jobs_are_found_below_folders_and_remembered(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    write_started(here / "deep" / "one")
    write_record(here / "two")
    (here / "data_2d_raw").mkdir()
    registry.register(write_record(there / "three"))
    registry.register(record(tmp_path / "removed"))
    assert find_jobs([here], known=False) == [here / "deep" / "one", here / "two"]
    assert find_jobs([here]) == [here / "deep" / "one", here / "two", there / "three"]
    assert choose_job("three") == there / "three"
    assert choose_job(job_id(there / "three")[:6]) == there / "three"
    assert choose_job(str(here / "two")) == here / "two"
    with pytest.raises(UnknownNameError, match="three"):
        choose_job("thre")
    JobFiles(here / "two").record.write_text("{", "utf-8")
    with pytest.raises(DataError, match=r"job\.json"):
        read_record(here / "two")
    assert [one.state for one in look_at_all([here / "two"])] == [JobState.FAILED]


def test_a_queue_waits_for_what_was_started_before_on_the_same_devices(tmp_path: Path) -> None:
    host = "h"
    made = {}
    for place, (name, device) in enumerate([("a", "cuda:0"), ("b", "cuda:1"), ("c", "auto"), ("d", "cuda:0,cuda:2")]):
        run = tmp_path / name
        made[name] = write_record(run, started=f"2026-01-0{place + 1}", host=host, config={"device": device})
        registry.register(made[name])
        write_beat(run)

    def ahead(name: str) -> list[str]:
        return [run.name for run in ahead_of(made[name])]

    assert [ahead(name) for name in made] == [[], [], ["a", "b"], ["a", "c"]]
    write_beat(tmp_path / "a", phase="ended")
    assert ahead("d") == ["c"]
    write_beat(tmp_path / "c", start="killed")
    assert ahead("d") == []


def test_the_command_that_does_the_same() -> None:
    config = {"data": "/a b", "to": "run", "max_seqs": 3, "sharing": False, "cluster": True, "name": None}
    text = evaluate_command(config, cost=True, queue=True, detach=True)
    assert text == (
        "lorascope evaluate --data '/a b' --to run --max-seqs 3 --no-sharing --cluster --cost --detach --queue"
    )
    assert "cluster" not in evaluate_command({"cluster": False, "sharing": True})
