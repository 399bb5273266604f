"""What a forward pass of one model costs: the full model, warm, one window at a time, the device synchronised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from engine.inference.contract import GeometryModel, no_grad_predict
from engine.inference.meters import Meter

_MEDIAN, _SLOW = 50, 95


@dataclass(frozen=True, slots=True)
class Cost:
    """What was measured.

    Attributes:
        times: seconds of every timed pass, in the order in which they ran.
        frames: in the window.
        memory: bytes, the peak of this model alone; ``None`` where the device cannot tell.
    """

    times: tuple[float, ...]
    frames: int
    memory: int | None

    @property
    def latency(self) -> float:
        """Seconds for a window: the median of the passes."""
        return percentile(self.times, _MEDIAN)

    @property
    def latency_p95(self) -> float:
        """Seconds for a window: the 95th percentile of the passes."""
        return percentile(self.times, _SLOW)

    @property
    def fps(self) -> float:
        """Frames per second at the median latency."""
        return self.frames / self.latency


def measure(
    model: GeometryModel, images: Tensor, dtype: torch.dtype, meter: Meter, *, warmup: int, repeats: int
) -> Cost:
    """Time a model on one window, and count its memory.

    Each pass is one call of :func:`~engine.inference.contract.no_grad_predict`, as evaluation makes it: images are on
    the device before, predictions stay there. The device is synchronised before a pass begins and before its time is
    taken; passes to warm up are neither timed nor counted.

    Memory is that of the model *alone*, whatever else lies on the device: its own parameters and buffers, the images,
    and what the passes allocate at their peak beyond what lay there when they began. Copies of other weights, other
    checkpoints or a process' earlier work lie there before and at the peak alike, and cancel; so do workspaces that a
    library keeps from one pass to the next.

    Args:
        model: in the state that is to be measured, on the meter's device.
        images: [1, S, 3, H, W], RGB in [0, 1], on the same device.
        dtype: precision of the pass.
        meter: clock and memory counter of the device.
        warmup: passes before, at least 0.
        repeats: timed passes, at least 1.

    Raises:
        ValueError: nothing to repeat.
    """
    if repeats < 1 or warmup < 0:
        raise ValueError(f"{warmup} passes to warm up and {repeats} to time cannot be measured")
    meter.settle()
    for _ in range(warmup):
        no_grad_predict(model, images, dtype)
    meter.synchronize()
    before = meter.start_memory()
    times = []
    for _ in range(repeats):
        meter.synchronize()
        begin = meter.now()
        no_grad_predict(model, images, dtype)  # what it returns is let go at once, so that no pass pays for another
        meter.synchronize()
        times.append(meter.now() - begin)
    peak = meter.peak_memory()
    memory = None
    if before is not None and peak is not None:
        memory = module_bytes(model.module) + _bytes(images) + peak - before
    return Cost(tuple(times), images.shape[1], memory)


def module_bytes(module: nn.Module) -> int:
    """Bytes of a module's parameters and buffers; a tensor that two modules share counts once."""
    tensors = {tensor.data_ptr(): tensor for tensor in (*module.parameters(), *module.buffers())}
    return sum(map(_bytes, tensors.values()))


def percentile(times: tuple[float, ...], share: float) -> float:
    """The percentile ``share`` (0 to 100) of some times, linear between neighbours (type 7 of Hyndman and Fan)."""
    return float(np.percentile(times, share))


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
