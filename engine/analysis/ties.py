"""Which checkpoints cannot be told from the best: the tie group of a ranking, and what choosing the best costs.

Whoever picks the best of 51 has looked 51 times, and at the winner's luck as well. So the group is not what a test of
each against the best leaves over: the test statistic is compared with the largest of all pairs, step by step (a
step-down of Tukey's all-pairs comparison, as the model confidence set of Hansen, Lunde and Nason 2011 is). With 95 %
certainty no checkpoint that is as good as the best is left out, whichever the best turned out to be.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from engine.analysis.differences import SIGNIFICANCE
from engine.analysis.paired import resamples_of
from engine.analysis.resampling.blocks import Blocks, Singles
from engine.analysis.resampling.judging import judge
from engine.analysis.resampling.sample import Floats, Ints
from engine.analysis.resampling.statistics import Statistics
from engine.analysis.resampling.studentised import p_value
from engine.catalogue import Catalogue, Direction
from engine.errors import UsageError
from engine.schema import empty

TIES = pl.Schema(
    {
        "checkpoint": pl.String,
        "value": pl.Float64,  # over the checkpoint's own frames, as tables show it
        "behind": pl.Float64,  # how much worse than the best, over the frames that both have; 0 for the best
        "ci95_low": pl.Float64,  # 95 % interval of `behind`, as if this were the only question asked
        "ci95_high": pl.Float64,
        "p": pl.Float64,  # two-sided, by itself
        "p_adjusted": pl.Float64,  # corrected for choosing the best and for all the others
        "tied_with_best": pl.Boolean,
        "best_share": pl.Float64,  # share of the resamples in which it is the best
    }
)

# Pairs judged at a time: bounds the memory.
_CHUNK = 256


@dataclass(frozen=True, eq=False)
class Ties:
    """The tie group of a ranking.

    Attributes:
        objective: what was ranked by.
        best: the checkpoint with the best value; ``None`` where none has one.
        rows: frame of schema :data:`TIES`, best first.
        optimism: by how much the best value flatters its checkpoint because it was chosen for it (the winner's curse),
            in the metric's unit, at least 0: how far the winner of a resample lies beyond its value in the sample, on
            average. ``None`` without resamples that tell.
    """

    objective: str
    best: str | None
    rows: pl.DataFrame
    optimism: float | None

    @property
    def group(self) -> tuple[str, ...]:
        """The best and all that are tied with it, best first."""
        return tuple(self.rows.filter("tied_with_best").get_column("checkpoint"))


def tie_group(statistics: Statistics, *, objective: str, checkpoints: Iterable[str], catalogue: Catalogue) -> Ties:
    """The checkpoints that are not significantly worse than the best.

    Its time grows with the square of the number of checkpoints: 51 are 1,275 pairs.

    Args:
        statistics: of the sample, with resamples.
        objective: a metric key, or ``score``.
        checkpoints: all that stand for choice, in the order in which equal values are listed; those without a value of
            the objective are left out.
        catalogue: directions.

    Raises:
        UnknownNameError: the sample has no such metric.
        UsageError: the objective has no direction, or ``statistics`` have no resamples.
    """
    blocks = resamples_of(statistics)
    direction = catalogue.get(objective).direction
    if direction is Direction.NONE:
        raise UsageError(f"{objective!r} has no direction, so there is no best", "choose another metric")
    names = [name for name in dict.fromkeys(checkpoints) if name in statistics.sample]
    rows = statistics.sample.rows(names)
    level = statistics.level(objective, rows)
    measured = np.flatnonzero(np.isfinite(level.value))
    names, rows, level = [names[place] for place in measured], rows[measured], level[measured]
    if not names:
        return Ties(objective, None, empty(TIES), None)

    sign = direction.sign
    order = np.argsort(-sign * level.value, kind="stable")
    names, rows, level = [names[place] for place in order], rows[order], level[order]
    share, optimism = _selection(sign * level.value, sign * level.deviations)

    contrast = statistics.contrast(objective, np.full(len(rows), rows[0]), rows)
    judged = judge(blocks, contrast.difference)
    behind = sign * contrast.difference.value
    low, high = judged.interval()
    low, high = (low, high) if sign > 0 else (-high, -low)
    # Ahead of the best over the frames that both have: certainly not worse.
    observed = np.where(behind > 0, judged.observed, 0.0)
    adjusted = _step_down(statistics, blocks, objective, rows, observed)
    behind[0] = low[0] = high[0] = 0.0
    table = pl.DataFrame(
        {
            "checkpoint": names,
            "value": level.value,
            "behind": behind,
            "ci95_low": low,
            "ci95_high": high,
            "p": judged.p,
            "p_adjusted": adjusted,
            "tied_with_best": ~(adjusted <= SIGNIFICANCE),
            "best_share": share,
        },
        schema=TIES,
    )
    return Ties(objective, names[0], table.with_columns(pl.col(pl.Float64).fill_nan(None)), optimism)


def _selection(value: Floats, deviations: Floats) -> tuple[Floats, float | None]:
    """How often each row is the best, and how far the best of a resample lies beyond its value.

    More is better; row 0 is the best of the sample.
    """
    drawn = value[:, None] + np.where(np.isnan(deviations), -np.inf, deviations)
    usable = np.isfinite(drawn).any(axis=0)
    if not usable.any():
        return np.full(len(value), np.nan), None
    drawn = drawn[:, usable]
    top = drawn.max(axis=0)
    first = drawn == top
    share = (first / first.sum(axis=0)).mean(axis=1)  # equals share a resample
    winner = drawn.argmax(axis=0)
    # Luck that all share in a resample is none of the winner's own.
    own = (top - value[winner] - (drawn[0] - value[0]))[np.isfinite(drawn[0])]
    return share, max(0.0, float(own.mean())) if len(own) else None


def _step_down(statistics: Statistics, blocks: Blocks, objective: str, rows: Ints, observed: Floats) -> Floats:
    """P-values of ``observed`` (row 0 is the best) against the largest statistic of all pairs that are left.

    The clearest is judged against all pairs, the next against the pairs without the first, and so on; no p-value is
    smaller than the one before. Computed from the back: each checkpoint adds its pairs with all that are judged later.
    """
    judgeable = np.flatnonzero(~np.isnan(observed))
    others = judgeable[judgeable != 0]
    order = others[np.argsort(-observed[others], kind="stable")]
    adjusted = np.full(len(rows), np.nan)
    adjusted[0] = 1.0
    left = np.concatenate([order, [0]])
    # Pairs of positions, the last ones first: each position with all behind it.
    earlier, later = (np.flip(places) for places in np.triu_indices(len(left), 1))
    most: Singles = np.zeros(blocks.resamples, dtype=np.float32)
    for start in range(0, len(earlier), _CHUNK):
        first, second = earlier[start : start + _CHUNK], later[start : start + _CHUNK]
        pairs = statistics.contrast(objective, rows[left[second]], rows[left[first]])
        drawn = judge(blocks, pairs.difference).statistics
        for position in np.flip(np.unique(first)):
            most = np.maximum(most, drawn[first == position].max(axis=0))
            # Overwritten by the next chunk where the position's pairs go on in it.
            adjusted[order[position]] = p_value(most, observed[order[position], None])[0]
    adjusted[order] = np.maximum.accumulate(adjusted[order])
    return adjusted
