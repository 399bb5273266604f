"""Sums and medians of points by frame and region, without a mask per region and without waiting for the device.

Regions overlap (``full`` holds ``building``), so points are sorted into cells that do not: points of the same frame
that lie in the same regions. Every value is then read once, and a region's sum is a sum over cells.

Many values of a point (ten metrics in four alignments) are computed block by block, in blocks that a CPU's cache holds,
so that points are read once and their values never leave it; a GPU takes a frame at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.geometry.selection import medians

_BLOCK = 32768  # points; on a CPU


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring points of one frame.

    Attributes:
        frame: which one.
        points: the first and the one after the last, among all points.
        pieces: the first and the one after the last within the block, of every cell that has points there.
    """

    frame: int
    points: tuple[int, int]
    pieces: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Groups:
    """How N points, sorted by frame and then by cell, are divided.

    Attributes:
        sizes: points of every frame and cell, frame by frame, ``frames * cells`` of them.
        frames: number of frames.
        regions: the cells of every region.
        membership: [cells, regions], float64, 1 where a region holds a cell.
        counts: points of every frame and region, [frames, regions], float64.
        blocks: all points, in order; one without points where there is none.
        owner: [pieces, frames * cells], float64, 1 where a cell holds a piece of a block.
        piece_sizes: points of every piece, [pieces], float64.
    """

    sizes: tuple[int, ...]
    frames: int
    regions: tuple[tuple[int, ...], ...]
    membership: Tensor
    counts: Tensor
    blocks: tuple[Block, ...]
    owner: Tensor
    piece_sizes: Tensor

    @classmethod
    def build(
        cls,
        sizes: Sequence[Sequence[int]],
        regions: Sequence[Sequence[int]],
        device: torch.device,
        *,
        block: int | None = None,
    ) -> Groups:
        """Divide points.

        Args:
            sizes: of every frame, the number of points of every cell (at least one).
            regions: the cells of every region.
            device: where values will be.
            block: points of a block at most; by default what suits the device.
        """
        cells = len(sizes[0])
        membership = torch.zeros(cells, len(regions), dtype=torch.float64)
        for column, held in enumerate(regions):
            membership[list(held), column] = 1.0
        counts = (torch.tensor(sizes, dtype=torch.float64).reshape(len(sizes), cells, 1) * membership).sum(1)
        blocks, owners = _blocks(sizes, block or (_BLOCK if device.type == "cpu" else max(map(sum, sizes), default=1)))
        owner = torch.zeros(len(owners), len(sizes) * cells, dtype=torch.float64)
        owner[torch.arange(len(owners)), owners] = 1.0
        return cls(
            tuple(size for frame in sizes for size in frame),
            len(sizes),
            tuple(tuple(held) for held in regions),
            membership.to(device),
            counts.to(device),
            blocks,
            owner.to(device),
            torch.tensor(
                [last - first for one in blocks for first, last in one.pieces], dtype=torch.float64, device=device
            ),
        )

    @property
    def frame_sizes(self) -> tuple[int, ...]:
        """Points of every frame."""
        cells = len(self.membership)
        return tuple(sum(self.sizes[start : start + cells]) for start in range(0, len(self.sizes), cells))

    @cached_property
    def pieces(self) -> NDArray[np.int64]:
        """The first point of every piece of all blocks, the one after its last, and its frame: [pieces, 3]."""
        return np.array(
            [
                (one.points[0] + first, one.points[0] + last, one.frame)
                for one in self.blocks
                for first, last in one.pieces
            ],
            dtype=np.int64,
        )

    def sums(self, values: Tensor) -> Tensor:
        """Sums of values (or, of booleans, how many are true): [..., N] -> [..., frames, regions], float64."""
        parts = [part.sum(-1) for part in torch.split(values, list(self.sizes), dim=-1)]
        return self._of_cells(torch.stack(parts, dim=-1))

    def means(self, values: Tensor) -> Tensor:
        """Means (or shares): [..., N] -> [..., frames, regions], float64; NaN where there is no point."""
        return self.sums(values) / self.counts

    def gathered(self, sums: Tensor) -> Tensor:
        """Sums over the pieces of all blocks, in order, as sums over regions.

        Args:
            sums: [..., pieces].

        Returns:
            [..., frames, regions], float64.
        """
        return self._of_cells((sums.double()[..., None] * self.owner).sum(-2))

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
            medians([parts[frame * cells + cell] for cell in held])
            if held
            else values.new_full(values.shape[:-1], torch.nan)
            for frame in range(self.frames)
            for held in self.regions
        ]
        return self._by_frame(torch.stack(found, dim=-1))

    def _of_cells(self, sums: Tensor) -> Tensor:
        return (self._by_frame(sums)[..., :, None] * self.membership).sum(-2)

    def _by_frame(self, values: Tensor) -> Tensor:
        return values.double().reshape(*values.shape[:-1], self.frames, -1)


def _blocks(sizes: Sequence[Sequence[int]], limit: int) -> tuple[tuple[Block, ...], list[int]]:
    """Blocks of at most ``limit`` points, and the number of the cell (over all frames) of every piece."""
    blocks: list[Block] = []
    owners: list[int] = []
    start = 0
    for frame, cells in enumerate(sizes):
        stop = start + sum(cells)
        edges = [start]
        for size in cells:
            edges.append(edges[-1] + size)
        for first in range(start, stop, limit):
            last = min(first + limit, stop)
            pieces = []
            for cell, (begin, end) in enumerate(pairwise(edges)):
                low, high = max(begin, first), min(end, last)
                if low < high:
                    pieces.append((low - first, high - first))
                    owners.append(frame * len(cells) + cell)
            blocks.append(Block(frame, (first, last), tuple(pieces)))
        start = stop
    return (tuple(blocks), owners) if blocks else ((Block(0, (0, 0), ((0, 0),)),), [0])
