"""Numbers as text, the same on every screen, in every table and in reports. The language does not matter here."""

from __future__ import annotations

import math

MISSING = "–"


def number(value: float | None, digits: int) -> str:
    """A value with ``digits`` decimals, fewer where large, scientific where huge or tiny; ``–`` for null."""
    if value is None or not math.isfinite(value):
        return MISSING
    size = abs(value)
    if size >= 1e7 or (digits and 0 < size < 0.5 * 10**-digits):
        return f"{value:.2e}"
    if size >= 1e4:
        digits = min(digits, 0 if size >= 1e6 else 1)
    elif size >= 1e3:
        digits = min(digits, 2)
    return f"{value:.{digits}f}"


def signed(value: float | None, digits: int) -> str:
    """A difference with its sign; an exact zero has none."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = number(value, digits)
    return text if value <= 0 else f"+{text}"


def percent(value: float | None) -> str:
    """A change in percent with its sign and one decimal (two where it is tiny), no percent sign: ``+30.9``."""
    if value is None or not math.isfinite(value):
        return MISSING
    if abs(value) >= 1e5:
        return f"{value:+.1e}"
    if 0 < abs(value) < 0.05:
        return f"{value:+.2f}"
    return f"{value:+.0f}" if abs(value) >= 1e3 else f"{value:+.1f}"


def reach(interval: tuple[float, float] | None, baseline: float | None, digits: int) -> str:
    """Half the width of an interval of a change: ``±0.0041``, or with a baseline in percent of it, ``±1.2``.

    Args:
        interval: both ends; ``None`` gives nothing, and so does a baseline of 0.
        baseline: what the change is relative to; ``None`` leaves it in the metric's unit.
        digits: decimals in the metric's unit.
    """
    if interval is None or baseline == 0:
        return ""
    half = (interval[1] - interval[0]) / 2
    if baseline is None:
        return f"±{number(half, digits)}"
    return f"±{percent(100.0 * half / abs(baseline)).lstrip('+')}"
