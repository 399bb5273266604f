"""Bilinear sampling at sub-pixel positions; depth is sampled in inverse depth.

The image of a plane is linear in inverse depth, not in depth, so a road or a facade is sampled without error.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.geometry.compiled import share_out, spans
from engine.geometry.sampling_loops import sample_inverse

_LEAST = 1e-38  # about the least normal float32


@dataclass(frozen=True, eq=False)
class Taps:
    """The four pixels around each position and how much each counts.

    Attributes:
        index: into pixels flattened over (image, row, column), [4, M], int32. A tap that counts nothing repeats one
            that does, so that what lies in an untouched pixel cannot matter (0 * NaN is NaN).
        weight: [4, M], float32, summing to 1.
    """

    index: Tensor
    weight: Tensor


def bilinear_taps(uv: Tensor, size: tuple[int, int], image: Tensor) -> Taps:
    """The taps of positions within images of one size.

    Args:
        uv: positions in pixels, [M, 2], within [0, width - 1] x [0, height - 1]; others are moved to the edge.
        size: (height, width).
        image: number of the image that each position lies in, [M], int64.
    """
    height, width = size
    u, v = uv[:, 0].clamp(0, width - 1), uv[:, 1].clamp(0, height - 1)
    left, top = u.floor(), v.floor()
    right_share, bottom_share = u - left, v - top
    column, row = left.long(), top.long()
    step = (right_share > 0).long()
    down = (bottom_share > 0).long() * width
    first = (image * height + row) * width + column
    return Taps(
        index=torch.stack([first, first + step, first + down, first + down + step]).int(),
        weight=torch.stack(
            [
                (1 - right_share) * (1 - bottom_share),
                right_share * (1 - bottom_share),
                (1 - right_share) * bottom_share,
                right_share * bottom_share,
            ]
        ).float(),
    )


def sample(values: Tensor, taps: Taps) -> Tensor:
    """Values [pixels] or [pixels, C] at the positions of the taps: [M] or [M, C]."""
    weight = taps.weight if values.dim() == 1 else taps.weight[..., None]
    total = values.index_select(0, taps.index[0]) * weight[0]
    for tap in range(1, 4):
        total = torch.addcmul(total, values.index_select(0, taps.index[tap]), weight[tap])
    return total


def inverse_depth(depth: Tensor) -> Tensor:
    """1 / depth of float32 depth; NaN where it is not a positive finite number (or its inverse would not be finite)."""
    return torch.where((depth > _LEAST) & (depth < torch.inf), depth.reciprocal(), torch.nan)


def sample_depth(inverse: Tensor, taps: Taps) -> tuple[Tensor, Tensor]:
    """Depth at the positions of the taps, bilinear in inverse depth.

    Args:
        inverse: as :func:`inverse_depth` gives it, flattened over (image, row, column), [pixels].
        taps: where.

    Returns:
        Depth [M], 0 where it is not valid, and which are valid, [M] bool. A position is valid if every pixel that it is
        made of holds a positive finite depth.
    """
    if inverse.device.type != "cpu":
        return _sample_depth(inverse, taps)
    count = taps.index.shape[1]
    depth, valid = torch.empty(count), torch.empty(count, dtype=torch.bool)
    inputs = inverse.numpy(), taps.index.numpy(), taps.weight.numpy()
    outputs = depth.numpy(), valid.numpy()
    share_out(sample_inverse, [(*inputs, some.start, some.stop, *outputs) for some in spans(count)])
    return depth, valid


def _sample_depth(inverse: Tensor, taps: Taps) -> tuple[Tensor, Tensor]:
    """The same as tensor operations, on any device."""
    sampled = sample(inverse, taps)
    valid = sampled > 0  # false for NaN
    return torch.where(valid, sampled.reciprocal(), 0.0), valid
