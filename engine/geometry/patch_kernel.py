"""Normals of all neighbourhoods of a frame in one compiled pass over its pixels; on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.geometry.neighbourhoods import Neighbourhoods
from engine.geometry.patch_loops import fill_frame


@dataclass(frozen=True, eq=False)
class PatchRows:
    """The centres of a frame's neighbourhoods by rows of the grid, as the kernel walks over them.

    Attributes:
        grid: see :class:`~engine.geometry.neighbourhoods.Neighbourhoods`.
        starts: the first centre of every row of the grid without its border, and their number, int64.
        column: of every centre, in row-major order, int64.
        count: points of every neighbourhood, float64.
        window: side of a neighbourhood in pixels, odd.
    """

    grid: np.ndarray
    starts: np.ndarray
    column: np.ndarray
    count: np.ndarray
    window: int

    @classmethod
    def of(cls, hood: Neighbourhoods) -> PatchRows:
        """Those of a frame on the CPU, whose centres lie in row-major order."""
        rows, columns = hood.size
        place = hood.place.numpy()
        edges = np.arange(rows + 1) * columns
        return cls(hood.grid.numpy(), np.searchsorted(place, edges), place % columns, hood.count.numpy(), hood.window)


def patch_normals(depth: Sequence[Tensor], rays: Sequence[Tensor], rows: Sequence[PatchRows], ray: Tensor) -> Tensor:
    """Normals of least-squares planes through every neighbourhood of some frames, turned towards the camera.

    What :func:`engine.geometry.normals.facing_normals` gives for the sums of
    :func:`engine.geometry.moments.point_moments`, but for rounding. Frames are shared out over as many threads as torch
    may use; the result does not depend on how many they are.

    Args:
        depth: of every frame, T maps of its points in the order of their pixels, with a zero in front, [T, 1 + n],
            float32.
        rays: of every frame, x and y of viewing rays (z = 1) as pixels of the grid, [2, rows, columns], float32.
        rows: of every frame, its centres.
        ray: x and y of the viewing rays of the centres of all frames, [2, Q], float64.

    Returns:
        [T, 3, Q], float32; 0 where every direction is as good.
    """
    toward = [part.contiguous().numpy() for part in torch.split(ray, [len(frame.column) for frame in rows], 1)]
    found = [np.empty((len(maps), 3, len(frame.column)), np.float32) for maps, frame in zip(depth, rows, strict=True)]
    work = [
        (maps.numpy(), own.numpy(), frame.grid, frame.starts, frame.column, frame.count, *rest, frame.window)
        for maps, own, frame, *rest in zip(depth, rays, rows, toward, found, strict=True)
    ]
    threads = min(torch.get_num_threads(), len(work))
    with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
        for _ in (pool.map if pool else map)(lambda frame: fill_frame(*frame), work):
            pass
    return torch.from_numpy(np.concatenate(found, axis=-1))
