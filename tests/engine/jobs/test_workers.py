"""Workers: where they compute, who is let in, what becomes of shards that go wrong, and of a job that dies."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from pathlib import Path

import pytest
from support.jobs import PATIENCE, wait_for
from support.program import LORASCOPE, run_lorascope
from support.rows import rows
from support.spoiled import spoil

from engine.errors import DataError, UsageError
from engine.evaluation.config import make_config
from engine.evaluation.journal import Journal
from engine.jobs.snapshot import JobState, ShardState
from engine.jobs.start import resume, start
from engine.results.layout import JOURNAL

pytest.importorskip("distributed", reason="several workers need the extra `cluster`")

from engine.cluster.contact import announce, read_contact, withdraw
from engine.cluster.keys import make_keys, security
from engine.cluster.local import slots_for


@pytest.mark.parametrize(
    ("devices", "workers", "visible", "expected"),
    [
        (["cpu"], 2, None, [("cpu-0", "cpu", None), ("cpu-1", "cpu", None)]),
        (["auto"], 1, None, [("auto", "auto", None)]),
        (["cuda:0", "cuda:1"], 2, None, [("cuda:0", "cuda:0", "0"), ("cuda:1", "cuda:0", "1")]),
        (["cuda:1"], 1, "4,7", [("cuda:1", "cuda:0", "7")]),
        (
            ["cuda:0", "cuda:1"],
            3,
            None,
            [("cuda:0-0", "cuda:0", "0"), ("cuda:1-0", "cuda:0", "1"), ("cuda:0-1", "cuda:0", "0")],
        ),
        (["cuda:2"], 0, None, []),
    ],
)
def test_places(
    devices: list[str], workers: int, visible: str | None, expected: list[tuple[str, str, str | None]]
) -> None:
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    slots = slots_for(devices, workers, environment, cores=8)
    assert [(slot.name, slot.device, slot.environment.get("CUDA_VISIBLE_DEVICES")) for slot in slots] == expected
    assert all(slot.environment["OMP_NUM_THREADS"] == str(8 // workers) for slot in slots)
    (chosen,) = slots_for(["cpu"], 1, {"OMP_NUM_THREADS": "3"}, cores=8)
    assert "OMP_NUM_THREADS" not in chosen.environment, "what the user set is not changed"


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    make_keys(tmp_path)
    folder = tmp_path / "job" / "keys"
    key = folder / "key.pem"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600, 0o600]
    before = key.read_bytes()
    make_keys(tmp_path)
    assert key.read_bytes() == before, "workers of an earlier start must still be let in"
    assert "PRIVATE" not in repr(security(tmp_path))
    key.chmod(0o640)
    with pytest.raises(UsageError, match="others can read it"):
        security(tmp_path)
    with pytest.raises(DataError, match="nobody waits"):
        security(tmp_path / "elsewhere")


def test_where_the_job_is_reached(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    assert read_contact(tmp_path) is None
    contact = announce(tmp_path, "tls://host:1")
    assert read_contact(tmp_path) == contact
    assert stat.S_IMODE((tmp_path / "job" / "scheduler.json").stat().st_mode) == 0o600
    assert announce(tmp_path, "tls://host:1") != contact
    withdraw(tmp_path)
    assert read_contact(tmp_path) is None


CONNECT = """\
import sys
from pathlib import Path
from engine.cluster import settings
from engine.cluster.keys import security
from distributed import Client
keys, address = sys.argv[1:]
try:
    with Client(address, security=security(Path(keys)) if keys else None, timeout=20) as client:
        print("in", client.run_on_scheduler(lambda: 7))
except OSError as error:
    print("refused")
"""
HUB = """\
import sys
from pathlib import Path
from engine.cluster.hub import Hub
hub = Hub(Path(sys.argv[1]), everywhere=False, listen=None)
print(hub.address, flush=True)
sys.stdin.read()
hub.close()
"""


@pytest.mark.e2e
def test_only_who_has_the_key_is_let_in(tmp_path: Path) -> None:
    import sys

    mine, other = tmp_path / "mine", tmp_path / "other"
    make_keys(mine)
    make_keys(other)
    hub = subprocess.Popen([sys.executable, "-c", HUB, mine], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert hub.stdout is not None
    address = hub.stdout.readline().strip()
    assert address.startswith("tls://127.0.0.1:")

    def connect(keys: Path | str, to: str) -> str:
        command = [sys.executable, "-c", CONNECT, str(keys), to]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False).stdout

    assert connect(mine, address) == "in 7\n"
    assert connect(other, address) == "refused\n"
    assert connect("", address.replace("tls://", "tcp://")) == "refused\n"
    hub.communicate(timeout=PATIENCE)
    assert hub.returncode == 0


@pytest.mark.e2e
def test_shards_that_go_wrong_are_set_aside_and_the_rest_goes_on(
    settings: dict[str, object], reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    config = make_config({**settings, "to": run, "workers": 2, "shard_timeout": 12})
    with monkeypatch.context() as patch:
        for name, value in spoil(tmp_path / "site", failing=3, deadly=5, hanging=7).items():
            patch.setenv(name, value)
        start(config)
        ended = wait_for(run, lambda job: not job.state.alive)
    assert (ended.state, ended.why) == (JobState.STOPPED, "2 of 25 shards are set aside"), ended.log
    assert {shard.number: shard.why for shard in ended.set_aside} == {
        3: "RuntimeError: no kernel image",
        5: "4 workers died while computing it",
    }
    assert ended.shards[3].failures == 3
    assert ended.shards[7].state is ShardState.DONE
    (hung,) = [e.data for e in Journal(run / JOURNAL).events() if e.kind == "shard_failed" and e.data["shard"] == 7]
    assert hung["why"] == "it did not end within its time limit of 12 s"
    resume(run)
    assert wait_for(run, lambda job: not job.state.alive).state is JobState.FINISHED
    assert rows(run).equals(rows(reference))


@pytest.mark.e2e
def test_a_worker_joins_and_keeps_its_models_when_the_job_dies(
    settings: dict[str, object], reference: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    done = run_lorascope("worker", "--run", tmp_path, "--patience", "0")
    assert (done.returncode, "nobody waits for workers" in done.stderr) == (1, True), done.stderr
    start(make_config({**settings, "to": run, "cluster": True, "workers": 0, "listen": "127.0.0.1"}))
    wait_for(run, lambda job: read_contact(run) is not None or not job.state.alive)
    worker = subprocess.Popen(
        [LORASCOPE, "worker", "--run", run, "--device", "cpu", "--patience", "200"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    before = wait_for(run, lambda job: job.shards_done >= 2 or not job.state.alive)
    os.kill(before.pid, signal.SIGKILL)
    assert wait_for(run, lambda job: not job.state.alive).state is JobState.DEAD
    resume(run)
    after = wait_for(run, lambda job: job.shards_done > before.shards_done + 1 or not job.state.alive)
    assert after.state.alive, after.log
    assert [one.pid for one in after.workers if one.name] == [one.pid for one in before.workers if one.name]
    ended = wait_for(run, lambda job: not job.state.alive)
    assert ended.state is JobState.FINISHED, (ended.why, ended.log)
    assert rows(run).equals(rows(reference))
    out, _ = worker.communicate(timeout=PATIENCE)
    assert worker.returncode == 0, out
    done = run_lorascope("workers", run)
    assert done.stdout == "no workers\n"
