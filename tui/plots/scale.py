"""Limits, ticks and their labels: the arithmetic of an axis."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Beyond this size a value says nothing on a linear axis, and differences of two such values could overflow.
LARGEST = 1e100
# Values this many interquartile ranges away would squeeze all others into one row.
_FENCE = 20.0
# More than this share of the values is no accident: they are shown, whatever it costs the others.
_FEW = 0.05
# A reference line may stretch the frame to this many times what the curves need.
_STRETCH = 3.0
_MARGIN = 0.05
WIDE_MARGIN = 0.14  # room for words beside the outermost points
_STEPS = (1.0, 2.0, 2.5, 5.0)


def drawable(value: float | None) -> bool:
    """Whether a value can be placed on an axis: there, finite and of a sane size."""
    return value is not None and math.isfinite(value) and abs(value) <= LARGEST


def extent(values: Iterable[float], references: Iterable[float] = ()) -> tuple[float, float]:
    """What an axis has to show.

    Args:
        values: drawable values; a few far outliers (20 interquartile ranges off) are left out of the frame.
        references: positions of lines that are taken in unless the frame would triple for them.

    Returns:
        Lower and upper end, lower < upper.
    """
    inside = _without_outliers(sorted(values))
    lines = list(references)
    if not inside:
        inside = sorted(lines) or [0.0]
    low, high = inside[0], inside[-1]
    room = _room(low, high)
    for line in sorted(lines, key=lambda value: max(low - value, value - high)):
        if max(high, line) - min(low, line) <= _STRETCH * room:
            low, high = min(low, line), max(high, line)
    if _constant(low, high):
        half = abs(low) * 0.1 if abs(low) > 1e-200 else 1.0
        return low - half, low + half
    return low, high


def padded(low: float, high: float, margin: float = _MARGIN) -> tuple[float, float]:
    """A span with free room at both ends, a share of it; none is made across zero."""
    pad = (high - low) * margin
    return (
        low - pad if low < 0 or low >= pad else 0.0,
        high + pad if high > 0 or -high >= pad else 0.0,
    )


def _room(low: float, high: float) -> float:
    """What the curves need; a flat curve is given room so that its baseline can be seen beside it."""
    return max(high - low, 0.1 * max(abs(low), abs(high)), 1e-290)


def _constant(low: float, high: float) -> bool:
    return high - low <= max(1e-12 * max(abs(low), abs(high)), 1e-290)


def _without_outliers(ordered: Sequence[float]) -> list[float]:
    if len(ordered) < 5:
        return list(ordered)
    first, _, third = statistics.quantiles(ordered, n=4)
    reach = _FENCE * (third - first)
    near = [value for value in ordered if first - reach <= value <= third + reach]
    few = max(1, math.floor(_FEW * len(ordered)))
    return near if reach > 0 and len(ordered) - len(near) <= few else list(ordered)


@dataclass(frozen=True, slots=True)
class Ticks:
    """Round positions on an axis and what to write there, of equal length."""

    values: tuple[float, ...]
    labels: tuple[str, ...]


def ticks(low: float, high: float, count: int, *, integer: bool = False) -> Ticks:
    """Round positions between ``low`` and ``high``.

    Args:
        low: lower end.
        high: upper end, above ``low``.
        count: how many at most, at least 1.
        integer: whether only whole numbers are allowed.

    Returns:
        At most ``count`` positions a step of 1, 2, 2.5 or 5 times a power of ten apart, with just the digits that tell
        them apart.
    """
    span = high - low
    exponent = math.floor(math.log10(span / max(count, 1))) - 1
    while True:
        for mantissa in (1.0, 2.0, 5.0) if integer else _STEPS:
            step = mantissa * 10.0**exponent
            if integer and step < 1:
                continue
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first < max(count, 1):
                values = [index * step for index in range(first, last + 1)]
                return Ticks(tuple(values), tuple(_labels(values, step, _digits(mantissa, exponent))))
        exponent += 1


def row_scale(low: float, high: float, rows: int) -> tuple[float, float, Ticks]:
    """Limits of a vertical axis of character cells whose ticks all lie exactly on rows, evenly apart.

    Args:
        low: least value to show.
        high: greatest value to show, above ``low``.
        rows: rows of the axis, at least 2; the limits are the values of the centres of the lowest and highest row.

    Returns:
        Lower and upper limit, which hold ``low`` and ``high``, and the ticks.
    """
    steps = rows - 1
    spacings = (2, 3, 4, 5) if rows < 9 else (3, 4, 5)
    exponent = math.floor(math.log10((high - low) / steps))
    candidates = sorted(
        (
            (mantissa, power, spacing)
            for power in range(exponent - 1, exponent + 3)
            for mantissa in _STEPS
            for spacing in spacings
        ),
        key=lambda c: (c[0] * 10.0 ** c[1] / c[2], -c[2]),
    )
    # At least two ticks, where there is a way.
    for least in (2, 1):
        for mantissa, power, spacing in candidates:
            step = mantissa * 10.0**power
            unit = step / spacing  # what one row is worth
            first = math.floor(low / unit + 1e-9)
            if (first + steps) * unit < high - 1e-9 * unit:
                continue
            # What is left over is shared between both ends, but nothing is shown below zero for its sake.
            spare = math.floor((first + steps) - high / unit + 1e-9) // 2
            first = max(first - spare, 0) if low >= 0 else first - spare
            bottom, top = first * unit, (first + steps) * unit
            marks = [index * step for index in range(-(-first // spacing), (first + steps) // spacing + 1)]
            if bottom < top and len(marks) >= least:
                return bottom, top, Ticks(tuple(marks), tuple(_labels(marks, step, _digits(mantissa, power))))
    low, high = padded(low, high)
    return low, high, ticks(low, high, max(2, rows // 3))


def name_scale(count: int, rows: int) -> tuple[float, float]:
    """Limits of an axis with ``count`` names at 0, 1, 2 and so on, as many whole rows apart as there is room for.

    Returns:
        Values of the centres of the lowest and highest row. With fewer rows than names, names share rows.
    """
    if rows < count:
        return -0.5, count - 0.5
    apart = rows // count
    low = -((rows - 1 - apart * (count - 1)) // 2) / apart
    return low, low + (rows - 1) / apart


def _digits(mantissa: float, power: int) -> int:
    """Decimals that tell multiples of ``mantissa * 10**power`` apart."""
    return max(0, -power + (mantissa == 2.5))


def _labels(values: Sequence[float], step: float, digits: int) -> list[str]:
    largest = max((abs(value) for value in values), default=0.0)
    if largest < 1e6 and digits <= 6:
        return [_fixed(value, digits) for value in values]
    # As many digits as lie between the largest value and the step.
    places = max(0, math.floor(math.log10(largest or step)) - math.floor(math.log10(step)))
    if f"{step:.1e}".startswith("2.5"):
        places += 1
    return [_scientific(value, min(places, 15)) for value in values]


def _fixed(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def _scientific(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    mantissa, power = f"{value:.{digits}e}".split("e")
    return f"{mantissa}e{int(power)}"
