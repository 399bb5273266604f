"""What a plot shows, as plain frozen data: no library of plots, tables or arrays is needed to describe one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

LineStyle = Literal["line", "dashed", "scatter", "steps"]

SERIES_SLOTS = 8
BASELINE, BEST, THRESHOLD, JUMP = "baseline", "best", "threshold", "jump"
BAND = "band-"  # and the number of the slot


def series_role(index: int) -> str:
    """The colour slot of the ``index``-th series (0-based): ``series-1`` to ``series-8``, then again from the first."""
    return f"series-{index % SERIES_SLOTS + 1}"


def band_role(role: str) -> str:
    """The colour slot of the band about a curve of that role: a weaker shade of its colour."""
    return f"{BAND}{role.removeprefix('series-')}" if role.startswith("series-") else f"{BAND}1"


@dataclass(frozen=True, slots=True)
class Series:
    """One curve or cloud of points.

    Attributes:
        name: its entry in the legend.
        x: positions, finite; a curve is drawn in the order of x.
        y: values, as many as ``x``; ``None`` (or a value that is not finite) leaves a gap.
        role: the colour slot, ``series-1`` to ``series-8`` or a named role.
        style: ``line``, ``dashed``, ``scatter`` (a sign per point), or ``steps`` (the outline of a histogram: each
            point is the middle of a bin).
        width: of a bin, for ``steps``.
        band: lower and upper end of an interval per point, as many as ``x``; ``None`` where there is none.
        band_name: its entry in the legend.
        label: what the readout calls it, where the name alone would be ambiguous among several panels.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float | None, ...]
    role: str = "series-1"
    style: LineStyle = "line"
    band: tuple[tuple[float | None, ...], tuple[float | None, ...]] | None = None
    label: str = ""
    width: float = 0.0
    band_name: str = ""

    def __post_init__(self) -> None:
        lengths = {len(self.x), len(self.y), *(len(end) for end in self.band or ())}
        if len(lengths) > 1:
            raise ValueError(f"series {self.name!r}: x, y and band differ in length")

    def points(self) -> Iterator[tuple[float, float]]:
        """The points that have a finite position and value."""
        for x, y in zip(self.x, self.y, strict=True):
            if y is not None and math.isfinite(x) and math.isfinite(y):
                yield x, y


@dataclass(frozen=True, slots=True)
class Marker:
    """A point that stands out: a diamond, drawn last, with its text beside it. That of the best checkpoint is gold.

    ``name`` is its entry in the legend; markers of one name and role share one.
    """

    x: float
    y: float
    text: str = ""
    role: str = BEST
    name: str = "best"


@dataclass(frozen=True, slots=True)
class HLine:
    """A horizontal line across the frame: dashed for a baseline, dotted for a threshold."""

    y: float
    text: str = ""
    role: str = BASELINE
    style: Literal["dashed", "dotted"] = "dashed"


@dataclass(frozen=True, slots=True)
class VLine:
    """A vertical line across the frame, such as a jump."""

    x: float
    text: str = ""
    role: str = JUMP


@dataclass(frozen=True, slots=True)
class Box:
    """Quartiles of a distribution in one line: whiskers from ``low`` to ``high``, a box, the median.

    It stands below the axis; in a plot with ``y_names`` in the row ``row`` of those. ``low <= first <= middle <= third
    <= high``.
    """

    low: float
    first: float
    middle: float
    third: float
    high: float
    role: str = "series-1"
    row: int = 0


@dataclass(frozen=True, slots=True)
class PlotSpec:
    """One plot.

    Attributes:
        title: the heading; the direction of better belongs here (``δ<1.25 ↑``).
        x_label: what x is.
        y_label: what y is, where the title does not say it already.
        series: curves, drawn in this order.
        hlines: drawn before the curves.
        vlines: drawn before the curves.
        markers: drawn last.
        boxes: drawn below the axis, on its scale.
        x_is_integer: whether ticks on x are whole numbers (checkpoints).
        y_limits: what the frame spans at least; ``None`` for what the values need, but for a few far outliers.
        y_names: names for y = 0, 1, 2, ... from the bottom, instead of a scale.
        note: a remark, shown at the right end of the heading.
        digits: decimals of a value in the readout.
        unit: what follows a value in the readout; one in percent is not compared with the value before in percent.
        changes: whether the readout says how a value differs from the one before it.
        x_names: names of positions for the readout, where they are not the number itself.
    """

    title: str
    x_label: str = ""
    y_label: str = ""
    series: tuple[Series, ...] = ()
    hlines: tuple[HLine, ...] = ()
    vlines: tuple[VLine, ...] = ()
    markers: tuple[Marker, ...] = ()
    boxes: tuple[Box, ...] = ()
    x_is_integer: bool = False
    y_limits: tuple[float, float] | None = None
    y_names: tuple[str, ...] = ()
    note: str = ""
    digits: int = 4
    unit: str = ""
    changes: bool = True
    x_names: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """One to four small plots that belong together.

    Attributes:
        title: the heading of the figure.
        panels: the plots.
        note: what could not be drawn and why, or empty.
    """

    title: str
    panels: tuple[PlotSpec, ...] = ()
    note: str = ""

    def positions(self) -> tuple[float, ...]:
        """Every x at which a curve of a panel with a numeric y has a place, ascending: where a cursor can stand."""
        return tuple(
            sorted(
                {x for panel in self.panels if not panel.y_names for s in panel.series for x in s.x if math.isfinite(x)}
            )
        )


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One entry of the legend: a sign in the colour of ``role``, and a name."""

    name: str
    role: str
    glyph: str
