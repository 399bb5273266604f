"""Which scattered points lie near each other in a native image, and sums over k x k pixels of them.

Points lie in a native image, at most one per pixel. Their values are laid out as pixels, with zeros where there is no
point, and summed over columns and then over rows of a neighbourhood: the cost depends neither on how dense the points
are nor on where they lie, and every sum is of its own few addends, so nothing cancels away as with running sums.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """Which points of a frame belong to the neighbourhoods of Q centres.

    Attributes:
        order: positions of the frame's points in row-major pixel order, [n], int64.
        grid: the rows of the native image that hold points, with a border of ``window // 2`` empty pixels all round:
            one more than a point's place in that order, 0 where there is none, [rows + border, columns + border],
            int32.
        window: side of a neighbourhood in pixels, odd.
        place: pixel of each centre in the grid without its border, row by row, [Q], int64.
        count: points in each neighbourhood, [Q], float64.
        centre: positions of the centres among the frame's points, [Q], int64.
    """

    order: Tensor
    grid: Tensor
    window: int
    place: Tensor
    count: Tensor
    centre: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the grid without its border."""
        border = self.window - 1
        return self.grid.shape[0] - border, self.grid.shape[1] - border

    def subset(self, kept: Tensor) -> Neighbourhoods:
        """The neighbourhoods of some of the centres, given as a mask or indices."""
        return Neighbourhoods(self.order, self.grid, self.window, self.place[kept], self.count[kept], self.centre[kept])

    def to(self, device: torch.device) -> Neighbourhoods:
        """The same on a device."""
        order, grid, place, count, centre = (
            tensor.to(device) for tensor in (self.order, self.grid, self.place, self.count, self.centre)
        )
        return Neighbourhoods(order, grid, self.window, place, count, centre)


def native_pixels(uv: Tensor, size: tuple[int, int]) -> Tensor:
    """Row-major number of the native pixel of each position, [n, 2] -> [n], int64; positions lie inside the image."""
    height, width = size
    column = (uv[:, 0] + 0.5).floor().long().clamp(0, width - 1)
    row = (uv[:, 1] + 0.5).floor().long().clamp(0, height - 1)
    return row * width + column


def neighbourhoods(pixel: Tensor, size: tuple[int, int], window: int) -> Neighbourhoods:
    """The neighbourhood of every point of a frame, in the order of the points.

    Args:
        pixel: native pixel of each point, [n], int64, as :func:`native_pixels` gives it. Of points that share a pixel
            the first one counts.
        size: (height, width) of the native image.
        window: side in pixels, odd.
    """
    width = size[1]
    order = pixel.argsort(stable=True)
    held = pixel[order]
    first = int(held[0]) // width if len(held) else 0
    rows = int(held[-1]) // width - first + 1 if len(held) else 1
    alone = torch.ones_like(held, dtype=torch.bool)
    alone[1:] = held[1:] != held[:-1]
    number = torch.arange(1, len(held) + 1, dtype=torch.int32, device=pixel.device)
    border = window // 2
    grid = torch.zeros(rows + 2 * border, width + 2 * border, dtype=torch.int32, device=pixel.device)
    grid[held[alone] // width - first + border, held[alone] % width + border] = number[alone]
    place = pixel - first * width
    count = box_sums((grid > 0).double(), window).flatten()[place]
    return Neighbourhoods(order, grid, window, place, count, torch.arange(len(pixel), device=pixel.device))


def count_around(pixel: Tensor, others: Tensor, size: tuple[int, int], window: int) -> Tensor:
    """How many of ``others`` (native pixels, [m]) lie in the window around each pixel: [n], float64."""
    held = torch.bincount(others, minlength=size[0] * size[1]).double().reshape(size)
    border = window // 2
    return box_sums(F.pad(held, (border,) * 4), window).flatten()[pixel]


def box_sums(values: Tensor, window: int) -> Tensor:
    """Sums over all ``window`` x ``window`` boxes of [..., rows, columns], as many fewer rows and columns."""
    by_column = values.unfold(-2, window, 1).sum(-1)
    # Along rows the same would add with a stride of one, which is several times slower than adding shifted copies.
    return _sums_along_rows(by_column, window)


def window_sums(values: Tensor, hood: Neighbourhoods) -> Tensor:
    """Sums of values [..., n] (in the order of ``hood.order``) over every neighbourhood: [..., Q]."""
    rows, columns = hood.grid.shape
    cells = hood.grid.flatten()
    flat = F.pad(values.reshape(math.prod(values.shape[:-1]), values.shape[-1]), (1, 0))
    sums = [
        box_sums(one.index_select(0, cells).reshape(rows, columns), hood.window).flatten().index_select(0, hood.place)
        for one in flat
    ]
    return torch.stack(sums).reshape(*values.shape[:-1], len(hood.place))


def _sums_along_rows(values: Tensor, window: int) -> Tensor:
    """Sums of ``window`` neighbours along the last axis; three at a time where the window is a power of three."""
    step, total = 1, values
    while step * 3 <= window and window % (step * 3) == 0:
        total = _shifted_sum(total, 3, step)
        step *= 3
    return _shifted_sum(total, window // step, step) if step < window else total


def _shifted_sum(values: Tensor, count: int, step: int) -> Tensor:
    length = values.shape[-1] - (count - 1) * step
    total = values.narrow(-1, 0, length) + values.narrow(-1, step, length)
    for shift in range(2, count):
        total += values.narrow(-1, shift * step, length)
    return total
