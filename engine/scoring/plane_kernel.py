"""Distances of predicted points to their true planes and to planes of their own, as compiled loops; on a CPU."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.geometry.alignment import FARTHEST, Alignment
from engine.geometry.compiled import share_out, spans
from engine.scoring.plane_loops import add_distances, add_up
from engine.scoring.protocol import V1
from engine.scoring.truth_model import PlaneTruth

_SUMS = 11


class PlaneSums:
    """What a look at every point of a plane gives.

    The result does not depend on the number of threads.

    Args:
        predicted: depth at the points of planes, [P], float32; 0 where it is not valid.
        alignment: of the window, or of every frame.
        planes: the true ones, K of them.

    Attributes:
        residual: distance to the true plane, [A, P], float32, metres.
        distance: its sums over planes, [A, K], float64.
        inliers: points nearer than 0.1 m, [A, K].
        first: sums of x, y and z, [3, A, K].
        second: sums of xx, xy, xz, yy, yz and zz, [6, A, K].
    """

    def __init__(self, predicted: Tensor, alignment: Alignment, planes: PlaneTruth) -> None:
        scale, shift = (values.float().contiguous().numpy() for values in (alignment.scale, alignment.shift))
        self._ray = planes.ray.t().contiguous().numpy()
        self._depth = torch.empty(len(scale), len(predicted))
        self.residual = torch.empty_like(self._depth)
        found = torch.empty(len(planes.pieces), len(scale), _SUMS, dtype=torch.float64)
        inputs = predicted.numpy(), self._ray, planes.slope.numpy(), planes.offset.numpy()
        bounds = np.float32(V1.least_depth), np.float32(FARTHEST)
        outputs = self._depth.numpy(), self.residual.numpy()
        share_out(
            add_up,
            [
                (*inputs, planes.pieces[some], scale, shift, bounds, V1.plane_inlier, *outputs, found[some].numpy())
                for some in spans(len(found))
            ],
        )
        sums = found.permute(2, 1, 0)
        self.distance, self.inliers, self.first, self.second = sums[0], sums[1], sums[2:5], sums[5:]

    def distances(self, normal: Tensor, offset: Tensor, planes: PlaneTruth) -> Tensor:
        """Sums over planes of the distances to other planes, of normals [3, A, K] and offsets [A, K]: [A, K]."""
        found = torch.empty(offset.shape[1], offset.shape[0], dtype=torch.float64)
        normals, offsets = normal.permute(2, 1, 0).contiguous(), offset.t().contiguous()
        share_out(
            add_distances,
            [
                (
                    self._depth.numpy(),
                    self._ray,
                    planes.pieces[some],
                    normals[some].numpy(),
                    offsets[some].numpy(),
                    found[some].numpy(),
                )
                for some in spans(len(found))
            ],
        )
        return found.t()
