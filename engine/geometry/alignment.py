"""Scale and shift between predicted and true depth: fitted over masked points, all four kinds at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.geometry.compiled import share_out
from engine.geometry.sampling_loops import add_products
from engine.geometry.selection import masked_median

__all__ = ["ALIGNMENTS", "FARTHEST", "Alignment", "apply", "fit", "masked_median"]

ALIGNMENTS = ("none", "scale", "median", "scale_shift")
# Keeps squares and sums of float32 depths finite whatever a model predicts.
FARTHEST = 1e9
# Below this relative variance (a relative standard deviation of 1e-5) a depth is constant but for its rounding.
_LEAST_VARIANCE = 1e-10
_BLOCK = 32768  # points; how they are divided decides how their sums are rounded


@dataclass(frozen=True, eq=False)
class Alignment:
    """``aligned = scale * predicted + shift``, one row per kind in the order of :data:`ALIGNMENTS`.

    Attributes:
        scale: [4, G], float64, G groups of points (one window, or its frames).
        shift: [4, G], float64, metres.
        degenerate: [4, G], bool; the kind could not be fitted and is the identity instead.
    """

    scale: Tensor
    shift: Tensor
    degenerate: Tensor

    def part(self, group: int) -> Alignment:
        """The alignment of one group; where there is only one, it is that of all."""
        one = slice(group, group + 1) if self.scale.shape[1] > 1 else slice(None)
        return Alignment(self.scale[:, one], self.shift[:, one], self.degenerate[:, one])


def fit(predicted: Tensor, truth: Tensor, valid: Tensor, sizes: Sequence[int]) -> Alignment:
    """Fit every kind of alignment to every group of points.

    ``scale`` is least squares, s = sum(p g) / sum(p p); ``median`` is median(g) / median(p), the mean of the two middle
    values where their number is even; ``scale_shift`` is least squares in s and b. A fit is degenerate, and the
    identity, where no point is valid, where either depth has no spread (``scale_shift``), or where the scale is not
    positive.

    Args:
        predicted: [N], in any unit; only valid points count.
        truth: [N], metres.
        valid: [N], bool.
        sizes: how many points each group has; the groups lie one after the other.
    """
    parts = zip(*(torch.split(values, list(sizes)) for values in (predicted, truth, valid)), strict=True)
    fitted = [_fit_group(p, g, keep) for p, g, keep in parts]
    scale = torch.stack([s for s, _ in fitted], dim=1)
    shift = torch.stack([b for _, b in fitted], dim=1)
    degenerate = ~((scale > 0) & torch.isfinite(scale) & torch.isfinite(shift))  # NaN is not positive
    return Alignment(
        torch.where(degenerate, 1.0, scale),
        torch.where(degenerate, 0.0, shift),
        degenerate,
    )


def apply(
    alignment: Alignment, predicted: Tensor, valid: Tensor, sizes: Sequence[int], least: float
) -> tuple[Tensor, Tensor]:
    """Aligned depth of every kind.

    Args:
        alignment: fitted on groups of ``sizes``.
        predicted: [N].
        valid: [N], bool; other points take the least depth.
        sizes: how many points each group has.
        least: metres; less is clamped to it.

    Returns:
        Depth [4, N], float32, within [least, :data:`FARTHEST`], and what was clamped from below, [4, N] bool (invalid
        points are).
    """
    scale = _spread(alignment.scale.float(), sizes)
    shift = _spread(alignment.shift.float(), sizes)
    aligned = torch.addcmul(shift, scale, predicted.float())
    aligned.masked_fill_(~valid, 0.0)
    clamped = aligned < least
    return aligned.clamp_(least, FARTHEST), clamped


def _fit_group(predicted: Tensor, truth: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    count, sum_p, sum_g, pp, pg, gg = _sums(predicted, truth, valid)
    mean_p, mean_g = sum_p / count, sum_g / count
    variance_p = pp / count - mean_p * mean_p
    variance_g = gg / count - mean_g * mean_g
    spread = (variance_p > _LEAST_VARIANCE * pp / count) & (variance_g > _LEAST_VARIANCE * gg / count)
    slope = torch.where(spread, (pg / count - mean_p * mean_g) / variance_p, torch.nan)
    median = masked_median(truth, valid).double() / masked_median(predicted, valid).double()
    one, zero = torch.ones_like(slope), torch.zeros_like(slope)
    scale = torch.stack([one, pg / pp, median, slope])
    return scale, torch.stack([zero, zero, zero, mean_g - slope * mean_p])


def _sums(predicted: Tensor, truth: Tensor, valid: Tensor) -> tuple[Tensor, ...]:
    """Number of valid points, and sums of p, g, p p, p g and g g over them, float64; block by block on a CPU."""
    if predicted.device.type != "cpu":
        return _sums_by_operations(predicted, truth, valid)
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(predicted), _BLOCK)]
    found = torch.zeros(max(1, len(blocks)), 6, dtype=torch.float64)
    inputs = predicted.numpy(), truth.numpy(), valid.numpy()
    share_out(add_products, [(*(one[block] for one in inputs), found[k].numpy()) for k, block in enumerate(blocks)])
    return found.sum(0).unbind()


def _sums_by_operations(predicted: Tensor, truth: Tensor, valid: Tensor) -> tuple[Tensor, ...]:
    """The same as tensor operations, on any device."""
    p = torch.where(valid, predicted, 0.0).double()
    g = torch.where(valid, truth, 0.0).double()
    return valid.sum().double(), p.sum(), g.sum(), p.dot(p), p.dot(g), g.dot(g)


def _spread(values: Tensor, sizes: Sequence[int]) -> Tensor:
    """[4, G] -> [4, N] (or [4, 1], which broadcasts, for one group)."""
    if len(sizes) == 1:
        return values
    columns = torch.split(values, 1, dim=1)
    return torch.cat([column.expand(-1, size) for column, size in zip(columns, sizes, strict=True)], dim=1)
