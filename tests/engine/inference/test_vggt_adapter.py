"""The VGGT adapter, with a stand-in for the upstream package; and with the package itself where it is installed."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from support.lora import SIZE, TRAINING, Trainings, outputs, peft_model
from torch import Tensor, nn

from engine.errors import DataError
from engine.inference.contract import no_grad_predict
from engine.inference.families import build_model
from engine.inference.lora import AdapterBank
from engine.inference.tiny import TinyNetwork


class StandIn(TinyNetwork):
    """Built as the upstream class is built, with the outputs that it has, on a network of any seed."""

    def __init__(self, *, enable_point: bool, enable_track: bool) -> None:
        assert not enable_point
        assert not enable_track
        super().__init__(SIZE, seed=int(torch.randint(1000, ())))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {**super().forward(images), "images": images}


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The stand-in, importable."""
    module = ModuleType("vggt.models.vggt")
    module.VGGT = StandIn  # type: ignore[attr-defined]
    for name in ("vggt", "vggt.models"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "vggt.models.vggt", module)
    yield module


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vggt", None)
    with pytest.raises(DataError, match=r"not installed; run pip install .vggt @ git"):
        build_model("vggt", seed=0)


def test_package_of_another_make(package: ModuleType) -> None:
    del package.VGGT
    with pytest.raises(DataError, match="cannot be used"):
        build_model("vggt", seed=0)


def test_package_without_the_switches(package: ModuleType) -> None:
    package.VGGT = nn.Identity().forward  # type: ignore[attr-defined]
    with pytest.raises(DataError, match=r"cannot be used .*; run pip install"):
        build_model("vggt", seed=0)


def test_base_from_a_file(package: ModuleType, images: Tensor, tmp_path: Path) -> None:
    network = TinyNetwork(SIZE, seed=11).eval()
    # The published weights hold more than is asked for.
    extra = {"point_head.norm.weight": torch.ones(3), "track_head.proj.bias": torch.ones(3)}
    path = tmp_path / "model.pt"
    torch.save({**network.state_dict(), **extra}, path)
    model = build_model("vggt", weights=path)
    assert (model.name, model.patch, model.default_size) == ("vggt", 14, 518)
    assert torch.equal(outputs(model.module, images), outputs(network, images))
    found = no_grad_predict(model, images, torch.float32)
    assert found.depth.shape == found.confidence.shape == (2, 3, 16, 32)
    assert found.world_to_camera.shape == (2, 3, 3, 4)
    torch.save({**network.state_dict(), "camera_heat.weight": torch.ones(3)}, path)
    with pytest.raises(DataError, match=r"camera_heat\.weight"):
        build_model("vggt", weights=path)


def test_random_weights_come_from_the_seed(package: ModuleType, images: Tensor) -> None:
    one, two, other = (outputs(build_model("vggt", seed=seed).module, images) for seed in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_a_full_checkpoint_may_hold_parts_that_are_not_built(
    package: ModuleType, images: Tensor, tmp_path: Path
) -> None:
    model = build_model("vggt", seed=5)
    trainings = Trainings(model.module, tmp_path)
    state = {**trainings.state(1), "base_model.model.point_head.norm.weight": torch.ones(3)}
    bank = AdapterBank(model)
    bank.add(trainings.write("checkpoint_0", {"model": state}), TRAINING)
    bank.activate("checkpoint_0")
    wanted = outputs(peft_model(build_model("vggt", seed=5).module, 1), images)
    torch.testing.assert_close(outputs(model.module, images), wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.skipif(importlib.util.find_spec("vggt") is None, reason="the package 'vggt' is not installed")
@pytest.mark.filterwarnings("default")  # upstream uses deprecated calls
def test_upstream_package() -> None:
    model = build_model("vggt", seed=0)
    found = no_grad_predict(model, torch.rand(1, 2, 3, 28, 42), torch.float32)
    assert found.depth.shape == found.confidence.shape == (1, 2, 28, 42)
    assert float(found.depth.min()) > 0
    names = {name for name, _ in model.module.named_modules()}
    assert {"aggregator.frame_blocks.16.attn.qkv", "aggregator.global_blocks.23.mlp.fc2", "depth_head"} <= names
