"""``lorascope jobs``, ``worker`` and ``workers`` in another language: nothing of their own stays English."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from support.commands import Command
from support.jobs import shard_done, write_beat, write_started
from support.odd import english

from engine.liveness import hostname
from engine.results.layout import HEARTBEAT, JOB


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job that runs, with something that went wrong; one on another machine; one that died there."""
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "1"
    journal = write_started(run, windows=5, shard=2)
    shard_done(journal, 0)
    journal.append("shard_failed", shard=1, attempt=3, why="1", set_aside=True)
    journal.append("shard_failed", shard=2, attempt=1, why="1", set_aside=False)
    journal.append("worker_lost", worker="1", why="1")
    worker = {"name": "", "host": "1", "pid": 3, "device": "cuda:0", "shard": 2, "memory_mb": 300.4}
    gpu = {"index": 1, "name": "1", "used_mb": 1000.0, "total_mb": 80000.0, "busy_pct": 97.0}
    idle = {**worker, "name": "2", "shard": None, "gpus": []}
    write_beat(run, data={"shards": {"2": {"worker": "", "since": 0.0}}, "workers": [{**worker, "gpus": [gpu]}, idle]})
    write_started(tmp_path / "2")
    write_beat(tmp_path / "2", start="0", host="3")
    write_started(tmp_path / "4")
    write_beat(tmp_path / "4", start="0", host="3")
    os.utime(tmp_path / "4" / JOB / HEARTBEAT, (0, 0))
    return run


COMMANDS = ["jobs list", "jobs show 1", "jobs show 2", "jobs show 4", "jobs follow 4"]
COMMANDS += [
    "jobs stop 2 --wait 0",
    "jobs stop 4",
    "jobs resume 2",
    "jobs show",
    "jobs show Z",
    "workers 1",
    "workers 1 --cancel",
    "worker --run 9",
    "workers 1 --slurm",
]


@pytest.mark.usefixtures("odd", "running")
@pytest.mark.parametrize("words", COMMANDS)
def test_commands_are_marked(lorascope: Command, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    done = lorascope(*words.split())
    said = (done.out + done.err).replace("lorascope", "")
    assert said.strip()
    allowed = {"jobs", "show", "follow", "stop", "resume", "evaluate", "detach", "cluster", "worker", "GPU", "MB"}
    allowed |= set(re.findall("[A-Za-z]{2,}", hostname()))
    assert english(said) - allowed == set()


@pytest.mark.usefixtures("running")
def test_documents_are_english_in_every_language(lorascope: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def documents() -> list[str]:
        words = (("jobs", "list"), ("jobs", "show", "2"), ("workers", "1"))
        return [lorascope(*each, "--format", "json").out for each in words]

    english_ones = documents()
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert documents() == english_ones
