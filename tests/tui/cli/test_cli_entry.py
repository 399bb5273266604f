"""Which command is meant, where output goes, and how every failure is told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import polars as pl
import pytest
from support.commands import Command
from support.legacy import rising_run, write_run
from support.program import LORASCOPE, run_lorascope

from engine import __version__
from tui import launch
from tui.cli.application import COMMANDS
from tui.main import COMMAND_WORDS, main


def test_the_entry_knows_the_commands() -> None:
    assert {info.name for info in COMMANDS.registered_commands} == COMMAND_WORDS


def test_help_names_the_commands_and_the_app(lorascope: Command) -> None:
    for option in ("--help", "-h"):
        text = lorascope(option).out
        assert "PATH alone opens the app" in text
        assert all(f"  {word} " in text for word in COMMAND_WORDS)
        assert "--theme" in text
        assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("command", sorted(COMMAND_WORDS))
def test_every_command_explains_itself(lorascope: Command, command: str) -> None:
    text = lorascope(command, "--help").out
    assert f"Usage: lorascope {command}" in text
    assert "--format" in text or command in ("synth", "worker")


def test_version(lorascope: Command) -> None:
    assert lorascope("--version").lines == [f"lorascope {__version__}"]


def test_options_open_the_app_too(lorascope: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []

    def app(paths: list[Path], **options: object) -> int:
        opened.append((paths, options))
        return 0

    monkeypatch.setattr(launch, "open_app", app)
    assert lorascope("--theme", "lorascope-light", "here", "--plain", "--config", "l.toml").code == 0
    assert lorascope("--", "--odd").code == 0
    assert opened == [
        ([Path("here")], {"theme": "lorascope-light", "plain": True, "config": Path("l.toml")}),
        ([Path("--odd")], {"theme": None, "plain": None, "config": None}),
    ]


@pytest.mark.parametrize(("word", "meant"), [("comapre", "compare"), ("run", "runs"), ("Rank", "rank")])
def test_a_misspelt_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, meant: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in ([word, "x"], [word, "x", "--format", "json"]):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert error == f"lorascope: '{word}' is neither a command nor a path; did you mean lorascope {meant}?\n"


def test_a_folder_with_a_misspelt_name_is_a_folder(
    lorascope: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path)
    lorascope("run").failed(2, "needs a terminal")


def test_mistakes_in_options(lorascope: Command, results: Path, tmp_path: Path) -> None:
    lorascope("--theme", "x", "compare", results).failed(2, "put the command before its options")
    lorascope("--nonsense").failed(2, "no such option: --nonsense", "see lorascope --help")
    lorascope("runs", "--nonsense").failed(2, "no such option: --nonsense", "see lorascope runs --help")
    lorascope("runs", results, "--format", "xml").failed(2, "'xml' is not one of 'table', 'json', 'csv'")
    lorascope("runs", results, "--config", tmp_path / "no.toml").failed(2, "no.toml: no such file")
    lorascope("runs", tmp_path / "nowhere").failed(1, "nowhere: no such file or folder")
    (tmp_path / "empty").mkdir()
    lorascope("runs", tmp_path / "empty").failed(1, "no runs found in", "empty")
    (tmp_path / "bad.toml").write_text("[score.weights]\nx = -1\n", "utf-8")
    lorascope("rank", results / "alpha", "--config", tmp_path / "bad.toml").failed(2, "bad.toml: score.weights.x")


def test_settings_count(lorascope: Command, results: Path, tmp_path: Path) -> None:
    settings = tmp_path / "own.toml"
    settings.write_text('[score.weights]\n"performance.fps" = 1.0\n', "utf-8")
    rows = lorascope("rank", results / "alpha", "--config", settings, "--format", "json").json["rows"]
    assert rows[0]["checkpoint"] == "checkpoint_0"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(lorascope: Command, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    done = lorascope("runs", closed)
    assert done.code == 1
    assert "closed" in done.out
    assert "ermission" in done.out


def test_names_in_messages_are_literal(lorascope: Command, tmp_path: Path) -> None:
    done = lorascope("runs", tmp_path / "a\x1b[31m\nb")
    done.failed(1, "a␛[31m␊b")


@pytest.mark.parametrize("ending", [".csv", ".json", ".md", ".tex", ".parquet"])
@pytest.mark.parametrize("command", ["runs", "compare", "rank", "trend"])
def test_files_by_their_ending(lorascope: Command, results: Path, tmp_path: Path, command: str, ending: str) -> None:
    file = tmp_path / f"table{ending}"
    arguments = (command, results / "alpha", "--to", file)
    done = lorascope(*arguments)
    assert (done.code, done.out) == (0, "")
    assert f"wrote {file}" in done.err
    if ending == ".parquet":
        assert pl.read_parquet(file).height
    else:
        forms = {".csv": "csv", ".json": "json", ".md": "markdown", ".tex": "latex"}
        shown = lorascope(command, results / "alpha", "--format", forms[ending])
        assert file.read_text("utf-8") == shown.out
    lorascope(*arguments).failed(1, "exists already", "--force")
    assert lorascope(*arguments, "--force").code == 0


def test_files_that_cannot_be_written(lorascope: Command, results: Path, tmp_path: Path) -> None:
    lorascope("runs", results, "--to", tmp_path / "x.foo").failed(2, "x.foo", ".csv")
    lorascope("runs", results, "--to", tmp_path / "no" / "x.csv").failed(1, "its folder does not exist")
    lorascope("runs", results, "--to", tmp_path).failed(1, "is a folder")
    lorascope("runs", results, "--to", tmp_path / "x.csv", "--format", "table").failed(2, "--format table")
    assert lorascope("runs", results, "--to", tmp_path / "x.txt", "--format", "csv").code == 0


def test_json_is_json_where_the_output_is_ascii(tmp_path: Path) -> None:
    values = rising_run(1)
    run = write_run(tmp_path / "été 宽", {"baseline": values["baseline"], "ü_1": values["checkpoint_0"]})
    done = run_lorascope("runs", run, "--format", "json", env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert json.loads(done.stdout)["runs"][0]["best"] == "ü_1"


@pytest.mark.e2e
def test_a_full_disk_is_told(results: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [LORASCOPE, "runs", results], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith("lorascope: the output cannot be written")


@pytest.mark.e2e
def test_an_interrupt_ends_quietly(tmp_path: Path) -> None:
    # A pipe that nobody reads from: once it is full, the command waits in a write until the signal comes.
    write_run(tmp_path / "long", rising_run(160, best=3))
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [LORASCOPE, "compare", tmp_path / "long", "--format", "csv", *_many_checkpoints()],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    try:
        assert os.read(reader, 1)  # it has begun to write
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        os.close(reader)
        process.kill()
    assert process.returncode == 130
    assert stderr == ""


def _many_checkpoints() -> list[str]:
    return [word for number in range(150) for word in ("-c", f"checkpoint_{number}")]
