"""Plots as lines of text, for Markdown: ASCII alone, so that columns stay columns in every font."""

from __future__ import annotations

import math

from engine.report.plot import IntervalPlot, LinePlot, Plot, bar_span, plot_span, tick_texts, ticks
from engine.text import columns_of, visible

COLUMNS, ROWS = 64, 13
_SIGNS = "o+x#"
_LEVELS = "-.=~"
_BEST = "@"


def text_plot(plot: Plot) -> list[str]:
    """The drawing as lines without trailing spaces."""
    lines = _lines(plot) if isinstance(plot, LinePlot) else _intervals(plot)
    return [line.rstrip() for line in lines]


def _lines(plot: LinePlot) -> list[str]:
    low, high = plot_span(plot)
    steps = [x for curve in plot.curves for x in curve.x] or [0.0]
    first, last = min(steps), max(steps)
    wide = last - first or 1.0
    cells = [[" "] * COLUMNS for _ in range(ROWS)]

    def row(y: float) -> int:
        return min(max(ROWS - 1 - math.floor((y - low) / (high - low) * ROWS), 0), ROWS - 1)

    def column(x: float) -> int:
        return round((x - first) / wide * (COLUMNS - 1))

    levels = [(curve.level, _LEVELS[index % len(_LEVELS)]) for index, curve in enumerate(plot.curves)]
    for level, sign in [*levels, (plot.threshold, ":")]:
        if level is not None:
            line = cells[row(level)]
            line[:] = [sign if cell == " " else cell for cell in line]
    for index, curve in enumerate(plot.curves):
        for place, (x, y) in enumerate(zip(curve.x, curve.y, strict=True)):
            if y is not None:
                there = cells[row(y)][column(x)]
                if place == curve.best:
                    cells[row(y)][column(x)] = _BEST
                elif there != _BEST:
                    cells[row(y)][column(x)] = _SIGNS[index % len(_SIGNS)]
    marks = ticks(low, high, 7)
    texts = dict(zip((row(value) for value in marks), tick_texts(marks), strict=True))
    width = max(map(len, texts.values()), default=0)
    lines = [f"{texts.get(number, ''):>{width}} |{''.join(line)}" for number, line in enumerate(cells)]
    lines.append(f"{'':>{width}} +{'-' * COLUMNS}")
    lines.append(f"{'':>{width}}  {_axis(first, last, column)}")
    return [*lines, f"{'':>{width}}  {visible(plot.x_label)}", *_legend(plot)]


def _axis(first: float, last: float, column: object) -> str:
    line = [" "] * (COLUMNS + 8)
    for value in ticks(first, max(last, first + 1), 8):
        if value != int(value) or value > last:
            continue
        text = f"{value:.0f}"
        start = max(0, column(value) - len(text) // 2)  # type: ignore[operator]
        if all(cell == " " for cell in line[max(0, start - 1) : start + len(text) + 1]):
            line[start : start + len(text)] = text
    return "".join(line)


def _legend(plot: LinePlot) -> list[str]:
    level, best, _, _ = plot.words
    lines = []
    for index, curve in enumerate(plot.curves):
        said = f"{_SIGNS[index % len(_SIGNS)]} {visible(curve.name)}"
        if curve.level is not None:
            said += f"   {_LEVELS[index % len(_LEVELS)] * 3} {level}"
        lines.append(said)
    if any(curve.best is not None for curve in plot.curves):
        lines.append(f"{_BEST} {best}")
    return lines


def _intervals(plot: IntervalPlot) -> list[str]:
    low, high = bar_span(plot)
    width = max((columns_of(visible(bar.name)) for bar in plot.bars), default=0)

    def column(x: float) -> int:
        return round((min(max(x, low), high) - low) / (high - low) * (COLUMNS - 1))

    lines = []
    before = None
    for bar in plot.bars:
        cells = [" "] * COLUMNS
        cells[column(0.0)] = ":"
        if bar.low is not None and bar.high is not None:
            start, end = column(bar.low), column(bar.high)
            for place in range(start, end + 1):
                cells[place] = "-" if cells[place] == " " else cells[place]
            cells[start] = "|" if bar.low >= low else "<"
            cells[end] = "|" if bar.high <= high else ">"
        cells[column(bar.value)] = _SIGNS[bar.series % len(_SIGNS)]
        name = visible(bar.name) if bar.name != before else ""
        before = bar.name
        lines.append(f"{name}{' ' * (width - columns_of(name))}  {''.join(cells)}  {bar.text}")
    legend = [f"{_SIGNS[index % len(_SIGNS)]} {visible(name)}" for index, name in enumerate(plot.names)]
    return [*lines, f"{'':<{width}}  {visible(plot.x_label)}", *legend]
