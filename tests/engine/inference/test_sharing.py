"""Sharing on real networks with adapters: bit for bit what is computed without it, less work, and no trace left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from support.lora import SIZE, Trainings, outputs, targets
from torch import Tensor, nn

from engine.inference.checkpoints import CheckpointSource
from engine.inference.contract import no_grad_predict
from engine.inference.lora import AdapterBank
from engine.inference.packed import bit_equal
from engine.inference.shared_forward import SharedForward
from engine.inference.sharing import PrefixSharing
from engine.inference.tiny import TinyModel, TinyNetwork

PLENTY = 10**9
LATE = ("aggregator.frame_blocks.2.*", "aggregator.global_blocks.2.*", "depth_head.*")
HEAD = ("depth_head.*",)
EARLY = ("aggregator.frame_blocks.0.attn.qkv",)

Add = Callable[..., CheckpointSource]


@pytest.fixture
def bank(model: TinyModel) -> AdapterBank:
    return AdapterBank(model)


@pytest.fixture
def add(bank: AdapterBank, trainings: Trainings, network: TinyNetwork) -> Add:
    """Adds a checkpoint with LoRA on the layers that patterns mean."""
    plain = TinyNetwork(SIZE)

    def build(name: str, patterns: tuple[str, ...], seed: int = 0, **settings: object) -> CheckpointSource:
        source = trainings.adapter(name, seed, target_modules=targets(plain, patterns), **settings)
        bank.add(source)
        return source

    return build


def switch(bank: AdapterBank, name: str) -> None:
    bank.baseline() if name == "baseline" else bank.activate(name)


def shared_by(bank: AdapterBank, network: nn.Module, limit: int = PLENTY) -> PrefixSharing:
    return PrefixSharing(network, {name: bank.changed(name) for name in bank.names}, limit_bytes=limit)


def run(network: nn.Module, images: Tensor) -> Tensor:
    """All outputs in a row, without inference mode."""
    with torch.no_grad():
        found = network(images)
    return torch.cat([found[key].flatten() for key in ("depth", "depth_conf", "pose_enc")])


def all_equal(sharing: PrefixSharing, bank: AdapterBank, network: nn.Module, images: Tensor) -> dict[str, int]:
    """One window of all models, each compared bit for bit; how many calls of each were answered by kept outputs."""
    reused = {}
    with sharing.window():
        for name in ("baseline", *bank.names):
            switch(bank, name)
            before = sharing.report.reused
            with sharing.model(name):
                shared = run(network, images)
            assert bit_equal(shared, run(network, images)), name
            reused[name] = sharing.report.reused - before
    return reused


def test_every_checkpoint_is_bit_equal_and_the_trunk_is_computed_once(
    bank: AdapterBank, add: Add, network: TinyNetwork, images: Tensor
) -> None:
    for number in range(4):
        add(f"c{number}", LATE, number)
    sharing = shared_by(bank, network)
    computed: list[str] = []
    network.aggregator.global_blocks[1].attn.register_forward_hook(lambda *_: computed.append("trunk"))
    for _ in range(3):
        computed.clear()
        with sharing.window():
            for name in ("baseline", *bank.names):
                switch(bank, name)
                with sharing.model(name):
                    run(network, images)
        assert len(computed) == 1
    reused = all_equal(sharing, bank, network, images)
    assert reused["baseline"] == 0
    # The patch embedding, two frame and two global blocks, and what comes before the first changed layer of block 2.
    assert all(reused[f"c{number}"] >= 5 for number in range(4))


def test_adapters_on_the_head_share_the_whole_trunk(
    bank: AdapterBank, add: Add, network: TinyNetwork, images: Tensor
) -> None:
    for number in range(2):
        add(f"c{number}", HEAD, number)
    sharing = shared_by(bank, network)
    blocks: list[str] = []
    for block in (*network.aggregator.frame_blocks, *network.aggregator.global_blocks, *network.camera_head.trunk):
        # The hook of a module runs where a kept output is given, too; that of its parts only where it is computed.
        block.mlp.register_forward_hook(lambda *_: blocks.append("block"))
    with sharing.window():
        for name in ("baseline", "c0", "c1"):
            switch(bank, name)
            with sharing.model(name):
                run(network, images)
    assert len(blocks) == 2 * SIZE.depth + 1
    all_equal(sharing, bank, network, images)


def test_an_early_change_makes_sharing_shrink_for_that_checkpoint_alone(
    bank: AdapterBank, add: Add, network: TinyNetwork, images: Tensor
) -> None:
    add("early", EARLY)
    add("late0", LATE, 1)
    add("late1", LATE, 2)
    add("head", HEAD, 3)
    sharing = shared_by(bank, network)
    for _ in range(3):
        reused = all_equal(sharing, bank, network, images)
    assert 0 < reused["early"] < reused["late0"] == reused["late1"]
    assert reused["head"] > 0


def test_a_checkpoint_that_changes_everything_shares_nothing_and_lies_about_nothing(
    bank: AdapterBank, add: Add, network: TinyNetwork, images: Tensor
) -> None:
    add("all0", ("*",), 1)
    add("all1", ("*",), 2)
    sharing = shared_by(bank, network)
    for _ in range(2):
        reused = all_equal(sharing, bank, network, images)
    # Only what the very first changed layer is given is the same.
    assert reused["all0"] <= 3


def test_modules_trained_whole_are_changed_too(
    bank: AdapterBank, add: Add, network: TinyNetwork, images: Tensor
) -> None:
    add("whole0", HEAD, 1, modules_to_save=["camera_head"])
    add("whole1", HEAD, 2, modules_to_save=["patch_embed"])
    add("plain", HEAD, 3)
    assert network.camera_head.token_norm in bank.changed("whole0")
    sharing = shared_by(bank, network)
    for _ in range(2):
        reused = all_equal(sharing, bank, network, images)
    # The image goes past the trunk to a layer of the head, and its base layer is not changed.
    assert reused["whole1"] == 1 < reused["plain"]


def test_a_tensor_that_two_modules_share_changes_both(trainings: Trainings, network: TinyNetwork) -> None:
    network.camera_head.trunk_norm.weight = network.camera_head.token_norm.weight
    bank = AdapterBank(TinyModel(network))
    bank.add(Trainings(network, trainings._folder).adapter("c", modules_to_save=["token_norm"]))
    assert {network.camera_head.token_norm, network.camera_head.trunk_norm} <= bank.changed("c")


def test_nothing_is_left_of_it(bank: AdapterBank, add: Add, network: TinyNetwork, images: Tensor) -> None:
    add("c", LATE)
    before = {name: set(module.__dict__) for name, module in network.named_modules()}
    sharing = shared_by(bank, network)
    with pytest.raises(RuntimeError, match="stop"), sharing.window(), sharing.model("baseline"):
        run(network, images)
        raise RuntimeError("stop")
    assert {name: set(module.__dict__) for name, module in network.named_modules()} == before
    assert not any(node.entries for node in sharing._nodes.values())
    all_equal(sharing, bank, network, images)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_what_does_not_fit_is_computed_again(
    bank: AdapterBank, add: Add, network: TinyNetwork, images: Tensor, share: float
) -> None:
    for number in range(2):
        add(f"c{number}", LATE, number)
    free = shared_by(bank, network)
    all_equal(free, bank, network, images)
    assert free.report.notices == ()
    bounded = shared_by(bank, network, limit=int(share * free.report.peak_bytes))
    reused = all_equal(bounded, bank, network, images)
    assert bounded.report.peak_bytes <= bounded.report.limit_bytes
    assert (reused["c1"] == 0) == (share == 0.0)
    assert "what does not fit is computed for every checkpoint" in bounded.report.notices[0]
    assert len(bounded.report.notices) == 1


def test_train_mode_is_refused(bank: AdapterBank, add: Add, network: TinyNetwork, images: Tensor) -> None:
    add("c", LATE)
    sharing = shared_by(bank, network)
    network.aggregator.frame_blocks[1].train()
    with pytest.raises(ValueError, match=r"aggregator\.frame_blocks\.1 is in train mode"), sharing.window():
        pass
    network.eval()
    with sharing.window():
        network.depth_head.train()
        with pytest.raises(ValueError, match=r"depth_head is in train mode"), sharing.model("c"):
            pass


@contextmanager
def forwards(bank: AdapterBank, model: TinyModel, limit: int = PLENTY) -> Iterator[SharedForward]:
    yield SharedForward(
        model.module,
        {name: bank.changed(name) for name in bank.names},
        lambda images: no_grad_predict(model, images, torch.float32),
        limit_bytes=limit,
    )


def test_the_first_use_is_proven_and_only_that(bank: AdapterBank, add: Add, model: TinyModel, images: Tensor) -> None:
    for number in range(3):
        add(f"c{number}", LATE, number)
    passes: list[int] = []
    model.module.depth_head.register_forward_hook(lambda *_: passes.append(1))
    with forwards(bank, model) as shared:
        for expected in (4 + 1, 4):
            passes.clear()
            with shared.window():
                for name in ("baseline", *bank.names):
                    switch(bank, name)
                    shared.predict(name, images)
            assert len(passes) == expected
        assert shared.report.notices == ()


def test_memory_that_runs_out_ends_sharing_and_not_the_run(
    bank: AdapterBank, add: Add, model: TinyModel, images: Tensor
) -> None:
    for number in range(2):
        add(f"c{number}", LATE, number)
    expected = {}
    for name in bank.names:
        switch(bank, name)
        expected[name] = no_grad_predict(model, images, torch.float32)
    calls = [0]

    def full(*_: object) -> None:
        calls[0] += 1
        if calls[0] == 2:  # the first checkpoint's own pass
            raise torch.OutOfMemoryError("CUDA out of memory")

    model.module.depth_head.register_forward_pre_hook(full)
    with forwards(bank, model) as shared, shared.window():
        for name in ("baseline", *bank.names):
            switch(bank, name)
            found = shared.predict(name, images)
            if name in expected:
                assert bit_equal(found.depth, expected[name].depth)
        assert "memory ran out" in shared.report.notices[-1]
        assert not any(node.entries for node in shared._sharing._nodes.values())


def test_no_grad_predict_is_what_inference_mode_gives(model: TinyModel, images: Tensor) -> None:
    with torch.inference_mode():
        found = no_grad_predict(model, images, torch.float32)
    assert not found.depth.is_inference()
    whole = outputs(model.module, images)
    assert bit_equal(found.depth.flatten(), whole[: found.depth.numel()])
