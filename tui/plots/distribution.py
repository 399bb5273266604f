"""The distribution of a metric over frames: histogram and boxes, or a box alone where there are no frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.catalogue import Metric
from engine.i18n import gettext as _
from engine.i18n import ngettext, sentences
from engine.text import visible
from tui.format import metric_number, number
from tui.plots.panels import heading
from tui.plots.spec import Box, Figure, PlotSpec, Series, series_role

if TYPE_CHECKING:
    import polars as pl

    from engine.analysis.spread import Histogram


def distribution(metric: Metric, names: Sequence[str], histogram: Histogram, spread: pl.DataFrame) -> Figure:
    """Histograms one over another, a box of each below.

    Args:
        metric: which one.
        names: the checkpoints, in the order of their colours.
        histogram: their bins.
        spread: frame of schema :data:`engine.analysis.spread.SPREAD`.

    Returns:
        One panel; its note gives the figures of the boxes.
    """
    rows = {str(row["checkpoint"]): row for row in spread.iter_rows(named=True)}
    present = [name for name in names if name in rows]
    bins = histogram.bins.partition_by("checkpoint", as_dict=True)
    half = histogram.width / 2
    series: list[Series] = []
    centres: dict[float, tuple[float, float]] = {}
    for name in present:
        own = bins[name,]
        middles = [low + half for low in own["low"]]
        centres.update(zip(middles, zip(own["low"], own["high"], strict=True), strict=True))
        series.append(
            Series(
                visible(name),
                tuple(middles),
                tuple(own["share_pct"]),
                series_role(names.index(name)),
                "steps",
                width=histogram.width,
            )
        )
    peak = max((value for one in series for value in one.y if value is not None), default=1.0)
    decimals = _decimals(histogram.width)
    panel = PlotSpec(
        title=heading(metric),
        y_label=_("% of frames") if metric.region else _("% of windows"),
        x_label=visible(metric.heading),
        series=tuple(series),
        boxes=tuple(_quartiles(rows[name], series_role(names.index(name))) for name in present),
        y_limits=(0.0, peak),
        note=_beyond(histogram, present),
        digits=1,
        unit="%",
        x_names=tuple(
            (middle, _("{low} to {high}").format(low=number(low, decimals), high=number(high, decimals)))
            for middle, (low, high) in centres.items()
        ),
    )
    return Figure("distribution", (panel,), _figures(present, rows, metric))


def summary_boxes(metric: Metric, names: Sequence[str], summary: pl.DataFrame) -> Figure:
    """What a summary tells of a distribution: least, median, greatest, and mean ± standard deviation as a box.

    Args:
        metric: which one.
        names: the checkpoints, in the order of their colours.
        summary: frame of schema :data:`engine.schema.SUMMARY`.

    Returns:
        One panel with a row per checkpoint; without any where the summary tells the means alone.
    """
    rows = {
        str(row["checkpoint"]): row
        for row in summary.iter_rows(named=True)
        if row["metric"] == metric.key and None not in (row["mean"], row["std"], row["median"], row["min"], row["max"])
    }
    present = [name for name in names if name in rows]
    if not present:
        return Figure("distribution")
    deviations = {
        name: (rows[name]["mean"] - rows[name]["std"], rows[name]["mean"] + rows[name]["std"]) for name in present
    }
    left, right = min(low for low, _ in deviations.values()), max(high for _, high in deviations.values())
    room = right - left
    series, boxes = [], []
    for place, name in enumerate(reversed(present)):
        row, role = rows[name], series_role(names.index(name))
        low, high = row["min"], row["max"]
        # One far outlier must not press the boxes into a cell: its line leaves the frame, and the note gives it.
        shown = (max(low, left - room), min(high, right + room))
        series.append(Series("", shown, (float(place), float(place)), role, "scatter"))
        first, third = (min(max(end, low), high) for end in deviations[name])
        boxes.append(Box(low, first, row["median"], third, high, role, place))
    panel = PlotSpec(
        title=heading(metric),
        x_label=visible(metric.heading),
        series=tuple(series),
        boxes=tuple(boxes),
        y_names=tuple(visible(name) for name in reversed(present)),
        note=_("box: mean ± std, line: least to greatest, ◆ median"),
    )
    parts = []
    for name in present:
        mean, std, least, greatest = (metric_number(rows[name][key], metric) for key in ("mean", "std", "min", "max"))
        span = _("{low} to {high}").format(low=least, high=greatest)
        parts.append(f"{visible(name)} {mean} ± {std} ({span})")
    return Figure("distribution", (panel,), " │ ".join(parts))


def _quartiles(row: dict[str, Any], role: str) -> Box:
    return Box(row["p05"], row["q1"], row["median"], row["q3"], row["p95"], role)


def _figures(names: Sequence[str], rows: dict[str, dict[str, Any]], metric: Metric) -> str:
    parts = []
    for name in names:
        median, first, third = (metric_number(rows[name][key], metric) for key in ("median", "q1", "q3"))
        parts.append(f"{visible(name)} {median} ({first}–{third})")
    means = " │ ".join(metric_number(rows[name]["mean"], metric) for name in names)
    return sentences(
        [_("median {figures}").format(figures=" │ ".join(parts)), _("mean {figures}").format(figures=means)]
    )


def _beyond(histogram: Histogram, names: Sequence[str]) -> str:
    below, above = (sum(histogram.beyond[name][side] for name in names) for side in (0, 1))
    if below and above:
        return _("{below} below and {above} above the bins").format(below=below, above=above)
    if below:
        return ngettext("{count} below the bins", "{count} below the bins", below).format(count=below)
    if above:
        return ngettext("{count} above the bins", "{count} above the bins", above).format(count=above)
    return _("box: quartiles, line: 5 to 95 %, ◆ median")


def _decimals(step: float) -> int:
    """Decimals that tell edges apart that lie ``step`` apart."""
    return next((digits for digits in range(12) if abs(round(step, digits) - step) < 1e-6 * step), 12)
