"""What measured costs say: whether two runs' may stand beside each other, and whether merging makes a difference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from engine.i18n import gettext as _
from engine.i18n import listing, mark
from engine.schema import CostInfo

# Two-sided error of the interval of a median.
_ERROR = 0.05
# What a run without a description of its measuring records at most.
_ALWAYS = (mark("device"), mark("precision"), mark("image size"), mark("torch version"))


def cost_settings(info: CostInfo) -> dict[str, object]:
    """What decides a cost beside the model itself: name of the setting -> value; ``None`` where not recorded."""
    return {
        "device": info.device,
        "precision": info.dtype,
        "image size": info.image_width,
        mark("image height"): info.image_height,
        mark("frames in a window"): info.frames,
        mark("CPU threads"): info.threads,
        **{f"{library} version": version for library, version in info.libraries.items()},
    }


def judge_costs(settings: Sequence[Mapping[str, object]]) -> str | None:
    """One sentence on why speed and memory may not be compared between runs, or ``None`` where they may.

    Args:
        settings: of each run that has costs, as :func:`cost_settings` names them. Where no run records a setting that
            only a measurement of its own records, it is not asked for.
    """
    if len(settings) < 2:
        return None
    names = dict.fromkeys([*_ALWAYS, *(name for one in settings for name, value in one.items() if value is not None)])
    known = {name: {one[name] for one in settings if one.get(name) is not None} for name in names}
    differing = [name for name, values in known.items() if len(values) > 1]
    if differing:
        said = _("speed and memory are not comparable between the runs: different {settings}")
        return said.format(settings=listing(map(_, differing)))
    unknown = [name for name in names if any(one.get(name) is None for one in settings)]
    if unknown:
        said = _("speed and memory may not be comparable between the runs: {settings} not recorded")
        return said.format(settings=listing(map(_, unknown)))
    return None


@dataclass(frozen=True, slots=True)
class MergeEffect:
    """What merging does to the speed of a run's checkpoints.

    Attributes:
        checkpoints: how many were timed both ways, often enough to tell.
        faster: for how many merging is faster by more than the spread of the repetitions.
        slower: for how many it is slower by more than that.
        ratio: median over all of them of unmerged by merged latency; above 1 merging is faster.
    """

    checkpoints: int
    faster: int
    slower: int
    ratio: float


def merge_effect(costs: pl.DataFrame) -> MergeEffect | None:
    """Compare merged with unmerged timings, checkpoint by checkpoint.

    They differ by more than the spread of the repetitions where the 95 % intervals of their medians do not overlap.
    Repetitions follow each other within seconds: what changes more slowly (heat, other programs) is not in them.

    Args:
        costs: frame of schema :data:`engine.schema.MEASURED_COST`.

    Returns:
        The effect; ``None`` where no checkpoint has the timings that it takes.
    """
    from statistics import median  # late: it brings much along, and most readers of costs have no use for it

    # Figures that were not measured here have no single timings.
    times = {
        (name, merged): every or ()
        for name, merged, every in costs.select("checkpoint", "merged", "times_sec").iter_rows()
    }
    ratios, faster, slower = [], 0, 0
    for (name, merged), unmerged_times in times.items():
        if merged or (name, True) not in times:
            continue
        unmerged, other = median_interval(unmerged_times), median_interval(times[name, True])
        if unmerged is None or other is None:
            continue
        ratios.append(median(unmerged_times) / median(times[name, True]))
        faster += other[1] < unmerged[0]
        slower += other[0] > unmerged[1]
    return MergeEffect(len(ratios), faster, slower, median(ratios)) if ratios else None


def median_interval(values: Iterable[float]) -> tuple[float, float] | None:
    """The 95 % interval of the median that order statistics give, whatever the distribution.

    The interval from the k-th smallest to the k-th largest of n values misses the median with the probability
    2 P(X < k), X binomial with n and 1/2 (the sign test); k is the largest with at most 5 %.

    Returns:
        The two values; ``None`` for fewer than six, which give no such interval.
    """
    ordered = sorted(values)
    count = len(ordered)
    k, tail = 0, 0.0
    while k <= count // 2:
        tail += math.comb(count, k) / 2**count
        if 2 * tail > _ERROR:
            break
        k += 1
    return (ordered[k - 1], ordered[count - k]) if k else None
