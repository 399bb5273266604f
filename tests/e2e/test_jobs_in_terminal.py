"""A job that is started in a terminal outlives it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.evaluating import BASE_SEED, write_small_street
from support.jobs import wait_for
from support.program import LORASCOPE
from terminal import OpenTerminal

from engine.jobs.snapshot import JobState

pytestmark = pytest.mark.e2e


def test_a_job_survives_the_end_of_its_terminal(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="evaluating needs the extra `eval`")
    street, run = write_small_street(tmp_path / "street", frames=16), tmp_path / "run"
    options = ("--base-seed", str(BASE_SEED), "--model", "tiny", "--size", "112", "--seq-len", "4", "--stride", "1")
    terminal = open_terminal(100, 24)
    command = [LORASCOPE, "evaluate", "--data", street, "--to", run, *options, "--shard", "1", "--detach"]
    # The shell stays, so that it is the job's terminal that ends.
    terminal.start(["sh", "-c", '"$@"; exec "$0" jobs follow "$RUN"', LORASCOPE, *command], env={"RUN": str(run)})
    terminal.wait_for("goes on without this terminal", timeout=300)
    assert wait_for(run, lambda job: bool(job.pid)).state in (JobState.STARTING, JobState.RUNNING)
    terminal.kill()  # tmux kill-server: everything in it gets SIGHUP
    ended = wait_for(run, lambda job: not job.state.alive)
    assert (ended.state, ended.windows_done) == (JobState.FINISHED, 13), "\n".join(ended.log)
