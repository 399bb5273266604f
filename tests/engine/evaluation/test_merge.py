"""Merged weights of an export: equal to PEFT's, proven from the disk, and nothing exported where the proof fails."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import peft
import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from support.checkpoints import selection
from support.lora import SIZE, TRAINING, Trainings, outputs, peft_model
from torch import Tensor, nn

from engine.errors import DataError, ExportError, LorascopeError, UsageError
from engine.evaluation import merge
from engine.evaluation.merge import BaseWeights, CheckpointMerger
from engine.export.checkpoints import ExportedCheckpoint, export_checkpoints
from engine.export.selection import Selection
from engine.inference.families import build_model
from engine.inference.lora import AdapterBank
from engine.inference.tiny import TinyModel, TinyNetwork, save_network
from engine.inference.weights import read_tensors, state_sha256
from engine.schema import ModelInfo, RunMetadata

Export = Callable[..., list[ExportedCheckpoint]]


@pytest.fixture
def network() -> TinyNetwork:
    return TinyNetwork(SIZE, seed=3).eval()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    return folder


@pytest.fixture
def trainings(network: TinyNetwork, weights: Path) -> Trainings:
    return Trainings(network, weights)


@pytest.fixture
def base(network: TinyNetwork, tmp_path: Path) -> Path:
    """The base's weights in a file that says their size."""
    path = tmp_path / "base.safetensors"
    save_network(network, path)
    return path


def chosen(folder: Path, name: str, sha256: str | None = None) -> Selection:
    about = RunMetadata(run="run", model=ModelInfo(name="tiny", weights="base.safetensors", weights_sha256=sha256))
    return selection(folder / "run", folder, name, about=about)


@pytest.fixture
def export(weights: Path, base: Path, tmp_path: Path) -> Export:
    """Export checkpoints of ``weights`` to ``out``, merged into the base."""

    def call(*names: str, sha256: str | None = None, **options: Any) -> list[ExportedCheckpoint]:
        merger = CheckpointMerger(options.pop("into", BaseWeights("tiny", base)), options.pop("training", None))
        selections = [chosen(weights, name, sha256) for name in names]
        return export_checkpoints(selections, tmp_path / "out", merger=merger, **options)

    return call


@pytest.fixture
def images() -> Tensor:
    return torch.rand(1, 2, 3, 48, 64, generator=torch.Generator().manual_seed(5))


def merged_by_peft(network: nn.Module, folder: Path) -> nn.Module:
    """The independent reference."""
    return peft.PeftModel.from_pretrained(copy.deepcopy(network), str(folder)).merge_and_unload()


def test_merged_weights_are_those_that_peft_merges(
    network: TinyNetwork, trainings: Trainings, base: Path, export: Export, images: Tensor
) -> None:
    trainings.adapter("a", 1)
    trainings.adapter("b", 2, r=2, modules_to_save=["camera_head.pose_branch"])
    sha256 = state_sha256(network)
    for exported in export("a", "b", sha256=sha256):
        assert exported.merged is not None
        file = exported.path / "merged" / "model.safetensors"
        assert (file.stat().st_size, exported.merged.file.bytes) == (exported.merged.file.bytes,) * 2
        found = read_tensors(file)
        reference = merged_by_peft(network, exported.path)
        wanted = reference.state_dict()
        assert found.keys() == wanted.keys() == network.state_dict().keys()
        for name, tensor in wanted.items():
            torch.testing.assert_close(found[name], tensor, rtol=1e-6, atol=1e-7)
        assert any(not torch.equal(found[name], tensor) for name, tensor in network.state_dict().items())
        # The file is a base of its own: it tells its size, and needs no PEFT.
        again = build_model("tiny", weights=file)
        torch.testing.assert_close(outputs(again.module, images), outputs(reference, images), rtol=1e-5, atol=1e-5)


