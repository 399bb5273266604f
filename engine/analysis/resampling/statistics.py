"""Means, spreads and scores of the checkpoints of a sample, and the differences of pairs of them.

Each statistic is a :class:`level.Level`, so that a difference is paired by construction: both sides see the same
windows in every resample, and count the frames that both have.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.analysis.resampling.blocks import Blocks
from engine.analysis.resampling.level import Contrast, Level, weighted_score
from engine.analysis.resampling.products import product
from engine.analysis.resampling.sample import Bools, Floats, Ints, MetricSums, WindowSample
from engine.analysis.score import utility
from engine.catalogue import SCORE_KEY, Catalogue
from engine.errors import UnknownNameError, UsageError


class Statistics:
    """The statistics of one sample over one set of resamples.

    Args:
        sample: the sums.
        blocks: the resamples; ``None`` where only values and influences are wanted (no deviations then).
        weights: metric key -> weight of the composite score; without them there is no score.
        catalogue: directions of the weighted metrics; default the built-in metric table.

    Raises:
        UsageError: a weighted metric has no direction.

    Attributes:
        keys: the metrics; ``score`` first where the sample has all that it weighs.
    """

    def __init__(
        self,
        sample: WindowSample,
        blocks: Blocks | None,
        *,
        weights: Mapping[str, float] | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        self.sample = sample
        self.blocks = blocks
        self.weights = dict(weights or {})
        table = catalogue or Catalogue()
        self._directions = {key: table.get(key).direction for key in self.weights}
        for key, direction in self._directions.items():
            utility(key, direction)  # refuses a metric without a direction
        self._weights = np.zeros((len(sample.windows), 0)) if blocks is None else blocks.weights
        scored = bool(self.weights) and all(key in sample.metrics for key in self.weights)
        self.keys = (*((SCORE_KEY,) if scored else ()), *sample.metrics)

    def contrast(
        self, key: str, left: Ints, right: Ints, *, spread: bool = False, windows: Bools | None = None
    ) -> Contrast:
        """Pairs of checkpoints in one metric, or in the score: then each of its metrics over the frames that both have.

        Args:
            key: the metric, or ``score``.
            left, right: the checkpoints of each pair, [pairs] both.
            spread: compare standard deviations instead of means.
            windows: which windows count, [windows]; default all.

        Raises:
            UnknownNameError: no checkpoint has a value of the metric.
            UsageError: the spread of the score is asked for.
        """
        if key == SCORE_KEY:
            _refuse_spread(spread)
            parts = {part: self.contrast(part, left, right, windows=windows) for part in self._needed()}
            first = weighted_score({part: found.left for part, found in parts.items()}, self.weights, self._directions)
            second = weighted_score(
                {part: found.right for part, found in parts.items()}, self.weights, self._directions
            )
            unmatched = np.max([found.unmatched for found in parts.values()], axis=0)
            return Contrast(first, second, first - second, unmatched)
        metric = self.sample.metric(key)
        statistic = self._spread if spread else self._mean
        present = metric.present if windows is None else metric.present & windows[metric.windows]
        some = np.union1d(left, right)
        if (present[some] == present[some[:1]]).all():  # the same frames everywhere: each checkpoint once
            levels = statistic(metric, metric.sums[some], metric.squares[some], present[some])
            first, second = levels[np.searchsorted(some, left)], levels[np.searchsorted(some, right)]
            return Contrast(first, second, first - second, np.zeros(len(left), dtype=np.int64))
        both = present[left] & present[right]
        unmatched = (present[left] ^ present[right]) @ metric.counts
        first, second = (statistic(metric, metric.sums[rows], metric.squares[rows], both) for rows in (left, right))
        return Contrast(first, second, first - second, unmatched.astype(np.int64))

    def level(self, key: str, rows: Ints, *, spread: bool = False, windows: Bools | None = None) -> Level:
        """Checkpoints in one metric, or in the score, each over its own frames: the values that tables show.

        Args:
            key: the metric, or ``score``.
            rows: the checkpoints.
            spread: their standard deviations instead of means.
            windows: which windows count, [windows]; default all.

        Raises:
            UnknownNameError: no checkpoint has a value of the metric.
            UsageError: the spread of the score is asked for.
        """
        if key == SCORE_KEY:
            _refuse_spread(spread)
            parts = {part: self.level(part, rows, windows=windows) for part in self._needed()}
            return weighted_score(parts, self.weights, self._directions)
        metric = self.sample.metric(key)
        present = metric.present if windows is None else metric.present & windows[metric.windows]
        statistic = self._spread if spread else self._mean
        return statistic(metric, metric.sums[rows], metric.squares[rows], present[rows])

    def _needed(self) -> Mapping[str, float]:
        if SCORE_KEY not in self.keys:
            raise UnknownNameError("metric", SCORE_KEY, self.keys)
        return self.weights

    def _mean(self, metric: MetricSums, sums: Floats, squares: Floats, used: Bools) -> Level:
        """A ratio of sums, [rows, cells]."""
        sums, counts = self._reduce(metric, sums * used), self._counts(metric, used)
        total = np.reshape(counts.sum(axis=-1), (-1, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            value = sums.sum(axis=1) / total[:, 0]
            influence = (sums - value[:, None] * counts) / total
            # Windows without a frame add nothing: in a slice of the sample these are most.
            some = np.flatnonzero(counts if counts.ndim == 1 else counts.any(axis=0))
            weights = self._weights if len(some) == len(self._weights) else self._weights[some]
            deviations = product(influence[:, some], weights)
            deviations *= total / product(counts[..., some], weights)
            share = (counts / total).max(axis=-1)
        scale = np.abs(influence).max(axis=1) + np.abs(value) * share
        return _level(value + metric.shift, influence, deviations, counts, scale)

    def _spread(self, metric: MetricSums, sums: Floats, squares: Floats, used: Bools) -> Level:
        """Population standard deviation over frames; arguments [rows, cells]."""
        sums, squares = self._reduce(metric, sums * used), self._reduce(metric, squares * used)
        counts = self._counts(metric, used)
        total = np.reshape(counts.sum(axis=-1), (-1, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = sums.sum(axis=1, keepdims=True) / total
            centred = squares - 2.0 * mean * sums + mean**2 * counts
            variance = np.maximum(centred.sum(axis=1, keepdims=True) / total, 0.0)
            value = np.sqrt(variance)
            influence = np.where(value == 0.0, 0.0, (centred - variance * counts) / (2.0 * value * total))
            drawn = product(counts, self._weights)
            shifted = product(sums - mean * counts, self._weights) / drawn
            deviations = np.sqrt(np.maximum(product(centred, self._weights) / drawn - shifted**2, 0.0)) - value
        return _level(value[:, 0], influence, deviations, counts, np.abs(influence).max(axis=1))

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


def _level(value: Floats, influence: Floats, deviations: Floats, counts: Floats, scale: Floats) -> Level:
    frames = np.broadcast_to(counts.sum(axis=-1).astype(np.int64), value.shape)
    windows = np.broadcast_to((counts > 0).sum(axis=-1), value.shape)
    return Level(value, influence, deviations, frames, windows, scale)


def _refuse_spread(spread: bool) -> None:
    if spread:
        raise UsageError("the score has no spread over frames", "compare the spread of single metrics")
