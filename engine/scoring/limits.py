"""Sums of values by frame and region, and how many of them are below some limits, in one look at each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from engine.geometry.compiled import share_out, spans
from engine.scoring.groups import Groups
from engine.scoring.limit_loops import add_up, add_up_finite
from engine.scoring.tally import Tally


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


def sums_of_finite(values: Tensor, groups: Groups, limits: Sequence[float], level: float) -> Tensor:
    """How many values are finite, their sum, how many are below a level, and how many below each of some limits.

    Args:
        values: [N], float32, in the order of the groups; none is NaN or negative.
        groups: how they are divided.
        limits: ascending and evenly spaced, beginning with their distance; each is compared as float32.
        level: compared as float32.

    Returns:
        [3 + limits, frames, regions], float64.
    """
    if values.device.type != "cpu":
        return _sums_by_operations(values, groups, limits, level)
    found = torch.zeros(3 + len(limits), len(groups.pieces), dtype=torch.float64)
    levels = np.array(limits, dtype=np.float32)
    parts = [(groups.pieces[some], found[:, some].numpy()) for some in spans(len(groups.pieces))]
    share_out(add_up_finite, [(values.numpy(), pieces, levels, np.float32(level), own) for pieces, own in parts])
    return groups.gathered(found)


def _sums_by_operations(values: Tensor, groups: Groups, limits: Sequence[float], level: float) -> Tensor:
    """The same as tensor operations, on any device."""
    tally = Tally(groups, ("seen", "sum", "level", "curve"))
    levels = _on(values.device, tuple(limits))
    for block in groups.blocks:
        held = values[slice(*block.points)]
        seen = torch.lt(held, torch.inf, out=torch.empty_like(held))  # marks as 0 and 1 in float32 are added faster
        tally.add(block, "seen", seen)
        tally.add(block, "sum", torch.where(held < torch.inf, held, 0.0))
        tally.add(block, "level", torch.lt(held, level, out=seen))
        below = torch.empty(len(levels), len(held), device=held.device)
        tally.add(block, "curve", torch.lt(held, levels[:, None], out=below))
    sums = tally.totals("seen", "sum", "level")
    return torch.cat([torch.stack(list(sums.values())), tally.totals("curve")["curve"]])


@cache
def _on(device: torch.device, limits: tuple[float, ...]) -> Tensor:
    return torch.tensor(limits, device=device)
