"""The nine-number camera encoding of VGGT and back: translation, quaternion, field of view.

Layout of the last axis: translation (3) and unit quaternion (x, y, z, w) of the world-to-camera extrinsics in the
OpenCV frame, then the vertical and the horizontal field of view in radians. The principal point is not encoded: it is
the image centre, (width / 2, height / 2), as the family was trained.
"""

from __future__ import annotations

import torch
from torch import Tensor

# A field of view of zero would put the focal length at infinity; the model's activation can give exactly zero.
_MIN_TAN_HALF_FOV = 1e-6


def decode(pose_encoding: Tensor, image_size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Cameras from their encoding.

    Quaternions need not be normalised; a zero quaternion is the identity rotation. Computed in float32 at least.

    Args:
        pose_encoding: [..., 9].
        image_size: (height, width) of the images in pixels.

    Returns:
        World-to-camera extrinsics [..., 3, 4], in the encoding's unit of length, and intrinsics [..., 3, 3] in pixels.
    """
    encoding = pose_encoding.to(torch.promote_types(pose_encoding.dtype, torch.float32))
    rotation = quaternion_to_matrix(encoding[..., 3:7])
    extrinsics = torch.cat([rotation, encoding[..., :3, None]], dim=-1)
    height, width = image_size
    half = torch.tan(encoding[..., 7:9] / 2).clamp(min=_MIN_TAN_HALF_FOV)
    intrinsics = encoding.new_zeros(*encoding.shape[:-1], 3, 3)
    intrinsics[..., 0, 0] = width / 2 / half[..., 1]
    intrinsics[..., 1, 1] = height / 2 / half[..., 0]
    intrinsics[..., 0, 2] = width / 2
    intrinsics[..., 1, 2] = height / 2
    intrinsics[..., 2, 2] = 1.0
    return extrinsics, intrinsics


def encode(world_to_camera: Tensor, intrinsics: Tensor, image_size: tuple[int, int]) -> Tensor:
    """The encoding of cameras; the principal point is dropped.

    Args:
        world_to_camera: [..., 3, 4] or [..., 4, 4].
        intrinsics: [..., 3, 3], pixels.
        image_size: (height, width) in pixels.

    Returns:
        [..., 9], quaternions with w >= 0.
    """
    height, width = image_size
    fields = torch.stack([height / 2 / intrinsics[..., 1, 1], width / 2 / intrinsics[..., 0, 0]], dim=-1)
    quaternion = matrix_to_quaternion(world_to_camera[..., :3, :3])
    return torch.cat([world_to_camera[..., :3, 3], quaternion, 2 * torch.atan(fields)], dim=-1)


def quaternion_to_matrix(quaternion: Tensor) -> Tensor:
    """Rotation matrices [..., 3, 3] of quaternions (x, y, z, w) [..., 4] of any length; zero gives the identity."""
    norm = torch.linalg.vector_norm(quaternion, dim=-1, keepdim=True)
    x, y, z, w = (quaternion / norm.clamp(min=torch.finfo(quaternion.dtype).tiny)).unbind(-1)
    entries = [
        1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
        2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
        2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(entries, dim=-1).reshape(*quaternion.shape[:-1], 3, 3)


def matrix_to_quaternion(rotation: Tensor) -> Tensor:
    """Unit quaternions (x, y, z, w), w >= 0, [..., 4] of rotation matrices [..., 3, 3].

    Of the four ways to divide, the one by the largest component is taken, which is at least 1/2 (Shepperd, 1978).
    """
    m = rotation
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    # Row k is 4 q_k q, for q = (x, y, z, w).
    sx, sy, sz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    pxy, pxz, pyz = m[..., 1, 0] + m[..., 0, 1], m[..., 2, 0] + m[..., 0, 2], m[..., 2, 1] + m[..., 1, 2]
    rows = torch.stack(
        [
            torch.stack([1 + xx - yy - zz, pxy, pxz, sx], dim=-1),
            torch.stack([pxy, 1 - xx + yy - zz, pyz, sy], dim=-1),
            torch.stack([pxz, pyz, 1 - xx - yy + zz, sz], dim=-1),
            torch.stack([sx, sy, sz, 1 + xx + yy + zz], dim=-1),
        ],
        dim=-2,
    )
    largest = torch.diagonal(rows, dim1=-2, dim2=-1).argmax(dim=-1)
    row = torch.take_along_dim(rows, largest[..., None, None], dim=-2).squeeze(-2)
    unit = row / torch.linalg.vector_norm(row, dim=-1, keepdim=True)
    return torch.where(unit[..., 3:] < 0, -unit, unit)
