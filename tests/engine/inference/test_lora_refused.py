"""Checkpoints that are refused, each with a sentence that names the file and what does not fit."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from support.lora import PATTERNS, TRAINING, Trainings, targets

from engine.errors import DataError
from engine.inference.checkpoints import CheckpointKind, CheckpointSource
from engine.inference.lora_config import BaseNetwork
from engine.inference.lora_read import LoraCheckpoint, read_checkpoint
from engine.inference.tiny import TinyModel, TinyNetwork
from engine.training_config import LoraTraining, find_training, read_training, training_from

PREFIX = "base_model.model."
QKV = f"{PREFIX}aggregator.frame_blocks.1.attn.qkv"


@pytest.fixture
def base(network: TinyNetwork) -> BaseNetwork:
    return BaseNetwork.of(network)


def refusal(source: CheckpointSource, base: BaseNetwork, training: LoraTraining | None = TRAINING) -> str:
    """The sentence with which a checkpoint is refused; it names the file or folder."""
    with pytest.raises(DataError) as caught:
        read_checkpoint(source, base, training)
    assert source.path.name in caught.value.message
    assert caught.value.remedy
    return str(caught.value)


def test_the_same_base_in_another_precision_is_the_same_base(base: BaseNetwork, trainings: Trainings) -> None:
    state = {k: v if ".lora_" in k else v.bfloat16() for k, v in trainings.state(1).items()}
    assert isinstance(read_checkpoint(trainings.write("a", state), base, TRAINING), LoraCheckpoint)


def test_another_base(base: BaseNetwork, trainings: Trainings) -> None:
    state = trainings.state(1)
    state[f"{PREFIX}camera_head.token_norm.weight"] += 1e-6
    state[f"{QKV}.base_layer.weight"][0, 0] += 1e-6
    message = refusal(trainings.write("a", {"model": state}), base)
    assert f"another base: 2 of its {len(base.state)} base tensors differ" in message
    assert "aggregator.frame_blocks.1.attn.qkv.weight" in message


def test_a_base_of_another_size(base: BaseNetwork, trainings: Trainings) -> None:
    state = trainings.state(1)
    state[f"{PREFIX}camera_head.token_norm.weight"] = torch.ones(7)
    assert "camera_head.token_norm.weight is 7 instead of 32" in refusal(trainings.write("a", state), base)


def test_part_of_a_base(base: BaseNetwork, trainings: Trainings) -> None:
    state = trainings.state(1)
    del state[f"{PREFIX}camera_head.token_norm.weight"]
    assert "lacks camera_head.token_norm.weight" in refusal(trainings.write("a", state), base)


def test_keys_that_nothing_uses(base: BaseNetwork, trainings: Trainings) -> None:
    state = {**trainings.state(1), f"{PREFIX}new.weight": torch.ones(2)}
    assert "holds new.weight, which the base does not have" in refusal(trainings.write("a", state), base)


def test_missing_and_surplus_factors(base: BaseNetwork, trainings: Trainings) -> None:
    state = trainings.state(1)
    state[f"{PREFIX}aggregator.frame_blocks.0.attn.qkv.lora_A.default.weight"] = state.pop(
        f"{QKV}.lora_A.default.weight"
    )
    message = refusal(trainings.write("a", state), base)
    assert "lacks aggregator.frame_blocks.1.attn.qkv.lora_A" in message
    assert "holds aggregator.frame_blocks.0.attn.qkv.lora_A" in message


def test_another_rank_than_configured(base: BaseNetwork, trainings: Trainings) -> None:
    message = refusal(trainings.full("a", 1, r=2), base)
    assert re.search(r"lora_A is 2x\S+ instead of 4x\S+ \(and \d+ more\)", message)
    adapter = trainings.adapter("b", 1)
    trainings.edit_config(adapter, r=8)
    with pytest.raises(DataError, match=r"adapter_model.*is 4x"):
        read_checkpoint(adapter, base)


@pytest.mark.parametrize("form", ["full", "lora_only", "adapter"])
def test_nothing_was_trained(base: BaseNetwork, trainings: Trainings, form: str) -> None:
    source = getattr(trainings, form)("a", 1)
    path = source.path / "adapter_model.safetensors" if form == "adapter" else source.path
    state = load_file(path) if form == "adapter" else torch.load(path)
    inner = state.get("model", state)
    for key in inner:
        if ".lora_B" in key:
            inner[key].zero_()
    if form == "adapter":
        save_file(state, path)
    else:
        torch.save(state, path)
    with pytest.raises(DataError, match=f"{path.name} would change nothing"):
        read_checkpoint(source, base, TRAINING)


def test_alpha_of_zero_changes_nothing(base: BaseNetwork, trainings: Trainings) -> None:
    assert "change nothing" in refusal(trainings.full("a", 1), base, LoraTraining(4, 0.0, PATTERNS))


def test_a_module_trained_whole_is_a_change(base: BaseNetwork, trainings: Trainings) -> None:
    settings: dict[str, Any] = {"modules_to_save": ["depth_head.norm"]}
    state = trainings.state(1, **settings)
    for key in state:
        if ".lora_B" in key:
            state[key].zero_()
    found = read_checkpoint(trainings.write("a", state), base, TRAINING)
    assert set(found.replaced) == {"depth_head.norm.weight", "depth_head.norm.bias"}
    for key in state:
        if ".modules_to_save." in key:
            state[key] = base.state[key.removeprefix(PREFIX).replace("modules_to_save.default.", "")].clone()
    assert "change nothing" in refusal(trainings.write("a", state), base)


def test_a_module_trained_whole_must_be_whole(base: BaseNetwork, trainings: Trainings) -> None:
    state = trainings.state(1, modules_to_save=["depth_head.norm"])
    del state[f"{PREFIX}depth_head.norm.modules_to_save.default.bias"]
    assert "lacks depth_head.norm.bias" in refusal(trainings.write("a", state), base)
    adapter = trainings.adapter("b", 1, modules_to_save=["depth_head.norm"])
    trainings.edit_config(adapter, modules_to_save=None)
    with pytest.raises(DataError, match=r"holds depth_head\.norm\.bias"):
        read_checkpoint(adapter, base)


def test_diverged(base: BaseNetwork, trainings: Trainings) -> None:
    state = trainings.state(1)
    state[f"{QKV}.lora_B.default.weight"][0, 0] = float("nan")
    message = refusal(trainings.write("a", state), base)
    assert "NaN or infinity in aggregator.frame_blocks.1.attn.qkv.lora_B" in message


def test_several_adapters_and_doubles(base: BaseNetwork, trainings: Trainings) -> None:
    state = trainings.state(1)
    two = {**state, f"{QKV}.lora_A.second.weight": torch.ones(4, 16)}
    assert "several adapters: default, second" in refusal(trainings.write("a", two), base)
    double = {**state, "aggregator.frame_blocks.1.attn.qkv.weight": torch.ones(48, 16)}
    assert "twice" in refusal(trainings.write("a", double), base)


def test_other_kinds_of_lora(base: BaseNetwork, trainings: Trainings) -> None:
    assert "not of plain LoRA" in refusal(trainings.full("a", 1, use_dora=True, target_modules=r".*\.qkv"), base)
    dora = trainings.adapter("b", 1, use_dora=True, target_modules=r".*\.qkv")
    with pytest.raises(DataError, match="use_dora = True is not supported"):
        read_checkpoint(dora, base)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"peft_type": "IA3"}, "peft_type is 'IA3'"),
        ({"bias": "all"}, "bias = 'all' is not supported"),
        ({"invented_by_a_later_release": 3}, "invented_by_a_later_release = 3 is not supported"),
        ({"init_lora_weights": "pissa_niter_4"}, "changed the base weights"),
        ({"target_modules": ["nowhere"]}, "match no layer"),
        ({"target_modules": ["token_norm"]}, "neither Linear, Conv1d nor Conv2d"),
        ({"target_modules": "("}, "cannot be used"),
        ({"r": 0}, "cannot be used"),
        ({"r": "four"}, "cannot be used"),
    ],
)
def test_adapter_settings(base: BaseNetwork, trainings: Trainings, changes: dict[str, Any], message: str) -> None:
    source = trainings.adapter("a", 1)
    trainings.edit_config(source, **changes)
    with pytest.raises(DataError, match=f"adapter_config.json.*{re.escape(message)}"):
        read_checkpoint(source, base)


def test_indifferent_settings(base: BaseNetwork, trainings: Trainings) -> None:
    source = trainings.adapter("a", 1)
    trainings.edit_config(
        source, base_model_name_or_path="somewhere/else", init_lora_weights="gaussian", a_later_feature=None
    )
    assert read_checkpoint(source, base).recipe.rank == 4


@pytest.mark.parametrize("content", ["", "{", "[]", "\ud800"])
def test_adapter_config_that_is_no_config(base: BaseNetwork, trainings: Trainings, content: str) -> None:
    source = trainings.adapter("a", 1)
    (source.path / "adapter_config.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(DataError, match=r"adapter_config\.json"):
        read_checkpoint(source, base)


def test_adapter_without_weights(base: BaseNetwork, trainings: Trainings) -> None:
    source = trainings.adapter("a", 1)
    (source.path / "adapter_model.safetensors").unlink()
    assert "no adapter_model.safetensors or adapter_model.bin" in refusal(source, base)


def test_a_file_without_lora(base: BaseNetwork, trainings: Trainings, network: TinyNetwork) -> None:
    assert "no LoRA tensors" in refusal(trainings.write("a", network.state_dict()), base)


class Bomb:
    """What a hostile pickle does: runs something when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("bomb_went_off"),))


