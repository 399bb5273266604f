"""Depth metrics by frame and region (protocol v1, section 3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.geometry.alignment import FARTHEST, Alignment
from engine.scoring.depth_kernel import DELTAS, SUMS, depth_sums
from engine.scoring.groups import Block, Groups
from engine.scoring.protocol import V1
from engine.scoring.slices import SliceTally
from engine.scoring.tally import Tally
from engine.scoring.truth_model import WindowTruth

_PLAIN = ("clamped", "mae", "abs_rel", "sq_rel", "square", *DELTAS, "log10")
_CENTRED = ("centre", "log", "log_square")


@dataclass(frozen=True, eq=False)
class DepthScores:
    """What the depth of a window scored.

    Attributes:
        metrics: name -> [A, S, R] of every alignment, float64; NaN where there is no point.
        clamped: points that were clamped to the least depth, [A, S, R], float64.
    """

    metrics: dict[str, Tensor]
    clamped: Tensor


def depth_metrics(
    predicted: Tensor, valid: Tensor, alignment: Alignment, truth: WindowTruth, slices: SliceTally | None = None
) -> DepthScores:
    """Every depth metric of every alignment, in one pass over the points.

    With p the aligned and g the true depth, d = log p - log g: ``mae`` = mean |p - g|; ``rmse``; ``abs_rel`` =
    mean |p - g| / g; ``sq_rel`` = mean (p - g)^2 / g; ``rmse_log`` = sqrt(mean d^2); ``si_log`` =
    sqrt(mean d^2 - (mean d)^2); ``log10`` = mean |d| / log 10; ``delta1``, 2, 3 = share with max(p/g, g/p) < 1.25^k.

    Args:
        predicted: depth at the points, [N]; 0 where it is not valid.
        valid: [N], bool.
        alignment: fitted to the window, or to every frame.
        truth: the window.
        slices: collects the same values by slice.
    """
    groups = truth.groups
    if predicted.device.type == "cpu":
        pieces = depth_sums(predicted, truth.depth, groups.pieces, alignment)
        sums = dict(zip(SUMS, groups.gathered(pieces), strict=True))
        if slices is not None:
            slices.add_points(predicted, alignment)
    else:
        sums = _sums(predicted, valid, alignment, truth, slices)
    found = {name: sums[name] / groups.counts for name in ("mae", "abs_rel", "sq_rel", *DELTAS)}
    found["rmse"] = (sums["square"] / groups.counts).sqrt()
    found["log10"] = sums["log10"] / groups.counts / math.log(10.0)
    mean, mean_square = sums["log"] / groups.counts, sums["log_square"] / groups.counts
    found["rmse_log"] = mean_square.clamp(min=0.0).sqrt()
    found["si_log"] = (mean_square - mean.square()).clamp(min=0.0).sqrt()
    return DepthScores(found, sums["clamped"])


def _sums(
    predicted: Tensor, valid: Tensor, alignment: Alignment, truth: WindowTruth, slices: SliceTally | None
) -> dict[str, Tensor]:
    """The values of :data:`SUMS` by tensor operations, on any device: name -> [A, S, R]."""
    groups = truth.groups
    # Below every limit whatever the shift: what is not valid is clamped like what is too near.
    depth = torch.where(valid, predicted, -torch.inf)
    scale, shift = alignment.scale.float(), alignment.shift.float()
    tally = Tally(groups, (*_PLAIN, *_CENTRED), slices)
    for block in groups.blocks:
        points = slice(*block.points)
        group = slice(block.frame, block.frame + 1) if scale.shape[1] > 1 else slice(None)
        aligned = torch.addcmul(shift[:, group], scale[:, group], depth[points])
        _add(tally, block, aligned, truth.depth[points], truth.log_depth[points])
    logs = groups.gathered(_uncentred(tally, groups))
    return {**tally.totals(*_PLAIN), "log": logs[0], "log_square": logs[1]}


def _uncentred(tally: Tally, groups: Groups) -> Tensor:
    """Sums of logs and of their squares, [2, A, pieces], from those about the pieces' own means: the variance of a log
    that is nearly constant would cancel away in float32."""
    centre, log, square = tally.pieces(*_CENTRED)
    count = groups.piece_sizes
    return torch.stack([log + count * centre, square + 2.0 * centre * log + count * centre.square()])


def _add(tally: Tally, block: Block, aligned: Tensor, truth: Tensor, log_truth: Tensor) -> None:
    """Add one block: aligned depth [A, n] before clamping, which is overwritten."""
    mark = torch.empty_like(aligned)  # comparisons as 0 and 1 in float32 are added much faster than as booleans
    tally.add(block, "clamped", torch.lt(aligned, V1.least_depth, out=mark))
    aligned.clamp_(V1.least_depth, FARTHEST)
    difference = (aligned - truth).abs_()
    relative = difference / truth
    tally.add(block, "mae", difference)
    tally.add(block, "abs_rel", relative)
    tally.add(block, "sq_rel", relative.mul_(difference))
    tally.add(block, "square", difference.square_())
    # Both quotients, each rounded once: the reciprocal of one may miss a threshold that the other hits exactly.
    ratio = torch.div(aligned, truth, out=relative)
    ratio = torch.maximum(ratio, torch.div(truth, aligned, out=difference), out=ratio)
    for power, name in enumerate(DELTAS, start=1):
        tally.add(block, name, torch.lt(ratio, 1.25**power, out=mark))
    log = aligned.log_().sub_(log_truth)
    tally.add(block, "log10", torch.abs(log, out=mark))
    tally.add_centred(block, _CENTRED, log)


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
