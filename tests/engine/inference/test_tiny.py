"""The small built-in model, and how families are found."""

from __future__ import annotations

import fnmatch
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from support.lora import SIZE
from torch import Tensor, nn

from engine.errors import DataError, UnknownNameError, UsageError
from engine.inference.contract import no_grad_predict
from engine.inference.families import FAMILIES, build_model
from engine.inference.tiny import TinyConfig, TinyModel, TinyNetwork, load, save_network
from engine.inference.weights import state_sha256


def test_contract(model: TinyModel, images: Tensor) -> None:
    found = no_grad_predict(model, images, torch.float32)
    assert found.depth.shape == found.confidence.shape == (2, 3, 16, 32)
    assert found.world_to_camera.shape == (2, 3, 3, 4)
    assert found.intrinsics.shape == (2, 3, 3, 3)
    assert float(found.depth.min()) > 0
    assert float(found.confidence.min()) >= 1
    identity = torch.eye(4)[:3]
    assert all(torch.equal(first, identity) for first in found.world_to_camera[:, 0])
    rotation = found.world_to_camera[..., :3]
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3).expand_as(rotation), rtol=0, atol=1e-5)
    assert found.intrinsics[0, 0, :2, 2].tolist() == [16.0, 8.0]
    assert (model.name, model.patch, model.default_size) == ("tiny", 8, 32)


def test_windows_of_a_batch_do_not_see_each_other(model: TinyModel, images: Tensor) -> None:
    both = no_grad_predict(model, images, torch.float32)
    alone = no_grad_predict(model, images[1:], torch.float32)
    torch.testing.assert_close(both.depth[1:], alone.depth, rtol=1e-5, atol=1e-6)


def test_frames_see_each_other(model: TinyModel, images: Tensor) -> None:
    changed = images.clone()
    changed[:, 2] = 0
    before, after = (no_grad_predict(model, x, torch.float32).depth[:, 0] for x in (images, changed))
    assert not torch.allclose(before, after)


def test_other_frames_have_no_order(model: TinyModel, images: Tensor) -> None:
    straight = no_grad_predict(model, images, torch.float32)
    turned = no_grad_predict(model, images[:, [0, 2, 1]], torch.float32)
    torch.testing.assert_close(turned.depth, straight.depth[:, [0, 2, 1]], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("frames", "height", "width"), [(1, 8, 8), (2, 24, 40), (5, 16, 8)])
def test_any_size_in_patches(model: TinyModel, frames: int, height: int, width: int) -> None:
    found = no_grad_predict(model, torch.rand(1, frames, 3, height, width), torch.float32)
    assert found.depth.shape == (1, frames, height, width)


