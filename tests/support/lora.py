"""LoRA checkpoints of every form, made by PEFT itself on a very small network."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import peft
import torch
import yaml
from torch import Tensor, nn

from engine.inference.checkpoints import CheckpointKind, CheckpointSource
from engine.inference.tiny import TinyConfig
from engine.training_config import LoraTraining

SIZE = TinyConfig(embed_dim=16, depth=3, heads=2, patch=8, features=8, registers=1, mlp_ratio=2, width=32)
PATTERNS = ("depth_head.*", "aggregator.frame_blocks.[12].*", "camera_head.trunk.*.attn.qkv")
TRAINING = LoraTraining(4, 8.0, PATTERNS, 0.1)


def outputs(network: nn.Module, images: Tensor) -> Tensor:
    """Everything that a network says, in one row of numbers."""
    with torch.inference_mode():
        found = network(images)
    return torch.cat([found[key].flatten() for key in ("depth", "depth_conf", "pose_enc")])


def targets(network: nn.Module, patterns: tuple[str, ...] = PATTERNS) -> list[str]:
    """The layers that the patterns mean, found independently by regular expressions."""
    leaves = [n for n, m in network.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    expressions = [re.compile("^" + p.replace(".", r"\.").replace("*", ".*") + "$") for p in patterns]
    return [name for name in leaves if any(e.match(name) for e in expressions)]


def peft_model(network: nn.Module, seed: int, **settings: Any) -> peft.PeftModel:
    """What a training leaves: a PEFT model around a copy of the base, with every factor different from zero."""
    values: dict[str, Any] = {
        "r": TRAINING.rank,
        "lora_alpha": int(TRAINING.alpha),
        "lora_dropout": 0.1,
        "target_modules": targets(network),
    }
    wrapped = peft.get_peft_model(copy.deepcopy(network), peft.LoraConfig(**{**values, **settings}))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in wrapped.state_dict().items():
            if ".lora_" in name:
                tensor.copy_(0.1 * torch.randn(tensor.shape, generator=generator))
            elif ".modules_to_save." in name:
                tensor.add_(0.1 * torch.randn(tensor.shape, generator=generator))
    return wrapped.eval()


class Trainings:
    """Writes checkpoints of one base, in every form."""

    def __init__(self, network: nn.Module, folder: Path) -> None:
        self._network = copy.deepcopy(network)
        self._folder = folder

    def adapter(self, name: str, seed: int = 0, **settings: Any) -> CheckpointSource:
        """A PEFT adapter folder, as PEFT saves it."""
        path = self._folder / name
        peft_model(self._network, seed, **settings).save_pretrained(str(path))
        return CheckpointSource(name, path, CheckpointKind.ADAPTER)

    def full(self, name: str, seed: int = 0, **settings: Any) -> CheckpointSource:
        """A .pt file as trainers write it: the full state dict beside the trainer's own state."""
        state = peft_model(self._network, seed, **settings).state_dict()
        return self.write(
            name, {"model": state, "optimizer": {"state": {}, "param_groups": [{"lr": 1e-5}]}, "steps": 7}
        )

    def lora_only(self, name: str, seed: int = 0, **settings: Any) -> CheckpointSource:
        """A .pt file with the LoRA tensors alone, as PEFT names them for saving."""
        return self.write(name, dict(peft.get_peft_model_state_dict(peft_model(self._network, seed, **settings))))

    def write(self, name: str, content: object) -> CheckpointSource:
        """Any content as a .pt file."""
        path = self._folder / f"{name}.pt"
        torch.save(content, path)
        return CheckpointSource(name, path, CheckpointKind.WEIGHTS)

    def state(self, seed: int = 0, **settings: Any) -> dict[str, Tensor]:
        """A full state dict."""
        return dict(peft_model(self._network, seed, **settings).state_dict())

    def config(self, name: str = "train.yaml", **changes: Any) -> Path:
        """The training's configuration beside the checkpoints."""
        section = {"enabled": True, "rank": 4, "alpha": 8, "dropout": 0.1, "target_modules": list(PATTERNS), **changes}
        path = self._folder / name
        path.write_text(yaml.safe_dump({"max_epochs": 50, "lora": section}))
        return path

    def edit_config(self, source: CheckpointSource, **changes: Any) -> None:
        """Change settings in an adapter folder."""
        path = source.path / "adapter_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
