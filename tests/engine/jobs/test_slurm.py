"""Workers that Slurm places: the script, and a real Slurm on this machine."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.jobs import wait_for
from support.program import run_lorascope
from support.rows import rows
from support.slurm import Slurm, missing

from engine.errors import DataError, UsageError
from engine.evaluation.config import make_config
from engine.jobs.slurm import SlurmRequest, batch_script, cancel_workers, place_workers, placed_workers
from engine.jobs.snapshot import JobState
from engine.jobs.start import start


def test_the_script(tmp_path: Path) -> None:
    run = tmp_path / "my run"
    lines = batch_script(run, SlurmRequest(3, "gpu:1", "a100", "04:00:00", 8, "32G", ("--account=geo",))).splitlines()
    assert lines[0] == "#!/bin/sh"
    for line in (
        "--array=0-2",
        "--gres=gpu:1",
        "--partition=a100",
        "--time=04:00:00",
        "--cpus-per-task=8",
        "--mem=32G",
        "--requeue",
        "--account=geo",
        f"--output={run}/job/slurm-%A_%a.log",
    ):
        assert f"#SBATCH {line}" in lines
    assert lines[-1].startswith("exec ")
    assert f"-P -m engine.cluster.joining '{run}' --device auto" in lines[-1]
    assert lines[-1].endswith("--device auto")
    assert batch_script(run, SlurmRequest(gres="gpu:a100:2")).splitlines()[-1].endswith("--device cuda:0,cuda:1")
    with pytest.raises(UsageError, match="line break"):
        batch_script(run, SlurmRequest(options=("--comment=a\nrm -r",)))


def test_what_cannot_be_placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="evaluate --cluster"):
        place_workers(tmp_path, SlurmRequest())
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "scheduler.json").touch()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match="sbatch is not there"):
        place_workers(tmp_path, SlurmRequest())
    assert cancel_workers(tmp_path) == []
    assert place_workers(tmp_path, SlurmRequest(), dry_run=True).job == ""


@pytest.fixture
def slurm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slurm]:
    """Two nodes; skipped where Slurm cannot be installed."""
    why = missing()
    if why:
        pytest.skip(why)
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    try:
        with Slurm(folder) as running:
            for name, value in running.environment.items():
                monkeypatch.setenv(name, value)
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.e2e
def test_slurm_places_workers_and_loses_a_node(
    slurm: Slurm, settings: dict[str, object], reference: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    # Nobody computes but those whom Slurm places.
    start(make_config({**settings, "to": run, "cluster": True, "workers": 0, "listen": "127.0.0.1"}))
    wait_for(run, lambda job: (run / "job" / "scheduler.json").exists() or not job.state.alive)
    done = run_lorascope("workers", run, "--slurm", "--nodes", "2", "--gres", "gpu:1", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    (placed,) = placed_workers(run)
    assert placed.job in done.stdout
    both = wait_for(run, lambda job: len({worker.name for worker in job.workers}) == 2 or not job.state.alive)
    assert both.state.alive, both.log
    wait_for(run, lambda job: job.shards_done >= 2 or not job.state.alive)
    slurm.lose_node("n2")
    ended = wait_for(run, lambda job: not job.state.alive)
    assert ended.state is JobState.FINISHED, (ended.why, ended.log, slurm.logs())
    assert rows(run).equals(rows(reference))
    assert any("was lost" in problem for problem in ended.problems), "the node ended before it could be lost"
    assert placed_workers(run) == [], "Slurm still holds workers of a job that has ended"
