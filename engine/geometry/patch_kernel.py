"""Angles between predicted and true normals of all neighbourhoods of a frame in one compiled pass; on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.geometry.compiled import share_out
from engine.geometry.neighbourhoods import Neighbourhoods
from engine.geometry.patch_loops import fill_frame


@dataclass(frozen=True, eq=False)
class PatchRows:
    """The centres of a frame's neighbourhoods by rows of the grid, as the kernel walks over them.

    Attributes:
        place: of every pixel of the grid with its border, one more than the position of its point among the frame's
            points, 0 where there is none, int32.
        starts: the first centre of every row of the grid without its border, and their number, int64.
        column: of every centre, in row-major order, int64.
        count: points of every neighbourhood, float64.
        window: side of a neighbourhood in pixels, odd.
    """

    place: NDArray[np.int32]
    starts: NDArray[np.int64]
    column: NDArray[np.int64]
    count: NDArray[np.float64]
    window: int

    @classmethod
    def of(cls, hood: Neighbourhoods) -> PatchRows:
        """Those of a frame on the CPU, whose centres lie in row-major order."""
        rows, columns = hood.size
        centre = hood.place.numpy()
        edges = np.arange(rows + 1) * columns
        position = np.concatenate([[0], hood.order.numpy() + 1]).astype(np.int32)
        return cls(
            position[hood.grid.numpy()],
            np.searchsorted(centre, edges),
            centre % columns,
            hood.count.numpy(),
            hood.window,
        )


@dataclass(frozen=True, eq=False)
class PatchFrame:
    """What the kernel reads of a frame beside its points.

    Attributes:
        rows: its Q centres.
        rays: x and y of viewing rays (z = 1) as pixels of the grid, [2, rows, columns], float32.
        ray: x and y of the viewing rays of the centres, [2, Q], float64, contiguous.
        normal: true normals of the centres, [3, Q], float32, contiguous.
        rank: where the angle of each centre is put, [Q], int32: every number below Q once.
    """

    rows: PatchRows
    rays: Tensor
    ray: Tensor
    normal: Tensor
    rank: Tensor


def patch_angles(
    depth: Sequence[Tensor],
    scale: Sequence[Tensor],
    shift: Sequence[Tensor],
    bounds: tuple[float, float],
    frames: Sequence[PatchFrame],
) -> Tensor:
    """Angles between true normals and those of least-squares planes through every neighbourhood of some frames.

    What :func:`engine.geometry.normals.angles` gives for the :func:`engine.geometry.normals.facing_normals` of the sums
    of :func:`engine.geometry.moments.point_moments`, but for rounding: a predicted normal never exists as float32 here,
    which is worth 1e-5 degrees. Frames are shared out over as many threads as torch may use; the result does not depend
    on how many they are.

    Args:
        depth: of every frame its points, [n], float32; 0 where it is not valid.
        scale: of every frame those of its T maps, [T], float32: a map is ``scale * depth + shift``.
        shift: of every frame, [T], float32.
        bounds: the least depth, which is also that of points that are not valid, and the largest; what lies outside is
            moved there.
        frames: what the truth knows of each.

    Returns:
        [T, Q] of all frames, one after the other, each in the order of its ranks; float32, degrees, 90 where every
        direction is as good.
    """
    limits = np.array(bounds, dtype=np.float32)
    found = torch.empty(len(scale[0]), sum(len(frame.rank) for frame in frames))
    into = torch.split(found, [len(frame.rank) for frame in frames], dim=1)
    share_out(
        fill_frame,
        [
            (
                points.numpy(),
                factor.numpy(),
                offset.numpy(),
                limits,
                frame.rays.numpy(),
                frame.rows.place,
                frame.rows.starts,
                frame.rows.column,
                frame.rows.count,
                frame.ray.numpy(),
                frame.normal.numpy(),
                frame.rank.numpy(),
                own.numpy(),
                frame.rows.window,
            )
            for points, factor, offset, frame, own in zip(depth, scale, shift, frames, into, strict=True)
        ],
    )
    return found
