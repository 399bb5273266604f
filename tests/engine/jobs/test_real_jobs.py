"""Jobs in processes of their own: killed, gone on with, stopped, queued, without space. They end in the same store."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import polars as pl
import psutil  # distributed brings it
import pytest
from support.jobs import PATIENCE, wait_for
from support.program import LORASCOPE
from support.rows import rows

from engine.errors import UsageError
from engine.evaluation.config import make_config
from engine.evaluation.journal import Journal
from engine.jobs.ask import ask_plan
from engine.jobs.snapshot import JobSnapshot, JobState
from engine.jobs.start import resume, start
from engine.jobs.stop import stop
from engine.results.layout import JOURNAL

pytestmark = pytest.mark.e2e
WINDOWS = 25
KILLS = 20


def assert_same(run: Path, reference: Path) -> None:
    """The same store, and no shard was done twice."""
    assert rows(run).equals(rows(reference))
    assert pl.read_parquet(run / "curves.parquet").equals(pl.read_parquet(reference / "curves.parquet"))
    done = [event.data["shard"] for event in Journal(run / JOURNAL).events() if event.kind == "shard"]
    assert sorted(done) == list(range(WINDOWS))


def test_killed_and_gone_on_with_while_another_one_waits(
    settings: dict[str, object], reference: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    config = make_config({**settings, "to": first})
    assert not start(config).joined
    assert start(config).joined, "a second start of the same job is another job"
    with pytest.raises(UsageError, match=r"other settings .*seed"):
        start(make_config({**settings, "to": first, "seed": 1}))
    start(make_config({**settings, "to": second}), queue=True)
    running = wait_for(first, lambda job: job.shards_done >= 2)
    assert (running.state, running.partial) == (JobState.RUNNING, True)
    assert wait_for(second, lambda job: job.state is not JobState.STARTING).state is JobState.QUEUED

    os.kill(running.pid, signal.SIGKILL)
    dead = wait_for(first, lambda job: job.state is JobState.DEAD)
    assert 2 <= dead.windows_done < WINDOWS
    wait_for(second, lambda job: job.state is not JobState.QUEUED)
    # In the queue's order: the second one was started before it is gone on with.
    assert not resume(first, queue=True).joined
    assert wait_for(second, lambda job: not job.state.alive).state is JobState.FINISHED
    assert wait_for(first, lambda job: not job.state.alive).state is JobState.FINISHED
    assert_same(first, reference)
    assert_same(second, reference)
    ends = [list(Journal(run / JOURNAL).events())[-1].time for run in (second, first)]
    assert ends == sorted(ends)


def test_stopped_at_the_next_shard_and_at_once(settings: dict[str, object], reference: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    start(make_config({**settings, "to": run}))
    wait_for(run, lambda job: job.shards_done >= 1)
    stop(run)
    stopped = wait_for(run, lambda job: not job.state.alive)
    assert (stopped.state, stopped.why) == (JobState.STOPPED, "")
    assert stopped.windows_done < WINDOWS
    resume(run)
    wait_for(run, lambda job: job.shards_done > stopped.shards_done)
    stop(run, firmly=True)
    assert wait_for(run, lambda job: not job.state.alive).state is JobState.STOPPED
    resume(run)
    assert wait_for(run, lambda job: not job.state.alive).state is JobState.FINISHED
    assert_same(run, reference)


def test_no_space_left_is_a_sentence_and_it_goes_on_later(
    settings: dict[str, object], reference: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
    # No file may have more than 8 kB: what the first shard writes does not fit, as on a disk that is full.
    limited = ["sh", "-c", 'ulimit -f 16; exec "$@"', "sh", LORASCOPE, "evaluate", *options, f"--to={run}", "--detach"]
    done = subprocess.run(limited, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    failed = wait_for(run, lambda job: not job.state.alive)
    assert failed.state is JobState.FAILED
    assert ": cannot be written (File too large)" in failed.why
    *_, last = Journal(run / JOURNAL).events()
    assert (last.kind, last.data["why"]) == ("stopped", failed.why)
    assert "Traceback" not in "".join(failed.log)
    resume(run)
    assert wait_for(run, lambda job: not job.state.alive).state is JobState.FINISHED
    assert_same(run, reference)


def test_kills_of_random_workers_and_of_the_job_cost_nothing(
    settings: dict[str, object], reference: Path, tmp_path: Path
) -> None:
    """SIGKILL to one of two workers, twenty times, whether it starts, loads its models or computes; once to the job."""
    run = tmp_path / "run"
    chance = random.Random(0)
    start(make_config({**settings, "to": run, "workers": 2}))
    killed: set[int] = set()
    while len(killed) < KILLS:
        job = wait_for(run, lambda job: not job.state.alive or bool(_workers(job, killed)))
        assert job.state.alive, job.why or job.log
        victims = _workers(job, killed)
        if not victims:  # one that just went
            continue
        victim = chance.choice(victims)
        killed.add(victim)
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        if len(killed) == KILLS // 2:
            os.kill(job.pid, signal.SIGKILL)
            assert wait_for(run, lambda job: not job.state.alive).state is JobState.DEAD
            resume(run)
        # A place is given up where workers die again and again and nothing is done.
        elif len(killed) % 4 == 0:
            wait_for(run, lambda later, least=job.shards_done: not later.state.alive or later.shards_done > least)
    ended = wait_for(run, lambda job: not job.state.alive)
    if ended.set_aside:  # by chance one shard cost more than three workers, and was not computed again by itself
        resume(run)
        ended = wait_for(run, lambda job: not job.state.alive)
    assert ended.state is JobState.FINISHED, ended.why or ended.log
    assert_same(run, reference)
    assert any(problem.endswith("was lost") for problem in ended.problems)


def _workers(job: JobSnapshot, killed: set[int]) -> list[int]:
    """The processes of a job's workers, from the moment that they are started."""
    with suppress(psutil.Error):
        children = psutil.Process(job.pid).children()
        return [
            child.pid for child in children if "engine.cluster.worker" in child.cmdline() and child.pid not in killed
        ]
    return []


def test_a_plan_from_a_process_of_its_own(settings: dict[str, object], tmp_path: Path) -> None:
    plan = ask_plan(make_config({**settings, "to": tmp_path / "run"}), timed=False)
    assert (plan["windows"], plan["checkpoints"], plan["seconds"]) == (WINDOWS, ["checkpoint_0", "checkpoint_1"], None)
    assert plan["memory_mb"] is None
    timed = ask_plan(make_config({**settings, "to": tmp_path / "run"}))
    assert timed["seconds"] > 0
    assert timed["memory_mb"] > 50
    assert timed["gpu_memory_mb"] is None
    with pytest.raises(UsageError, match=r"'all'"):
        ask_plan(make_config({**settings, "to": tmp_path / "run", "split": "all"}), timed=False)
    assert not (tmp_path / "run").exists()
