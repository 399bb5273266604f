"""Statistics of a sample with what the resamples make of them: means, spreads, the composite score, differences.

A :class:`Level` is computed once per statistic; everything else (a difference, a weighted sum) is arithmetic on levels,
so that a difference is paired by construction: both sides see the same windows in every resample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.analysis.resampling.blocks import Blocks
from engine.analysis.resampling.products import product
from engine.analysis.resampling.sample import Bools, Floats, Ints, MetricSums, WindowSample
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


class Statistics:
    """The statistics of one sample over one set of resamples.

    Args:
        sample: the sums.
        blocks: the resamples; ``None`` where only values and influences are wanted (no deviations then).
    """

    def __init__(self, sample: WindowSample, blocks: Blocks | None) -> None:
        self.sample = sample
        self.blocks = blocks
        self._weights = np.zeros((len(sample.windows), 0)) if blocks is None else blocks.weights

    def mean(self, key: str, rows: Ints, *, cells: Bools | None = None, windows: Bools | None = None) -> Level:
        """Mean over frames (or windows, for pose): a ratio of sums.

        Args:
            key: the metric.
            rows: checkpoints.
            cells: which cells count, [rows, cells]; default those that the checkpoint has.
            windows: which windows count, [windows]; default all.
        """
        metric = self.sample.metric(key)
        used = self._used(metric, rows, cells, windows)
        sums, counts = self._reduce(metric, metric.sums[rows] * used), self._counts(metric, used)
        total = counts.sum(axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = sums.sum(axis=1) / total
            influence = (sums - value[:, None] * counts) / np.reshape(total, (-1, 1))
            deviations = product(influence, self._weights)
            deviations *= np.reshape(total, (-1, 1)) / product(counts, self._weights)
        size = np.abs(influence).max(axis=1) + np.abs(value) * (counts / np.reshape(total, (-1, 1))).max(axis=-1)
        return self._level(value + metric.shift, influence, deviations, counts, size)

    def spread(self, key: str, rows: Ints, *, cells: Bools | None = None, windows: Bools | None = None) -> Level:
        """Population standard deviation over frames. Arguments as of :meth:`mean`."""
        metric = self.sample.metric(key)
        used = self._used(metric, rows, cells, windows)
        sums, squares = (self._reduce(metric, values[rows] * used) for values in (metric.sums, metric.squares))
        counts = self._counts(metric, used)
        total = np.reshape(counts.sum(axis=-1), (-1, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = sums.sum(axis=1, keepdims=True) / total
            centred = squares - 2.0 * mean * sums + mean**2 * counts
            variance = np.maximum(centred.sum(axis=1, keepdims=True) / total, 0.0)
            value = np.sqrt(variance)
            influence = np.where(value > 0, (centred - variance * counts) / (2.0 * value * total), 0.0)
            drawn = product(counts, self._weights)
            shifted = product(sums - mean * counts, self._weights) / drawn
            deviations = np.sqrt(np.maximum(product(centred, self._weights) / drawn - shifted**2, 0.0)) - value
        influence[np.isnan(value[:, 0])] = np.nan
        size = np.abs(influence).max(axis=1)
        return self._level(value[:, 0], influence, deviations, counts, size)

    def contrast(
        self, key: str, left: Ints, right: Ints, *, spread: bool = False, windows: Bools | None = None
    ) -> Contrast:
        """Pairs of checkpoints in one metric.

        Args:
            key: the metric.
            left, right: the checkpoints of each pair, [pairs] both.
            spread: compare standard deviations instead of means.
            windows: which windows count, [windows]; default all.
        """
        metric = self.sample.metric(key)
        statistic = self.spread if spread else self.mean
        present = metric.present if windows is None else metric.present & windows[metric.windows]
        some = np.union1d(left, right)
        if (present[some] == present[some[0]]).all():  # the same frames everywhere: each checkpoint once
            levels = statistic(key, some, windows=windows)
            first, second = levels[np.searchsorted(some, left)], levels[np.searchsorted(some, right)]
            return Contrast(first, second, first - second, np.zeros(len(left), dtype=np.int64))
        both = present[left] & present[right]
        unmatched = (present[left] ^ present[right]) @ metric.counts
        first, second = (statistic(key, rows, cells=both) for rows in (left, right))
        return Contrast(first, second, first - second, unmatched.astype(np.int64))

    def score_contrast(
        self,
        weights: Mapping[str, float],
        directions: Mapping[str, Direction],
        left: Ints,
        right: Ints,
        *,
        windows: Bools | None = None,
    ) -> Contrast:
        """Pairs of checkpoints in the composite score, each metric over the frames that both have.

        Args:
            weights: metric key -> weight.
            directions: metric key -> which way it gets better.
            left, right: the checkpoints of each pair, [pairs] both.
            windows: which windows count, [windows]; default all.
        """
        contrasts = {key: self.contrast(key, left, right, windows=windows) for key in weights}
        first, second = (
            score({key: getattr(contrast, side) for key, contrast in contrasts.items()}, weights, directions)
            for side in ("left", "right")
        )
        unmatched = np.max([contrast.unmatched for contrast in contrasts.values()], axis=0)
        return Contrast(first, second, first - second, unmatched)

    def score(self, weights: Mapping[str, float], directions: Mapping[str, Direction], rows: Ints) -> Level:
        """The composite score of checkpoints, each over its own frames."""
        return score({key: self.mean(key, rows) for key in weights}, weights, directions)

    @staticmethod
    def _used(metric: MetricSums, rows: Ints, cells: Bools | None, windows: Bools | None) -> Bools:
        used = metric.present[rows] if cells is None else cells
        return used if windows is None else used & windows[metric.windows]

    def _reduce(self, metric: MetricSums, values: Floats) -> Floats:
        """[rows, cells] to [rows, windows]."""
        starts = np.flatnonzero(np.diff(metric.windows, prepend=-1))
        reduced = np.zeros((len(values), len(self.sample.windows)))
        if len(starts):
            reduced[:, metric.windows[starts]] = np.add.reduceat(values, starts, axis=1)
        return reduced

    def _counts(self, metric: MetricSums, used: Bools) -> Floats:
        """Frames of every window, [rows, windows], or [windows] where they are the same in all rows."""
        if len(used) and (used == used[0]).all():
            counts: Floats = self._reduce(metric, metric.counts[None] * used[:1])[0]
            return counts
        return self._reduce(metric, metric.counts * used)

    @staticmethod
    def _level(value: Floats, influence: Floats, deviations: Floats, counts: Floats, scale: Floats) -> Level:
        frames = np.broadcast_to(counts.sum(axis=-1).astype(np.int64), value.shape)
        windows = np.broadcast_to((counts > 0).sum(axis=-1), value.shape)
        return Level(value, influence, deviations, frames, windows, scale)


def score(levels: Mapping[str, Level], weights: Mapping[str, float], directions: Mapping[str, Direction]) -> Level:
    """The composite score of levels: weight * value where more is better, weight * (1 - min(value, 1)) where less is.

    The kink at 1 is kept in every resample; a mean beyond it contributes a constant, and has no influence.
    """
    keys: Sequence[str] = list(weights)
    parts = [_utility(levels[key], directions[key], weights[key]) for key in keys]
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
