"""Who predicts: the baseline, every checkpoint, and the two pseudo-checkpoints, all on one window's images.

:meth:`ModelPredictors.predict` is called once per window and yields one prediction after another; what the models have
in common is computed once inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor

from engine.dataset.model import PreparedWindow
from engine.errors import LorascopeError
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.plan import BASELINE
from engine.inference.checkpoints import CheckpointSource
from engine.inference.contract import GeometryModel, Prediction, no_grad_predict
from engine.inference.families import build_model
from engine.inference.lora import AdapterBank
from engine.inference.memory import free_bytes
from engine.inference.shared_forward import SharedForward
from engine.inference.sharing import SharingReport
from engine.inference.weights import state_sha256
from engine.schema import LoraInfo
from engine.training_config import read_training

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def choose_device(name: str) -> torch.device:
    """The device of that name; ``auto`` is CUDA where there is one.

    Raises:
        LorascopeError: CUDA was asked for and is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise LorascopeError(f"--device {name}: this machine has no CUDA device", "use --device cpu or auto")
    return torch.device(name)


class ModelPredictors:
    """The base model with the adapters of all checkpoints in memory.

    Args:
        config: model, weights, precision.
        device: where it runs.
    """

    def __init__(self, config: EvaluationConfig, device: torch.device) -> None:
        seed = config.base_seed if config.base is None else None
        self.model: GeometryModel = build_model(config.model, weights=config.base, seed=seed)
        self.model.module.to(device)
        self._device = device
        self._dtype = _DTYPES[config.dtype]
        self._training = read_training(config.training) if config.training else None
        self.weights_sha256 = state_sha256(self.model.module)
        self._bank = AdapterBank(self.model)
        self._config = config
        self._shared: SharedForward | None = None

    def lora_info(self) -> LoraInfo:
        """The LoRA recipe of the checkpoints, where they share one."""
        recipes = {self._bank.get(name).recipe.rank: self._bank.get(name).recipe for name in self._bank.names}
        if len(recipes) != 1:
            return LoraInfo()
        recipe = next(iter(recipes.values()))
        return LoraInfo(
            rank=recipe.rank, alpha=recipe.alpha, dropout=recipe.dropout, target_modules=list(recipe.target_modules)
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The baseline, then the checkpoints that were loaded."""
        return (BASELINE, *self._bank.names)

    def add(self, source: CheckpointSource) -> None:
        """Load one checkpoint.

        Raises:
            DataError: it cannot be read, does not fit the base, or would change nothing.
        """
        self._bank.add(source, self._training)
        self._shared = None

    @property
    def sharing(self) -> SharingReport | None:
        """What sharing did so far; ``None`` where nothing was shared."""
        return self._shared.report if self._shared else None

    def predict(
        self, images: Tensor, names: Sequence[str], failed: Callable[[str, str], None]
    ) -> Iterator[tuple[str, Prediction]]:
        """Run the models of these names on one window.

        Args:
            images: [1, S, 3, H, W], RGB in [0, 1], on the device.
            names: among :attr:`names`.
            failed: called with name and reason where a model cannot run; the others go on.
        """
        shared = self._shared_forward() if len(names) > 1 else None
        with shared.window() if shared else nullcontext():
            for name in names:
                try:
                    if name == BASELINE:
                        self._bank.baseline()
                    else:
                        self._bank.activate(name)
                    prediction = shared.predict(name, images) if shared else self._forward(images)
                except Exception as error:
                    # Whatever a model's own code raises costs only that model; the baseline is everybody's reference.
                    if name == BASELINE:
                        raise
                    failed(name, f"the forward pass failed: {first_line(error)}")
                    continue
                yield name, prediction

    def _forward(self, images: Tensor) -> Prediction:
        return no_grad_predict(self.model, images, self._dtype)

    def _shared_forward(self) -> SharedForward | None:
        if self._shared is None and self._config.sharing and self._bank.names:
            memory = self._config.sharing_memory
            self._shared = SharedForward(
                self.model.module,
                {name: self._bank.changed(name) for name in self._bank.names},
                self._forward,
                limit_bytes=free_bytes(self._device) // 2 if memory is None else memory * 1_000_000,
            )
        return self._shared


def first_line(error: Exception) -> str:
    """What an error of somebody else's code says first, with its kind."""
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__


def chance(prepared: PreparedWindow, depth: float, device: torch.device) -> Prediction:
    """What knows nothing: one constant depth, a camera that never moves, the true intrinsics.

    Args:
        prepared: the window.
        depth: metres, the median of the run's ground truth.
        device: where to put it.
    """
    frames, _, height, width = prepared.images.shape
    return Prediction(
        depth=torch.full((1, frames, height, width), depth, device=device),
        confidence=torch.ones((1, frames, height, width), device=device),
        world_to_camera=torch.eye(4, device=device)[:3].expand(1, frames, 3, 4).contiguous(),
        intrinsics=torch.as_tensor(prepared.intrinsics, dtype=torch.float32, device=device)[None],
    )
