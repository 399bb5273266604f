"""Whether merged weights do what a checkpoint does: outputs on a seeded input, compared and judged."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.errors import ExportError
from engine.inference.contract import GeometryModel, Prediction, no_grad_predict

# Largest difference of an output, in units of its own largest value. Adding B(Ax) to Wx and multiplying x by W + BA
# differ by rounding alone: in fp32 about 1e-7 for each layer that they pass.
TOLERANCE = 1e-4
# And in units of what the checkpoint changes at all: a merge that did nothing must not pass for a good one.
SHARE_OF_EFFECT = 0.1

# The seeded input: frames of so many patches.
_FRAMES, _HEIGHT, _WIDTH, _SEED = 2, 6, 8, 0
_OUTPUTS = ("depth", "confidence", "world_to_camera", "intrinsics")


def seeded_images(model: GeometryModel) -> Tensor:
    """The input: [1, S, 3, H, W], uniform in [0, 1], the same at every call."""
    generator = torch.Generator().manual_seed(_SEED)
    return torch.rand(1, _FRAMES, 3, _HEIGHT * model.patch, _WIDTH * model.patch, generator=generator)


def outputs(model: GeometryModel, images: Tensor) -> Prediction:
    """What the model says, in fp32."""
    return no_grad_predict(model, images, torch.float32)


def judge(plain: Prediction, unmerged: Prediction, merged: Prediction, images: Tensor, name: str) -> dict[str, object]:
    """What the comparison found, as JSON values.

    Args:
        plain: outputs of the base.
        unmerged: of the base with LoRA layers.
        merged: of the plain network with the merged weights.
        images: the input.
        name: the checkpoint's, for messages.

    Raises:
        ExportError: the merged model is not the unmerged one.
    """
    error, effect = _difference(merged, unmerged), _difference(plain, unmerged)
    # Written so that NaN fails, too.
    if not (error <= TOLERANCE and error <= SHARE_OF_EFFECT * effect):
        raise ExportError(
            f"{name}: the merged weights do not do what the checkpoint does: outputs differ by {error:.1e} of the "
            f"largest value; allowed are {TOLERANCE:g} and a tenth of the checkpoint's own effect, {effect:.1e}",
            "export without --merge; nothing was exported",
        )
    _, frames, _, height, width = images.shape
    return {
        "input": f"{frames} frames of {width}x{height} pixels, uniform in [0, 1], seed {_SEED}",
        "precision": "fp32",
        "device": "cpu",
        "outputs": list(_OUTPUTS),
        "tolerance": TOLERANCE,
        "max_difference": error,
        "effect": effect,
    }


def _difference(one: Prediction, other: Prediction) -> float:
    """The largest difference of any output, in units of the largest value of that output in ``other``."""
    found = 0.0
    for output in _OUTPUTS:
        a, b = getattr(one, output).double(), getattr(other, output).double()
        largest = float(b.abs().max())
        difference = float((a - b).abs().max()) / (largest or 1.0)
        if not difference <= found:
            found = difference
            if found != found:  # NaN: nothing more can be said
                break
    return found