def test_the_seed_is_all_that_counts() -> None:
    torch.manual_seed(0)
    one = TinyNetwork(SIZE, seed=1)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    two = TinyNetwork(SIZE, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    assert state_sha256(one) == state_sha256(two) != state_sha256(TinyNetwork(SIZE, seed=2))


def test_it_can_be_trained(network: TinyNetwork, images: Tensor) -> None:
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    target = 2 + images.mean(dim=2)
    pose = torch.tensor([0.3, 0, 0.1, 0, 0, 0, 1, 1, 1]).expand(2, 2, 9)
    losses = []
    for _ in range(30):
        found = network(images)
        loss = (found["depth"].squeeze(-1).log() - target.log()).abs().mean()
        loss = loss + (found["pose_enc"][:, 1:] - pose).abs().mean() + 1e-3 * found["depth_conf"].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_modules_carry_the_names_of_vggt() -> None:
    network = TinyNetwork(TinyConfig(embed_dim=8, depth=24, heads=2))
    leaves = [name for name, module in network.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    for pattern, count in {
        "aggregator.frame_blocks.1[6-9].*": 16,
        "aggregator.frame_blocks.2[0-3].*": 16,
        "aggregator.global_blocks.1[6-9].attn.qkv": 4,
        "aggregator.global_blocks.*.mlp.fc[12]": 48,
        "aggregator.patch_embed.*": 1,
        "camera_head.trunk.*": 4,
        "camera_head.pose_branch.fc?": 2,
        "depth_head.projects.*": 4,
    }.items():
        assert len(fnmatch.filter(leaves, pattern)) == count, pattern
    assert network.depth_head.taps == (5, 11, 17, 23)


def test_the_image_encoder() -> None:
    size = replace(SIZE, encoder_depth=2)
    plain, encoding = TinyNetwork(SIZE, seed=3).eval(), TinyNetwork(size, seed=3).eval()
    added = set(encoding.state_dict()) - set(plain.state_dict())
    assert {name.rpartition(".")[0] for name in added} == {
        f"aggregator.patch_embed.blocks.{block}.{layer}"
        for block in range(2)
        for layer in ("norm1", "attn.qkv", "attn.proj", "norm2", "mlp.fc1", "mlp.fc2")
    }
    images = torch.rand(1, 3, 3, 16, 32, generator=torch.Generator().manual_seed(0))
    changed = images.clone()
    changed[:, 2] = 0
    with torch.inference_mode():
        before, after = (encoding.aggregator.embed(x) for x in (images, changed))
    # It sees one frame at a time, and all of that frame.
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.equal(before[:, 2], after[:, 2])
    patches = images.clone()
    patches[:, 0, :, :8, :8] = 0
    with torch.inference_mode():
        seen = encoding.aggregator.embed(patches)[0, 0] != before[0, 0]
    assert bool(seen[encoding.aggregator.special :].any(-1).all())


def test_the_default_network_is_what_it_was() -> None:
    # Of the part that is made last, before there was an encoder: what is made from a seed stays reproducible.
    assert state_sha256(TinyNetwork(TinyConfig(), 7).depth_head).startswith("d06ac35e69c0c8c98b5ec9fbf4d5e22b")


def test_bases_from_before_the_encoder(network: TinyNetwork, tmp_path: Path) -> None:
    path = tmp_path / "base.safetensors"
    config = {name: getattr(SIZE, name) for name in SIZE.__slots__ if name != "encoder_depth"}
    save_file(network.state_dict(), path, {"family": "tiny", "config": json.dumps(config)})
    again = load(path)
    assert again.config == SIZE
    assert state_sha256(again) == state_sha256(network)


@pytest.mark.parametrize("encoder_depth", [0, 2])
def test_blocks_in_two_parts(encoder_depth: int) -> None:
    network = TinyNetwork(replace(SIZE, encoder_depth=encoder_depth), seed=3).eval()
    aggregator = network.aggregator
    with torch.inference_mode():
        images = torch.rand(2, 3, 3, 16, 32, generator=torch.Generator().manual_seed(0))
        whole, special = aggregator(images, network.depth_head.taps)
        first, tokens = aggregator.mix(aggregator.embed(images), network.depth_head.taps, range(2))
        rest, _ = aggregator.mix(tokens, network.depth_head.taps, range(2, 3))
    assert special == aggregator.special == 2
    assert [len(first), len(rest)] == [2, 1]
    assert all(torch.equal(one, other) for one, other in zip(whole, [*first, *rest], strict=True))


def test_save_and_load(network: TinyNetwork, images: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "base.safetensors"
    save_network(network, path)
    again = load(path)
    assert again.config == SIZE
    assert state_sha256(again) == state_sha256(network)
    built = build_model("tiny", weights=path)
    assert not built.module.training
    with torch.inference_mode():
        assert torch.equal(built.predict(images).depth, TinyModel(network).predict(images).depth)


def test_refused_bases(network: TinyNetwork, tmp_path: Path) -> None:
    path = tmp_path / "base.safetensors"
    with pytest.raises(DataError, match=r"base\.safetensors"):
        load(path)
    path.write_bytes(b"no safetensors")
    with pytest.raises(DataError, match="no valid safetensors"):
        load(path)
    state = network.state_dict()
    save_file(state, path)
    with pytest.raises(DataError, match="no base of model 'tiny'"):
        load(path)
    save_file(state, path, {"family": "tiny", "config": json.dumps({"depth": 0})})
    with pytest.raises(DataError, match="size cannot be read"):
        load(path)
    save_file(state, path, {"family": "tiny", "config": "[1]"})
    with pytest.raises(DataError, match="size cannot be read"):
        load(path)
    save_network(network, path)
    config = json.dumps({**{f: getattr(SIZE, f) for f in SIZE.__slots__}, "depth": 4})
    save_file(state, path, {"family": "tiny", "config": config})
    with pytest.raises(DataError, match=r"lacks aggregator\.frame_blocks\.3"):
        load(path)
    with pytest.raises(DataError, match=r"\.safetensors files"):
        load(tmp_path / "base.pt")


@pytest.mark.parametrize("wrong", [{"heads": 3}, {"embed_dim": 6, "heads": 2}, {"patch": 0}, {"encoder_depth": -1}])
def test_impossible_sizes(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="TinyConfig"):
        TinyConfig(**wrong)


def test_families(tmp_path: Path) -> None:
    assert build_model("tiny", seed=4).name == "tiny"
    with pytest.raises(UnknownNameError, match="did you mean tiny"):
        build_model("tinny", seed=0)
    with pytest.raises(UsageError, match="--base"):
        build_model("tiny")
    with pytest.raises(UsageError, match="one of them"):
        build_model("tiny", weights=tmp_path / "x.safetensors", seed=0)
    assert set(FAMILIES) == {"tiny", "vggt"}


def test_fov_is_a_field_of_view(network: TinyNetwork, images: Tensor) -> None:
    with torch.no_grad():
        fields = network(images)["pose_enc"][..., 7:]
    assert bool(((fields > 0) & (fields < math.pi)).all())
