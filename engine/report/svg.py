"""Plots as SVG: small, scalable, readable without colour, on light ground and on dark.

Colours are those of classes (:mod:`engine.report.style`), so that a page can follow the reader's preference. Runs are
told apart by the form of their points as well as by colour. Every drawing has a title and a description for those who
cannot see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape

from engine.report.plot import Bar, Curve, IntervalPlot, LinePlot, Plot, bar_span, plot_span, tick_texts, ticks
from engine.text import visible

WIDTH = 720
_LINE_HEIGHT = 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 34, 46
_ROW, _NAMES, _VALUES = 22, 208, 72
_SHAPES = 4
# Wider than any character of the legend's font.
_CHARACTER = 7.2


def svg(plot: Plot, description: str, identity: str) -> str:
    """The drawing as an ``svg`` element.

    Args:
        plot: what to draw.
        description: what it shows, in words.
        identity: of the element: an XML name, unique on the page.

    Returns:
        One element without an XML declaration, for a page or a file of its own (which needs the style).
    """
    height, parts = _lines(plot, identity) if isinstance(plot, LinePlot) else _intervals(plot)
    return "\n".join(
        [
            f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-labelledby="{identity}-title {identity}-desc">',
            f'<title id="{identity}-title">{_text(plot.title)}</title>',
            f'<desc id="{identity}-desc">{_text(description)}</desc>',
            f'<rect class="ground" x="0" y="0" width="{WIDTH}" height="{height}"/>',
            *parts,
            "</svg>",
        ]
    )


def _lines(plot: LinePlot, identity: str) -> tuple[int, list[str]]:
    legend = _legend_rows(plot)
    top = _TOP + 18 * (len(legend) - 1)
    height = _LINE_HEIGHT + top - _TOP
    right, bottom = WIDTH - _RIGHT, height - _BOTTOM
    low, high = plot_span(plot)
    steps = [x for curve in plot.curves for x in curve.x] or [0.0]
    first, last = min(steps), max(steps)
    wide = last - first or 1.0

    def at_x(x: float) -> float:
        return _LEFT + (right - _LEFT) * (0.02 + 0.96 * (x - first) / wide)

    def at_y(y: float) -> float:
        return bottom - (bottom - top) * (y - low) / (high - low)

    parts = [
        f'<clipPath id="{identity}-clip"><rect x="{_LEFT}" y="{top}" width="{right - _LEFT}" '
        f'height="{bottom - top}"/></clipPath>'
    ]
    parts += _legend(legend)
    marks = ticks(low, high, 8)
    for value, text in zip(marks, tick_texts(marks), strict=True):
        y = at_y(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(_label(_LEFT - 8, y + 4, text, "end"))
    positions = [value for value in ticks(first, max(last, first + 1), 9) if value == int(value)]
    for value in positions:
        parts.append(_label(at_x(value), bottom + 18, f"{value:.0f}", "middle"))
    parts.append(f'<line class="axis" x1="{_LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}"/>')
    parts.append(_label((_LEFT + right) / 2, height - 10, plot.x_label, "middle", "name"))
    parts.append(
        f'<text class="name" transform="translate(14 {(top + bottom) / 2:.1f}) rotate(-90)" '
        f'text-anchor="middle">{_text(plot.y_label)}</text>'
    )
    parts.append(f'<g clip-path="url(#{identity}-clip)">')
    for index, curve in enumerate(plot.curves):
        parts += _band(curve, index, at_x, at_y)
    if plot.threshold is not None:
        y = at_y(plot.threshold)
        parts.append(f'<line class="threshold" x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
    for index, curve in enumerate(plot.curves):
        if curve.level is not None:
            y = at_y(curve.level)
            parts.append(
                f'<line class="level s{index % _SHAPES}" x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>'
            )
        parts += _course(curve, index, at_x, at_y)
    parts.append("</g>")
    return height, parts


def _course(curve: Curve, index: int, at_x: Callable[[float], float], at_y: Callable[[float], float]) -> Iterator[str]:
    places: list[tuple[int, float, float]] = []
    pieces: list[list[str]] = [[]]
    for place, (x, y) in enumerate(zip(curve.x, curve.y, strict=True)):
        if y is None:
            pieces.append([])
            continue
        places.append((place, at_x(x), at_y(y)))
        pieces[-1].append(f"{at_x(x):.1f},{at_y(y):.1f}")
    tone = f"s{index % _SHAPES}"
    for piece in pieces:
        if len(piece) > 1:
            yield f'<polyline class="line {tone}" points="{" ".join(piece)}"/>'
    for place, x, y in places:
        if place in curve.jumps:
            yield f'<path class="jump {tone}" d="M{x:.1f} {y - 15:.1f}v10m-3 -4l3 4l3 -4"/>'
        yield _shape(x, y, index, 3.0)
        if place == curve.best:
            yield f'<circle class="ring {tone}" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'


def _band(curve: Curve, index: int, at_x: Callable[[float], float], at_y: Callable[[float], float]) -> Iterator[str]:
    piece: list[tuple[float, float, float]] = []
    pairs = [*zip(curve.x, curve.band, strict=False), (0.0, None)]
    for x, pair in pairs:
        if pair is not None:
            piece.append((at_x(x), at_y(pair[0]), at_y(pair[1])))
            continue
        if len(piece) > 1:
            there = [f"{px:.1f},{upper:.1f}" for px, _, upper in piece]
            back = [f"{px:.1f},{lower:.1f}" for px, lower, _ in reversed(piece)]
            yield f'<polygon class="band s{index % _SHAPES}" points="{" ".join([*there, *back])}"/>'
        piece = []


def _shape(x: float, y: float, index: int, size: float) -> str:
    tone = f'class="point s{index % _SHAPES}"'
    match index % _SHAPES:
        case 0:
            return f'<circle {tone} cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}"/>'
        case 1:
            return (
                f'<rect {tone} x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size:.1f}" height="{2 * size:.1f}"/>'
            )
        case 2:
            points = (
                f"{x:.1f},{y - 1.2 * size:.1f} {x + 1.2 * size:.1f},{y + size:.1f} {x - 1.2 * size:.1f},{y + size:.1f}"
            )
        case _:
            r = 1.3 * size
            points = f"{x:.1f},{y - r:.1f} {x + r:.1f},{y:.1f} {x:.1f},{y + r:.1f} {x - r:.1f},{y:.1f}"
    return f'<polygon {tone} points="{points}"/>'


def _legend_rows(plot: LinePlot) -> list[list[tuple[str, str, int]]]:
    """Entries (kind, text, series) in rows that fit."""
    level, best, jump, band = plot.words
    entries = [("curve", curve.name, index) for index, curve in enumerate(plot.curves)]
    used = {
        ("level", level): any(curve.level is not None for curve in plot.curves),
        ("best", best): any(curve.best is not None for curve in plot.curves),
        ("jump", jump): any(curve.jumps for curve in plot.curves),
        ("band", band): any(pair is not None for curve in plot.curves for pair in curve.band),
    }
    entries += [(kind, text, -1) for (kind, text), there in used.items() if there]
    rows: list[list[tuple[str, str, int]]] = [[]]
    room = float(WIDTH - _LEFT)
    for entry in entries:
        need = _entry_width(entry[1])
        if rows[-1] and need > room:
            rows.append([])
            room = float(WIDTH - _LEFT)
        rows[-1].append(entry)
        room -= need
    return rows


def _entry_width(text: str) -> float:
    return 38.0 + _CHARACTER * sum(2 if ord(character) > 0x2E80 else 1 for character in visible(text))


def _legend(rows: Sequence[Sequence[tuple[str, str, int]]]) -> Iterator[str]:
    for number, row in enumerate(rows):
        x, y = float(_LEFT), 16.0 + 18 * number
        for kind, text, index in row:
            yield from _sign(kind, index, x, y)
            yield _label(x + 24, y + 4, text, "start", "legend")
            x += _entry_width(text)


def _sign(kind: str, index: int, x: float, y: float) -> Iterator[str]:
    match kind:
        case "curve":
            yield f'<line class="line s{index % _SHAPES}" x1="{x:.1f}" y1="{y:.1f}" x2="{x + 18:.1f}" y2="{y:.1f}"/>'
            yield _shape(x + 9, y, index, 3.0)
        case "level":
            yield f'<line class="level plain" x1="{x:.1f}" y1="{y:.1f}" x2="{x + 18:.1f}" y2="{y:.1f}"/>'
        case "best":
            yield f'<circle class="ring plain" cx="{x + 9:.1f}" cy="{y:.1f}" r="6"/>'
        case "jump":
            yield f'<path class="jump plain" d="M{x + 9:.1f} {y - 5:.1f}v10m-3 -4l3 4l3 -4"/>'
        case _:
            yield f'<rect class="band plain" x="{x:.1f}" y="{y - 5:.1f}" width="18" height="10"/>'


def _intervals(plot: IntervalPlot) -> tuple[int, list[str]]:
    top = _TOP if len(plot.names) > 1 else 12
    bottom = top + _ROW * len(plot.bars) + 4
    height = bottom + _BOTTOM
    left, right = _NAMES, WIDTH - _VALUES
    low, high = bar_span(plot)

    def at_x(x: float) -> float:
        return left + (right - left) * (min(max(x, low), high) - low) / (high - low)

    parts: list[str] = []
    if len(plot.names) > 1:
        x = float(left)
        for index, name in enumerate(plot.names):
            parts += [_shape(x + 5, 16, index, 4.0), _label(x + 16, 20, name, "start", "legend")]
            x += _entry_width(name)
    marks = ticks(low, high, 9)
    for value, text in zip(marks, tick_texts(marks), strict=True):
        tone = "zero" if value == 0.0 else "grid"
        parts.append(f'<line class="{tone}" x1="{at_x(value):.1f}" y1="{top}" x2="{at_x(value):.1f}" y2="{bottom}"/>')
        parts.append(_label(at_x(value), bottom + 18, text, "middle"))
    parts.append(_label((left + right) / 2, height - 8, plot.x_label, "middle", "name"))
    before = None
    for row, bar in enumerate(plot.bars):
        y = top + _ROW * (row + 0.5) + 2
        if bar.name != before and row:
            parts.append(
                f'<line class="grid" x1="8" y1="{y - _ROW / 2:.1f}" x2="{WIDTH - 8}" y2="{y - _ROW / 2:.1f}"/>'
            )
        if bar.name != before:
            parts.append(_label(left - 10, y + 4, bar.name, "end", "legend"))
        before = bar.name
        parts += _bar(bar, y, at_x, low, high)
        parts.append(_label(right + 8, y + 4, bar.text, "start"))
    return height, parts


def _bar(bar: Bar, y: float, at_x: Callable[[float], float], low: float, high: float) -> Iterator[str]:
    tone = bar.tone or "none"
    if bar.low is not None and bar.high is not None:
        ends = at_x(bar.low), at_x(bar.high)
        yield f'<line class="span {tone}" x1="{ends[0]:.1f}" y1="{y:.1f}" x2="{ends[1]:.1f}" y2="{y:.1f}"/>'
        for end, x, inside in ((bar.low, ends[0], bar.low >= low), (bar.high, ends[1], bar.high <= high)):
            if inside:
                yield f'<line class="span {tone}" x1="{x:.1f}" y1="{y - 4:.1f}" x2="{x:.1f}" y2="{y + 4:.1f}"/>'
            else:
                away = 5 if end == bar.low else -5
                back = f"{x + away:.1f}"
                yield f'<path class="span {tone}" d="M{back} {y - 4:.1f}L{x:.1f} {y:.1f}L{back} {y + 4:.1f}"/>'
    yield _shape(at_x(bar.value), y, bar.series, 4.0)


def _label(x: float, y: float, text: str, anchor: str, name: str = "tick") -> str:
    return f'<text class="{name}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_text(text)}</text>'


def _text(text: str) -> str:
    return escape(visible(text), quote=False)
