"""Sums of values by frame and region, and how many of them are below some limits, in one look at each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.geometry.compiled import share_out
from engine.scoring.groups import Groups
from engine.scoring.limit_loops import add_up


def sums_below(values: Tensor, groups: Groups, limits: Sequence[float]) -> Tensor:
    """Sums, and of every limit the number of values below it.

    Args:
        values: [T, N], float32, in the order of the groups.
        groups: how they are divided.
        limits: each is compared as float32.

    Returns:
        [1 + limits, T, frames, regions], float64.
    """
    if values.device.type != "cpu":
        return torch.stack([groups.sums(values), *(groups.sums(values < limit) for limit in limits)])
    pieces = groups.pieces
    found = torch.zeros(1 + len(limits), len(values), len(pieces), dtype=torch.float64)
    levels = np.array(limits, dtype=np.float32)
    share_out(add_up, [(row.numpy(), pieces, levels, found[:, t].numpy()) for t, row in enumerate(values)])
    return groups.gathered(found)
