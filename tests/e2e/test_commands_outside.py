"""The commands as a shell sees them: exit codes, one sentence on stderr, broken pipes, poor terminals, odd names."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from support.legacy import HOSTILE_NAMES, rising_run, score, write_example, write_hostile, write_run
from support.program import LORASCOPE, run_lorascope

pytestmark = pytest.mark.e2e


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with the two example runs."""
    return write_example(tmp_path / "results")


def assert_one_sentence(stderr: str) -> None:
    """One line with the program's name, and nothing for programmers in it."""
    assert stderr.startswith("lorascope: "), stderr
    assert len(stderr.strip().splitlines()) == 1, stderr
    assert "Traceback" not in stderr


def test_runs_tells_the_best_checkpoint_and_its_score(results: Path) -> None:
    done = run_lorascope("runs", results, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    runs = {run["run"]: run for run in json.loads(done.stdout)["runs"]}
    assert set(runs) == {"alpha", "beta"}
    assert (runs["alpha"]["best"], runs["beta"]["best"]) == ("checkpoint_4", "checkpoint_2")
    assert runs["alpha"]["score"] == pytest.approx(score(rising_run(best=4)["checkpoint_4"]))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["runs", "NOWHERE"], 1, "NOWHERE"),
        (["NOWHERE"], 1, "NOWHERE"),
        (["rank", "PATH/alpha", "--objective", "depth.bulding.abs_rel"], 2, "depth.building.abs_rel"),
        (["rank", "PATH/alpha", "--where", "detla1 > 0.4"], 2, "delta1"),
        (["rank", "PATH/alpha", "--where", "delta1 >"], 2, "where"),
        (["compare", "PATH", "--checkpoint", "checkpoint_99"], 2, "checkpoint_99"),
        (["trend", "PATH/alpha", "--metric", "nonsense"], 2, "nonsense"),
        (["runs", "PATH", "--config", "NOWHERE.toml"], 2, "NOWHERE.toml"),
        (["PATH"], 2, "terminal"),
    ],
)
def test_what_a_user_gets_wrong_is_one_sentence(results: Path, arguments: list[str], code: int, words: str) -> None:
    done = run_lorascope(*(argument.replace("PATH", str(results)) for argument in arguments), cwd=results)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout == ""
    assert_one_sentence(done.stderr)
    assert words in done.stderr


@pytest.mark.parametrize("arguments", [["runs", "--no-such-option"], ["runs", ".", "--format", "xml"], ["rank"]])
def test_wrong_usage_ends_with_two(results: Path, arguments: list[str]) -> None:
    done = run_lorascope(*arguments, cwd=results)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    # More output than a pipe holds, so that the program must notice.
    write_run(tmp_path / "long", rising_run(800, best=3))
    done = subprocess.run(
        ["sh", "-c", '"$1" rank "$2" --format csv | head -1', "sh", LORASCOPE, tmp_path / "long"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_a_closed_pipe_is_no_error(results: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(
            [LORASCOPE, "runs", results],
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.stderr == ""


@pytest.mark.parametrize("command", [["runs", "PATH"], ["rank", "PATH/hostile[red]run"], ["compare", "PATH"]])
def test_hostile_names_are_printed_literally(tmp_path: Path, command: list[str]) -> None:
    path = str(write_hostile(tmp_path / "results"))
    done = run_lorascope(*(word.replace("PATH", path) for word in command), env={"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    assert not set(done.stdout) & {"\x1b", "\u202e"}
    assert "hostile[red]run" in done.stdout
    if command[0] == "rank":
        missing = [shown for shown in HOSTILE_NAMES.values() if shown not in done.stdout]
        assert not missing, done.stdout


@pytest.mark.parametrize(
    "env", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}, {"COLUMNS": "10"}]
)
def test_poor_surroundings_are_no_error(tmp_path: Path, env: dict[str, str]) -> None:
    done = run_lorascope("runs", write_hostile(tmp_path / "results"), env=env)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
