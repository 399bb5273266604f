"""The built-in model in VGGT-1B's proportions, its made-up LoRA checkpoints, and where they part from the base."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import peft
import torch
from torch import Tensor

from engine.dataset.model import Preparation
from engine.inference.lora_config import BaseNetwork, match_modules
from engine.inference.tiny import TinyConfig, TinyNetwork, save_network

# 8 frames of 132x36 pixels are 8 x 300 tokens; of this width, a global block costs 2.3 frame blocks, as in VGGT.
# Small patches leave few pixels to the depth head, whose convolutions are then wide enough to be bound by arithmetic,
# as the blocks are: with few channels on many pixels they wait for memory, and no sharing saves what is counted.
SCALED = TinyConfig(embed_dim=224, depth=6, heads=4, patch=4, features=144, width=132, encoder_depth=6)
QUICK = TinyConfig(embed_dim=16, depth=3, heads=2, patch=8, features=8, mlp_ratio=2, width=64, encoder_depth=1)

# As VGGT's 16 to its width of 1024.
RANK = 4
ALPHA = 8
BASE_SEED = 7
BASE_FILE = "base.safetensors"

# Shares of the operations of VGGT-1B's forward pass: 8 frames, 518 px, 37.2 TFLOP.
VGGT_SHARES: Mapping[str, float] = MappingProxyType(
    {"encoder": 8.1 / 37.2, "frame blocks": 8.1 / 37.2, "global blocks": 18.45 / 37.2, "heads": 2.55 / 37.2}
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where LoRA sits.

    Attributes:
        name: what the command line calls it.
        patterns: over module names.
        frozen: how many frame and global blocks no checkpoint changes; all where LoRA is on the depth head alone.
        vggt_saving: how many times fewer operations 51 models of VGGT-1B take when what they share is computed once.
    """

    name: str
    patterns: tuple[str, ...]
    frozen: int
    vggt_saving: float


def make_target(name: str, config: TinyConfig) -> Target:
    """``last-third``: the last third of the blocks and the depth head; ``head-only``: the depth head alone."""
    head = "depth_head.*"
    if name == "head-only":
        return Target(name, (head,), config.depth, 12.0)
    frozen = config.depth - config.depth // 3
    blocks = [f"aggregator.{kind}_blocks.{n}.*" for kind in ("frame", "global") for n in range(frozen, config.depth)]
    return Target(name, (*blocks, head), frozen, 3.15)


def preparation(config: TinyConfig) -> Preparation:
    """How images are prepared for a model of that size."""
    return Preparation("fit", config.width, config.patch)


def write_base(folder: Path, config: TinyConfig) -> Path:
    """Random base weights of that size; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / BASE_FILE
    save_network(TinyNetwork(config, BASE_SEED), path)
    return path


def write_adapters(folder: Path, network: TinyNetwork, target: Target, count: int) -> Path:
    """PEFT adapter folders ``checkpoint_1`` and so on with random factors, none of them zero; returns ``folder``."""
    modules = match_modules(BaseNetwork.of(network), target.patterns, target.name)
    settings = peft.LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=0.1, target_modules=modules)
    model = peft.get_peft_model(copy.deepcopy(network), settings)
    factors = {name: tensor for name, tensor in model.state_dict().items() if ".lora_" in name}
    for number in range(1, count + 1):
        generator = torch.Generator().manual_seed(number)
        for tensor in factors.values():
            tensor.copy_(0.05 * torch.randn(tensor.shape, generator=generator))
        model.save_pretrained(str(folder / f"checkpoint_{number}"))
    return folder


@dataclass(frozen=True, eq=False)
class Trunk:
    """What the shared part of the network leaves for the rest.

    Attributes:
        tokens: after the last shared block, [B, S, T, C].
        taps: what the depth head gets of the shared blocks, [B, S, P, 2C] each.
        pose: [B, S, 9], where the camera head is shared too.
    """

    tokens: Tensor
    taps: list[Tensor]
    pose: Tensor | None


def run_trunk(network: TinyNetwork, images: Tensor, target: Target) -> Trunk:
    """The part of the forward pass that is the same for all checkpoints, by the network's own modules."""
    aggregator = network.aggregator
    taps, tokens = aggregator.mix(aggregator.embed(images), network.depth_head.taps, range(target.frozen))
    whole = target.frozen == network.config.depth
    pose = network.camera_head(taps[-1][:, :, 0]) if whole else None
    return Trunk(tokens, taps, pose)


def run_suffix(network: TinyNetwork, images: Tensor, trunk: Trunk, target: Target) -> dict[str, Tensor]:
    """The rest of the forward pass; what :meth:`TinyNetwork.forward` returns, bit for bit."""
    aggregator = network.aggregator
    rest = range(target.frozen, network.config.depth)
    later, _ = aggregator.mix(trunk.tokens, network.depth_head.taps, rest)
    taps = [*trunk.taps, *later]
    depth, confidence = network.depth_head([tap[:, :, aggregator.special :] for tap in taps], images)
    pose = network.camera_head(taps[-1][:, :, 0]) if trunk.pose is None else trunk.pose
    return {"depth": depth, "depth_conf": confidence, "pose_enc": pose}
