"""Moving points from one predicted camera into the next, and asking whether they can be seen there.

Everything is in the model's own unit of length: depth, translations and the visibility test scale together.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

# Instead of the inverse of a depth that is not valid: however little such a pixel weighs, the sum hides nothing.
_NO_DEPTH = -1e30


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
    matrix, shift = _between_pixels(intrinsics, motion, view.intrinsics)
    u, v = uv.unbind(-1)
    x, y, w = (
        (u * row[0]).addcmul_(v, row[1]).add_(row[2]).mul_(depth).add_(offset)
        for row, offset in zip(matrix, shift, strict=True)
    )
    seen = torch.gt(w, 0.0, out=torch.empty_like(w))  # marks as 0 and 1 in float32 are cheaper than booleans
    mark = torch.gt(depth, 0.0, out=torch.empty_like(w))
    seen.mul_(mark)
    grid = torch.empty(2, len(w), dtype=w.dtype, device=w.device)
    inverse = w.reciprocal()
    for place, coordinate, size in zip(grid, (x, y), (width, height), strict=True):
        coordinate.mul_(inverse)
        torch.clamp(coordinate, 0.0, size - 1.0, out=place)
        seen.mul_(torch.eq(coordinate, place, out=mark))  # false for NaN
        # As grid_sample counts: from -1, the centre of the first pixel, to 1. NaN must not become an index.
        place.mul_(2.0 / max(size - 1, 1)).sub_(1.0).nan_to_num_(0.0)
    colour = _looked_up(view.colour.reshape(height, width, 3).permute(2, 0, 1), grid)
    other = view.inverse_depth.nan_to_num(_NO_DEPTH).reshape(1, height, width)
    seen.mul_(torch.le(w.mul_(_looked_up(other, grid)[0]), 1.0 + tolerance, out=mark))
    return colour.t(), seen > 0


def _between_pixels(first: Tensor, motion: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels to pixels in one step: z (u, v, 1) of the first camera lies at ``matrix @ z (u, v, 1) + shift`` of the
    second, in homogeneous coordinates. [3, 3] and [3], of the type of ``motion``, formed in float64."""
    k, m, rigid = first.double(), second.double(), motion.double()
    focal_x, focal_y, skew = k[0, 0], k[1, 1], k[0, 1]
    one, zero = torch.ones_like(focal_x), torch.zeros_like(focal_x)
    inverse = torch.stack(
        [
            torch.stack([1.0 / focal_x, -skew / (focal_x * focal_y), (skew * k[1, 2] / focal_y - k[0, 2]) / focal_x]),
            torch.stack([zero, 1.0 / focal_y, -k[1, 2] / focal_y]),
            torch.stack([zero, zero, one]),
        ]
    )
    projection = torch.stack(
        [
            torch.stack([m[0, 0], m[0, 1], m[0, 2]]),
            torch.stack([zero, m[1, 1], m[1, 2]]),
            torch.stack([zero, zero, one]),
        ]
    )
    # [R | t] times the rays' matrix, then the projection, without a matrix product.
    turned = (rigid[:3, :3, None] * inverse).sum(1)
    matrix = (projection[:, :, None] * turned).sum(1)
    shift = (projection * rigid[:3, 3]).sum(1)
    return matrix.to(motion.dtype), shift.to(motion.dtype)


def _looked_up(image: Tensor, grid: Tensor) -> Tensor:
    """Bilinear values of an image [C, H, W] at M places [2, M] that lie within it: [C, M]."""
    return F.grid_sample(image[None], grid.t()[None, None], padding_mode="border", align_corners=True)[0, :, 0]
