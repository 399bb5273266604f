"""``lorascope evaluate``, from data and checkpoints to a run that the other commands read."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.commands import Command
from support.evaluating import BASE_SEED, write_adapters, write_small_street
from support.program import LORASCOPE, run_lorascope

torch = pytest.importorskip("torch", reason="evaluating needs the extra `eval`")

OPTIONS = ("--base-seed", str(BASE_SEED), "--model", "tiny", "--size", "112")
SHORT = ("--seq-len", "4", "--stride", "4", "--shard", "1", "--device", "cpu")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two windows of four frames in ``val``."""
    return write_small_street(tmp_path_factory.mktemp("data") / "street")


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two checkpoints, and one that is none."""
    folder = write_adapters(tmp_path_factory.mktemp("training") / "checkpoints")
    (folder / "checkpoint_9.pt").write_bytes(b"no tensors")
    return folder


@pytest.fixture
def arguments(street: Path, adapters: Path) -> tuple[str, ...]:
    """The whole command but ``--to``."""
    return ("evaluate", "--data", str(street), "--checkpoints", str(adapters), *OPTIONS, *SHORT)


def events(text: str) -> list[dict[str, Any]]:
    """JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_that_the_other_commands_read(lorascope: Command, arguments: tuple[str, ...], tmp_path: Path) -> None:
    run = tmp_path / "my run"
    done = lorascope(*arguments, "--to", run)
    assert done.lines[0].startswith(f"{run}: finished, ")
    assert done.lines[1] == "  2 windows, 2 checkpoints and the baseline"
    assert done.lines[2].startswith("  shared between models: ")
    assert "checkpoint checkpoint_9" in done.lines[3]
    assert done.lines[-1] == f"  look at it: lorascope rank '{run}'"
    said = done.err.splitlines()
    assert said[0] == "0/2 windows, 4 models"
    assert said[1].startswith("failed: checkpoint checkpoint_9: ")
    assert re.fullmatch(r"1/2 windows, 3 models, [\d.e+]+/min, .+ left", said[2])
    assert re.fullmatch(r"2/2 windows, 3 models, [\d.e+]+/min", said[-1])

    (listed,) = lorascope("runs", tmp_path, "--format", "json").json["runs"]
    assert (listed["run"], listed["checkpoints"], listed["protocol"]) == ("my run", 3, "v1")
    ranked = lorascope("rank", run, "--objective", "depth.building.abs_rel", "--format", "json").json["rows"]
    assert {row["checkpoint"] for row in ranked if row["rank"]} == {"checkpoint_0", "checkpoint_1"}
    (compared,) = lorascope("compare", run, "--format", "json").json["runs"]
    keys = {metric["key"] for metric in compared["metrics"]}
    assert {"depth.building.abs_rel", "normals.full.inlier_30", "pose.ate_trans"} <= keys

    again = lorascope(*arguments, "--to", run)
    assert again.lines[0] == f"{run}: was finished already"
    lorascope(*arguments, "--to", run, "--seed", "3").failed(2, "other settings (seed 0 is now 3)", "--to")


