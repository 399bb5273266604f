"""Training the base from random weights, and LoRA on top of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn

from engine.inference.lora_config import BaseNetwork, match_modules
from engine.inference.tiny import TinyConfig, TinyNetwork
from sample_results.training.footage import Footage, draw
from sample_results.training.losses import objective
from sample_results.training.recipes import SEQ_LEN, TARGETS, Finetuning, Pretraining

_TYPICAL_DEPTH = 10.0  # metres; where depth starts, so that the first steps are not spent on getting there
_WEIGHT_DECAY = 0.02
_GRADIENT_NORM = 1.0

Report = Callable[[str], None]


def pretrain(footage: Sequence[Footage], recipe: Pretraining, report: Report) -> TinyNetwork:
    """A base from random weights, rounded to half precision, as it is stored.

    Args:
        footage: drives to learn from.
        recipe: how.
        report: told the mean loss ten times.
    """
    network = TinyNetwork(TinyConfig(), recipe.seed).train()
    with torch.no_grad():
        cast(Tensor, network.depth_head.output_conv2.bias)[0] = math.log(_TYPICAL_DEPTH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.steps, pct_start=0.1
    )
    random = np.random.default_rng(recipe.seed)
    losses = []
    for step in range(1, recipe.steps + 1):
        window = draw(footage, SEQ_LEN, random)
        losses.append(train_step(network, optimizer, window, recipe.building_weight))
        schedule.step()
        if step % max(1, recipe.steps // 10) == 0:
            report(f"base: step {step} of {recipe.steps}, loss {np.mean(losses):.4f}")
            losses.clear()
    return network.half().eval()


def finetune(
    base: TinyNetwork, footage: Sequence[Footage], recipe: Finetuning
) -> Iterator[tuple[int, float, PeftModel]]:
    """Train LoRA on a base, which is changed by it.

    Args:
        base: in float32, without LoRA.
        footage: drives to learn from.
        recipe: how.

    Yields:
        After every checkpoint's steps: its number from 1, the mean loss since the one before, and the model to save.
    """
    model = with_lora(base, recipe).train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, weight_decay=0.0)
    random = np.random.default_rng(recipe.seed)
    # Dropout draws from torch's generator.
    torch.manual_seed(recipe.seed)
    number = 0
    for phase in recipe.phases:
        for group in optimizer.param_groups:
            group["lr"] = phase.learning_rate
        for _ in range(phase.checkpoints):
            losses = [
                train_step(model, optimizer, draw(footage, SEQ_LEN, random), recipe.building_weight)
                for _ in range(phase.steps)
            ]
            number += 1
            yield number, float(np.mean(losses)), model


def with_lora(base: TinyNetwork, recipe: Finetuning) -> PeftModel:
    """The base with LoRA injected by PEFT; only LoRA is trained, and it changes nothing yet."""
    targets = match_modules(BaseNetwork.of(base), TARGETS, "the recipe")
    config = LoraConfig(r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=recipe.dropout, target_modules=targets)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        return get_peft_model(base, config)


def train_step(network: nn.Module, optimizer: torch.optim.Optimizer, window: Footage, building_weight: float) -> float:
    """One step on one window; the loss before it."""
    found: dict[str, Tensor] = network(window.images[None])
    loss = objective(found, window, building_weight)
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(
        [parameter for group in optimizer.param_groups for parameter in group["params"]], _GRADIENT_NORM
    )
    optimizer.step()
    return float(loss.detach())
