"""Moving points from one predicted camera into the next, and asking whether they can be seen there.

Everything is in the model's own unit of length: depth, translations and the visibility test scale together.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.geometry.cameras import unproject
from engine.geometry.sampling import bilinear_taps, sample


@dataclass(frozen=True, eq=False)
class View:
    """What a warp looks at.

    Attributes:
        colour: of the pixels, row by row, [H * W, 3].
        inverse_depth: predicted, [H * W]; NaN where the depth is not valid: it hides nothing.
        intrinsics: predicted, [3, 3].
        size: (height, width).
    """

    colour: Tensor
    inverse_depth: Tensor
    intrinsics: Tensor
    size: tuple[int, int]


def warp(
    uv: Tensor, depth: Tensor, intrinsics: Tensor, motion: Tensor, view: View, tolerance: float
) -> tuple[Tensor, Tensor]:
    """Look up points of one frame in another.

    Args:
        uv: positions in their own image, [M, 2].
        depth: predicted at those positions, [M]; 0 where it is not valid.
        intrinsics: predicted of their own frame, [3, 3].
        motion: predicted, from their own camera frame to the other, [4, 4].
        view: the other frame.
        tolerance: a point is hidden if it is farther than the other frame's own depth by more than this share.

    Returns:
        The colour there, [M, 3], and whether it is visible, [M] bool: valid depth, in front of the other camera, inside
        its image and not hidden. The colour of what is not visible means nothing.
    """
    height, width = view.size
    points = unproject(uv, depth, intrinsics)
    x, y, z = ((points * motion[row, :3]).sum(1) + motion[row, 3] for row in range(3))
    k = view.intrinsics
    u = (k[0, 0] * x + k[0, 1] * y) / z + k[0, 2]
    v = k[1, 1] * y / z + k[1, 2]
    inside = (depth > 0) & (z > 0) & (u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1)
    where = torch.where(inside[:, None], torch.stack([u, v], dim=1), 0.0)  # also keeps NaN out of the indices
    taps = bilinear_taps(where, view.size, torch.zeros_like(inside, dtype=torch.int64))
    hidden = z * sample(view.inverse_depth, taps) > 1.0 + tolerance  # false for NaN
    return sample(view.colour, taps), inside & ~hidden
