"""The export of checkpoints: layout, selection.json, what is refused, what --force does."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.checkpoints import METRICS, Select, adapter

from engine import __version__
from engine.errors import ExportError, TargetExistsError
from engine.export.checkpoints import export_checkpoints
from engine.export.selection import ExportedFile, LeftOut
from engine.text import visible


def tree(folder: Path) -> list[str]:
    """Everything below a folder, hidden files included."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def test_a_weights_file_is_copied_and_described(tmp_path: Path, weights: Path, select: Select) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    (exported,) = export_checkpoints([select()], tmp_path / "out" / "here")
    source = (weights / "checkpoint_34.pt").read_bytes()
    assert exported.path == tmp_path / "out" / "here" / "strategy_b" / "checkpoint_34"
    assert tree(tmp_path / "out") == [
        "here/strategy_b/checkpoint_34/README.md",
        "here/strategy_b/checkpoint_34/checkpoint_34.pt",
        "here/strategy_b/checkpoint_34/selection.json",
    ]
    assert (exported.path / "checkpoint_34.pt").read_bytes() == source
    document = json.loads((exported.path / "selection.json").read_text("utf-8"))
    created = datetime.strptime(document.pop("created"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= created <= datetime.now(UTC)
    card = (exported.path / "README.md").read_bytes()
    assert exported.card == ExportedFile("README.md", len(card), hashlib.sha256(card).hexdigest())
    assert document == {
        "schema_version": 1,
        "run": "strategy_b",
        "run_folder": "lora_kitti360_strategy_b",
        "checkpoint": "checkpoint_34",
        "baseline": "baseline",
        "protocol": "compat",
        "provenance": "imported",
        "objective": "score",
        "where": "vram_gb <= 24",
        "considered": 51,
        "rejected": 34,
        "basis": None,
        "metrics": [METRICS[0], {**METRICS[1], "value": None}],
        "files": [{"name": "checkpoint_34.pt", "bytes": 10240, "sha256": hashlib.sha256(source).hexdigest()}],
        "left_out": [],
        "card": asdict(exported.card),
        "merged": None,
        "lorascope_version": __version__,
    }


def test_an_adapter_folder_is_copied_without_training_state(tmp_path: Path, select: Select) -> None:
    adapter(tmp_path / "more" / "checkpoint_40", {"README.md": b"r", "optimizer.pt": b"o" * 9999})
    (exported,) = export_checkpoints([select("checkpoint_40", sources=(tmp_path / "more",))], tmp_path / "out")
    assert sorted(path.name for path in exported.path.iterdir()) == [
        "README.md",
        "README.source.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "selection.json",
    ]
    document = json.loads((exported.path / "selection.json").read_text("utf-8"))
    assert document["left_out"] == [{"name": "optimizer.pt", "reason": "training state"}]
    assert (exported.path / "README.source.md").read_bytes() == b"r"
    assert "`README.source.md`" in (exported.path / "README.md").read_text("utf-8")


def test_links_are_copied_as_files(tmp_path: Path, weights: Path, select: Select) -> None:
    real = weights / "checkpoint_37" / "adapter_model.safetensors"
    content = real.read_bytes()
    real.rename(tmp_path / "blob")
    real.symlink_to(tmp_path / "blob")
    (exported,) = export_checkpoints([select("checkpoint_37")], tmp_path / "out")
    copy = exported.path / "adapter_model.safetensors"
    assert not copy.is_symlink() and copy.read_bytes() == content


def test_progress_counts_every_byte_twice(tmp_path: Path, select: Select, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.export.copying.CHUNK_BYTES", 1000)
    seen: list[tuple[int, int]] = []
    export_checkpoints([select(), select("checkpoint_36")], tmp_path / "out", progress=lambda *at: seen.append(at))
    total = 2 * (10240 + 6000)
    assert seen[0] == (0, total) and seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen) and len(seen) == 1 + 2 * (11 + 6)


def test_names_from_outside_become_plain_folders(tmp_path: Path, select: Select) -> None:
    name = "../../evil\n[bold]\x1b[31m"
    source = tmp_path / "odd"
    source.mkdir()
    (source / "a.pt").write_bytes(b"w")
    chosen = select(name, run="..", sources=(), recorded_path=source / "a.pt")
    (exported,) = export_checkpoints([chosen], tmp_path / "out")
    assert exported.path == tmp_path / "out" / "%2E%2E" / "%2E.%2F..%2Fevil%0A%5Bbold%5D%1B%5B31m"
    text = (exported.path / "selection.json").read_text("utf-8")
    assert json.loads(text)["checkpoint"] == name and "\x1b" not in text
    assert tree(tmp_path / "out") == sorted(
        (exported.path / file).relative_to(tmp_path / "out").as_posix()
        for file in ("README.md", "a.pt", "selection.json")
    )


def test_a_file_name_that_is_no_text(tmp_path: Path, weights: Path, select: Select) -> None:
    folder = adapter(tmp_path / "more" / "checkpoint_40")
    try:
        (folder / "caf\udce9.txt").write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    (exported,) = export_checkpoints([select("checkpoint_40", sources=(tmp_path / "more",))], tmp_path / "out")
    document = json.loads((exported.path / "selection.json").read_text("utf-8"))
    assert document["files"][-1]["name"] == "caf\udce9.txt"


def test_an_existing_export_is_refused_before_anything_is_written(tmp_path: Path, select: Select) -> None:
    target = tmp_path / "out"
    export_checkpoints([select("checkpoint_36")], target)
    before = tree(target)
    with pytest.raises(TargetExistsError, match=r"strategy_b/checkpoint_36: exists already; replace it with --force"):
        export_checkpoints([select(), select("checkpoint_36")], target)
    assert tree(target) == before


def test_force_replaces_an_export(tmp_path: Path, weights: Path, select: Select) -> None:
    target = tmp_path / "out"
    (first,) = export_checkpoints([select()], target)
    (first.path / "notes.txt").write_text("old")
    (weights / "checkpoint_34.pt").write_bytes(b"new")
    (second,) = export_checkpoints([select(where=None)], target, force=True)
    assert second.path == first.path
    assert tree(target) == [
        f"strategy_b/checkpoint_34/{name}" for name in ("README.md", "checkpoint_34.pt", "selection.json")
    ]
    assert (second.path / "checkpoint_34.pt").read_bytes() == b"new"


def test_force_does_not_replace_what_is_no_export(tmp_path: Path, select: Select) -> None:
    mine = tmp_path / "out" / "strategy_b" / "checkpoint_34"
    mine.mkdir(parents=True)
    (mine / "thesis.txt").write_text("mine")
    with pytest.raises(ExportError, match=r"is no export \(no selection\.json in it\); move it away"):
        export_checkpoints([select()], tmp_path / "out", force=True)
    elsewhere = mine.parent / "checkpoint_36"
    elsewhere.symlink_to(tmp_path)
    (tmp_path / "selection.json").write_text("{}")
    with pytest.raises(ExportError, match="is no export"):
        export_checkpoints([select("checkpoint_36")], tmp_path / "out", force=True)
    assert tree(tmp_path / "out") == ["strategy_b/checkpoint_34/thesis.txt"] + [
        path for path in tree(tmp_path / "out") if path.startswith("strategy_b/checkpoint_36")
    ]


def test_an_export_is_not_replaced_by_itself(tmp_path: Path, select: Select) -> None:
    target = tmp_path / "out"
    (first,) = export_checkpoints([select()], target)
    with pytest.raises(ExportError, match="is to be copied from there"):
        export_checkpoints([select(sources=(first.path,))], target, force=True)
    # From an export to another place it can be passed on.
    (again,) = export_checkpoints([select(sources=(first.path,))], tmp_path / "other")
    assert again.files == first.files


def test_the_card_of_an_earlier_export_is_not_passed_on(tmp_path: Path, select: Select) -> None:
    (first,) = export_checkpoints([select("checkpoint_37")], tmp_path / "out")
    (again,) = export_checkpoints([select("checkpoint_37", sources=(first.path.parent,))], tmp_path / "other")
    assert again.left_out == (
        LeftOut("README.md", "of an earlier export"),
        LeftOut("selection.json", "of an earlier export"),
    )
    assert tree(again.path) == ["README.md", "adapter_config.json", "adapter_model.safetensors", "selection.json"]


def test_a_card_that_was_edited_is_kept(tmp_path: Path, weights: Path, select: Select) -> None:
    (first,) = export_checkpoints([select("checkpoint_37")], tmp_path / "out")
    card = first.path / "README.md"
    card.write_text(card.read_text("utf-8") + "Mine.\n", "utf-8")
    (first.path / "README.source.md").write_text("older", "utf-8")
    (again,) = export_checkpoints([select("checkpoint_37", sources=(first.path.parent,))], tmp_path / "other")
    assert (again.path / "README.source-2.md").read_text("utf-8").endswith("Mine.\n")
    assert (again.path / "README.source.md").read_text("utf-8") == "older"
    assert [left.name for left in again.left_out] == ["selection.json"]


def test_two_of_one_name(tmp_path: Path, select: Select) -> None:
    with pytest.raises(ExportError, match="chosen twice"):
        export_checkpoints([select(), select()], tmp_path / "out")
    with pytest.raises(ExportError, match="two chosen checkpoints are called STRATEGY_B / checkpoint_34"):
        export_checkpoints([select(), replace(select(run="STRATEGY_B"), run_path=tmp_path)], tmp_path / "out")
    with pytest.raises(ExportError, match="no checkpoint was chosen"):
        export_checkpoints([], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_target_that_is_a_file(tmp_path: Path, select: Select) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ExportError, match=r"out: is no folder"):
        export_checkpoints([select()], tmp_path / "out")
    with pytest.raises(ExportError, match=r"out/deeper: cannot be written \(Not a directory\)"):
        export_checkpoints([select()], tmp_path / "out" / "deeper")


def test_an_error_names_the_place_literally(tmp_path: Path, select: Select) -> None:
    target = tmp_path / "a\nb"
    target.write_text("mine")
    with pytest.raises(ExportError) as caught:
        export_checkpoints([select()], target)
    assert str(caught.value) == visible(str(caught.value))
