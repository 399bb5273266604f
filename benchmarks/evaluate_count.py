"""Operations of the scaled model, counted while its own modules run; and how fast each part of it is here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from benchmarks.evaluate_model import Target, run_suffix, run_trunk
from engine.inference.lora import AdapterBank
from engine.inference.tiny import TinyNetwork

_REPEATS = 5


def _attention(query: Sequence[int], key: Sequence[int], value: Sequence[int], *_: Any, **__: Any) -> int:
    return int(sdpa_flop_count(query, key, value))


# The counter knows the attention kernels of CUDA alone.
_KERNELS = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention}


def count(run: Callable[[], object]) -> int:
    """Floating-point operations of the matrix products, convolutions and attentions that ``run`` does."""
    counter = FlopCounterMode(display=False, custom_mapping=_KERNELS)
    with torch.inference_mode(), counter:
        run()
    return int(counter.get_total_flops())


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the network.

    Attributes:
        name: what it is.
        operations: of one forward pass.
        seconds: least time of several, alone.
    """

    name: str
    operations: int
    seconds: float

    @property
    def rate(self) -> float:
        """GFLOP/s."""
        return self.operations / self.seconds / 1e9


def parts(network: TinyNetwork, images: Tensor) -> list[Part]:
    """Encoder, frame blocks, global blocks, depth head and camera head, each fed with what a pass would give it."""
    aggregator, head = network.aggregator, network.depth_head
    blocks = range(network.config.depth)
    with torch.inference_mode():
        tokens = aggregator.embed(images)
        taps, _ = aggregator.mix(tokens, head.taps, blocks)
        patches = [tap[:, :, aggregator.special :] for tap in taps]
        runs: dict[str, Callable[[], object]] = {
            "encoder": lambda: aggregator.embed(images),
            "frame blocks": lambda: [aggregator.frame_blocks[block](tokens.flatten(0, 1)) for block in blocks],
            "global blocks": lambda: [aggregator.global_blocks[block](tokens.flatten(1, 2)) for block in blocks],
            "depth head": lambda: head(patches, images),
            "camera head": lambda: network.camera_head(taps[-1][:, :, 0]),
        }
        return [Part(name, count(run), _least(run)) for name, run in runs.items()]


def _least(run: Callable[[], object]) -> float:
    run()
    taken = []
    for _ in range(_REPEATS):
        begin = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begin)
    return min(taken)


@dataclass(frozen=True, slots=True)
class Counted:
    """Operations of one window.

    Attributes:
        base: a forward pass of the base.
        adapted: one of a checkpoint, LoRA included.
        trunk: what all models share.
        base_suffix, adapted_suffix: the rest of the two passes.
        checkpoints: how many there are.
    """

    base: int
    adapted: int
    trunk: int
    base_suffix: int
    adapted_suffix: int
    checkpoints: int

    @property
    def saving(self) -> float:
        """How many times fewer operations it takes to run the trunk once for all models."""
        apart = self.base + self.checkpoints * self.adapted
        return apart / (self.trunk + self.base_suffix + self.checkpoints * self.adapted_suffix)

    @property
    def shared(self) -> float:
        """The trunk's share of a forward pass of the base."""
        return self.trunk / self.base


def count_window(network: TinyNetwork, bank: AdapterBank, images: Tensor, target: Target) -> Counted:
    """Count one window.

    Args:
        network: the model's module.
        bank: its checkpoints, all of the same modules and ranks, so that one stands for all.
        images: [1, S, 3, H, W].
        target: what the checkpoints change.

    Raises:
        ValueError: the checkpoints differ in modules or ranks.
    """
    if len({tuple(sorted(bank.get(name).recipe.ranks.items())) for name in bank.names}) != 1:
        raise ValueError("the checkpoints differ in modules or ranks")
    with torch.inference_mode():
        bank.baseline()
        base, trunk = count(lambda: network(images)), count(lambda: run_trunk(network, images, target))
        shared = run_trunk(network, images, target)
        base_suffix = count(lambda: run_suffix(network, images, shared, target))
        bank.activate(bank.names[0])
        adapted, adapted_suffix = (
            count(lambda: network(images)),
            count(lambda: run_suffix(network, images, shared, target)),
        )
        bank.baseline()
    return Counted(base, adapted, trunk, base_suffix, adapted_suffix, len(bank.names))