def test_nothing_in_a_file_is_run(
    base: BaseNetwork, trainings: Trainings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for content in ({"model": Bomb()}, {"model": {"a": torch.ones(1)}, "extra": Bomb()}):
        assert "Python objects" in refusal(trainings.write("a", content), base)
    (tmp_path / "b.pt").write_bytes(pickle.dumps(Bomb()))
    assert "b.pt" in refusal(CheckpointSource("b", tmp_path / "b.pt", CheckpointKind.WEIGHTS), base)
    assert not (tmp_path / "bomb_went_off").exists()


@pytest.mark.parametrize("name", ["a.pt", "a.safetensors", "a.bin"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02}q\x00", b"junk" * 99, b"\xff" * 16])
def test_corrupt_files(base: BaseNetwork, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    refusal(CheckpointSource("a", tmp_path / name, CheckpointKind.WEIGHTS), base)


def test_cut_off_files(base: BaseNetwork, trainings: Trainings) -> None:
    source = trainings.full("a", 1)
    whole = source.path.read_bytes()
    for part in (1, len(whole) // 3, len(whole) - 30):
        source.path.write_bytes(whole[:part])
        refusal(source, base)


@pytest.mark.parametrize(
    "content", [[1], {"a": 1}, {"model": {"a": 1}}, {"model": {1: torch.ones(1)}}, {"model": {}}, {}]
)
def test_files_that_hold_something_else(base: BaseNetwork, trainings: Trainings, content: Any) -> None:
    refusal(trainings.write("a", content), base)


def test_missing_file_and_strange_ending(base: BaseNetwork, tmp_path: Path) -> None:
    assert "No such file" in refusal(CheckpointSource("a", tmp_path / "a.pt", CheckpointKind.WEIGHTS), base)
    assert "no weights file" in refusal(CheckpointSource("a", tmp_path / "a.onnx", CheckpointKind.WEIGHTS), base)


def test_no_configuration(base: BaseNetwork, trainings: Trainings) -> None:
    message = refusal(trainings.full("a", 1), base, training=None)
    assert "does not say its LoRA alpha" in message
    assert "--training" in message


def test_patterns_mean_what_the_training_means(base: BaseNetwork, network: TinyNetwork, trainings: Trainings) -> None:
    found = read_checkpoint(trainings.full("a", 1), base, TRAINING)
    assert sorted(found.factors) == sorted(targets(network))
    message = "target 'aggregator.blocks.*' matches no layer"
    with pytest.raises(DataError, match=re.escape(message)):
        read_checkpoint(trainings.full("b", 1), base, LoraTraining(4, 8.0, ("aggregator.blocks.*",)))


def test_configurations(tmp_path: Path, trainings: Trainings) -> None:
    path = trainings.config(alpha=16.5, dropout=0, learning_rate=1e-5)
    assert read_training(path) == LoraTraining(4, 16.5, PATTERNS, 0.0)
    assert training_from({"rank": 2, "alpha": 4, "target_modules": "a.*", "use_rslora": True}, "x").use_rslora
    for content, message in (
        ("lora: [", "no valid YAML"),
        ("other: 1", "no section 'lora'"),
        ("- 1", "no section 'lora'"),
        ("!!python/object/apply:os.getcwd []", "no valid YAML"),
    ):
        path.write_text(content)
        with pytest.raises(DataError, match=rf"train\.yaml.*{message}"):
            read_training(path)
    with pytest.raises(DataError, match="No such file"):
        read_training(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"enabled": False}, "without LoRA"),
        ({"rank": 0}, "lora.rank is 0"),
        ({"rank": True}, "lora.rank is True"),
        ({"rank": "${rank}"}, "lora.rank"),
        ({"alpha": "16"}, "lora.alpha is '16'"),
        ({"alpha": float("nan")}, "lora.alpha is nan"),
        ({"dropout": -1}, "lora.dropout is -1"),
        ({"target_modules": []}, "lora.target_modules"),
        ({"target_modules": [3]}, "lora.target_modules"),
    ],
)
def test_wrong_settings_of_a_training(changes: dict[str, Any], message: str) -> None:
    section = {"rank": 4, "alpha": 8, "target_modules": ["a"], **changes}
    with pytest.raises(DataError, match=f"the file: .*{re.escape(message)}"):
        training_from(section, "the file")


@pytest.mark.parametrize("key", ["rank", "alpha", "target_modules"])
def test_missing_settings_of_a_training(key: str) -> None:
    section = {"rank": 4, "alpha": 8, "target_modules": ["a"]}
    del section[key]
    with pytest.raises(DataError, match=f"lora.{key} is missing"):
        training_from(section, "the file")


def test_where_a_configuration_is_looked_for(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "ckpts"
    folder.mkdir(parents=True)
    checkpoint = folder / "checkpoint_1.pt"
    checkpoint.touch()
    lora = yaml.safe_dump({"lora": {"rank": 1}})
    assert find_training(checkpoint) is None
    (folder / "other.yaml").write_text("data: 1")
    (folder / "broken.json").write_text("{")
    (tmp_path / "run" / "train.yml").write_text(lora)
    assert find_training(checkpoint) == tmp_path / "run" / "train.yml"
    (folder / "train.json").write_text('{"lora": {"rank": 1}}')
    assert find_training(checkpoint) == folder / "train.json"
    (folder / "again.yaml").write_text(lora)
    with pytest.raises(DataError, match=r"more than one LoRA configuration: again\.yaml, train\.json"):
        find_training(checkpoint)
    (folder / "checkpoint_1.yaml").write_text(lora)
    assert find_training(checkpoint) == folder / "checkpoint_1.yaml"


def test_what_is_held_does_not_hang_on_the_file(model: TinyModel, trainings: Trainings) -> None:
    source = trainings.full("a", 1)
    found = read_checkpoint(source, BaseNetwork.of(model.module), TRAINING)
    before = {name: a.clone() for name, (a, _) in found.factors.items()}
    source.path.write_bytes(b"\0" * source.path.stat().st_size)
    assert all(torch.equal(a, before[name]) for name, (a, _) in found.factors.items())
