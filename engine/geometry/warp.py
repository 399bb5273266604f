"""Moving points from one predicted camera into the next, and asking whether they can be seen there.

Everything is in the model's own unit of length: depth, translations and the visibility test scale together.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.geometry.cameras import compose, rays, rigid_inverse
from engine.geometry.sampling import bilinear_taps, sample


@dataclass(frozen=True, eq=False)
class Warped:
    """Points of M positions in the next frame of a window.

    Attributes:
        colour: what the next image shows there, [M, 3]; meaningless where it is not visible.
        visible: [M], bool: valid depth, in front of the next camera, inside its image and not hidden there.
    """

    colour: Tensor
    visible: Tensor


def warp_to_next(
    uv: Tensor,
    depth: Tensor,
    valid: Tensor,
    frame: Tensor,
    images: Tensor,
    inverse_depth: Tensor,
    world_to_camera: Tensor,
    intrinsics: Tensor,
    tolerance: float,
) -> Warped:
    """Look up points of frames 0..S-2 in the frame after theirs.

    Args:
        uv: positions in their own image, [M, 2].
        depth: predicted at those positions, [M].
        valid: where that depth is valid, [M], bool.
        frame: number of each point's frame, [M], int64, at most S - 2.
        images: [S * H * W, 3], flattened pixels; the size is that of ``inverse_depth``.
        inverse_depth: predicted, [S, H, W]; 0 where the depth is not valid, so that it hides nothing.
        world_to_camera: predicted, [S, 3, 4].
        intrinsics: predicted, [S, 3, 3].
        tolerance: a point is hidden if it is farther than the next frame's own depth by more than this share.
    """
    height, width = inverse_depth.shape[-2:]
    extrinsics = world_to_camera.double()
    motion = compose(extrinsics[1:], rigid_inverse(extrinsics[:-1])).float()[frame]
    ray = rays(uv, intrinsics[frame].float())
    point = (motion[:, :3, :3] * (ray * depth[:, None])[:, None]).sum(-1) + motion[:, :3, 3]
    x, y, z = point.unbind(1)
    target = intrinsics[frame + 1].float()
    u = (target[:, 0, 0] * x + target[:, 0, 1] * y) / z + target[:, 0, 2]
    v = target[:, 1, 1] * y / z + target[:, 1, 2]
    inside = valid & (z > 0) & (u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1)
    where = torch.where(inside[:, None], torch.stack([u, v], dim=1), 0.0)  # also keeps NaN out of the indices
    taps = bilinear_taps(where, (height, width), frame + 1)
    hidden = z * sample(inverse_depth.flatten(), taps) > 1.0 + tolerance
    return Warped(sample(images, taps), inside & ~hidden)