def test_what_is_said_of_them(network: TinyNetwork, trainings: Trainings, export: Export) -> None:
    trainings.adapter("a", 1)
    (exported,) = export("a", sha256=state_sha256(network))
    said = json.loads((exported.path / "selection.json").read_text("utf-8"))["merged"]
    check = said.pop("check")
    file = exported.path / "merged" / "model.safetensors"
    assert said == {
        "name": "merged/model.safetensors",
        "bytes": file.stat().st_size,
        "sha256": exported.merged.file.sha256 if exported.merged else "",
        "dtype": "float32",
        "tensors": len(network.state_dict()),
        "parameters": sum(tensor.numel() for tensor in network.state_dict().values()),
        "changed_modules": len(json.loads((exported.path / "adapter_config.json").read_text())["target_modules"]),
        "model": "tiny",
        "base": "base.safetensors",
        "base_sha256": state_sha256(network),
        "base_is_the_runs": True,
    }
    assert check.pop("max_difference") < 1e-5 < 1e-2 < check.pop("effect")
    assert check == {
        "input": "2 frames of 64x48 pixels, uniform in [0, 1], seed 0",
        "precision": "fp32",
        "device": "cpu",
        "outputs": ["depth", "confidence", "world_to_camera", "intrinsics"],
        "tolerance": 1e-4,
    }
    before = exported.merged.file.sha256 if exported.merged else ""
    (again,) = export("a", sha256=state_sha256(network), force=True)
    assert again.merged is not None and again.merged.file.sha256 == before
    card = (exported.path / "README.md").read_text("utf-8")
    assert f"SHA-256 `{said['sha256']}`" in card and 'weights=Path("merged/model.safetensors")' in card


@pytest.mark.parametrize("form", ["full", "lora_only"])
@pytest.mark.parametrize("given", [True, False])
def test_weights_files_merge_too(
    network: TinyNetwork, trainings: Trainings, export: Export, tmp_path: Path, form: str, given: bool
) -> None:
    getattr(trainings, form)("checkpoint_1", 5)
    config = trainings.config()
    if given:
        config = config.rename(tmp_path / "elsewhere.yaml")
    (exported,) = export("checkpoint_1", training=config if given else None)
    found = read_tensors(exported.path / "merged" / "model.safetensors")
    wanted = peft_model(network, 5, r=TRAINING.rank).merge_and_unload().state_dict()
    for name, tensor in wanted.items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-6, atol=1e-7)
    assert exported.merged is not None and exported.merged.facts["base_is_the_runs"] is False


def test_parts_that_the_network_is_built_without_stay_in_the_file(
    network: TinyNetwork, trainings: Trainings, base: Path, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Partial(TinyModel):
        unused_parts = ("track_head.",)

    whole = base.with_name("whole.safetensors")
    extra = {"track_head.a": torch.arange(6.0).half().reshape(2, 3), "track_head.b": torch.ones(1)}
    save_file({**network.state_dict(), **extra}, whole)
    trainings.adapter("a", 1)
    monkeypatch.setattr(merge, "build_model", lambda *_, **__: Partial(copy.deepcopy(network)))
    (exported,) = export("a", into=BaseWeights("tiny", whole))
    found = read_tensors(exported.path / "merged" / "model.safetensors")
    assert found.keys() == {*network.state_dict(), *extra}
    assert all(torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype for name, tensor in extra.items())
    assert exported.merged is not None and exported.merged.facts["dtype"] == "float16, float32"
    with safe_open(exported.path / "merged" / "model.safetensors", framework="pt") as opened:
        assert opened.metadata() == {"format": "pt"}


def test_equal_weights_are_equal_files(tmp_path: Path) -> None:
    """The library writes the entries of the metadata in another order each time."""
    tensors, metadata = {"a": torch.arange(6.0), "ü": torch.ones(2, 3)}, {key: f'{key} "ü"' for key in "zyxwvu"}
    contents = set()
    for number in range(6):
        file = tmp_path / f"{number}.safetensors"
        merge._write(tensors, metadata, file, tmp_path)
        contents.add(file.read_bytes())
        with safe_open(file, framework="pt") as opened:
            assert opened.metadata() == metadata and set(opened.keys()) == {"a", "ü"}
            assert torch.equal(opened.get_tensor("ü"), tensors["ü"])
    assert len(contents) == 1


def test_tensors_that_share_memory_are_written_apart(tmp_path: Path) -> None:
    one = torch.arange(12.0).reshape(3, 4)
    tensors = {"a": one, "same": one, "row": one[1], "turned": one.T}
    merge._write(tensors, {}, tmp_path / "file.safetensors", tmp_path / "shown")
    found = read_tensors(tmp_path / "file.safetensors")
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())


def nothing(tmp_path: Path) -> bool:
    return not (tmp_path / "out").exists()


