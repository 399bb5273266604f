"""Medians: the mean of the two middle values, found without sorting.

On a CPU a sample of the values tells between which two the middle ones must lie; the few that are between are taken out
and searched (Floyd and Rivest 1975), which is several times faster than a search through all. Whether the middle was
caught is counted, never assumed, so the result is exact. Elsewhere the device selects, and nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_FEW = 4096  # so many are searched faster than sampled
_SPREAD = 1.5  # of the bracket, in roots of the sample's size: three standard deviations of a median's rank


def medians(parts: Sequence[Tensor]) -> Tensor:
    """Medians of the values [..., n] that several tensors hold together, none of them NaN: [...]; NaN of none."""
    if parts[0].device.type == "cpu":
        return _medians_on_cpu(parts)
    return _medians_on_device(parts)


def masked_median(values: Tensor, valid: Tensor) -> Tensor:
    """The median of the valid ones, [n] -> scalar; NaN where none is valid."""
    if not values.numel():
        return values.new_full((), torch.nan)
    if values.device.type == "cpu":
        held, kept = values.numpy(), valid.numpy()
        return values.new_tensor(_middle(held if kept.all() else held[kept]))
    only = torch.where(valid, values, torch.nan)
    return (only.nanmedian() - (-only).nanmedian()) / 2  # torch takes the lower of two; of the negated, the upper


def _medians_on_cpu(parts: Sequence[Tensor]) -> Tensor:
    arrays = [part.numpy().reshape(-1, part.shape[-1]) if part.numel() else None for part in parts]
    held = [array for array in arrays if array is not None]
    shape = parts[0].shape[:-1]
    if not held:
        return parts[0].new_full(shape, torch.nan)
    rows = held[0] if len(held) == 1 else np.concatenate(held, axis=1)
    return parts[0].new_tensor([_middle(row) for row in rows]).reshape(shape)


def _middle(values: NDArray[Any]) -> float:
    """The median of an array [n]; NaN of none."""
    count = len(values)
    if not count:
        return float("nan")
    low, high = (count - 1) // 2, count // 2
    if count > _FEW:
        values, skipped = _narrowed(values, low, high)
        low, high = low - skipped, high - skipped
    ordered = np.partition(values, high)
    # The mean as float32 would form it of float32: the two are added in their own type.
    return float(ordered[high] if low == high else (ordered[:high].max() + ordered[high]) / 2)


def _narrowed(values: NDArray[Any], low: int, high: int) -> tuple[NDArray[Any], int]:
    """Those values that a sample brackets, and how many lie below; all and 0 where it missed one of the two ranks."""
    count = len(values)
    sample = values[:: max(1, int(count ** (1 / 3) / 2))]
    reach = int(_SPREAD * len(sample) ** 0.5) + 1
    first, last = len(sample) // 2 - reach, len(sample) // 2 + reach
    bounds = np.partition(sample, (first, last))
    least, most = bounds[first], bounds[last]
    below = int(np.count_nonzero(values < least))
    inside = np.compress((values >= least) & (values <= most), values)
    caught = below <= low and high < below + len(inside)
    return (inside, below) if caught else (values, 0)


def _medians_on_device(parts: Sequence[Tensor]) -> Tensor:
    count = sum(part.shape[-1] for part in parts)
    if not count:
        return parts[0].new_full(parts[0].shape[:-1], torch.nan)
    values = parts[0] if len(parts) == 1 else torch.cat(list(parts), dim=-1)
    low = values.kthvalue((count + 1) // 2, dim=-1).values
    if count % 2:
        return low
    # The next one in order is the least that is larger, or an equal one: cheaper than selecting once more.
    larger = torch.where(values > low[..., None], values, torch.inf).amin(-1)
    equal = (values <= low[..., None]).sum(-1) > count // 2
    return (low + torch.where(equal, low, larger)) / 2
