"""The scores of one prediction of one window, where they were computed, and their way to the host."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.dataset.model import Window
from engine.geometry.alignment import ALIGNMENTS
from engine.schema import SLICED
from engine.scoring.pose import PoseScores, pose_metrics
from engine.scoring.protocol import V1
from engine.scoring.slices import Slice

CLAMPED = "clamped"
DEGENERATE = "degenerate"
PIXELS = "pixels"


@dataclass(frozen=True, eq=False)
class WindowScores:
    """Scores of one window, still where they were computed; the first look at a number fetches all of them at once.

    Attributes:
        window: which one.
        regions: their names.
        names: of the values of ``packed``: metrics (``depth.abs_rel``) and flags.
        packed: all numbers in one vector, float64: [names, alignments, frames, regions], the inlier curve [thresholds,
            frames, regions], the metrics of slices [metrics, slices], and the predicted extrinsics [frames, 3, 4].
        camera_to_world: true poses, on the CPU.
        slices: those of the window, by distance and class.
        align: the alignment that these are of; empty where there are none.
    """

    window: Window
    regions: tuple[str, ...]
    names: tuple[str, ...]
    packed: Tensor
    camera_to_world: Tensor
    slices: tuple[Slice, ...] = ()
    align: str = ""

    @cached_property
    def values(self) -> dict[str, NDArray[np.float64]]:
        """Name -> [alignments, frames, regions]; NaN where nothing was measured."""
        end = len(self.names) * self._each
        shape = (len(self.names), len(ALIGNMENTS), len(self.window.frames), len(self.regions))
        return dict(zip(self.names, self._host[:end].reshape(shape), strict=True))

    @cached_property
    def curve(self) -> NDArray[np.float64]:
        """Share of photometric inliers, [thresholds, frames, regions]."""
        start = len(self.names) * self._each
        shape = (len(V1.photometric_thresholds), len(self.window.frames), len(self.regions))
        return self._host[start : start + int(np.prod(shape))].reshape(shape)

    @cached_property
    def sliced(self) -> NDArray[np.float64]:
        """The metrics of :data:`engine.schema.SLICED` of every slice, [metrics, slices]."""
        end = len(self._host) - self._poses
        return self._host[end - len(SLICED) * len(self.slices) : end].reshape(len(SLICED), -1)

    @cached_property
    def pose(self) -> PoseScores:
        """Pose metrics of the window."""
        extrinsics = torch.from_numpy(self._host[len(self._host) - self._poses :].reshape(-1, 3, 4))
        return pose_metrics(extrinsics, self.camera_to_world)

    @property
    def _each(self) -> int:
        return len(ALIGNMENTS) * len(self.window.frames) * len(self.regions)

    @property
    def _poses(self) -> int:
        return 12 * len(self.window.frames)

    @cached_property
    def _host(self) -> NDArray[np.float64]:
        """The one transfer."""
        return self.packed.cpu().numpy()
