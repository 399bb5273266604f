"""From levels to errors, intervals and p-values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.analysis.resampling.blocks import (
    RESAMPLES,
    SEED,
    Blocks,
    Singles,
    autocorrelation,
    block_length,
    draw,
    split,
)
from engine.analysis.resampling.level import Level
from engine.analysis.resampling.sample import Bools, Floats, WindowSample
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.resampling.studentised import (
    critical,
    long_run_factor,
    p_value,
    plain_error,
    studentised,
)

# With fewer windows nothing is said: there are too few resamples that differ.
LEAST_WINDOWS = 4
# Nor where more than this share of the resamples holds none of the windows that a statistic is over.
_MOST_EMPTY = 0.005

# A spread below this share of what a window contributes is rounding.
_ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class Judged:
    """Levels (mostly differences) beside what chance would make of them.

    Attributes:
        value: the level's values, [rows].
        error: standard error, [rows]; 0 where the windows agree exactly, NaN where nothing can be said.
        statistics: |deviation| / error of every resample, [rows, resamples]; 0 in rows without an error.
        observed: |value| / error, [rows]; infinity for a difference that all windows agree on, NaN without an error.
    """

    value: Floats
    error: Floats
    statistics: Singles
    observed: Floats

    @property
    def p(self) -> Floats:
        """Two-sided p-value of each row by itself."""
        return self._p(self.statistics)

    def joint_p(self, most: Singles) -> Floats:
        """P-values corrected for the looks behind ``most``: the largest statistic of every resample, [resamples]."""
        return self._p(most)

    @property
    def most(self) -> Singles:
        """The largest statistic of every resample over the rows, [resamples] (Westfall and Young's max-T)."""
        most: Singles = self.statistics.max(axis=0, initial=0.0)
        return most

    def interval(self, most: Singles | None = None) -> tuple[Floats, Floats]:
        """95 % intervals, [rows] each: of each row by itself, or of all rows behind ``most`` at once.

        An infinite end becomes NaN: the resamples do not settle it.
        """
        reach = (critical(self.statistics) if most is None else critical(most)) * self.error
        reach = np.where(self.error == 0.0, 0.0, reach)
        reach = np.where(np.isfinite(reach), reach, np.nan)
        return self.value - reach, self.value + reach

    def _p(self, statistics: Singles) -> Floats:
        said = ~np.isnan(self.observed)
        return np.where(said, p_value(statistics, np.where(said, self.observed, 0.0)), np.nan)


def judge(blocks: Blocks, level: Level) -> Judged:
    """Standard errors and studentised resamples of levels.

    Nothing is said (NaN) of rows over fewer than 4 windows, or over so few of a large sample (about 5) that more than
    0.5 % of the resamples hold none of them.

    Args:
        blocks: the resamples that the level was computed with.
        level: any level; for a verdict, a difference.
    """
    empty = 1.0 - np.isfinite(level.deviations).mean(axis=1)
    enough: Bools = np.isfinite(level.value) & (level.windows >= LEAST_WINDOWS) & (empty <= _MOST_EMPTY)
    influence = np.where(enough[:, None], level.influence, 0.0)
    plain = plain_error(blocks, influence)
    plain[plain <= _ROUNDING * np.where(enough, level.scale, 0.0)] = 0.0
    statistics = studentised(blocks, influence, level.deviations, plain)
    error = np.where(enough, plain * long_run_factor(blocks, influence), np.nan)
    size = np.abs(level.value)
    size[size <= _ROUNDING * level.scale] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.where((error == 0.0) & (size == 0.0), 0.0, size / error)
    return Judged(level.value, error, statistics, observed)


def plan(
    sample: WindowSample,
    *,
    baseline: str | None = None,
    checkpoints: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Blocks:
    """Choose how long blocks are and draw the resamples, once for everything that is asked of a sample.

    The correlation of neighbouring windows is averaged over all metrics and checkpoints: of the differences from
    ``baseline`` (which are less alike than the values), or of the values where there is none. One length for all, since
    the score and the Pareto front look at several metrics in one resample.

    Args:
        sample: the windows.
        baseline: what checkpoints are compared with.
        checkpoints: default all.
        resamples: how many.
        seed: of the draw.

    Raises:
        UnknownNameError: a checkpoint has no value of any metric.
    """
    names = sample.checkpoints if checkpoints is None else tuple(checkpoints)
    rows = sample.rows([name for name in names if name != baseline])
    strata = split(sample.drives)
    statistics = Statistics(sample, None)
    found: list[Floats] = []
    for key in sample.metrics if len(rows) else ():
        if baseline is None:
            level = statistics.level(key, rows)
        else:
            level = statistics.contrast(key, rows, np.full(len(rows), sample.row(baseline))).difference
        influence = level.influence[np.isfinite(level.value)]
        varying = np.abs(influence).max(axis=1, initial=0.0) > 0.0
        found.append(autocorrelation(influence[varying], strata))
    correlations = np.concatenate(found) if found else np.zeros(0)
    mean = float(correlations.mean()) if len(correlations) else 0.0
    return draw(sample.drives, block_length(mean, strata), resamples=resamples, seed=seed)
