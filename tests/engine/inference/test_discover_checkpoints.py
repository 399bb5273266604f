"""Which entries of a folder are checkpoints, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import DataError
from engine.inference.checkpoints import CheckpointKind, discover_checkpoints


def adapter(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").touch()
    return folder


def test_forms_and_order(tmp_path: Path) -> None:
    for name in ("checkpoint_10.pt", "checkpoint_2.safetensors", "checkpoint_1.PTH", "notes.txt", ".hidden.pt"):
        (tmp_path / name).touch()
    for name in ("optimizer.pt", "scheduler.bin", "rng_state_0.pth", "training_args.bin"):
        (tmp_path / name).touch()
    adapter(tmp_path / "checkpoint_3")
    adapter(tmp_path / "checkpoint_4" / "adapter")
    (tmp_path / "checkpoint_5").mkdir()
    (tmp_path / "checkpoint_5" / "weights.pt").touch()
    (tmp_path / "plots").mkdir()
    several = tmp_path / "older"
    several.mkdir()
    (several / "a.pt").touch()
    (several / "b.pt").touch()
    found = discover_checkpoints(tmp_path)
    assert [entry.name for entry in found] == [f"checkpoint_{n}" for n in (1, 2, 3, 4, 5, 10)]
    assert [entry.kind for entry in found] == [
        CheckpointKind.WEIGHTS,
        CheckpointKind.WEIGHTS,
        CheckpointKind.ADAPTER,
        CheckpointKind.ADAPTER,
        CheckpointKind.WEIGHTS,
        CheckpointKind.WEIGHTS,
    ]
    assert found[3].path == tmp_path / "checkpoint_4" / "adapter"
    assert found[4].path == tmp_path / "checkpoint_5" / "weights.pt"


def test_a_single_one(tmp_path: Path) -> None:
    folder = adapter(tmp_path / "checkpoint_7")
    (tmp_path / "x.pt").touch()
    assert [entry.path for entry in discover_checkpoints(folder)] == [folder]
    assert [entry.name for entry in discover_checkpoints(tmp_path / "x.pt")] == ["x"]


def test_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(adapter(tmp_path / "checkpoint_7"))
    assert [entry.name for entry in discover_checkpoints(Path())] == ["checkpoint_7"]


def test_names_are_unique_and_the_base_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.pt").touch()
    (tmp_path / "a.safetensors").touch()
    (tmp_path / "base.safetensors").touch()
    (tmp_path / "link.safetensors").symlink_to(tmp_path / "base.safetensors")
    found = discover_checkpoints(tmp_path, exclude=[tmp_path / "base.safetensors"])
    assert [(entry.name, entry.path.name) for entry in found] == [("a", "a.pt"), ("a #2", "a.safetensors")]


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no checkpoints"):
        discover_checkpoints(tmp_path)
    with pytest.raises(DataError, match="No such file"):
        discover_checkpoints(tmp_path / "none")
    (tmp_path / "log.txt").touch()
    with pytest.raises(DataError, match="neither a folder nor a weights file"):
        discover_checkpoints(tmp_path / "log.txt")
