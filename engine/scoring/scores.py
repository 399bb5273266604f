"""The scores of one prediction of one window, where they were computed, and their way to the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.dataset.model import Window
from engine.geometry.alignment import ALIGNMENTS
from engine.scoring.pose import PoseScores, pose_metrics
from engine.scoring.protocol import V1

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
            frames, regions], and the predicted extrinsics [frames, 3, 4].
        camera_to_world: true poses, on the CPU.
    """

    window: Window
    regions: tuple[str, ...]
    names: tuple[str, ...]
    packed: Tensor
    camera_to_world: Tensor

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
    def pose(self) -> PoseScores:
        """Pose metrics of the window."""
        extrinsics = torch.from_numpy(self._host[-12 * len(self.window.frames) :].reshape(-1, 3, 4))
        return pose_metrics(extrinsics, self.camera_to_world)

    @property
    def _each(self) -> int:
        return len(ALIGNMENTS) * len(self.window.frames) * len(self.regions)

    @cached_property
    def _host(self) -> NDArray[np.float64]:
        """The one transfer."""
        return self.packed.cpu().numpy()


def fetch(scores: Sequence[WindowScores]) -> None:
    """Bring the scores of several predictions of one window to the host in a single transfer, instead of one each when
    they are looked at.

    Args:
        scores: all on one device, of windows of equal size.
    """
    if not scores:
        return
    host = torch.stack([one.packed for one in scores]).cpu().numpy()
    for one, values in zip(scores, host, strict=True):
        one.__dict__["_host"] = values  # where cached_property keeps it
