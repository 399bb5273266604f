"""A statistic with what the resamples make of it, and the arithmetic of such statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.analysis.resampling.sample import Floats, Ints
from engine.catalogue import Direction

# The upper end of what counts of a metric of which less is better (see engine.analysis.score).
_CLIP = 1.0


@dataclass(frozen=True, eq=False)
class Level:
    """One statistic of several checkpoints (or pairs of them), the rows.

    Attributes:
        value: in the metric's unit, [rows]; NaN without frames.
        influence: what each window adds to the statistic's deviation from its expectation, [rows, windows]: its first
            derivative with respect to the window's weight.
        deviations: the statistic in each resample less ``value``, [rows, resamples]; NaN where it has none there.
        frames: frames behind the value, [rows]; for a score those of the metric with the fewest.
        windows: windows behind it, likewise.
        scale: the size of what a window contributes, [rows]; what is far below it is rounding.
    """

    value: Floats
    influence: Floats
    deviations: Floats
    frames: Ints
    windows: Ints
    scale: Floats

    def __getitem__(self, rows: Ints) -> Level:
        """Some of the rows, in that order."""
        return Level(
            self.value[rows],
            self.influence[rows],
            self.deviations[rows],
            self.frames[rows],
            self.windows[rows],
            self.scale[rows],
        )

    def without_resamples(self) -> Level:
        """Values and counts alone: what is left to keep after judging."""
        return replace(self, influence=self.influence[:, :0], deviations=self.deviations[:, :0])

    def __sub__(self, other: Level) -> Level:
        """Row by row, paired: the resamples of both are the same."""
        return Level(
            self.value - other.value,
            self.influence - other.influence,
            self.deviations - other.deviations,
            np.minimum(self.frames, other.frames),
            np.minimum(self.windows, other.windows),
            np.maximum(self.scale, other.scale),
        )


@dataclass(frozen=True, eq=False)
class Contrast:
    """Pairs of checkpoints: both sides over the frames that both have, and their difference.

    Attributes:
        left: the checkpoints judged.
        right: what they are judged against.
        difference: left less right.
        unmatched: frames that only one of the two has, and which therefore do not count, [pairs].
    """

    left: Level
    right: Level
    difference: Level
    unmatched: Ints

    def without_resamples(self) -> Contrast:
        """Values and counts alone: what is left to keep after judging."""
        left, right, difference = (side.without_resamples() for side in (self.left, self.right, self.difference))
        return Contrast(left, right, difference, self.unmatched)


def weighted_score(
    levels: Mapping[str, Level], weights: Mapping[str, float], directions: Mapping[str, Direction]
) -> Level:
    """The composite score of levels: weight * value where more is better, weight * (1 - min(value, 1)) where less is.

    The kink at 1 is kept in every resample; a mean beyond it contributes a constant, and has no influence.
    """
    parts = [_utility(levels[key], directions[key], weight) for key, weight in weights.items()]
    return Level(
        np.sum([part.value for part in parts], axis=0),
        np.sum([part.influence for part in parts], axis=0),
        np.sum([part.deviations for part in parts], axis=0),
        np.min([part.frames for part in parts], axis=0),
        np.min([part.windows for part in parts], axis=0),
        np.sum([part.scale for part in parts], axis=0),
    )


def _utility(level: Level, direction: Direction, weight: float) -> Level:
    if direction is Direction.HIGHER:
        value, influence, deviations = level.value, level.influence, level.deviations
    else:
        value = 1.0 - np.minimum(level.value, _CLIP)
        influence = np.where(level.value[:, None] < _CLIP, -level.influence, 0.0)
        deviations = 1.0 - np.minimum(level.value[:, None] + level.deviations, _CLIP) - value[:, None]
    return Level(
        weight * value, weight * influence, weight * deviations, level.frames, level.windows, weight * level.scale
    )
