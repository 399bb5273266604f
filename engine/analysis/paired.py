"""Checkpoints against the baseline, paired on the frames that both have: intervals and verdicts by resampling windows.

The way to use it, for one run::

    sample = tabulate(window_sums(run))                                  # engine.results.sums
    blocks = plan(sample, baseline="baseline")                           # once: every question sees the same resamples
    statistics = Statistics(sample, blocks, weights=config.score.weights, catalogue=catalogue)
    rows = paired_differences(statistics, baseline="baseline", checkpoints=names, catalogue=catalogue)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.analysis.differences import DIFFERENCES, Kind, Spread, with_verdicts
from engine.analysis.resampling.blocks import Blocks, Singles
from engine.analysis.resampling.judging import Judged, judge
from engine.analysis.resampling.level import Contrast
from engine.analysis.resampling.sample import Bools, Floats
from engine.analysis.resampling.statistics import Statistics
from engine.catalogue import SCORE_KEY, Catalogue
from engine.errors import UsageError
from engine.schema import empty

Family = Literal["checkpoints", "everything"]

LEVELS = pl.Schema(
    {
        "checkpoint": pl.String,
        "metric": pl.String,
        "value": pl.Float64,
        "ci95_low": pl.Float64,
        "ci95_high": pl.Float64,
        "error": pl.Float64,
        "windows": pl.Int64,
        "frames": pl.Int64,
    }
)


@dataclass(frozen=True, eq=False)
class Compared:
    """What :func:`against` found of one metric.

    Attributes:
        key: the metric.
        contrast: both sides and their difference, without resamples.
        judged: their errors, p-values and intervals, without resamples.
        p: of each pair by itself, [pairs].
        low, high: interval of each pair by itself, [pairs].
        most: the largest statistic of every resample over the pairs, [resamples].
    """

    key: str
    contrast: Contrast
    judged: Judged
    p: Floats
    low: Floats
    high: Floats
    most: Singles


def paired_differences(
    statistics: Statistics,
    *,
    baseline: str,
    checkpoints: Iterable[str],
    catalogue: Catalogue,
    metrics: Iterable[str] | None = None,
    spread: bool = False,
    family: Family = "checkpoints",
) -> pl.DataFrame:
    """Every checkpoint against one other, in every metric.

    Corrected for looking at several checkpoints: ``p_adjusted`` and the joint interval refer to the largest statistic
    of all of them in a resample (max-T, Westfall and Young 1993), which knows how alike they are and so loses less than
    Holm or Bonferroni. It holds for whichever checkpoint one picks afterwards, the best included, as long as all those
    that were looked at are given here. False discovery rates would not do: someone who ships one checkpoint is not
    helped by most of the others being right.

    Args:
        statistics: of the sample, with resamples.
        baseline: what the others are compared with.
        checkpoints: all that are looked at; those without per-frame rows, and the baseline, are left out.
        catalogue: directions.
        metrics: keys, ``score`` among them; those that the sample lacks are left out. Default: all. (Spread: the score
            has none.)
        spread: compare standard deviations over frames (how even a checkpoint is) instead of means.
        family: what is corrected for: the checkpoints, in each metric by itself (every row of a table is a question
            of its own), or all checkpoints and metrics together.

    Returns:
        Frame of schema :data:`DIFFERENCES`, by metric (the score first), then in the order given.

    Raises:
        UnknownNameError: the baseline has no per-frame rows.
        UsageError: ``statistics`` have no resamples.
    """
    names = [name for name in dict.fromkeys(checkpoints) if name != baseline and name in statistics.sample]
    wanted = set(statistics.keys if metrics is None else metrics)
    keys = [key for key in statistics.keys if key in wanted and not (spread and key == SCORE_KEY)]
    statistics.sample.row(baseline)
    if not names or not keys:
        return empty(DIFFERENCES)
    found = [against(statistics, key, baseline, names, spread=spread) for key in keys]
    return differences_frame(found, names, catalogue, spread=spread, family=family)


def against(
    statistics: Statistics,
    key: str,
    baseline: str,
    names: Sequence[str],
    *,
    spread: bool = False,
    windows: Bools | None = None,
) -> Compared:
    """Checkpoints against one other in one metric.

    Args:
        statistics: of the sample, with resamples.
        key: the metric, or ``score``.
        baseline: what the others are compared with.
        names: checkpoints, each with per-frame rows.
        spread: compare standard deviations instead of means.
        windows: which windows count, [windows]; default all.

    Raises:
        UnknownNameError: a checkpoint or the metric has no rows.
        UsageError: ``statistics`` have no resamples.
    """
    rows = statistics.sample.rows(names)
    before = np.full(len(rows), statistics.sample.row(baseline))
    contrast = statistics.contrast(key, rows, before, spread=spread, windows=windows)
    judged = judge(resamples_of(statistics), contrast.difference)
    low, high = judged.interval()
    return Compared(
        key,
        contrast.without_resamples(),
        replace(judged, statistics=judged.statistics[:, :0]),
        judged.p,
        low,
        high,
        judged.most,
    )


def differences_frame(
    found: Sequence[Compared],
    names: Sequence[str],
    catalogue: Catalogue,
    *,
    spread: bool = False,
    family: Family = "checkpoints",
) -> pl.DataFrame:
    """What :func:`against` found as a frame of schema :data:`DIFFERENCES`.

    Args:
        found: at least one metric (or slice of one), each of the same checkpoints.
        names: those checkpoints.
        catalogue: directions.
        spread: whether standard deviations were compared.
        family: what is corrected for.
    """
    families = [found] if family == "everything" else [[compared] for compared in found]
    columns = [difference_columns(together, names, spread=spread) for together in families]
    return with_verdicts(frame_of(columns), catalogue)


def difference_columns(
    found: Sequence[Compared], names: Sequence[str], *, spread: bool = False
) -> dict[str, npt.NDArray[Any]]:
    """What :func:`against` found, corrected for all of it together, as the columns that verdicts are made from.

    Args:
        found: at least one metric (or slice of one), each of the same checkpoints.
        names: those checkpoints.
        spread: whether standard deviations were compared.
    """
    most = found[0].most if len(found) == 1 else np.max([compared.most for compared in found], axis=0)
    parts = [_columns(compared, most) for compared in found]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    count, rows = len(names), len(names) * len(found)
    statistic = Spread.STD if spread else Spread.MEAN
    fixed = {"statistic": statistic.value, "kind": Kind.PAIRED.value}
    return {
        "checkpoint": np.tile(np.array(names, dtype=object), len(found)),
        "metric": np.repeat(np.array([compared.key for compared in found], dtype=object), count),
        **columns,
        "looks": np.full(rows, rows),
        **{name: np.full(rows, value, dtype=object) for name, value in fixed.items()},
    }


def frame_of(parts: Sequence[Mapping[str, npt.NDArray[Any]]]) -> pl.DataFrame:
    """Columns of the same names, one below the other: one frame for many, as each frame takes its time."""
    return pl.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, strict=False)


def levels_frame(
    statistics: Statistics, *, checkpoints: Iterable[str], metrics: Iterable[str] | None = None
) -> pl.DataFrame:
    """The values themselves with 95 % intervals, for instance for the band of a trend.

    They say how well the value is known, not whether two checkpoints differ: both saw the same windows, so their
    intervals may overlap although the difference is certain.

    Args:
        statistics: of the sample, with resamples.
        checkpoints: names; those without per-frame rows are left out.
        metrics: keys, ``score`` among them; those that the sample lacks are left out. Default: all.

    Returns:
        Frame of schema :data:`LEVELS`, by metric, then in the order given.

    Raises:
        UsageError: ``statistics`` have no resamples.
    """
    blocks = resamples_of(statistics)
    names = [name for name in dict.fromkeys(checkpoints) if name in statistics.sample]
    wanted = set(statistics.keys if metrics is None else metrics)
    tables = [empty(LEVELS)]
    for key in statistics.keys if names else ():
        if key in wanted:
            level = statistics.level(key, statistics.sample.rows(names))
            judged = judge(blocks, level)
            low, high = judged.interval()
            columns = {
                "checkpoint": names,
                "metric": [key] * len(names),
                "value": level.value,
                "ci95_low": low,
                "ci95_high": high,
                "error": judged.error,
                "windows": level.windows,
                "frames": level.frames,
            }
            tables.append(pl.DataFrame(columns, schema=LEVELS).with_columns(pl.col(pl.Float64).fill_nan(None)))
    return pl.concat(tables)


def resamples_of(statistics: Statistics) -> Blocks:
    """The resamples behind statistics.

    Raises:
        UsageError: there are none.
    """
    if statistics.blocks is None:
        raise UsageError("there are no resamples to judge by", "plan them first")
    return statistics.blocks


def _columns(compared: Compared, most: Singles) -> dict[str, npt.NDArray[Any]]:
    contrast, judged = compared.contrast, compared.judged
    joint_low, joint_high = judged.interval(most)
    return {
        "value": contrast.left.value,
        "baseline": contrast.right.value,
        "delta": judged.value,
        "ci95_low": compared.low,
        "ci95_high": compared.high,
        "joint_low": joint_low,
        "joint_high": joint_high,
        "error": judged.error,
        "p": compared.p,
        "p_adjusted": judged.joint_p(most),
        "windows": contrast.difference.windows,
        "frames": contrast.difference.frames,
        "unmatched": contrast.unmatched,
    }
