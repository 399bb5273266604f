"""The code that a model card shows is run as it stands there: it must give the checkpoint's own outputs."""

from __future__ import annotations

import copy
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from support.checkpoints import selection
from support.lora import SIZE, Trainings, outputs, peft_model
from torch import Tensor, nn

from engine.evaluation.merge import BaseWeights, CheckpointMerger
from engine.export.checkpoints import export_checkpoints
from engine.inference.tiny import TinyNetwork, save_network
from engine.schema import DatasetInfo, DeviceInfo, ModelInfo, Provenance, RunMetadata
from tui.cli.parsing import parse

pytest.importorskip("huggingface_hub", reason="model cards need the extra `card`")


@pytest.fixture
def network() -> TinyNetwork:
    return TinyNetwork(SIZE, seed=3).eval()


@pytest.fixture
def trainings(network: TinyNetwork, tmp_path: Path) -> Trainings:
    (tmp_path / "weights").mkdir()
    return Trainings(network, tmp_path / "weights")


@pytest.fixture
def images() -> Tensor:
    return torch.rand(1, 2, 3, 16, 32, generator=torch.Generator().manual_seed(5))


def blocks(folder: Path, language: str) -> list[str]:
    card = (folder / "README.md").read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", card, re.DOTALL | re.MULTILINE)


def run(code: str, **names: Any) -> nn.Module:
    """What the code calls ``model``, or where it makes no other, ``base``."""
    exec(compile(code, "card", "exec"), names)
    found: nn.Module = names.get("model", names["base"])
    assert not found.training
    return found


def about(model: str | None = "tiny", **changes: Any) -> RunMetadata:
    return RunMetadata(run="run", model=ModelInfo(name=model, weights="base.safetensors"), **changes)


def exported(tmp_path: Path, network: TinyNetwork, name: str, **changes: Any) -> Path:
    """An export with merged weights, and the base's weights beside the card."""
    base = tmp_path / "base.safetensors"
    save_network(network, base)
    chosen = selection(tmp_path / "run", tmp_path / "weights", name, **{"about": about(), **changes})
    merger = CheckpointMerger(BaseWeights("tiny", base))
    (found,) = export_checkpoints([chosen], tmp_path / "out", merger=merger)
    save_network(network, found.path / "base.safetensors")
    return found.path


def test_an_adapter_loads_with_peft(
    network: TinyNetwork, trainings: Trainings, images: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings.adapter("a", 1)
    folder = exported(tmp_path, network, "a")
    monkeypatch.chdir(folder)
    wanted = outputs(peft_model(network, 1), images)
    code, merged = blocks(folder, "python")
    torch.testing.assert_close(outputs(run(code), images), wanted, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(outputs(run(merged), images), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", ["full", "lora_only"])
@pytest.mark.parametrize("settings", [{}, {"use_rslora": True}])
def test_a_weights_file_loads_with_peft(
    network: TinyNetwork,
    trainings: Trainings,
    images: Tensor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    settings: dict[str, Any],
) -> None:
    getattr(trainings, form)("checkpoint_1", 5, **settings)
    trainings.config(**settings)
    folder = exported(tmp_path, network, "checkpoint_1")
    monkeypatch.chdir(folder)
    code, _ = blocks(folder, "python")
    wanted = outputs(peft_model(network, 5, **settings), images)
    torch.testing.assert_close(outputs(run(code), images), wanted, rtol=1e-6, atol=1e-6)


def test_a_weights_file_that_holds_more_than_lora_says_so(
    network: TinyNetwork, trainings: Trainings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings.full("checkpoint_1", 5, modules_to_save=["depth_head.norm"])
    trainings.config()
    folder = exported(tmp_path, network, "checkpoint_1")
    monkeypatch.chdir(folder)
    code, merged = blocks(folder, "python")
    with pytest.raises(AssertionError, match="more than LoRA was trained"):
        run(code)
    run(merged)


def test_a_network_that_lorascope_does_not_know(
    network: TinyNetwork, trainings: Trainings, images: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings.adapter("a", 1)
    folder = exported(tmp_path, network, "a", about=about("mine"))
    monkeypatch.chdir(folder)
    for code in blocks(folder, "python"):
        assert code.count("base = ...") == 1
        filled = code.replace("base = ...", "base = network")
        found = run(filled, network=copy.deepcopy(network))
        torch.testing.assert_close(
            outputs(found, images), outputs(peft_model(network, 1), images), rtol=1e-5, atol=1e-5
        )


def test_vggt_is_loaded_by_its_own_package(network: TinyNetwork, trainings: Trainings, tmp_path: Path) -> None:
    trainings.adapter("a", 1)
    folder = exported(tmp_path, network, "a", about=about("VGGT"))
    for code in blocks(folder, "python"):
        compile(code, "card", "exec")
        assert "from vggt.models.vggt import VGGT\n" in code
        assert "base = VGGT(enable_point=False, enable_track=False)" in code


@pytest.mark.parametrize("seed", [None, 7])
def test_the_commands_are_commands(
    network: TinyNetwork, trainings: Trainings, tmp_path: Path, seed: int | None
) -> None:
    """They are parsed by lorascope itself; what they name is quoted."""
    trainings.adapter("a", 1)
    said = RunMetadata(
        run="a run; rm -rf $HOME",
        provenance=Provenance.EVALUATED,
        dataset=DatasetInfo(name="street", root_name="my street", split="val", sampling="uniform", seed=0, max_seqs=3),
        model=ModelInfo(
            name="tiny", weights="base.safetensors" if seed is None else f"random, seed {seed}", image_size=64
        ),
        device=DeviceInfo(dtype="fp32"),
        checkpoint_dir="../weights",
    )
    folder = exported(tmp_path, network, "a", about=said)
    (text,) = blocks(folder, "sh")
    commands = [shlex.split(line) for line in text.replace("\\\n", " ").splitlines()]
    assert [words[:2] for words in commands] == [["lorascope", name] for name in ("evaluate", "compare", "export")]
    for words in commands:
        assert callable(parse(words[1:], is_command=True))
    options = dict(zip(commands[0][2::2], commands[0][3::2], strict=True))
    weights = {"--base": "base.safetensors"} if seed is None else {"--base-seed": str(seed)}
    assert options == {
        "--data": "my street", "--model": "tiny", **weights, "--checkpoints": "weights", "--split": "val",
        "--max-seqs": "3", "--sampling": "uniform", "--seed": "0", "--size": "64", "--dtype": "fp32",
        "--to": "a run; rm -rf $HOME",
    }  # fmt: skip