def test_events_for_programs(lorascope: Command, arguments: tuple[str, ...], tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = lorascope(*arguments, "--to", run, "--format", "json")
    assert done.code == 0
    assert done.err == ""
    assert done.out == (run / "journal.jsonl").read_text("utf-8")
    assert [event["event"] for event in events(done.out)] == [
        "started",
        "checkpoint_failed",
        "shard",
        "sharing",
        "shard",
        "sharing",
        "finished",
    ]
    assert events(lorascope(*arguments, "--to", run, "--format", "json").out)[0]["already"] is True


def test_a_dry_run_writes_nothing(
    lorascope: Command, arguments: tuple[str, ...], adapters: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    plan = lorascope(*arguments, "--to", run, "--max-seqs", "1", "--dry-run", "--format", "json").json
    assert (plan["windows"], plan["available"], plan["shards"], plan["shards_done"]) == (1, 2, 1, 0)
    assert plan["checkpoints"] == ["checkpoint_0", "checkpoint_1", "checkpoint_9"]
    assert sum(plan["strata"].values()) == 1
    assert re.fullmatch(r"[0-9a-f]{64}", plan["fingerprint"])
    assert plan["dataset"] == {"name": "street", "root": "street", "split": "val"}
    assert plan["seconds"] == plan["seconds_per_window"] > 0
    assert "for a window and the baseline and" in plan["estimate"]
    assert "for each of 3 checkpoints, measured on the first one, times 1 window" in plan["estimate"]

    text = lorascope(*arguments, "--to", run, "--dry-run").out
    assert "plan of run; nothing was written" in text
    assert "2 of 2 windows of 4 frames (all)" in text
    assert "measured on the first one" in text.replace("\n", " ")
    assert list(tmp_path.iterdir()) == []
    assert sorted(path.name for path in adapters.iterdir()) == ["checkpoint_0", "checkpoint_1", "checkpoint_9.pt"]


def test_a_dry_run_without_base_weights_says_so(lorascope: Command, street: Path, tmp_path: Path) -> None:
    options = ("--model", "tiny", "--base", tmp_path / "nowhere.safetensors", "--to", tmp_path / "run", *SHORT)
    plan = lorascope("evaluate", "--data", street, *options, "--dry-run", "--format", "json").json
    assert plan["seconds"] is None
    assert plan["estimate"].startswith("not estimated: ")
    assert "nowhere.safetensors" in plan["estimate"]


def test_a_dry_run_knows_what_is_done(lorascope: Command, arguments: tuple[str, ...], tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert lorascope(*arguments, "--to", run, "--limit-checkpoints", "1").code == 0
    journal = run / "journal.jsonl"
    lines = journal.read_text("utf-8").splitlines()
    kept = lines[: max(place for place, line in enumerate(lines) if '"event": "shard"' in line)]
    journal.write_text("\n".join(kept) + "\n", "utf-8")
    options = ("--to", run, "--limit-checkpoints", "1")
    plan = lorascope(*arguments, *options, "--dry-run", "--format", "json").json
    assert (plan["shards"], plan["shards_done"]) == (2, 1)
    assert "1 done already" in lorascope(*arguments, *options, "--dry-run").out
    lorascope(*arguments, "--to", run, "--dry-run").failed(2, "other settings")
    resumed = events(lorascope(*arguments, *options, "--format", "json").out)
    assert [event["event"] for event in resumed] == ["resumed", "shard", "sharing", "finished"]


def test_settings_from_a_file(lorascope: Command, street: Path, tmp_path: Path) -> None:
    file = tmp_path / "evaluate.toml"
    file.write_text(
        f'[evaluate]\ndata = "{street}"\nto = "{tmp_path / "run"}"\nmodel = "tiny"\nbase_seed = {BASE_SEED}\n'
        "size = 112\nseq_len = 4\nstride = 4\nmax_seqs = 2\n",
        "utf-8",
    )
    plan = lorascope("evaluate", "--config", file, "--max-seqs", "1", "--dry-run", "--format", "json").json
    assert (plan["windows"], plan["seq_len"], plan["checkpoints"]) == (1, 4, [])
    file.write_text("[evaluate]\nsequence = 4\n", "utf-8")
    lorascope("evaluate", "--config", file, "--data", street, "--to", "run").failed(2, str(file), "sequence")
    file.write_text("[evaluate\n", "utf-8")
    lorascope("evaluate", "--config", file).failed(2, "not valid TOML")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--protocol", "compat"), 2, ("--protocol", "imported results", "v1")),
        (("--protocol", "v9"), 2, ("--protocol", "v1")),
        (("--align", "best"), 2, ("--align", "scale_shift")),
        (("--shard", "0"), 2, ("--shard", "at least 1")),
        (("--device", "tpu"), 2, ("--device", "cuda:N")),
        (("--split", "all"), 2, ("split", "'all'", "val")),
        (("--split", "test"), 1, ("test",)),
        (("--seq-len", "100"), 1, ("100",)),
        (("--data", "nowhere"), 1, ("nowhere",)),
        (("--checkpoints", "nowhere"), 1, ("nowhere",)),
        (("--model", "vgtt"), 2, ("vgtt", "did you mean vggt")),
        (("--size", "113"), 2, ("113", "take 112")),
        (("--training", "nowhere.yaml"), 1, ("nowhere.yaml",)),
    ],
)
def test_wrong_settings_are_one_sentence(
    lorascope: Command,
    arguments: tuple[str, ...],
    tmp_path: Path,
    options: tuple[str, ...],
    code: int,
    words: tuple[str, ...],
) -> None:
    run = tmp_path / "run"
    lorascope(*arguments, "--to", run, "--format", "json", *options).failed(code, *words)
    assert not (run / "metadata.json").exists()


def test_what_is_missing_is_named(lorascope: Command, street: Path, tmp_path: Path) -> None:
    lorascope("evaluate", "--to", tmp_path / "run").failed(2, "missing option --data")
    lorascope("evaluate", "--data", street).failed(2, "missing option --to")
    lorascope("evaluate", "--data", street, "--to", tmp_path / "run").failed(2, "no base weights", "--base")


def test_when_nothing_can_be_done(lorascope: Command, street: Path, adapters: Path, tmp_path: Path) -> None:
    options = ("--data", street, "--to", tmp_path / "run", *OPTIONS, *SHORT)
    done = lorascope("evaluate", *options, "--checkpoints", adapters / "checkpoint_9.pt")
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith("lorascope: no checkpoint could be loaded; checkpoint_9: ")


def test_windows_that_cannot_be_read_are_named(lorascope: Command, arguments: tuple[str, ...], tmp_path: Path) -> None:
    street = write_small_street(tmp_path / "street")
    images = sorted((street / "data_2d_raw").glob("*0003*/image_00/data_rect/*.png"))
    images[0].write_bytes(b"no picture")
    done = lorascope(*arguments, "--data", street, "--to", tmp_path / "run")
    assert done.lines[1].startswith("  1 window, ")
    assert any(line.startswith("  failed: window 0: ") and images[0].name in line for line in done.lines)
    for image in images:
        image.write_bytes(b"no picture")
    lorascope(*arguments, "--data", street, "--to", tmp_path / "nothing", "--format", "json").failed(1, ".png")
    journal = tmp_path / "run" / "journal.jsonl"
    journal.write_text(journal.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    done = lorascope(*arguments, "--data", street, "--to", tmp_path / "run")
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith("lorascope: none of the 2 windows could be read; window 0: ")


class TerminalText(io.StringIO):
    """Text that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal(
    lorascope: Command, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = TerminalText()
    monkeypatch.setattr(sys, "stderr", screen)
    assert lorascope(*arguments, "--to", tmp_path / "run").code == 0
    shown = screen.getvalue()
    assert "━" in shown
    assert "2/2 windows, 3 models" in shown
    assert "failed: checkpoint checkpoint_9" in shown


@pytest.mark.e2e
def test_an_interrupted_run_goes_on(arguments: tuple[str, ...], tmp_path: Path) -> None:
    run = tmp_path / "run"
    journal = run / "journal.jsonl"
    process = subprocess.Popen(
        [LORASCOPE, *arguments, "--to", run],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    until = time.monotonic() + 50
    while time.monotonic() < until and not (journal.is_file() and '"started"' in journal.read_text("utf-8")):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=50)
    assert process.returncode == 130, out + err
    assert err.splitlines()[-1] == "stopped; the same command goes on"
    assert "Traceback" not in err
    done = run_lorascope(*arguments, "--to", run, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert events(done.stdout)[0]["event"] == "resumed"
    assert events(done.stdout)[-1]["event"] == "finished"


@pytest.mark.e2e
@pytest.mark.parametrize("command", [("evaluate", "--data", "here", "--to", "run"), ("selftest",), ("synth", "x")])
def test_without_the_extra_there_is_one_sentence(tmp_path: Path, command: tuple[str, ...]) -> None:
    for name in ("torch", "cv2"):
        package = tmp_path / "site" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(f"raise ModuleNotFoundError('no {name}', name='{name}')\n")
    path = os.pathsep.join(filter(None, [str(tmp_path / "site"), os.environ.get("PYTHONPATH")]))
    done = run_lorascope(*command, cwd=tmp_path, env={"PYTHONPATH": path})
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.fullmatch(
        r"lorascope: this command needs \S+, which is not installed; pip install 'lorascope\[eval\]'\n", done.stderr
    )
