"""Whether a process works on a run: locks, processes, heartbeats of other machines."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.jobs import write_beat

from engine.errors import UsageError
from engine.jobs.presence import Presence
from engine.liveness import LOST_SECONDS, Life, held, holding, is_process, life, read_beat, start_of

HOLDER = """\
import pathlib, sys
from engine.liveness import holding
with holding(pathlib.Path(sys.argv[1])) as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


def test_where_nothing_ever_happened_nothing_is_known(tmp_path: Path) -> None:
    assert life(tmp_path) is None
    assert life(tmp_path / "nowhere") is None


def test_a_lock_lives_as_long_as_its_process(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    process = subprocess.Popen([sys.executable, "-c", HOLDER, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"True\n"
    assert held(lock)
    assert life(tmp_path) is Life.ALIVE
    with holding(lock, patience=0) as mine:
        assert not mine
    process.kill()
    process.communicate()
    assert not held(lock)
    assert life(tmp_path) is Life.DEAD


def test_a_heartbeat_of_this_machine_is_believed_by_its_process(tmp_path: Path) -> None:
    write_beat(tmp_path)
    assert life(tmp_path) is Life.ALIVE
    write_beat(tmp_path, start="another process of that number")
    assert life(tmp_path) is Life.DEAD
    write_beat(tmp_path, phase="ended")
    assert life(tmp_path) is Life.ENDED


def test_a_heartbeat_of_another_machine_is_believed_while_it_is_fresh(tmp_path: Path) -> None:
    write_beat(tmp_path, host="elsewhere", pid=1, start="1")
    assert life(tmp_path) is Life.ALIVE
    old = time.time() - LOST_SECONDS - 1
    os.utime(tmp_path / "job" / "heartbeat.json", (old, old))
    assert life(tmp_path) is Life.DEAD


@pytest.mark.parametrize("text", ["", "{", "[]", '{"host": 3}'])
def test_a_damaged_heartbeat_is_none(tmp_path: Path, text: str) -> None:
    write_beat(tmp_path)
    (tmp_path / "job" / "heartbeat.json").write_text(text, "utf-8")
    assert read_beat(tmp_path) is None
    assert life(tmp_path) is None


def test_processes_are_told_from_later_ones_of_their_number() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    start = start_of(process.pid)
    assert is_process(process.pid, start)
    assert not is_process(process.pid, start + "0")
    process.kill()
    while start_of(process.pid):  # a killed process that nobody has waited for is none
        pass
    assert not is_process(process.pid, start)
    process.communicate()
    assert not is_process(process.pid, "")


def test_presence_says_what_it_does_and_hears_when_to_stop(tmp_path: Path) -> None:
    from engine.jobs.stop import stop, wait

    with Presence(tmp_path, ["cpu"]) as presence:
        assert life(tmp_path) is Life.ALIVE
        presence.began(3, "")
        presence.enter("cost")
        beat = read_beat(tmp_path)
        assert beat is not None
        assert (beat.phase, beat.pid, list(beat.data["shards"])) == ("cost", os.getpid(), ["3"])
        assert beat.data["workers"][0]["shard"] == 3
        with pytest.raises(UsageError, match="another process"), Presence(tmp_path):
            pass
        stop(tmp_path)
        until = time.monotonic() + 60
        while not presence.stopping():
            assert time.monotonic() < until
            time.sleep(0.01)
    assert wait(tmp_path, 0)
    assert life(tmp_path) is Life.ENDED
    with pytest.raises(UsageError, match="nothing works on it"):
        stop(tmp_path)


# In a process of its own: the signal would end the one that runs the tests, wherever that is just then.
_INTERRUPTED = """
import signal, sys, time
from pathlib import Path
from engine.jobs.presence import Presence
from engine.jobs.stop import stop

signal.signal(signal.SIGINT, signal.default_int_handler)
run = Path(sys.argv[1])
try:
    with Presence(run):
        stop(run, firmly=True)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            time.sleep(0.01)
except KeyboardInterrupt:
    sys.exit(7)
"""


def test_firmly_interrupts(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", _INTERRUPTED, str(tmp_path)], check=False, timeout=300)
    assert ended.returncode == 7
    beat = read_beat(tmp_path)
    assert beat is not None
    assert (beat.phase, beat.why) == ("ended", "")


def test_why_it_ended_is_kept(tmp_path: Path) -> None:
    with pytest.raises(UsageError), Presence(tmp_path):
        raise UsageError("the street is closed", "walk")
    beat = read_beat(tmp_path)
    assert beat is not None
    assert beat.why == "the street is closed; walk"
