"""Depth of the existing system: alignment, and errors with an epsilon everywhere. See :mod:`engine.scoring.compat`."""

from __future__ import annotations

import torch
from torch import Tensor

_EPSILON = 1e-6
_LEAST_VARIANCE = 1e-6


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the pixels of each frame's mask, [S, ...], [S, ...] -> [S]; NaN where there are none."""
    chosen = torch.where(mask, values, 0).flatten(1)
    return chosen.sum(dim=1) / mask.flatten(1).sum(dim=1)


def masked_share(truth: Tensor, mask: Tensor) -> Tensor:
    """Share of each frame's mask where ``truth`` holds, [S]; NaN where the mask is empty."""
    return masked_mean(truth.double(), mask)


def masked_lower_median(values: Tensor, mask: Tensor) -> Tensor:
    """The lower median over each frame's mask, [S]; NaN where there are no pixels, or one of them is NaN."""
    counts = mask.flatten(1).sum(dim=1)
    ordered = torch.where(mask, values, torch.inf).flatten(1).sort(dim=1).values
    median = ordered.gather(1, ((counts - 1) // 2).clamp(min=0)[:, None]).squeeze(1)
    undefined = (counts == 0) | (mask & values.isnan()).flatten(1).any(dim=1)
    return torch.where(undefined, torch.nan, median)


def align(depth: Tensor, gt: Tensor, valid: Tensor, mode: str) -> Tensor:
    """Predicted depth brought to the ground truth's scale, frame by frame; never clamped.

    Args:
        depth: predicted, [S, H, W].
        gt: ground truth, [S, H, W].
        valid: pixels to fit on, [S, H, W].
        mode: ``none``, ``scale``, ``median`` (the same) or ``scale_shift``.

    Returns:
        [S, H, W]; a frame without valid pixels is as it was.

    Raises:
        ValueError: another mode.
    """
    if mode == "none":
        return depth
    if mode in ("scale", "median"):
        scale = masked_lower_median(gt, valid) / (masked_lower_median(depth, valid) + _EPSILON)
        shift = torch.zeros_like(scale)
        unfit = torch.zeros_like(scale, dtype=torch.bool)
    elif mode == "scale_shift":
        mean_p, mean_g = masked_mean(depth, valid), masked_mean(gt, valid)
        off_p, off_g = depth - mean_p[:, None, None], gt - mean_g[:, None, None]
        variance = masked_mean(off_p.square(), valid)
        scale = masked_mean(off_p * off_g, valid) / variance
        shift = mean_g - scale * mean_p
        unfit = variance <= _LEAST_VARIANCE
    else:
        raise ValueError(f"no alignment {mode!r}")
    unfit = unfit | ~valid.flatten(1).any(dim=1)
    return torch.where(unfit[:, None, None], depth, depth * scale[:, None, None] + shift[:, None, None])


def depth_metrics(depth: Tensor, gt: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """The nine depth metrics of each frame over a mask, name -> [S].

    ``si_log`` is NaN where rounding makes its variance negative, as in the existing system.

    Args:
        depth: aligned prediction, [S, H, W].
        gt: ground truth, [S, H, W].
        mask: [S, H, W].
    """
    difference = depth - gt
    ratio = torch.maximum(depth / (gt + _EPSILON), gt / (depth + _EPSILON))
    logs = torch.log(depth + _EPSILON) - torch.log(gt + _EPSILON)
    mean_square_log = masked_mean(logs.square(), mask)
    return {
        "mae": masked_mean(difference.abs(), mask),
        "rmse": masked_mean(difference.square(), mask).sqrt(),
        "abs_rel": masked_mean(difference.abs() / (gt + _EPSILON), mask),
        "sq_rel": masked_mean(difference.square() / (gt + _EPSILON), mask),
        "delta1": masked_share(ratio < 1.25, mask),
        "delta2": masked_share(ratio < 1.25**2, mask),
        "delta3": masked_share(ratio < 1.25**3, mask),
        "rmse_log": mean_square_log.sqrt(),
        "si_log": (mean_square_log - masked_mean(logs, mask).square()).sqrt(),
    }