def test_another_base_is_refused_before_anything_is_written(
    trainings: Trainings, export: Export, tmp_path: Path
) -> None:
    trainings.adapter("a", 1)
    with pytest.raises(UsageError, match=r"the base weights are not those of strategy_b: .* --base-seed"):
        export("a", sha256="0" * 64)
    with pytest.raises(DataError, match=r"nowhere\.safetensors"):
        export("a", into=BaseWeights("tiny", tmp_path / "nowhere.safetensors"))
    with pytest.raises(UsageError, match="unknown model 'vgtt'"):
        export("a", into=BaseWeights("vgtt", seed=1))
    with pytest.raises(DataError, match="no section 'lora'"):
        (tmp_path / "train.yaml").write_text("a: 1")
        export("a", training=tmp_path / "train.yaml")
    assert nothing(tmp_path)


def test_a_checkpoint_of_another_network_exports_nothing(trainings: Trainings, export: Export, tmp_path: Path) -> None:
    trainings.adapter("a", 1)
    trainings.adapter("z", 1)
    config = tmp_path / "weights" / "z" / "adapter_config.json"
    config.write_text(config.read_text().replace('"r": 4', '"r": 3'))
    with pytest.raises(DataError, match="does not fit its LoRA configuration"):
        export("a", "z")
    assert nothing(tmp_path)


def times(factor: float) -> Callable[..., Iterator[tuple[Tensor, Tensor]]]:
    """Updates that are not the checkpoint's."""
    updates = AdapterBank._updates

    def wrong(bank: AdapterBank, name: str | None) -> Iterator[tuple[Tensor, Tensor]]:
        return ((weight, factor * update) for weight, update in updates(bank, name))

    return wrong


@pytest.mark.parametrize("factor", [0.0, 1.001, 2.0, -1.0, float("nan")])
def test_a_merge_that_is_wrong_exports_nothing(
    trainings: Trainings, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    trainings.adapter("a", 1)
    monkeypatch.setattr(AdapterBank, "_updates", times(factor))
    with pytest.raises(ExportError, match=r"a: the merged weights do not do what the checkpoint does"):
        export("a")
    assert nothing(tmp_path)


def test_a_merge_of_little_effect_is_not_passed_for_a_good_one(
    network: TinyNetwork, trainings: Trainings, weights: Path, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that changes outputs by less than the tolerance: doing nothing would be within it."""
    source = trainings.adapter("a", 1)
    file = source.path / "adapter_model.safetensors"
    save_file({name: t * (1e-3 if "lora_B" in name else 1) for name, t in read_tensors(file).items()}, file)
    (exported,) = export("a")
    assert exported.merged is not None
    check: Any = exported.merged.facts["check"]
    assert check["max_difference"] < 0.1 * check["effect"]
    monkeypatch.setattr(AdapterBank, "_updates", times(0.0))
    with pytest.raises(ExportError, match="do not do what the checkpoint does"):
        export("a", force=True)
    assert read_tensors(exported.path / "merged" / "model.safetensors")  # the earlier export is what it was


def test_what_reads_back_differently_exports_nothing(
    trainings: Trainings, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings.adapter("a", 1)

    def damage(place: Path, _: Path) -> str:
        with place.open("r+b") as file:
            file.seek(-5, 2)
            file.write(b"\x3f")
        return "0" * 64

    monkeypatch.setattr(merge, "hash_of", damage)
    with pytest.raises(ExportError, match=r"merged/model\.safetensors: the merged weights read back differently"):
        export("a")
    assert nothing(tmp_path)


def test_a_full_disk_exports_nothing(
    trainings: Trainings, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings.adapter("a", 1)

    def full(*_: object, **__: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    with monkeypatch.context() as patch:
        patch.setattr(merge, "save_file", full)
        with pytest.raises(ExportError, match=r"model\.safetensors: cannot be written \(.*No space left.*free some"):
            export("a")
    # Enough for the adapter, not for the base.
    size = sum(file.stat().st_size for file in (tmp_path / "weights" / "a").iterdir())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=size + 10))
    with pytest.raises(ExportError, match=r"merged/model\.safetensors: the disk is full"):
        export("a")
    assert nothing(tmp_path)


def test_a_base_that_changes_in_between_exports_nothing(
    trainings: Trainings, base: Path, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings.adapter("a", 1)
    trainings.adapter("b", 2)
    written = merge._write

    def rewrite(*arguments: Any) -> None:
        written(*arguments)
        save_network(TinyNetwork(SIZE, seed=4), base)

    monkeypatch.setattr(merge, "_write", rewrite)
    with pytest.raises(LorascopeError, match=r"base\.safetensors changed during the export"):
        export("a", "b")
    assert nothing(tmp_path)
