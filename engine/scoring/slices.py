"""Depth by distance and by label class, from the values that the depth metrics add up anyway.

Points of a block (see :mod:`engine.scoring.groups`) that share label and distance make a part. Which points those are
depends on the truth alone, so that one table brings the values of a block into the order of their parts, and one more
look at them gives the sums of all parts. A slice of a frame is a sum over parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.catalogue import REGIONS
from engine.geometry.alignment import Alignment
from engine.schema import SLICED, SliceKind
from engine.scoring.depth_kernel import SUMS, depth_sums
from engine.scoring.groups import Block, Groups
from engine.scoring.protocol import V1, distance_names

# What a root mean square is the root of.
_SQUARE, _RMSE = "square", SLICED.index("rmse")
_ROWS = {_SQUARE if name == "rmse" else name: row for row, name in enumerate(SLICED)}
_EVERYTHING = REGIONS[0]


class Slice(NamedTuple):
    """One slice of one frame.

    Attributes:
        frame: place of the frame in its window.
        region: which points it is of.
        by: what divides them.
        name: of the slice.
        points: how many it holds, at least 1.
    """

    frame: int
    region: str
    by: SliceKind
    name: str
    points: int


@dataclass(frozen=True, eq=False)
class SlicePoints:
    """The points as the kernel of a CPU reads them: in the order of their parts.

    Attributes:
        place: of every point, among those of the window, [N], int32.
        depth: true, [N], float32.
        pieces: the first point of every part, the one after its last, and its frame, [P, 3].
    """

    place: Tensor
    depth: Tensor
    pieces: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SliceTruth:
    """How the points of a window are divided into P parts and T slices.

    Attributes:
        order: the points of every block in the order of its parts, counted from the block's first, [N], int32.
        starts: the first point of every part in that order, over all blocks, [P]; on the host.
        sizes: points of every part, [P], int64.
        membership: [P, T], float64, 1 where a slice holds a part.
        counts: points of every slice, [T], float64.
        slices: frame by frame: by distance, region by region, then by class.
        points: the same for the kernel of a CPU; none on a GPU.
    """

    order: Tensor
    starts: NDArray[np.int64]
    sizes: Tensor
    membership: Tensor
    counts: Tensor
    slices: tuple[Slice, ...]
    points: SlicePoints | None = None


def divide(
    groups: Groups,
    depth: Tensor,
    label: Tensor,
    regions: Mapping[str, Sequence[int] | None],
    classes: Mapping[int, str],
    device: torch.device,
) -> SliceTruth:
    """Divide the points of a window by distance and by class.

    Args:
        groups: their blocks.
        depth: of the truth, [N], float64, metres; on the CPU.
        label: [N], int64; on the CPU.
        regions: label ids of every region; ``None`` means every point.
        classes: label id -> name. Points with other labels are in no class.
        device: where predictions will be.

    Returns:
        Slices that hold a point. A depth on an edge is in the slice that begins there.
    """
    names = distance_names()
    distance = torch.bucketize(depth, torch.tensor(V1.distance_edges[1:], dtype=torch.float64), right=True)
    known, code = torch.unique(label, return_inverse=True)
    kinds = max(1, len(known))
    first, last = torch.tensor([block.points for block in groups.blocks]).t()
    block = torch.repeat_interleave(last - first)
    cell = (block * kinds + code) * len(names) + distance
    order = cell.argsort(stable=True)
    parts, sizes = torch.unique_consecutive(cell[order], return_counts=True)
    frame = torch.tensor([one.frame for one in groups.blocks])[parts // (kinds * len(names))]
    ids, bins = known[parts // len(names) % kinds], parts % len(names)
    ends = sizes.cumsum(0)
    pieces = torch.stack([ends - sizes, ends, frame], dim=1).numpy()
    points = SlicePoints(order.int(), depth[order].float(), pieces) if device.type == "cpu" else None
    slices, held = _slices(groups.frames, frame, sizes, _kinds(ids, bins, regions, classes))
    return SliceTruth(
        order=(order - first[block]).int().to(device),
        starts=pieces[:, 0],
        sizes=sizes.to(device),
        membership=held.to(device),
        counts=torch.tensor([one.points for one in slices], dtype=torch.float64, device=device),
        slices=slices,
        points=points,
    )


_Kind = tuple[str, SliceKind, str, Tensor]


def _kinds(
    ids: Tensor, bins: Tensor, regions: Mapping[str, Sequence[int] | None], classes: Mapping[int, str]
) -> list[_Kind]:
    """Region, kind and name of every slice that a frame may have, and which parts (of any frame) it holds."""
    found: list[_Kind] = []
    for region, held in regions.items():
        inside = torch.ones_like(ids, dtype=torch.bool) if held is None else torch.isin(ids, torch.tensor([*held]))
        found += [
            (region, SliceKind.DISTANCE, name, inside & (bins == place)) for place, name in enumerate(distance_names())
        ]
    present = set(ids.tolist())
    found += [(_EVERYTHING, SliceKind.CLASS, name, ids == label) for label, name in classes.items() if label in present]
    return found


def _slices(frames: int, frame: Tensor, sizes: Tensor, kinds: Sequence[_Kind]) -> tuple[tuple[Slice, ...], Tensor]:
    slices: list[Slice] = []
    held: list[Tensor] = []
    for place in range(frames):
        here = frame == place
        for region, by, name, inside in kinds:
            inside_here = inside & here
            points = int(sizes[inside_here].sum())
            if points:
                slices.append(Slice(place, region, by, name, points))
                held.append(inside_here)
    membership = torch.stack(held, dim=1).double() if held else torch.zeros(len(sizes), 0, dtype=torch.float64)
    return tuple(slices), membership


class SliceTally:
    """Collects the values of single points in one alignment, block by block, and adds them up by slice.

    Args:
        truth: how the points are divided.
        alignment: the row of every value that is kept.
    """

    def __init__(self, truth: SliceTruth, alignment: int) -> None:
        self._truth = truth
        self._alignment = alignment
        self._values: Tensor | None = None
        self._sums: Tensor | None = None

    def add(self, block: Block, name: str, values: Tensor) -> None:
        """Note values [alignments, n] of a block's points; names that no slice has are passed over."""
        row = _ROWS.get(name)
        if row is not None:
            if self._values is None:
                self._values = torch.empty(len(_ROWS), len(self._truth.order), device=values.device)
            points = slice(*block.points)
            into = self._values[row, points]
            torch.index_select(values[self._alignment], 0, self._truth.order[points], out=into)

    def add_points(self, predicted: Tensor, alignment: Alignment) -> None:
        """Add up the values of all points in place of being told them; on a CPU.

        Args:
            predicted: depth at the points, [N]; 0 where it is not valid.
            alignment: of the window, or of every frame.
        """
        points = self._truth.points
        assert points is not None, "a truth for the CPU has them"  # noqa: S101 - a mistake of the caller's code
        own = slice(self._alignment, self._alignment + 1)
        only = Alignment(alignment.scale[own], alignment.shift[own], alignment.degenerate[own])
        sums = depth_sums(predicted.index_select(0, points.place), points.depth, points.pieces, only)
        self._sums = torch.stack([sums[SUMS.index(name), 0] for name in _ROWS])

    def metrics(self) -> Tensor:
        """The metrics of :data:`engine.schema.SLICED` of every slice, [metrics, T], once all points were added.

        A part is summed in float32, pairwise, as :class:`engine.scoring.tally.Tally` does; parts are added in float64.
        """
        sums = self._sums
        if sums is None:
            assert self._values is not None, "points come first"  # noqa: S101 - a mistake of the caller's code
            sums = part_sums(self._values, self._truth)
        means = sums @ self._truth.membership / self._truth.counts
        means[_RMSE].sqrt_()
        return means


def part_sums(values: Tensor, truth: SliceTruth) -> Tensor:
    """Sums over parts, in the same order at every call: [M, N] in the order of parts -> [M, P], float64."""
    if values.is_cuda:
        return segment_sums(values, truth.sizes)
    if not len(truth.starts):
        return values.new_zeros(len(values), 0, dtype=torch.float64)
    return torch.from_numpy(np.add.reduceat(values.numpy(), truth.starts, axis=1)).double()


def segment_sums(values: Tensor, sizes: Tensor) -> Tensor:
    """Sums over segments of so many neighbours, [M, N] -> [M, P], float64. As one long row a GPU adds up each of them
    by threads of its own, without atomic additions, and nobody waits."""
    sums = torch.segment_reduce(values.double().flatten(), "sum", lengths=sizes.repeat(len(values)), unsafe=True)
    return sums.reshape(len(values), -1)
