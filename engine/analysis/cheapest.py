"""Which checkpoints cost the least, as far as their costs can be told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from engine.analysis.advice import CostFigure
from engine.analysis.costs import median_interval
from engine.analysis.overview import RunAnalysis
from engine.analysis.second import LATENCY, SAME_COST

# The first of these that all have decides; more is better for the second alone.
_COSTS = (LATENCY, "performance.fps", "performance.vram_mb")
_MORE_IS_BETTER = frozenset({"performance.fps"})


def cheapest(
    names: Sequence[str], analysis: RunAnalysis, timings: pl.DataFrame | None = None
) -> tuple[list[str], Callable[[str], CostFigure]] | None:
    """The checkpoints that cost as little as the cheapest.

    Latency decides, else speed, else memory. Two cost the same where they differ by at most 2 %, which is what the
    clock's own steadiness allows, or where the 95 % intervals of their median timings overlap.

    Args:
        names: those that stand for choice.
        analysis: the run.
        timings: single timings (schema :data:`engine.schema.MEASURED_COST`), where they are known.

    Returns:
        Them, and the figures to show with one of them; ``None`` where no cost is known of all.
    """
    for key in _COSTS:
        values = _values(analysis, names, key)
        if values is not None:
            break
    else:
        return None
    sign = -1.0 if key in _MORE_IS_BETTER else 1.0
    first = min(names, key=lambda name: (sign * values[name], names.index(name)))
    least = values[first]
    spans = _spans(timings, names) if key == LATENCY else {}
    equal = [
        name
        for name in names
        if abs(values[name] - least) <= SAME_COST * abs(least) or _overlap(spans.get(first), spans.get(name))
    ]

    def figure(name: str) -> CostFigure:
        return CostFigure(key, values[name], min(values.values()), max(values.values()), bool(spans), len(equal))

    return equal, figure


def _values(analysis: RunAnalysis, names: Sequence[str], key: str) -> dict[str, float] | None:
    found = {name: analysis.value(name, key) for name in names}
    known = {name: value for name, value in found.items() if value is not None}
    return known if len(known) == len(names) else None


def passes(timings: pl.DataFrame | None) -> dict[str, list[float]]:
    """Checkpoint -> seconds of its single passes, unmerged.

    Args:
        timings: schema :data:`engine.schema.MEASURED_COST`; ``None`` where nothing was timed alone.
    """
    if timings is None:
        return {}
    rows = timings.filter(~pl.col("merged")).select("checkpoint", "times_sec")
    return {name: list(times or ()) for name, times in rows.iter_rows()}


def _spans(timings: pl.DataFrame | None, names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Checkpoint -> interval of the median of its unmerged timings."""
    times = passes(timings)
    found = {name: median_interval(times.get(name, ())) for name in names}
    return {name: span for name, span in found.items() if span is not None}


def _overlap(first: tuple[float, float] | None, second: tuple[float, float] | None) -> bool:
    return first is not None and second is not None and first[0] <= second[1] and second[0] <= first[1]
