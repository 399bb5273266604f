"""Sums of many values of every point, collected block by block."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.scoring.groups import Block, Groups
from engine.scoring.slices import SliceTally


class Tally:
    """Collects sums of named values over the pieces of blocks.

    A piece is summed in the values' own type, as the device does it pairwise; pieces are added in float64.

    Args:
        groups: whose blocks will be added, all of them and in order.
        names: of the values.
        slices: told every value that :meth:`add` is.
    """

    def __init__(self, groups: Groups, names: Sequence[str], slices: SliceTally | None = None) -> None:
        self._groups = groups
        self._names = tuple(names)
        self._slices = slices
        self._sums: dict[str, list[Tensor]] = {name: [] for name in self._names}

    def add(self, block: Block, name: str, values: Tensor) -> None:
        """Add values [..., n] of a block's points."""
        into = self._sums[name]
        for first, last in block.pieces:
            into.append(values[..., first:last].sum(-1))
        if self._slices is not None:
            self._slices.add(block, name, values)

    def add_centred(self, block: Block, names: tuple[str, str, str], values: Tensor) -> None:
        """Add the mean of every piece of values [..., n], and sums of what is left and of its square.

        Args:
            block: whose points they are.
            names: of the three.
            values: overwritten.
        """
        centre, first_moment, second_moment = (self._sums[name] for name in names)
        for first, last in block.pieces:
            part = values[..., first:last]
            mean = part.mean(-1, keepdim=True)
            centre.append(mean[..., 0])
            first_moment.append(part.sub_(mean).sum(-1))
            second_moment.append(part.square_().sum(-1))

    def note(self, block: Block, name: str, value: Tensor) -> None:
        """Note one value [...] of every piece of a block in the place of its sum."""
        self._sums[name] += [value] * len(block.pieces)

    def pieces(self, *names: str) -> Tensor:
        """What was collected, [names, ..., pieces], float64; there is at least one piece."""
        return torch.stack([torch.stack(self._sums[name], dim=-1) for name in names]).double()

    def totals(self, *names: str) -> dict[str, Tensor]:
        """Name -> sums by frame and region, [..., frames, regions], float64."""
        return dict(zip(names, self._groups.gathered(self.pieces(*names)), strict=True))
