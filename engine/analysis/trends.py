"""How a metric moves over the checkpoints of a training: rolling variation, jumps, plateaus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from engine.analysis.overview import RunAnalysis
from engine.catalogue import Catalogue
from engine.config import TrendConfig
from engine.errors import UnknownNameError

# Iglewicz and Hoaglin (How to Detect and Handle Outliers, 1993): modified z-scores, and the factors that make the
# median and the mean absolute deviation estimate the standard deviation of a normal distribution. They call a single
# value an outlier from 3.5; here every neighbouring pair of every metric is looked at, so the limit is higher.
_MAD_SCALE = 1.4826
_MEAN_AD_SCALE = 1.2533
_MODIFIED_Z_LIMIT = 5.0
# Fewer differences than this tell nothing of their own spread.
_MIN_DIFFERENCES = 4


@dataclass(frozen=True, slots=True)
class Jump:
    """A change between two neighbouring checkpoints far beyond the usual.

    Attributes:
        index: position of the later checkpoint among the values that were given.
        from_checkpoint: name before.
        to_checkpoint: name after.
        before: value before, in the metric's unit.
        after: value after.
        change_pct: 100 * (after - before) / |before|; ``None`` where ``before`` is 0.
    """

    index: int
    from_checkpoint: str
    to_checkpoint: str
    before: float
    after: float
    change_pct: float | None


@dataclass(frozen=True, slots=True)
class Trend:
    """One metric over the checkpoints of a training, in training order (no baseline, oracle or chance).

    All tuples have one entry per checkpoint; ``None`` means not measured.

    Attributes:
        key: the metric.
        checkpoints: names.
        steps: the numbers in the names.
        values: means, in the metric's unit.
        variation: rolling variation in percent.
        jumps: sudden changes, in order.
        plateau_from: the first checkpoint from which on the metric is stable, or ``None``.
        plateau_index: its position.
        settled: median of the values from there on.
        best: position of the best value (the first of equals); ``None`` without a direction or a value.
        baseline: the baseline's value.
    """

    key: str
    checkpoints: tuple[str, ...]
    steps: tuple[int | None, ...]
    values: tuple[float | None, ...]
    variation: tuple[float | None, ...]
    jumps: tuple[Jump, ...]
    plateau_from: str | None
    plateau_index: int | None
    settled: float | None
    best: int | None
    baseline: float | None

    @property
    def positions(self) -> tuple[int, ...]:
        """Where to draw the values: the steps where all are known and rise, else 0, 1, 2 and so on."""
        steps = [step for step in self.steps if step is not None]
        rising = all(before < after for before, after in pairwise(steps))
        return tuple(steps) if len(steps) == len(self.steps) and rising else tuple(range(len(self.steps)))


def rolling_variation(values: pl.Series, window: int = 5) -> pl.Series:
    """Coefficient of variation over a trailing window, in percent: 100 * population std / |mean|.

    The window of an entry holds its value and the ``window - 1`` measured values before it; nulls are skipped, they do
    not break a window. Null where the entry itself is null, where fewer than ``window`` values have been measured so
    far, and where the window holds values of both signs: the mean then says nothing about their size. (Values of one
    sign have a mean of at least max / window, so it is never near zero beside them.) A window of zeros varies by 0.

    Args:
        values: one value per checkpoint, in training order.
        window: at least 2.

    Returns:
        Float series of the same length and name; scale-invariant, in [0, 100 * sqrt(window - 1)].
    """
    numbers = values.cast(pl.Float64)
    measured = numbers.is_not_null().to_numpy()
    variation: list[float | None] = [None] * len(numbers)
    found = numbers.drop_nulls().to_numpy()
    if len(found) >= window:
        windows = np.lib.stride_tricks.sliding_window_view(found, window)
        largest = np.abs(windows).max(axis=1, keepdims=True)
        scaled = windows / np.where(largest > 0.0, largest, 1.0)  # no overflow in the squares, no underflow
        mean = np.abs(scaled.mean(axis=1))
        share = scaled.std(axis=1) / np.where(mean > 0.0, mean, 1.0)
        mixed = (windows.min(axis=1) < 0.0) & (windows.max(axis=1) > 0.0)
        positions = np.flatnonzero(measured)[window - 1 :]
        for position, percent, undefined in zip(
            positions.tolist(), (100.0 * share).tolist(), mixed.tolist(), strict=True
        ):
            variation[position] = None if undefined else percent
    return pl.Series(values.name, variation, dtype=pl.Float64)


def jumps(
    values: Sequence[float | None],
    names: Sequence[str],
    *,
    jump_pct: float = TrendConfig().jump_pct,
) -> tuple[Jump, ...]:
    """Changes between neighbouring checkpoints that are both large and far outside the run's own scatter.

    A difference d between neighbours (nulls are skipped) is a jump if

    - |d| is at least ``jump_pct`` percent of the value before (any change from 0 is), and
    - its modified z-score |d - median| / (1.4826 * MAD) over all differences of the curve exceeds 5, where MAD is their
      median absolute deviation (Iglewicz and Hoaglin 1993). Where more than half of the differences are equal and the
      MAD is 0, 1.2533 * mean absolute deviation takes its place, as they recommend.

    So a steady slope is no jump, noise is none, and the first value of a new level is. Scale-invariant. Curves with
    fewer than 5 values have none.

    Args:
        values: one value per checkpoint, in training order.
        names: the checkpoints' names, as many.
        jump_pct: least change in percent of the value before.
    """
    places = [index for index, value in enumerate(values) if value is not None]
    found = np.array([values[index] for index in places], dtype=np.float64)
    if len(found) - 1 < _MIN_DIFFERENCES:
        return ()
    differences = np.diff(found)
    deviation = np.abs(differences - np.median(differences))
    spread = _MAD_SCALE * float(np.median(deviation)) or _MEAN_AD_SCALE * float(deviation.mean())
    large = np.abs(differences) >= jump_pct / 100.0 * np.abs(found[:-1])
    unusual = deviation > _MODIFIED_Z_LIMIT * spread
    return tuple(
        _jump(places[i], names[places[i - 1]], names[places[i]], float(found[i - 1]), float(found[i]))
        for i in (np.flatnonzero(large & unusual) + 1).tolist()
    )


def plateau(
    variation: Sequence[float | None],
    *,
    window: int = TrendConfig().window,
    threshold_pct: float = TrendConfig().threshold_pct,
    measured: Sequence[bool] | None = None,
) -> int | None:
    """The first position from which the rolling variation stays below the threshold to the end.

    Args:
        variation: rolling variation in percent, as :func:`rolling_variation` gives it.
        window: how many checkpoints that must be at least.
        threshold_pct: in percent; strictly below counts.
        measured: which positions have a value at all. The others are skipped; a null at a measured position (too early,
            or values of both signs) ends the plateau. Default: where the variation is not null.

    Returns:
        The position, or ``None`` where the metric is not stable at the end or not for long enough.
    """
    first: int | None = None
    length = 0
    for index in range(len(variation) - 1, -1, -1):
        percent = variation[index]
        if percent is None:
            if measured is not None and measured[index]:
                break
            continue
        if percent >= threshold_pct:
            break
        first, length = index, length + 1
    return first if length >= window else None


def trend(analysis: RunAnalysis, key: str, config: TrendConfig, *, catalogue: Catalogue | None = None) -> Trend:
    """Everything there is to say about one metric's course over a training.

    Args:
        analysis: the run.
        key: a metric key or ``score``.
        config: window and thresholds.
        catalogue: directions, for the best value; default the built-in metric table.

    Raises:
        UnknownNameError: the run has no such metric.
    """
    if key not in analysis.metrics:
        raise UnknownNameError("metric", key, analysis.metrics)
    rows = analysis.trained
    names = rows.get_column("checkpoint").to_list()
    series = rows.get_column(key)
    values = series.to_list()
    variation = rolling_variation(series, config.window).to_list()
    start = plateau(
        variation,
        window=config.window,
        threshold_pct=config.threshold_pct,
        measured=[value is not None for value in values],
    )
    sign = (catalogue or Catalogue()).get(key).direction.sign
    best = (series * sign).arg_max() if sign and series.count() else None
    return Trend(
        key=key,
        checkpoints=tuple(names),
        steps=tuple(rows.get_column("step")),
        values=tuple(values),
        variation=tuple(variation),
        jumps=jumps(values, names, jump_pct=config.jump_pct),
        plateau_from=None if start is None else names[start],
        plateau_index=start,
        settled=None if start is None else _median(series[start:]),
        best=best,
        baseline=analysis.value(analysis.baseline, key),
    )


def _jump(index: int, from_checkpoint: str, to_checkpoint: str, before: float, after: float) -> Jump:
    change = 100.0 * (after - before) / abs(before) if before else None
    return Jump(index, from_checkpoint, to_checkpoint, before, after, change)


def _median(series: pl.Series) -> float:
    return float(np.median(series.drop_nulls().to_numpy()))
