"""Chosen checkpoints of several runs: by their change against each run's own baseline, and whether those differ.

Runs of different samples cannot be compared by value. What a run did to its own baseline can be, in percent of that
baseline: a percentage of another sample is still of another sample, but it is what people compare, and its error can be
said.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from engine.analysis.differences import SIGNIFICANCE, Kind
from engine.analysis.evidence import Evidence
from engine.analysis.separation import seen_from
from engine.analysis.student import quantile
from engine.analysis.unpaired import FRAMES_PER_WINDOW, estimates
from engine.catalogue import SCORE_KEY, Catalogue

# A ratio to a baseline that is not this many standard errors from 0 has no interval worth the name.
_AWAY_FROM_ZERO = 3.0


@dataclass(frozen=True, slots=True)
class Gain:
    """What a checkpoint did to one metric of its own baseline, in percent of it.

    Attributes:
        run: the run's label.
        checkpoint: which.
        metric: the key.
        percent: 100 * (value - baseline) / |baseline|.
        error: its standard error; ``None`` where nothing is known of it.
        freedom: degrees of freedom of the error.
        looks: how many checkpoints the one was chosen from.
        kind: what the error was computed from, or ``None``.
    """

    run: str
    checkpoint: str
    metric: str
    percent: float
    error: float | None
    freedom: float
    looks: int
    kind: str | None


@dataclass(frozen=True, slots=True)
class GainDifference:
    """The gains of two runs in one metric.

    Attributes:
        first, second: both.
        points: first less second, in percentage points.
        ci95: 95 % interval of it, corrected for every pair of checkpoints that could have been chosen; ``None`` where
            an error is not known.
        ahead: the run that is shown to have changed more for the better; ``None`` where none is shown to, or it cannot
            be said (no interval, or a metric without direction).
    """

    first: Gain
    second: Gain
    points: float
    ci95: tuple[float, float] | None
    ahead: str | None


def gain(evidence: Evidence, label: str, checkpoint: str, key: str) -> Gain | None:
    """The change of one metric in percent of the baseline, with its error.

    Paired where both have per-frame rows: the ratio of the two means in every resample. Else by error propagation (the
    delta method) from two independent means: (error of v/b)^2 = (v/b)^2 ((error of v / v)^2 + (error of b / b)^2).

    Args:
        evidence: of the run, with this metric.
        label: what to call the run.
        checkpoint: which.
        key: the metric, or ``score``.

    Returns:
        ``None`` where the run has no baseline, the baseline is 0, or either was not measured.
    """
    baseline = evidence.baseline
    if baseline is None:
        return None
    looks = max(1, len(evidence.checkpoints))
    paired = _paired(evidence, baseline, checkpoint, key)
    if paired is not None:
        return Gain(label, checkpoint, key, *paired, looks, Kind.PAIRED.value)
    weights = evidence.weights if key == SCORE_KEY else {}
    table = estimates(evidence.summary, evidence.catalogue, weights, FRAMES_PER_WINDOW, 1.0)
    before, after = table.get(baseline, {}).get(key), table.get(checkpoint, {}).get(key)
    if before is None or after is None or before.mean == 0.0:
        return None
    percent = 100.0 * (after.mean - before.mean) / abs(before.mean)
    if before.error is None or after.error is None or abs(before.mean) < _AWAY_FROM_ZERO * before.error:
        return Gain(label, checkpoint, key, percent, None, 1.0, looks, None)
    ratio = after.mean / before.mean
    error = 100.0 * math.hypot(after.error / before.mean, ratio * before.error / before.mean)
    freedom = max(1.0, min(before.freedom, after.freedom))
    return Gain(label, checkpoint, key, percent, error, freedom, looks, Kind.UNPAIRED.value)


def gain_differences(
    gains: Sequence[Gain], catalogue: Catalogue, joined: Evidence | None = None
) -> list[GainDifference]:
    """Every pair of runs in one metric.

    The checkpoints were chosen, so the interval holds for all pairs of checkpoints at once (Bonferroni). Runs of one
    sample are paired, in percent of the baseline that they share; others are independent.

    Args:
        gains: of one metric, a run each.
        catalogue: directions.
        joined: of all runs as one, its checkpoints called ``run/checkpoint``, where they are of one sample.
    """
    return [_difference(first, second, catalogue, joined) for first, second in combinations(gains, 2)]


def _difference(first: Gain, second: Gain, catalogue: Catalogue, joined: Evidence | None) -> GainDifference:
    points = first.percent - second.percent
    if first.error is None or second.error is None:
        return GainDifference(first, second, points, None, None)
    error, freedom = math.hypot(first.error, second.error), min(first.freedom, second.freedom)
    if joined is not None:
        error = _paired_error(first, second, joined) or error
    reach = error * quantile(SIGNIFICANCE / (first.looks * second.looks), freedom)
    low, high = points - reach, points + reach
    sign = catalogue.get(first.metric).direction.sign
    ahead = None
    if sign and not low <= 0.0 <= high:
        ahead = first.run if sign * points > 0 else second.run
    return GainDifference(first, second, points, (low, high), ahead)


def _paired_error(first: Gain, second: Gain, joined: Evidence) -> float | None:
    """Of the difference in percent of the common baseline; ``None`` where the two are not paired."""
    names = [f"{gain.run}/{gain.checkpoint}" for gain in (first, second)]
    rows = seen_from(joined, names[1], names[:1]).differences([first.metric])
    scale = joined.differences([first.metric]).get_column("baseline").drop_nulls()
    if rows.is_empty() or rows.get_column("kind")[0] != Kind.PAIRED or scale.is_empty() or not scale[0]:
        return None
    error = rows.get_column("error")[0]
    return None if error is None else 100.0 * float(error) / abs(float(scale[0]))


def _paired(evidence: Evidence, baseline: str, checkpoint: str, key: str) -> tuple[float, float | None, float] | None:
    """Percent, its error and degrees of freedom; ``None`` where there are no paired rows."""
    statistics = evidence.statistics
    if statistics is None or key not in statistics.keys:
        return None
    sample = statistics.sample
    if baseline not in sample or checkpoint not in sample:
        return None
    contrast = statistics.contrast(key, sample.rows([checkpoint]), sample.rows([baseline]))
    before, after = contrast.right, contrast.left
    if not np.isfinite(before.value[0]) or not np.isfinite(after.value[0]) or before.value[0] == 0.0:
        return None
    scale = abs(float(before.value[0]))
    percent = 100.0 * float(after.value[0] - before.value[0]) / scale
    rows = evidence.differences([key]).filter(pl.col("checkpoint") == checkpoint)
    if rows.is_empty() or rows.get_column("error")[0] is None:
        return percent, None, 1.0
    drawn = (after.value[0] + after.deviations[0]) / (before.value[0] + before.deviations[0])
    drawn = drawn[np.isfinite(drawn)]
    resampled = 100.0 * float(drawn.std()) if len(drawn) else math.nan
    differences = contrast.difference.deviations[0]
    plain = float(np.nanstd(differences))
    # What neighbouring windows have in common widens the error of the difference; the ratio's widens alike.
    widened = rows.get_column("error")[0] / plain if plain > 0.0 else 1.0
    freedom = max(1.0, float(contrast.difference.windows[0]) - 1.0)
    return percent, resampled * max(1.0, widened), freedom
