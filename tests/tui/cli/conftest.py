"""Commands called in this process, with what they print."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import Command, Done
from support.legacy import write_example

from tui.cli import run


@pytest.fixture
def lorascope(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run lorascope with some arguments, 100 columns wide."""
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: str | Path) -> Done:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return call


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with two runs, ``alpha`` (best: checkpoint_4) and ``beta`` (best: checkpoint_2)."""
    return write_example(tmp_path / "results")


@pytest.fixture
def real(shared_data: Path) -> Path:
    """Two real runs of 50 checkpoints each."""
    return shared_data / "kitti360_lora"
