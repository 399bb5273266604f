"""A curve in one line of text, for a table's cell."""

from __future__ import annotations

from collections.abc import Sequence

from tui.plots.scale import drawable

_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII = "_.-=*#"


def sparkline(values: Sequence[float | None], width: int, *, plain: bool = False) -> str:
    """The course of ``values`` as ``width`` cells or fewer, from the least (``▁``) to the greatest (``█``).

    Args:
        values: in order; a missing value leaves a blank. More values than cells are averaged per cell.
        width: cells at most.
        plain: ASCII instead of blocks.

    Returns:
        ``min(width, len(values))`` characters, each one cell wide; a constant course is a line in the middle.
    """
    count = min(max(width, 0), len(values))
    signs = _ASCII if plain else _BLOCKS
    means: list[float | None] = []
    for index in range(count):
        part = values[index * len(values) // count : (index + 1) * len(values) // count]
        numbers = [value for value in part if value is not None and drawable(value)]
        means.append(sum(numbers) / len(numbers) if numbers else None)
    known = [value for value in means if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)
    middle = signs[(len(signs) - 1) // 2]

    def sign(value: float | None) -> str:
        if value is None:
            return " "
        if not high > low:
            return middle
        return signs[min(len(signs) - 1, int((value - low) / (high - low) * len(signs)))]

    return "".join(map(sign, means))
