"""Finding the files of a checkpoint: names, forms, ambiguity, links."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.checkpoints import Select, adapter

from engine.errors import ExportError
from engine.export.locate import CheckpointKind, locate


def touch(path: Path, content: bytes = b"w") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".safetensors", ".PT"])
def test_weights_file(tmp_path: Path, select: Select, suffix: str) -> None:
    file = touch(tmp_path / "here" / f"lora_final{suffix}")
    found = locate(select("lora_final", sources=(tmp_path / "here",)))
    assert (found.kind, found.path, found.files) == (CheckpointKind.FILE, file, (file,))


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("checkpoint_34", "checkpoint-34.pt"),
        ("checkpoint_34", "34.pth"),
        ("checkpoint_34", "ckpt_034.safetensors"),
        ("checkpoint-34", "Checkpoint 34.bin"),
        ("34", "checkpoint_34.pt"),
        ("lora_final", "lora-final.pt"),
        ("checkpoint.pt", "checkpoint.pt"),
        ("checkpoint.pt", "CHECKPOINT.safetensors"),
        ("lora_r16_step_0200", "lora-r16-step-200.pt"),
        ("..", "...pt"),
        ("a/b", "a-b.pt"),
    ],
)
def test_names_that_mean_the_same(tmp_path: Path, select: Select, name: str, entry: str) -> None:
    file = touch(tmp_path / "here" / entry)
    assert locate(select(name, sources=(tmp_path / "here",))).path == file


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("checkpoint_34", "epoch_34.pt"),
        ("checkpoint_34", "checkpoint_3.pt"),
        ("checkpoint_34", "checkpoint_34_ema.pt"),
        ("checkpoint_3", "checkpoint_34.pt"),
        ("checkpoint_34", "checkpoint_34_metrics.json"),
        ("checkpoint_12", "checkpoint_1_2.pt"),
        ("../weights/checkpoint_34", "x.pt"),
        ("9" * 5000, "9.pt"),
    ],
)
def test_names_that_do_not(tmp_path: Path, select: Select, name: str, entry: str) -> None:
    touch(tmp_path / "here" / entry)
    with pytest.raises(ExportError, match="--checkpoints DIR"):
        locate(select(name, sources=(tmp_path / "here",)))


def test_the_exact_name_wins_over_variants(tmp_path: Path, select: Select) -> None:
    touch(tmp_path / "here" / "checkpoint-34.pt")
    file = touch(tmp_path / "here" / "checkpoint_34.pt")
    assert locate(select(sources=(tmp_path / "here",))).path == file


@pytest.mark.parametrize(
    ("one", "other"), [("checkpoint_34.pt", "checkpoint_34.safetensors"), ("checkpoint-34.pt", "34.pt")]
)
def test_two_candidates_are_named(tmp_path: Path, select: Select, one: str, other: str) -> None:
    touch(tmp_path / "here" / one)
    touch(tmp_path / "here" / other)
    with pytest.raises(ExportError, match="2 candidates in") as caught:
        locate(select(sources=(tmp_path / "here",)))
    assert one in str(caught.value) and other in str(caught.value)


def test_sources_come_in_order_and_before_the_recorded_path(tmp_path: Path, select: Select) -> None:
    recorded = touch(tmp_path / "old" / "weights.pt")
    second = touch(tmp_path / "second" / "34.pt")
    empty = tmp_path / "empty"
    empty.mkdir()
    found = locate(select(sources=(tmp_path / "none", empty, tmp_path / "second"), recorded_path=recorded))
    assert found.path == second
    assert locate(select(sources=(empty,), recorded_path=recorded)).path == recorded


def test_a_recorded_path_is_relative_to_the_run(select: Select) -> None:
    selection = select(sources=(), recorded_path=Path("../../weights/checkpoint_36.pt"))
    assert locate(selection).path.read_bytes().startswith(b"36")


@pytest.mark.parametrize("recorded", ["gone.pt", "nul\0.pt", "."])
def test_a_recorded_path_that_leads_nowhere(select: Select, recorded: str) -> None:
    with pytest.raises(ExportError, match="checkpoint_34: no weights file"):
        locate(select(sources=(), recorded_path=Path(recorded)))


def test_nothing_known(select: Select) -> None:
    with pytest.raises(ExportError, match="does not say where its checkpoints are"):
        locate(select(sources=()))


def test_the_error_shows_names_literally(tmp_path: Path, select: Select) -> None:
    with pytest.raises(ExportError) as caught:
        locate(select("a\x1b[31m\nb[bold]", sources=(tmp_path / "no\nfolder",)))
    assert "\x1b" not in str(caught.value) and "\n" not in str(caught.value) and "[bold]" in str(caught.value)


def test_adapter_folder(tmp_path: Path, select: Select) -> None:
    folder = adapter(
        tmp_path / "here" / "checkpoint_34",
        {
            "README.md": b"r",
            "optimizer.pt": b"o",
            "rng_state_0.pth": b"r",
            "trainer_state.json": b"t",
            "adapter_model.bin": b"b",
            "selection.json": b"s",
        },
    )
    (folder / "runs").mkdir()
    found = locate(select(sources=(tmp_path / "here",)))
    assert found.kind is CheckpointKind.ADAPTER
    assert [file.name for file in found.files] == ["adapter_model.safetensors", "adapter_config.json", "README.md"]
    assert {item.name: item.reason for item in found.left_out} == {
        "optimizer.pt": "training state",
        "rng_state_0.pth": "training state",
        "trainer_state.json": "training state",
        "adapter_model.bin": "the same weights in another form",
        "selection.json": "of an earlier export",
        "runs": "folder",
    }


def test_an_adapter_saved_without_safetensors(tmp_path: Path, select: Select) -> None:
    folder = adapter(tmp_path / "here" / "34", {"adapter_model.bin": b"b"})
    (folder / "adapter_model.safetensors").unlink()
    assert locate(select(sources=(tmp_path / "here",))).files[0].name == "adapter_model.bin"


def test_an_adapter_without_weights_is_named(tmp_path: Path, select: Select) -> None:
    (adapter(tmp_path / "here" / "checkpoint_34") / "adapter_model.safetensors").unlink()
    with pytest.raises(ExportError, match=r"has adapter_config\.json but no adapter_model\.safetensors or"):
        locate(select(sources=(tmp_path / "here",)))


def test_a_folder_with_one_weights_file_or_one_adapter(tmp_path: Path, select: Select) -> None:
    here = tmp_path / "here"
    touch(here / "checkpoint_34" / "model.safetensors")
    touch(here / "checkpoint_34" / "config.json")
    touch(here / "checkpoint_34" / "optimizer.pt")
    adapter(here / "checkpoint_36" / "default")
    found = locate(select(sources=(here,)))
    assert found.kind is CheckpointKind.FOLDER
    assert [file.name for file in found.files] == ["model.safetensors", "config.json"]
    found = locate(select("checkpoint_36", sources=(here,)))
    assert (found.kind, found.path.name) == (CheckpointKind.ADAPTER, "default")
    touch(here / "checkpoint_34" / "other.pt")
    with pytest.raises(ExportError, match=r"more than one checkpoint in it: model\.safetensors, other\.pt"):
        locate(select(sources=(here,)))


def test_links(tmp_path: Path, select: Select) -> None:
    blob = touch(tmp_path / "cache" / "blob", b"weights")
    secret = touch(tmp_path / "secret.txt")
    folder = adapter(tmp_path / "here" / "checkpoint_34", {"notes.md": b"n"})
    (folder / "adapter_model.safetensors").unlink()
    (folder / "adapter_model.safetensors").symlink_to(blob)
    (folder / "inside.md").symlink_to("notes.md")
    (folder / "outside.md").symlink_to(secret)
    (folder / "dangling.md").symlink_to("gone")
    found = locate(select(sources=(tmp_path / "here",)))
    assert [file.name for file in found.files] == [
        "adapter_model.safetensors",
        "adapter_config.json",
        "inside.md",
        "notes.md",
    ]
    assert {item.name: item.reason for item in found.left_out} == {
        "dangling.md": "link to nothing",
        "outside.md": "link to outside the folder",
    }
    blob.unlink()
    with pytest.raises(ExportError, match=r"adapter_model\.safetensors: a link to nothing"):
        locate(select(sources=(tmp_path / "here",)))


def test_what_is_no_regular_file(tmp_path: Path, select: Select) -> None:
    (tmp_path / "here").mkdir()
    os.mkfifo(tmp_path / "here" / "checkpoint_34.pt")
    with pytest.raises(ExportError, match="is no weights file"):
        locate(select(sources=(tmp_path / "here",)))
