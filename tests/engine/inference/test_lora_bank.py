"""The bank against PEFT's own loading, and its promises about the baseline."""

from __future__ import annotations

import copy
import gc
import random
import weakref
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from support.lora import SIZE, TRAINING, Trainings, outputs, peft_model, targets
from torch import Tensor

from engine.errors import DataError, UnknownNameError
from engine.inference.checkpoints import CheckpointSource, discover_checkpoints
from engine.inference.contract import no_grad_predict
from engine.inference.lora import AdapterBank
from engine.inference.tiny import TinyModel, TinyNetwork


def test_activate_equals_peft_for_every_form(
    model: TinyModel, trainings: Trainings, images: Tensor, tmp_path: Path
) -> None:
    plain = copy.deepcopy(model.module)
    sources = [
        trainings.adapter("a", 1),
        trainings.adapter("b", 2, modules_to_save=["camera_head.pose_branch"]),
        trainings.adapter("c", 3, r=2, lora_alpha=3, use_rslora=True, target_modules=r".*\.(qkv|fc1)"),
        trainings.adapter("d", 4, rank_pattern={"qkv": 2}, alpha_pattern={r"mlp\.fc\d": 1}),
    ]
    wanted = {}
    for source in sources:
        # One at a time beside the first: PEFT mixes up a layer that one adapter targets and another trains as a whole.
        reference = peft.PeftModel.from_pretrained(copy.deepcopy(plain), str(sources[0].path), adapter_name="first")
        reference.load_adapter(str(source.path), adapter_name="wanted")
        reference.set_adapter("wanted")
        wanted[source.name] = outputs(reference.eval(), images)
    bank = AdapterBank(model)
    for source in sources:
        bank.add(source)
    for name in "abcdbadca":
        bank.activate(name)
        assert bank.active == name
        torch.testing.assert_close(outputs(model.module, images), wanted[name], rtol=1e-6, atol=1e-6)
    bank.baseline()
    assert bank.active is None
    assert torch.equal(outputs(model.module, images), outputs(plain, images))


@pytest.mark.parametrize(
    ("form", "settings"),
    [("full", {}), ("lora_only", {}), ("full", {"modules_to_save": ["depth_head.norm", "pose_branch"]})],
)
def test_weights_files_equal_the_trained_model(
    model: TinyModel, trainings: Trainings, images: Tensor, form: str, settings: dict[str, Any]
) -> None:
    trained = peft_model(model.module, 5, **settings)
    source = getattr(trainings, form)("checkpoint_1", 5, **settings)
    bank = AdapterBank(model)
    held = bank.add(source, TRAINING)
    bank.activate("checkpoint_1")
    torch.testing.assert_close(outputs(model.module, images), outputs(trained, images), rtol=1e-6, atol=1e-6)
    assert held.parameters == sum(p.numel() for n, p in trained.named_parameters() if p.requires_grad)
    assert held.bytes == 4 * held.parameters
    assert held.changed_modules >= set(targets(TinyNetwork(SIZE)))


def test_names_of_wrappers_and_adapters_do_not_matter(model: TinyModel, trainings: Trainings, images: Tensor) -> None:
    state = trainings.state(6)
    bank = AdapterBank(model)
    bank.add(trainings.write("one", {"module." + key: value for key, value in state.items()}), TRAINING)
    bank.add(
        trainings.write("two", {"state_dict": {k.replace(".default.", ".mine."): v for k, v in state.items()}}),
        TRAINING,
    )
    bank.activate("one")
    one = outputs(model.module, images)
    bank.activate("two")
    assert torch.equal(one, outputs(model.module, images))


def test_configuration_beside_the_file(model: TinyModel, trainings: Trainings, images: Tensor) -> None:
    # Half-way the training went on with half the alpha.
    trainings.config()
    trainings.config("checkpoint_2.yaml", alpha=4)
    sources = [trainings.full("checkpoint_1", 1), trainings.full("checkpoint_2", 1, lora_alpha=4)]
    bank = AdapterBank(model)
    for source in sources:
        bank.add(source)
    assert [bank.get(name).recipe.alpha for name in bank.names] == [8.0, 4.0]
    for name, alpha in (("checkpoint_1", 8), ("checkpoint_2", 4), ("checkpoint_1", 8)):
        bank.activate(name)
        wanted = outputs(peft_model(TinyNetwork(SIZE, seed=3), 1, lora_alpha=alpha).eval(), images)
        torch.testing.assert_close(outputs(model.module, images), wanted, rtol=1e-6, atol=1e-6)
    # Same modules and ranks: one set of LoRA parameters serves both.
    layer = model.module.depth_head.refine
    assert list(layer.lora_A) == ["lora0"]


def test_baseline_is_bit_equal_after_anything(model: TinyModel, trainings: Trainings, images: Tensor) -> None:
    state = {name: tensor.clone() for name, tensor in model.module.state_dict().items()}
    before = outputs(model.module, images)
    bank = AdapterBank(model)
    bank.add(trainings.adapter("a", 1))
    bank.add(trainings.adapter("b", 2, modules_to_save=["depth_head.norm"]))
    bank.add(trainings.adapter("c", 3, r=3, modules_to_save=["depth_head", "patch_embed"]))
    alone = {}
    for name in bank.names:
        bank.activate(name)
        alone[name] = outputs(model.module, images)
    order = random.Random(0)
    for _ in range(30):
        name = order.choice([None, *bank.names])
        if order.random() < 0.3:
            with bank.merged(name):
                outputs(model.module, images)
        elif name is None:
            bank.baseline()
            assert torch.equal(outputs(model.module, images), before)
        else:
            bank.activate(name)
            assert torch.equal(outputs(model.module, images), alone[name])
    bank.baseline()
    assert torch.equal(outputs(model.module, images), before)
    now = {
        name.replace(".base_layer.", "."): t for name, t in model.module.state_dict().items() if ".lora_" not in name
    }
    assert now.keys() == state.keys()
    assert all(torch.equal(now[name], state[name]) for name in state)


