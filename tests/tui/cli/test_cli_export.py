"""``lorascope export``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from support.commands import Command


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder with the files of three checkpoints: one adapter folder, two weights files."""
    folder = tmp_path / "weights"
    adapter = folder / "checkpoint_4"
    adapter.mkdir(parents=True)
    (adapter / "adapter_config.json").write_text("{}", "utf-8")
    (adapter / "adapter_model.safetensors").write_bytes(b"adapter")
    (adapter / "optimizer.pt").write_bytes(b"state")
    (folder / "checkpoint_3.pt").write_bytes(b"three")
    (folder / "checkpoint_2.pt").write_bytes(b"two")
    return folder


def selection(folder: Path) -> dict[str, Any]:
    """What the export says about a checkpoint."""
    document: dict[str, Any] = json.loads((folder / "selection.json").read_text("utf-8"))
    return document


def test_a_named_checkpoint(lorascope: Command, results: Path, weights: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    done = lorascope("export", results / "alpha", "checkpoint_3", "--to", target, "--checkpoints", weights)
    digest = hashlib.sha256(b"three").hexdigest()
    place = target / "alpha" / "checkpoint_3"
    card = hashlib.sha256((place / "README.md").read_bytes()).hexdigest()
    assert done.lines[:4] == ["alpha / checkpoint_3", f"  {place}", "  checkpoint_3.pt  5 B", f"    sha256 {digest}"]
    assert done.lines[4].startswith("  README.md  ") and done.lines[5:] == [f"    sha256 {card}"]
    assert (place / "checkpoint_3.pt").read_bytes() == b"three"
    said = selection(place)
    assert (said["objective"], said["where"], said["considered"], said["rejected"]) == (None, None, 6, 0)


def test_the_best_under_a_condition(lorascope: Command, results: Path, weights: Path, tmp_path: Path) -> None:
    options = ("--to", tmp_path, "--checkpoints", weights, "--where", "step < 4", "--objective", "abs_rel")
    done = lorascope("export", results / "alpha", "best", *options, "--format", "json")
    (exported,) = done.json["exported"]
    assert list(exported) == ["run", "checkpoint", "path", "files", "left_out", "card", "merged"]
    assert (exported["run"], exported["checkpoint"]) == ("alpha", "checkpoint_3")
    assert exported["files"] == [
        {"name": "checkpoint_3.pt", "bytes": 5, "sha256": hashlib.sha256(b"three").hexdigest()}
    ]
    said = selection(Path(exported["path"]))
    assert (said["objective"], said["where"]) == ("depth.building.abs_rel", "step < 4")
    assert (said["considered"], said["rejected"]) == (6, 2)


def test_several_each_once(lorascope: Command, results: Path, weights: Path, tmp_path: Path) -> None:
    options = ("--to", tmp_path, "--checkpoints", weights)
    names = ("best", "checkpoint_4", "checkpoint_2")
    exported = lorascope("export", results / "alpha", *names, *options, "--format", "json").json["exported"]
    assert [item["checkpoint"] for item in exported] == ["checkpoint_4", "checkpoint_2"]
    assert [file["name"] for file in exported[0]["left_out"]] == ["optimizer.pt"]


def test_what_exists_is_replaced_only_by_force(
    lorascope: Command, results: Path, weights: Path, tmp_path: Path
) -> None:
    arguments = ("export", results / "alpha", "best", "--to", tmp_path / "out", "--checkpoints", weights)
    assert lorascope(*arguments).code == 0
    lorascope(*arguments).failed(1, "exists already", "--force")
    assert lorascope(*arguments, "--force").code == 0


def test_mistakes_export_nothing(lorascope: Command, results: Path, weights: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    run = results / "alpha"
    options = ("--to", target, "--checkpoints", weights)
    lorascope("export", run, "checkpoint_9", *options).failed(2, "checkpoint_9", "did you mean")
    lorascope("export", run, "checkpoint_0", *options).failed(1, "checkpoint_0", "--checkpoints DIR")
    lorascope("export", run, "checkpoint_3", "--to", target).failed(1, "--checkpoints DIR")
    lorascope("export", run, "best", *options, "--where", "step > 9").failed(2, "no checkpoint meets", "loosen")
    lorascope("export", run, "checkpoint_4", *options, "--where", "step < 4").failed(2, "'checkpoint_4' does not meet")
    lorascope("export", run, "best", *options, "--objective", "nonsense").failed(2, "nonsense", "--objective")
    lorascope("export", results, "best", *options).failed(2, "2 runs", "--run NAME")
    lorascope("export", run, "best").failed(2, "missing option '--to'")
    lorascope("export", run, *options).failed(2, "missing argument 'CHECKPOINT'")
    assert not target.exists()
