"""``lorascope jobs`` on jobs that are files alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.commands import Command
from support.jobs import shard_done, write_beat, write_started

from engine.jobs.presence import Presence
from engine.jobs.record import JobRecord, job_id


@pytest.fixture
def running(tmp_path: Path) -> Path:
    """A job that runs, with something that went wrong."""
    run = tmp_path / "runs" / "alpha"
    journal = write_started(run, windows=5, shard=2)
    shard_done(journal, 0)
    journal.append("shard_failed", shard=1, attempt=3, why="out of memory", set_aside=True)
    config = {"data": "/data", "to": str(run)}
    (run / "job").mkdir()
    JobRecord(job_id(run), run, "2026-01-01T10:00:00", "2026-01-02T10:00:00", config).write()
    (run / "job" / "log.txt").write_text("one\ntwo \x1b[31m\n", "utf-8")
    worker = {"name": "", "host": "h", "pid": 3, "device": "cuda:0", "shard": 2, "memory_mb": 300.4}
    gpu = {"index": 1, "name": "H", "used_mb": 1000.0, "total_mb": 80000.0, "busy_pct": 97.0}
    shards = {"2": {"worker": "", "since": 0.0}}
    write_beat(run, data={"shards": shards, "workers": [{**worker, "gpus": [gpu]}]})
    return run


def test_list(lorascope: Command, running: Path, tmp_path: Path) -> None:
    write_started(tmp_path / "runs" / "beta")
    write_beat(tmp_path / "runs" / "beta", start="gone", host="vm")
    done = lorascope("jobs", "list", tmp_path)
    assert any(
        job_id(running) in line and "alpha" in line and "running" in line and "2/5" in line for line in done.lines
    )
    assert any("beta" in line and "dead" in line for line in done.lines)
    assert any(line.startswith(job_id(tmp_path / "runs" / "beta")) and "is gone" in line for line in done.lines)
    listed = lorascope("jobs", "list", tmp_path, "--format", "json").json["jobs"]
    assert [(job["name"], job["state"], job["set_aside"]) for job in listed] == [
        ("alpha", "running", [1]),
        ("beta", "dead", []),
    ]


def test_show(lorascope: Command, running: Path) -> None:
    text = lorascope("jobs", "show", running).out
    for words in (
        "alpha: running",
        "2 of 5 (40 %)",
        "1 running, 1 done, 1 failed",
        "the job itself on h, cuda:0, shard 2, 1 done, 300 MB, GPU 1 1000 of 80000 MB, 97 % busy",
        "shard 1: set aside after 3 attempts: out of memory",
        "partial: what is computed so far can be read",
        "    two ␛[31m",
    ):
        assert words in text, text
    (shown,) = lorascope("jobs", "show", running, "--format", "json").json["jobs"]
    assert [shard["state"] for shard in shown["shards"]] == ["done", "failed", "running"]


def test_no_jobs(lorascope: Command, tmp_path: Path) -> None:
    assert "no jobs" in lorascope("jobs", "list", tmp_path).out
    assert lorascope("jobs", "list", tmp_path, "--format", "json").json == {"jobs": []}


def test_follow_ends_with_the_job(lorascope: Command, tmp_path: Path) -> None:
    journal = write_started(tmp_path / "run")
    journal.append("finished", seconds=1)
    done = lorascope("jobs", "follow", tmp_path / "run")
    assert done.err == "finished, 0/5 windows\n"
    (line,) = lorascope("jobs", "follow", tmp_path / "run", "--format", "json").lines
    assert json.loads(line)["state"] == "finished"
    write_started(tmp_path / "dead")
    write_beat(tmp_path / "dead", start="gone")
    assert lorascope("jobs", "follow", tmp_path / "dead").code == 1


def test_stop(lorascope: Command, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with Presence(run) as presence:
        write_started(run)
        done = lorascope("jobs", "stop", run, "--wait", "0")
        assert "stopping" in done.lines[-1]
        assert (run / "job" / "stop").read_text("utf-8") == "gracefully"
        while not presence.stopping():
            pass
    lorascope("jobs", "stop", run).failed(2, "nothing works on it")


def test_what_cannot_be_done_is_one_sentence(lorascope: Command, running: Path, tmp_path: Path) -> None:
    lorascope("jobs", "show").failed(2, "needs a job")
    lorascope("jobs", "show", "nothing-like-it").failed(2, "unknown job")
    lorascope("jobs", "follow", running, running).failed(2, "one job")
    lorascope("jobs", "fly").failed(2, "jobs --help")
    write_started(tmp_path / "bare")
    lorascope("jobs", "resume", tmp_path / "bare").failed(2, "was not started as a job", "--detach")


def test_an_evaluation_into_the_folder_of_a_job_is_refused(lorascope: Command, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="evaluating needs the extra `eval`")
    from support.evaluating import BASE_SEED, write_small_street

    run = tmp_path / "run"
    options = ("--base-seed", str(BASE_SEED), "--model", "tiny", "--size", "112", "--seq-len", "4", "--to", run)
    street = write_small_street(tmp_path / "street")
    with Presence(run):
        done = lorascope("evaluate", "--data", street, *options, "--format", "json")
        done.failed(2, "another process is evaluating", "lorascope jobs")
        lorascope("evaluate", "--data", street, *options, "--detach").failed(2, "another process is evaluating")