def test_merged_equals_unmerged(model: TinyModel, trainings: Trainings, images: Tensor) -> None:
    bank = AdapterBank(model)
    bank.add(trainings.adapter("a", 1))
    bank.add(trainings.adapter("b", 2, r=2, modules_to_save=["depth_head.norm"]))
    for name in ("a", "b", "a"):
        bank.activate(name)
        unmerged = outputs(model.module, images)
        with bank.merged(name) as module:
            assert module is model.module
            assert not any("lora" in key for key, _ in module.named_modules())
            merged = outputs(module, images)
            with pytest.raises(RuntimeError, match="merged"):
                bank.baseline()
        torch.testing.assert_close(merged, unmerged, rtol=1e-5, atol=1e-5)
        assert not torch.equal(merged, unmerged)
        assert torch.equal(outputs(model.module, images), unmerged)
    bank.baseline()
    plain = outputs(model.module, images)
    with bank.merged(None) as module:
        assert torch.equal(outputs(module, images), plain)


def test_merging_that_fails_half_way_leaves_no_trace(model: TinyModel, trainings: Trainings, images: Tensor) -> None:
    bank = AdapterBank(model)
    bank.add(trainings.adapter("a", 1))
    before = outputs(model.module, images)
    with pytest.raises(ZeroDivisionError), bank.merged("a"):
        raise ZeroDivisionError
    bank.baseline()
    assert torch.equal(outputs(model.module, images), before)


def test_released_the_module_is_what_it_was(model: TinyModel, trainings: Trainings, images: Tensor) -> None:
    state = {name: tensor.clone() for name, tensor in model.module.state_dict().items()}
    kinds = {path: type(module) for path, module in model.module.named_modules()}
    before = outputs(model.module, images)
    alone = []
    for settings in ({}, {"r": 2, "modules_to_save": ["depth_head.norm"]}):
        bank = AdapterBank(model)
        bank.add(trainings.adapter("a", 1, **settings))
        bank.activate("a")
        alone.append(outputs(model.module, images))
        factor = weakref.ref(model.module.get_parameter("depth_head.refine.lora_A.lora0.weight"))
        bank.release()
        gc.collect()
        assert factor() is None
        assert bank.names == ()
        assert {path: type(module) for path, module in model.module.named_modules()} == kinds
        now = model.module.state_dict()
        assert now.keys() == state.keys()
        assert all(torch.equal(now[name], state[name]) for name in state)
        assert torch.equal(outputs(model.module, images), before)
    # The same bank can be used again.
    bank.add(trainings.adapter("a", 1))
    bank.activate("a")
    assert torch.equal(outputs(model.module, images), alone[0])
    assert not torch.equal(alone[0], alone[1])


def test_a_refused_checkpoint_leaves_the_bank_as_it_was(model: TinyModel, trainings: Trainings, images: Tensor) -> None:
    bank = AdapterBank(model)
    good = bank.add(trainings.adapter("good", 1))
    bad = trainings.adapter("bad", 2)
    (bad.path / "adapter_model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    bank.activate("good")
    wanted = outputs(model.module, images)
    with pytest.raises(DataError, match="adapter_model"):
        bank.add(bad)
    assert bank.names == ("good",)
    assert bank.get("good") is good
    bank.activate("good")
    assert torch.equal(outputs(model.module, images), wanted)


def test_names(model: TinyModel, trainings: Trainings) -> None:
    bank = AdapterBank(model)
    source = trainings.adapter("checkpoint_1", 1)
    bank.add(source)
    with pytest.raises(UnknownNameError, match="checkpoint_1"):
        bank.activate("checkpoint_2")
    with pytest.raises(DataError, match="two checkpoints"):
        bank.add(source)
    bank.remove("checkpoint_1")
    assert bank.names == ()
    bank.add(CheckpointSource("again", source.path, source.kind))
    with pytest.raises(ValueError, match="already"):
        AdapterBank(model)


def test_injection_leaves_the_random_state_alone(model: TinyModel, trainings: Trainings) -> None:
    source = trainings.adapter("a", 1)
    bank = AdapterBank(model)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    bank.add(source)
    assert torch.equal(torch.get_rng_state(), before)


def test_through_the_contract(model: TinyModel, trainings: Trainings, images: Tensor, tmp_path: Path) -> None:
    trainings.adapter("checkpoint_2", 1)
    trainings.adapter("checkpoint_10", 2)
    bank = AdapterBank(model)
    for source in discover_checkpoints(tmp_path):
        bank.add(source)
    assert bank.names == ("checkpoint_2", "checkpoint_10")
    base = no_grad_predict(model, images, torch.float32).depth
    bank.activate("checkpoint_10")
    exact = no_grad_predict(model, images, torch.float32).depth
    rough = no_grad_predict(model, images, torch.bfloat16).depth
    assert not torch.allclose(base, exact, rtol=1e-2)
    torch.testing.assert_close(rough, exact, rtol=0.2, atol=0.2)
