"""A job that is started from the app outlives the app, its terminal, and tmux; whoever opens the folder sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.evaluating import BASE_SEED, write_adapters, write_small_street
from support.jobs import wait_for
from support.program import LORASCOPE
from terminal import OpenTerminal, Terminal

from engine.jobs.snapshot import JobState
from engine.jobs.stop import kill
from engine.results.discovery import discover
from engine.results.load import load_run

pytestmark = pytest.mark.e2e
PATIENCE = 300.0
PRESETS = f"""
[launch.presets.small]
model = "tiny"
base_seed = {BASE_SEED}
size = 112
seq_len = 4
stride = 1
shard = 1
"""


def open_launch(terminal: Terminal, folder: Path) -> str:
    """The app in that folder, at Launch."""
    terminal.start([LORASCOPE], cwd=folder)
    terminal.wait_for("6 Launch", PATIENCE)
    terminal.send("6")
    return terminal.wait_for("new evaluation", PATIENCE)


def show_jobs(terminal: Terminal) -> None:
    """The page of jobs; it comes by itself where one is at work by then."""
    for _ in range(2):
        if "progress" in terminal.wait_for(lambda text: "setting" in text or "progress" in text, PATIENCE):
            return
        terminal.send("Tab")
        terminal.wait_until_gone("setting", PATIENCE)


def test_a_job_of_the_app_survives_the_end_of_tmux_and_goes_on_when_it_was_killed(
    open_terminal: OpenTerminal, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="evaluating needs the extra `eval`")
    write_small_street(tmp_path / "street", frames=16)
    write_adapters(tmp_path / "checkpoints", count=2)
    (tmp_path / "lorascope.toml").write_text(PRESETS)
    run = tmp_path / "results" / "street"

    first = open_terminal(120, 40)
    open_launch(first, tmp_path)
    # Data, checkpoints and a free name are found in the folder; the rest is a preset.
    first.wait_for("all 2: checkpoint_0 to checkpoint_1", PATIENCE)
    first.send("o")
    first.wait_for("an empty form", PATIENCE)
    first.send("Enter")
    first.wait_for("none: random ones", PATIENCE)
    first.send("p")
    first.wait_for("13 of 13", PATIENCE)
    first.wait_for("about ", PATIENCE)  # measured
    first.send("Enter")
    first.wait_for(lambda text: "starting" in text or "running" in text, PATIENCE)
    assert wait_for(run, lambda job: job.shards_done > 0).state is JobState.RUNNING
    first.kill()  # tmux kill-server: everything in it gets SIGHUP
    assert wait_for(run, lambda job: job.shards_done > 1 or not job.state.alive).state.alive
    kill(run)
    dead = wait_for(run, lambda job: job.state is JobState.DEAD)

    second = open_terminal(120, 40)
    second.start([LORASCOPE, tmp_path])
    second.wait_for("6 Launch", PATIENCE)
    second.send("6")
    show_jobs(second)
    second.wait_for(lambda text: "dead" in text and "is gone" in text, PATIENCE)
    second.send("r")
    second.wait_for(lambda text: "starting" in text or "running" in text, PATIENCE)
    second.wait_for(lambda text: "street" in text and "/13" in text, PATIENCE)
    ended = wait_for(run, lambda job: job.state not in (JobState.DEAD, JobState.STARTING) and not job.state.alive)
    assert (ended.state, ended.windows_done) == (JobState.FINISHED, 13), "\n".join(ended.log)
    assert dead.windows_done < 13
    second.wait_for("finished", PATIENCE)
    second.wait_for("13/13", PATIENCE)
    second.send("1")
    second.wait_for(lambda text: "street" in text and "ok" in text, PATIENCE)
    second.send("q")
    assert second.exit_code() == 0
    (found,) = discover([run])
    assert load_run(found).status == "ok"
