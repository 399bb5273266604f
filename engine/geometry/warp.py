"""Moving points from one predicted camera into the next, and asking whether they can be seen there.

Everything is in the model's own unit of length: depth, translations and the visibility test scale together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.geometry.compiled import share_out
from engine.geometry.warp_loops import NO_DEPTH, look_up


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


@dataclass(frozen=True, eq=False)
class Points:
    """The points of some frames, on a CPU.

    Attributes:
        uv: positions in their own images, [N, 2], every column contiguous.
        depth: predicted at those positions, [N]; 0 where it is not valid.
        colour: [N, 3], every column contiguous.
    """

    uv: Tensor
    depth: Tensor
    colour: Tensor


@dataclass(frozen=True, eq=False)
class Views:
    """Frames as :class:`View` has one.

    Attributes:
        colour: of the pixels, [S, H * W, 3].
        inverse_depth: predicted, [S, H * W]; NaN where the depth is not valid: it hides nothing.
        size: (height, width).
    """

    colour: Tensor
    inverse_depth: Tensor
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
    other = view.inverse_depth.nan_to_num(NO_DEPTH).reshape(1, height, width)
    seen.mul_(torch.le(w.mul_(_looked_up(other, grid)[0]), 1.0 + tolerance, out=mark))
    return colour.t(), seen > 0


def differences(
    points: Points,
    blocks: Sequence[tuple[int, int, int]],
    intrinsics: Tensor,
    motion: Tensor,
    views: Views,
    tolerance: float,
) -> Tensor:
    """Mean absolute differences of colour between points of some frames and the frames after them; on a CPU.

    What :func:`warp` finds, frame by frame, but for rounding. Blocks are shared out over as many threads as torch may
    use; the result does not depend on how many they are.

    Args:
        points: of all frames.
        blocks: the frame, the first point and the one after the last of each.
        intrinsics: predicted, [S, 3, 3].
        motion: predicted, from every camera frame to the next, [S - 1, 4, 4].
        views: the frames as they are looked at.
        tolerance: see :func:`warp`.

    Returns:
        [N], float32; infinite where a point is not visible in the next frame, and in blocks of the last frame.
    """
    found = torch.full_like(points.depth, torch.inf)
    matrix, shift = _between_pixels(intrinsics[:-1], motion, intrinsics[1:])
    columns, colour = points.uv.t().numpy(), points.colour.t().numpy()
    most = np.float32(1.0 + tolerance)
    share_out(
        look_up,
        [
            (
                columns,
                points.depth.numpy(),
                colour,
                first,
                last,
                matrix[frame].numpy(),
                shift[frame].numpy(),
                views.colour[frame + 1].numpy(),
                views.inverse_depth[frame + 1].numpy(),
                views.size,
                most,
                found.numpy(),
            )
            for frame, first, last in blocks
            if frame < len(motion)
        ],
    )
    return found


def _between_pixels(first: Tensor, motion: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels to pixels in one step: z (u, v, 1) of the first camera lies at ``matrix @ z (u, v, 1) + shift`` of the
    second, in homogeneous coordinates. [..., 3, 3] and [..., 3], of the type of ``motion``, formed in float64."""
    k, m, rigid = first.double(), second.double(), motion.double()
    focal_x, focal_y, skew, centre_x, centre_y = (k[..., 0, 0], k[..., 1, 1], k[..., 0, 1], k[..., 0, 2], k[..., 1, 2])
    one, zero = torch.ones_like(focal_x), torch.zeros_like(focal_x)
    inverse = _matrix(
        (1.0 / focal_x, -skew / (focal_x * focal_y), (skew * centre_y / focal_y - centre_x) / focal_x),
        (zero, 1.0 / focal_y, -centre_y / focal_y),
        (zero, zero, one),
    )
    projection = _matrix(
        (m[..., 0, 0], m[..., 0, 1], m[..., 0, 2]), (zero, m[..., 1, 1], m[..., 1, 2]), (zero, zero, one)
    )
    # [R | t] times the rays' matrix, then the projection, without a matrix product.
    turned = (rigid[..., :3, :3, None] * inverse[..., None, :, :]).sum(-2)
    matrix = (projection[..., None] * turned[..., None, :, :]).sum(-2)
    shift = (projection * rigid[..., None, :3, 3]).sum(-1)
    return matrix.to(motion.dtype), shift.to(motion.dtype)


def _matrix(*rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """[..., 3, 3] of its elements [...]."""
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _looked_up(image: Tensor, grid: Tensor) -> Tensor:
    """Bilinear values of an image [C, H, W] at M places [2, M] that lie within it: [C, M]."""
    return F.grid_sample(image[None], grid.t()[None, None], padding_mode="border", align_corners=True)[0, :, 0]
