"""Depth metrics by frame and region (protocol v1, section 3)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.scoring.groups import Groups


def depth_metrics(aligned: Tensor, truth: Tensor, log_truth: Tensor, groups: Groups) -> dict[str, Tensor]:
    """Every depth metric.

    With p the aligned and g the true depth, d = log p - log g: ``mae`` = mean |p - g|; ``rmse``; ``abs_rel`` =
    mean |p - g| / g; ``sq_rel`` = mean (p - g)^2 / g; ``rmse_log`` = sqrt(mean d^2); ``si_log`` =
    sqrt(mean d^2 - (mean d)^2); ``log10`` = mean |d| / log 10; ``delta1``, 2, 3 = share with max(p/g, g/p) < 1.25^k.

    Args:
        aligned: [A, N], metres, positive.
        truth: [N], metres.
        log_truth: its logarithm, [N].
        groups: the points by frame and region.

    Returns:
        Name -> [A, S, R], float64; NaN where there is no point.
    """
    difference = aligned - truth
    relative = difference / truth
    found = {
        "abs_rel": groups.means(relative.abs()),
        "mae": groups.means(difference.abs()),
        "sq_rel": groups.means(relative * difference),
        "rmse": groups.means(difference.square_()).sqrt(),
    }
    log = aligned.log().sub_(log_truth)
    found["log10"] = groups.means(log.abs()) / math.log(10.0)
    # Sums of squares about the window's mean: the variance of a log that is nearly constant does not cancel away.
    centre = log.mean(-1, keepdim=True)
    log -= centre
    centre = centre.double()[..., None]
    mean = groups.means(log)
    square = groups.means(log.square_())
    found["rmse_log"] = (square + 2.0 * centre * mean + centre * centre).clamp(min=0.0).sqrt()
    found["si_log"] = (square - mean * mean).clamp(min=0.0).sqrt()
    ratio = aligned / truth
    ratio = torch.maximum(ratio, ratio.reciprocal())
    for power in (1, 2, 3):
        found[f"delta{power}"] = groups.means(ratio < 1.25**power)
    return found


def scale_metrics(predicted: Tensor, median_truth: Tensor, groups: Groups) -> dict[str, Tensor]:
    """``log_ratio`` = log(median g / median p) before alignment: name -> [S, R].

    Args:
        predicted: as the model said it, [N]; 0 where it is not valid.
        median_truth: [S, R], float64.
        groups: the points by frame and region.

    Returns:
        NaN where there is no point, or where most predictions are not valid.
    """
    median = groups.medians(predicted)
    return {"log_ratio": torch.where(median > 0, (median_truth / median).log(), torch.nan)}
