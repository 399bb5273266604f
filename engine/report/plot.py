"""Plots as data: what is drawn, not how. :mod:`engine.report.svg` and :mod:`engine.report.text_plot` draw them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Curve:
    """One series of a line plot.

    Attributes:
        name: for the legend. Outside text.
        x: positions, rising.
        y: values; ``None`` leaves a gap.
        band: an interval at each position, or ``None`` there.
        level: a horizontal line that belongs to it (the baseline's value), or ``None``.
        best: the position in ``x`` of the point to mark, or ``None``.
        jumps: positions in ``x`` of points that follow a jump.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float | None, ...]
    band: tuple[tuple[float, float] | None, ...] = ()
    level: float | None = None
    best: int | None = None
    jumps: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LinePlot:
    """Curves over the checkpoints of a training.

    Attributes:
        title: what is drawn.
        x_label, y_label: of the axes.
        curves: at most four can be told apart.
        words: what the legend calls the dashed line, the marked point, a jump and the band.
        threshold: a horizontal line that belongs to no curve, or ``None``.
    """

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    words: tuple[str, str, str, str]
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One interval.

    Attributes:
        name: of the row. Outside text.
        series: which run it belongs to, an index into the plot's names.
        value: the point.
        low, high: the interval; ``None`` where it is not known.
        tone: ``better``, ``worse``, ``tied`` or empty.
        text: the value as text.
    """

    name: str
    series: int
    value: float
    low: float | None
    high: float | None
    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class IntervalPlot:
    """Points with their intervals about a line at 0, a row each.

    Attributes:
        title: what is drawn.
        x_label: of the axis.
        names: of the series.
        bars: rows, from top to bottom.
    """

    title: str
    x_label: str
    names: tuple[str, ...]
    bars: tuple[Bar, ...]


Plot = LinePlot | IntervalPlot

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers from ``low`` to ``high``: multiples of 1, 2, 2.5 or 5 times a power of ten, about ``count``.

    Args:
        low, high: finite, low < high.
        count: how many are wanted, at least 2; there may be fewer.
    """
    rough = (high - low) / max(1, count - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(mantissa * power for mantissa in _STEPS if mantissa * power >= rough * (1.0 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def tick_texts(values: Sequence[float]) -> list[str]:
    """Ticks with as many decimals as it takes to tell them apart."""
    for digits in range(7):
        texts = [f"{value:.{digits}f}" for value in values]
        if all(
            math.isclose(float(text), value, rel_tol=1e-6, abs_tol=1e-9)
            for text, value in zip(texts, values, strict=True)
        ):
            return [text.replace("-0", "0") if float(text) == 0.0 else text for text in texts]
    return [f"{value:.3g}" for value in values]


def extent(values: Iterable[float], *, margin: float = 0.06) -> tuple[float, float]:
    """The span of finite values with room at both ends; (0, 1) where there are none."""
    found = [value for value in values if math.isfinite(value)]
    if not found:
        return 0.0, 1.0
    low, high = min(found), max(found)
    room = (high - low) * margin or abs(high) * 0.1 or 1.0
    return low - room, high + room


def plot_span(plot: LinePlot) -> tuple[float, float]:
    """What the y axis of a line plot shows: all points, levels and the threshold, and bands as far as they stay near.

    A band that is wider than the points' own span is cut off at half of that span beyond them: a checkpoint that is
    hardly known must not flatten the curves.
    """
    points = [y for curve in plot.curves for y in curve.y if y is not None]
    points += [curve.level for curve in plot.curves if curve.level is not None]
    points += [] if plot.threshold is None else [plot.threshold]
    low, high = extent(points)
    reach = 0.5 * (high - low)
    ends = [end for curve in plot.curves for pair in curve.band if pair is not None for end in pair]
    if ends:
        low, high = min(low, max(min(ends), low - reach)), max(high, min(max(ends), high + reach))
    return low, high


def bar_span(plot: IntervalPlot) -> tuple[float, float]:
    """What the x axis of an interval plot shows: all points and 0, and intervals as far as they stay near."""
    points = [0.0, *(bar.value for bar in plot.bars)]
    low, high = extent(points)
    reach = 0.75 * (high - low)
    ends = [end for bar in plot.bars for end in (bar.low, bar.high) if end is not None]
    if ends:
        low, high = min(low, max(min(ends), low - reach)), max(high, min(max(ends), high + reach))
    return low, high
