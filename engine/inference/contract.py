"""The contract between models and scoring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says of windows, all in the model's own unit of length.

    Attributes:
        depth: z-depth, [B, S, H, W], positive where valid.
        confidence: [B, S, H, W], any positive scale.
        world_to_camera: extrinsics [R | t] of the OpenCV camera frame, [B, S, 3, 4].
        intrinsics: of the images that went in, [B, S, 3, 3], pixels, pixel centres at integer coordinates.
    """

    depth: Tensor
    confidence: Tensor
    world_to_camera: Tensor
    intrinsics: Tensor


class GeometryModel(Protocol):
    """A model family's adapter around a ``torch.nn.Module``."""

    @property
    def name(self) -> str:
        """The family's name."""

    @property
    def patch(self) -> int:
        """Image sides must be multiples of this."""

    @property
    def default_size(self) -> int:
        """Image width in pixels that the family is made for."""

    @property
    def module(self) -> nn.Module:
        """The network; LoRA is injected here."""

    def predict(self, images: Tensor) -> Prediction:
        """Run the network.

        Args:
            images: [B, S, 3, H, W], RGB in [0, 1], on the module's device.
        """


def no_grad_predict(model: GeometryModel, images: Tensor, dtype: torch.dtype) -> Prediction:
    """Predict without gradients, in eval mode, under autocast where ``dtype`` is not float32; outputs are float32.

    Not in inference mode, even within one: sharing needs PyTorch's count of writes into a tensor.
    """
    model.module.eval()
    autocast = torch.autocast(images.device.type, dtype=dtype, enabled=dtype != torch.float32)
    with torch.inference_mode(False), torch.no_grad(), autocast:
        found = model.predict(images)
    return Prediction(
        found.depth.float(), found.confidence.float(), found.world_to_camera.float(), found.intrinsics.float()
    )
