"""Sums and medians of points by frame and region, without a mask per region and without waiting for the device.

Regions overlap (``full`` holds ``building``), so points are sorted into cells that do not: points of the same frame
that lie in the same regions. Every value is then read once, and a region's sum is a sum over cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Groups:
    """How N points, sorted by frame and then by cell, are divided.

    Attributes:
        sizes: points of every frame and cell, frame by frame, ``frames * cells`` of them.
        frames: number of frames.
        regions: the cells of every region.
        membership: [cells, regions], float64, 1 where a region holds a cell.
        counts: points of every frame and region, [frames, regions], float64.
    """

    sizes: tuple[int, ...]
    frames: int
    regions: tuple[tuple[int, ...], ...]
    membership: Tensor
    counts: Tensor

    @classmethod
    def build(cls, sizes: Sequence[Sequence[int]], regions: Sequence[Sequence[int]], device: torch.device) -> Groups:
        """From the number of points of every cell of every frame (at least one), and the cells of every region."""
        cells = len(sizes[0])
        membership = torch.zeros(cells, len(regions), dtype=torch.float64)
        for column, held in enumerate(regions):
            membership[list(held), column] = 1.0
        counts = torch.tensor(sizes, dtype=torch.float64).reshape(len(sizes), cells) @ membership
        return cls(
            tuple(size for frame in sizes for size in frame),
            len(sizes),
            tuple(tuple(held) for held in regions),
            membership.to(device),
            counts.to(device),
        )

    @property
    def frame_sizes(self) -> tuple[int, ...]:
        """Points of every frame."""
        cells = len(self.membership)
        return tuple(sum(self.sizes[start : start + cells]) for start in range(0, len(self.sizes), cells))

    def sums(self, values: Tensor) -> Tensor:
        """Sums of values (or, of booleans, how many are true): [..., N] -> [..., frames, regions], float64."""
        parts = [part.sum(-1) for part in torch.split(values, list(self.sizes), dim=-1)]
        cells = self._by_frame(torch.stack(parts, dim=-1))
        return (cells[..., :, None] * self.membership).sum(-2)

    def means(self, values: Tensor) -> Tensor:
        """Means (or shares): [..., N] -> [..., frames, regions], float64; NaN where there is no point."""
        return self.sums(values) / self.counts

    def medians(self, values: Tensor) -> Tensor:
        """Medians (the mean of the two middle values where their number is even), NaN where there is no point.

        Args:
            values: [..., N], without NaN.

        Returns:
            [..., frames, regions], float64.
        """
        cells = len(self.membership)
        parts = torch.split(values, list(self.sizes), dim=-1)
        found = [
            _median([parts[frame * cells + cell] for cell in held], values)
            for frame in range(self.frames)
            for held in self.regions
        ]
        return self._by_frame(torch.stack(found, dim=-1))

    def _by_frame(self, values: Tensor) -> Tensor:
        return values.double().reshape(*values.shape[:-1], self.frames, -1)


def _median(parts: list[Tensor], like: Tensor) -> Tensor:
    count = sum(part.shape[-1] for part in parts)
    if not count:
        return like.new_full(like.shape[:-1], torch.nan)
    values = parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
    low = values.kthvalue((count + 1) // 2, dim=-1).values
    if count % 2:
        return low
    # The next one in order is the least that is larger, or an equal one: cheaper than selecting once more.
    larger = torch.where(values > low[..., None], values, torch.inf).amin(-1)
    equal = (values <= low[..., None]).sum(-1) > count // 2
    return (low + torch.where(equal, low, larger)) / 2
