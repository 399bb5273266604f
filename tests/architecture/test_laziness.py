"""Start-up is a feature: browsing imports no model library, and the first paint waits for no table library.

The real command runs in a process of its own. On its path, fake packages stand in the place of the heavy ones: each
notes that it was imported and then fails, so that an import behind ``try`` is noticed, too, whether or not the real one
is installed. At exit the process writes down ``sys.modules``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.legacy import write_example
from support.native import write_native_run
from support.program import LORASCOPE, run_lorascope
from support.store import cost, metadata
from support.training import TRAINING

from benchmarks.pty_session import PtySession
from engine.results.writer import write_run as write_native

MODEL_LIBRARIES = ("torch", "peft", "transformers", "cv2", "safetensors")
STORE_LIBRARIES = ("fsspec", "s3fs", "botocore")
SLOW_LIBRARIES = ("polars", "pydantic", "numpy", "plotext", "typer", "PIL")

_FAKE = """\
import os, traceback
with open(os.environ["IMPORT_LOG"], "a") as log:
    log.write(f"{__name__} was imported:\\n" + "".join(traceback.format_stack()))
raise ImportError(f"{__name__} must not be imported here")
"""
_DUMP = """\
import atexit, json, os, sys
def dump():
    with open(os.environ["MODULES_DUMP"], "w") as file:
        json.dump(sorted(sys.modules), file)
atexit.register(dump)
"""


class Watch:
    """An environment in which a Python process tells what it imported."""

    def __init__(self, folder: Path) -> None:
        site = folder / "site"
        for name in MODEL_LIBRARIES:
            package = site / name
            package.mkdir(parents=True)
            (package / "__init__.py").write_text(_FAKE)
        (site / "sitecustomize.py").write_text(_DUMP)
        self._log = folder / "imports.log"
        self._dump = folder / "modules.json"
        self.env = {"PYTHONPATH": str(site), "IMPORT_LOG": str(self._log), "MODULES_DUMP": str(self._dump)}

    def modules(self) -> set[str]:
        """The top-level and dotted names of all modules that the process held at its end."""
        assert self._dump.exists(), "the process did not end in an orderly way"
        return set(json.loads(self._dump.read_text()))

    def assert_no_model_library(self) -> None:
        """None was asked for, not even behind ``try``, and none is there."""
        assert not self._log.exists(), self._log.read_text()
        assert not self.modules().intersection(MODEL_LIBRARIES)
        assert not self.modules().intersection(STORE_LIBRARIES), "no URL was given"


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    """The watching environment of one process."""
    return Watch(tmp_path / "watch")


def modules_after(statement: str, watch: Watch) -> set[str]:
    """``sys.modules`` of a process that ran ``statement``."""
    subprocess.run([sys.executable, "-c", statement], env={**os.environ, **watch.env}, check=True, timeout=300)
    return watch.modules()


def test_the_watch_sees_a_guarded_import(watch: Watch) -> None:
    modules_after("try:\n    import torch\nexcept ImportError:\n    pass", watch)
    with pytest.raises(AssertionError, match="torch was imported"):
        watch.assert_no_model_library()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--version"],
        ["runs", "PATH", "--format", "json"],
        ["rank", "PATH/alpha"],
        ["evaluate", "--help"],
        ["cost", "--help"],
        ["jobs", "list", "PATH"],
        ["export", "--help"],
        ["next", "--help"],
        ["report", "--help"],
        ["report", "PATH"],
    ],
)
def test_commands_import_no_model_library(watch: Watch, tmp_path: Path, arguments: list[str]) -> None:
    path = str(write_example(tmp_path / "results"))
    done = run_lorascope(*(argument.replace("PATH", path) for argument in arguments), env=watch.env)
    assert done.returncode == 0, done.stderr
    watch.assert_no_model_library()
    assert not watch.modules().intersection({"huggingface_hub", "yaml"})


@pytest.mark.parametrize("options", [["export"], ["next", "--training", "PATH/train.yaml"]])
def test_what_leads_on_from_a_checkpoint_imports_no_model_library(
    watch: Watch, tmp_path: Path, options: list[str]
) -> None:
    path = write_example(tmp_path / "results")
    (path / "checkpoint_4.pt").write_bytes(b"w")
    (path / "train.yaml").write_text(TRAINING, "utf-8")
    command, *more = (option.replace("PATH", str(path)) for option in options)
    to = str(tmp_path / "next.yaml") if command == "next" else str(tmp_path / "out")
    found = ("--checkpoints", str(path), "--to", to)
    done = run_lorascope(command, str(path / "alpha"), "checkpoint_4", *found, *more, env=watch.env)
    assert done.returncode == 0, done.stderr
    assert command == "next" or (tmp_path / "out" / "alpha" / "checkpoint_4" / "README.md").is_file()
    watch.assert_no_model_library()


def test_showing_costs_imports_no_model_library(watch: Watch, tmp_path: Path) -> None:
    figures = cost(("baseline", False, 1.0, 0.5, 0.75, 2048.0, None, None), ("a", True, 2.0, 0.25, 0.5, 4096.0, 1.5, 9))
    write_native(tmp_path / "run", metadata("baseline", "a"), cost=figures)
    done = run_lorascope("cost", str(tmp_path / "run"), env=watch.env)
    assert done.returncode == 0, done.stderr
    assert "4096" in done.stdout
    watch.assert_no_model_library()


def test_the_app_imports_no_model_library(watch: Watch, tmp_path: Path) -> None:
    path = write_example(tmp_path / "results")
    with PtySession([LORASCOPE, path], env=watch.env) as session:
        session.wait_for("alpha")
        session.settle()
        for key in b"2345":
            session.write(bytes([key]))
            session.settle()
        session.write(b"q")
        assert session.wait() == 0, session.text[-2000:]
    watch.assert_no_model_library()
    assert not watch.modules().intersection({"huggingface_hub", "yaml"})


@pytest.mark.parametrize("picture", [False, True])
def test_pictures_are_read_late_and_without_a_model_library(watch: Watch, tmp_path: Path, picture: bool) -> None:
    write_native_run(tmp_path / "native")
    with PtySession([LORASCOPE, tmp_path], env=watch.env) as session:
        session.wait_for("native")
        session.settle()
        # Checkpoint, its page of frames, the last of them: it has a picture.
        for key in (b"5", *((b"\t", b"\t", b"\x1b[F", b"\r") if picture else ())):
            session.write(key)
            session.settle()
        if picture:
            session.wait_for("inverse depth")
            session.write(b"\x1b")
            session.settle()
        session.write(b"q")
        assert session.wait() == 0, session.text[-2000:]
    watch.assert_no_model_library()
    assert ("PIL" in watch.modules()) is picture


@pytest.mark.parametrize("module", ["tui.main", "tui.app"])
def test_the_first_paint_waits_for_no_table_library(watch: Watch, module: str) -> None:
    assert not modules_after(f"import {module}", watch).intersection(SLOW_LIBRARIES)


def test_opening_paths_needs_no_typer(watch: Watch) -> None:
    modules = modules_after("import tui.main; tui.main.main(['/nonexistent'])", watch)
    assert not modules.intersection({"typer", "polars"})


@pytest.mark.parametrize(
    "name",
    ["errors", "catalogue", "text", "results.model", "results.discovery", "jobs.watch", "jobs.listing", "jobs.start"],
)
def test_finding_runs_needs_no_table_library(watch: Watch, name: str) -> None:
    assert not modules_after(f"import engine.{name}", watch).intersection(SLOW_LIBRARIES)
