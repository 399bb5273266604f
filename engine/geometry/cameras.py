"""Pinhole cameras and rigid motions.

OpenCV camera frame (x right, y down, z forward), pixel centres at integer coordinates. Nothing here calls a matrix
product or a solver: on a GPU those may run in reduced precision or wait for the device.
"""

from __future__ import annotations

import torch
from torch import Tensor


def homogeneous(matrix: Tensor) -> Tensor:
    """[..., 3, 4] -> [..., 4, 4] with the last row 0 0 0 1; a [..., 4, 4] matrix is returned as it is."""
    if matrix.shape[-2] == 4:
        return matrix
    last = torch.zeros_like(matrix[..., :1, :])
    last[..., 3] = 1.0
    return torch.cat([matrix, last], dim=-2)


def compose(first: Tensor, second: Tensor) -> Tensor:
    """The product of two rigid motions, [..., 3 or 4, 4] each: apply ``second``, then ``first``. Gives [..., 4, 4]."""
    a, b = homogeneous(first), homogeneous(second)
    return (a[..., :, :, None] * b[..., None, :, :]).sum(-2)


def rigid_inverse(pose: Tensor) -> Tensor:
    """The inverse of a rigid motion [..., 3 or 4, 4] by its transpose: [R | t] -> [R^T | -R^T t]. Gives [..., 4, 4]."""
    rotation, translation = pose[..., :3, :3], pose[..., :3, 3]
    back = -(rotation * translation[..., :, None]).sum(-2)
    return homogeneous(torch.cat([rotation.transpose(-1, -2), back[..., None]], dim=-1))


def rays(uv: Tensor, intrinsics: Tensor) -> Tensor:
    """Viewing rays of pixel positions, scaled to z = 1.

    Args:
        uv: positions in pixels, [..., 2].
        intrinsics: [..., 3, 3], broadcast against ``uv`` without its last dimension; skew is honoured.

    Returns:
        [..., 3]; a point of depth z is ``z * ray``.
    """
    y = (uv[..., 1] - intrinsics[..., 1, 2]) / intrinsics[..., 1, 1]
    x = (uv[..., 0] - intrinsics[..., 0, 2] - intrinsics[..., 0, 1] * y) / intrinsics[..., 0, 0]
    return torch.stack([x, y, torch.ones_like(x)], dim=-1)


def unproject(uv: Tensor, depth: Tensor, intrinsics: Tensor) -> Tensor:
    """Points in the camera frame, [..., 3], of positions [..., 2] at z-depth [...]."""
    return rays(uv, intrinsics) * depth[..., None]


def project(points: Tensor, intrinsics: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel positions [..., 2] and z-depth [...] of points [..., 3] in the camera frame.

    Positions of points that are not in front of the camera (z <= 0) mean nothing; the caller masks them by the depth.
    """
    x, y, z = points.unbind(-1)
    u = (intrinsics[..., 0, 0] * x + intrinsics[..., 0, 1] * y) / z + intrinsics[..., 0, 2]
    v = intrinsics[..., 1, 1] * y / z + intrinsics[..., 1, 2]
    return torch.stack([u, v], dim=-1), z


def transform_positions(uv: Tensor, affine: Tensor) -> Tensor:
    """``affine[:, :2] @ uv + affine[:, 2]`` for positions [..., 2] and one affine map [2, 3]."""
    u, v = uv.unbind(-1)
    return torch.stack(
        [
            affine[0, 0] * u + affine[0, 1] * v + affine[0, 2],
            affine[1, 0] * u + affine[1, 1] * v + affine[1, 2],
        ],
        dim=-1,
    )


def transform_intrinsics(intrinsics: Tensor, affine: Tensor) -> Tensor:
    """Intrinsics [..., 3, 3] of the image that an affine map [2, 3] of pixel positions makes of an image."""
    last = affine.new_tensor([[0.0, 0.0, 1.0]])
    full = torch.cat([affine, last], dim=0)
    return (full[:, :, None] * intrinsics[..., None, :, :]).sum(-2)
