"""Scores on their way from the device, while the device goes on with the next checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from engine.scoring.window import WindowScores


def start_fetch(scores: WindowScores) -> Callable[[], WindowScores]:
    """Begin to copy the scores of a window to the host.

    The copy stands in the device's queue behind the scoring alone: whoever waits for it does not wait for what was put
    into the queue later. On a CPU there is nothing to copy.

    Returns:
        Waits for the copy and gives the scores, on the host.
    """
    if not scores.packed.is_cuda:
        return lambda: scores
    host = torch.empty(scores.packed.shape, dtype=scores.packed.dtype, pin_memory=True)
    host.copy_(scores.packed, non_blocking=True)
    arrived = torch.cuda.current_stream(scores.packed.device).record_event()

    def wait() -> WindowScores:
        arrived.synchronize()
        return replace(scores, packed=host)

    return wait
