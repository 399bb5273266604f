"""All sums that depth metrics are made of, in one compiled look at every point; on a CPU."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.geometry.alignment import FARTHEST, Alignment
from engine.geometry.compiled import share_out, spans
from engine.scoring.depth_loops import add_up
from engine.scoring.protocol import V1

DELTAS = ("delta1", "delta2", "delta3")
SUMS = ("clamped", "mae", "abs_rel", "sq_rel", "square", *DELTAS, "log10", "log", "log_square")


def depth_sums(predicted: Tensor, truth: Tensor, pieces: NDArray[np.int64], alignment: Alignment) -> Tensor:
    """Sums over pieces of the points, in every alignment.

    A ratio is compared with its limit by the product of limit and depth, rounded once: exact where it hits the limit.
    Logarithms are of the ratio. Up to a thousand points are added in float32, their sums in float64; the result does
    not depend on the number of threads.

    Args:
        predicted: depth at the points, [N], float32; 0 where it is not valid.
        truth: [N], float32, metres.
        pieces: the first point, the one after the last, and the frame, [P, 3].
        alignment: of the window, or of every frame.

    Returns:
        The values of :data:`SUMS`, [values, A, P], float64: ``square`` of |p - g|, ``log10`` of |d|, ``log`` of d and
        ``log_square`` of d^2, with d = log(p / g); what the others are of says
        :func:`engine.scoring.depth.depth_metrics`.
    """
    scale, shift = (values.float().contiguous().numpy() for values in (alignment.scale, alignment.shift))
    found = torch.zeros(len(pieces), len(scale), len(SUMS), dtype=torch.float64)
    bounds = np.float32(V1.least_depth), np.float32(FARTHEST)
    limits = np.array([1.25**power for power in (1, 2, 3)], dtype=np.float32)
    share_out(
        add_up,
        [
            (predicted.numpy(), truth.numpy(), pieces[some], scale, shift, bounds, limits, found[some].numpy())
            for some in spans(len(pieces))
        ],
    )
    return found.permute(2, 1, 0)
