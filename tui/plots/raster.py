"""The one door to plotext: pieces of line in cell coordinates in, rows of characters out.

plotext 6 draws on one global figure, is not thread-safe, and ends the process (not an exception: ``bad_alloc`` in its
C++ part) on NaN or on values far outside its limits. So nothing else imports it, one lock guards it, and it is only
ever given finite coordinates inside the canvas.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from engine.errors import LorascopeError
from tui.plots.lines import Polyline

BRAILLE = "braille"
_BLANK_BRAILLE = 0x2800
_lock = threading.Lock()


def raster(
    lines: Sequence[Polyline], width: int, height: int, marker: str = BRAILLE, *, joined: bool = True
) -> list[str]:
    """Draw pieces of line on an empty canvas.

    Args:
        lines: pieces in cell coordinates: x from 0 to ``width - 1``, y upwards from 0 to ``height - 1``.
        width: columns, at least 1.
        height: rows, at least 1.
        marker: ``braille`` (2 x 4 dots per cell) or the one-cell character to draw with.
        joined: whether the points of a piece are joined by a line.

    Returns:
        ``height`` rows of ``width`` characters, blank where nothing is drawn.

    Raises:
        ValueError: a coordinate lies outside the canvas or is not finite.
        LorascopeError: plotext cannot be loaded on this machine.
    """
    xs = [x for line in lines for x, _ in line]
    ys = [y for line in lines for _, y in line]
    # NaN fails both comparisons, so that it is refused too.
    if not all(0 <= x <= width - 1 for x in xs) or not all(0 <= y <= height - 1 for y in ys):
        raise ValueError(f"a point lies outside the canvas of {width} x {height} cells")
    if not xs:
        return [" " * width] * height
    starts = set()
    count = 0
    for line in lines:
        starts.add(count)
        count += len(line)
    with _lock:
        try:
            import plotext
        except ImportError as error:
            raise LorascopeError(f"plots cannot be drawn: {error}", "reinstall plotext") from None
        plotext.terminal.limit(False, False)
        figure = plotext.figure
        figure.clear()
        figure.plot_size(width, height)
        figure.axes(False)
        figure.ruler("x").lim(0, width - 1).ticks([])
        figure.ruler("y").lim(0, height - 1).ticks([])
        signal = figure.signal(xs, ys, marker=plotext.marker(marker))
        if joined:
            for index in range(count):
                signal.line(index, index not in starts)
        figure.draw(signal)
        text: str = figure.build().string(colorless=True)
    return [row.ljust(width)[:width] for row in text.split("\n")[:height]]


def merge_braille(below: str, above: str) -> str:
    """Both characters' dots in one cell where both are braille; else the upper one."""
    low, high = ord(below or " ") - _BLANK_BRAILLE, ord(above) - _BLANK_BRAILLE
    if 0 <= low < 256 and 0 <= high < 256:
        return chr(_BLANK_BRAILLE + (low | high))
    return above
