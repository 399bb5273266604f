"""What the README shows works as it stands there."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from support.evaluating import write_small_street
from support.legacy import rising_run, write_run
from support.program import run_lorascope

from engine.config import EVALUATE, LAUNCH, Config, load_config

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """The commands that the README shows, without those that install or test."""
    lines = [line.split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    shown = [line for line in lines if line.startswith("lorascope ")]
    filters = [line for line in lines if line.startswith("--where ")]
    return [*shown, *(f"lorascope rank results/run_a {where}" for where in filters)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the README's commands make sense."""
    folder = tmp_path_factory.mktemp("readme")
    write_run(folder / "results" / "run_a", rising_run(40, best=34))
    write_run(folder / "results" / "run_b", rising_run(40, best=37))
    checkpoints = folder / "checkpoints"
    checkpoints.mkdir()
    (checkpoints / "checkpoint_34.pt").write_bytes(b"weights")
    write_small_street(folder / "street")
    return folder


def test_the_settings_are_the_defaults(tmp_path: Path) -> None:
    (block,) = blocks("toml")
    (tmp_path / "lorascope.toml").write_text(block, "utf-8")
    config = load_config(tmp_path / "lorascope.toml")
    assert config.score == Config().score
    assert config.trends == Config().trends
    assert set(config.metrics) == {"my.metric"}
    # Two tables are of the form and of evaluate, which read them themselves.
    assert set(tomllib.loads(block)) == {*Config.model_fields, EVALUATE, LAUNCH}


@pytest.mark.e2e
@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_runs(folder: Path, tmp_path: Path, command: str) -> None:
    # A street is written where none is.
    place = tmp_path if command.startswith("lorascope synth ") else folder
    done = run_lorascope(*shlex.split(command)[1:], cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
