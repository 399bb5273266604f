"""The best checkpoint of each run against its own baseline, metric by metric: the radar's information, lying down.

A radar in character cells has room for about eight rows per half axis, and its polygons of two runs and two baselines
cannot be told apart there; one line per metric on a common scale in percent can be read to a percent.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.catalogue import SCORE_KEY, Catalogue, Metric
from engine.i18n import gettext as _
from engine.i18n import listing
from engine.text import visible
from tui.format import percent
from tui.plots.panels import RunSeries
from tui.plots.spec import Marker, PlotSpec, Series, VLine

# How far the lines of several runs lie apart, in rows of one metric.
_SPREAD = 0.8


def profile_keys(region: str) -> tuple[str, ...]:
    """The axes of the profile, from the top."""
    return (
        f"depth.{region}.abs_rel",
        f"depth.{region}.delta1",
        f"depth.{region}.rmse",
        f"normals.{region}.inlier_30",
        f"normals.{region}.angular_mean",
        f"planarity.{region}.inlier_ratio",
        f"photometric.{region}.inlier_ratio",
        "pose.ate_trans",
    )


def profile_panel(
    runs: Sequence[RunSeries], catalogue: Catalogue, region: str
) -> tuple[PlotSpec | None, tuple[str, ...]]:
    """How much better or worse each metric is at the best checkpoint.

    x is 100 * direction * (value - baseline) / |baseline|: to the right is better for every metric. The best checkpoint
    is the one with the best score; for a run without a score, with the best first metric that it has.

    Args:
        runs: what to draw, a colour each.
        catalogue: labels and directions.
        region: the region of the depth and geometry metrics.

    Returns:
        The plot, or ``None`` where no run has a baseline and one of the metrics; and the metrics that no run has.
    """
    keys = profile_keys(region)
    gains = {id(run): _gains(run, keys, catalogue) for run in runs}
    axes = [key for key in keys if any(key in found for _checkpoint, found in gains.values())]
    missing = tuple(key for key in keys if not any(key in run.analysis.metrics for run in runs))
    if not axes:
        return None, missing
    series, markers = [], []
    for order, run in enumerate(runs):
        checkpoint, found = gains[id(run)]
        shift = _SPREAD * (0.5 - (order + 0.5) / len(runs))
        name = visible(f"{run.name} · {checkpoint}" if len(runs) > 1 else checkpoint)
        # Rows count from the bottom.
        points = [(found[key], len(axes) - 1 - row + shift) for row, key in enumerate(axes) if key in found]
        if len(runs) == 1:  # the stems of several runs would lie on one another
            series += [Series("", (0.0, x), (y, y), run.role) for x, y in points]
        series.append(Series("", tuple(x for x, _ in points), tuple(y for _, y in points), run.role, "scatter"))
        markers += [Marker(x, y, percent(x), run.role, name) for x, y in points]
    return (
        PlotSpec(
            title=_("best checkpoint against its baseline"),
            x_label=_("change in %, better to the right"),
            series=tuple(series),
            vlines=(VLine(0.0, "", "baseline"),),
            markers=tuple(markers),
            y_names=tuple(_axis_name(catalogue.get(key)) for key in reversed(axes)),
            note=listing(
                _("{run}: no baseline").format(run=visible(run.name)) for run in runs if run.analysis.baseline is None
            ),
            digits=1,
        ),
        missing,
    )


def _axis_name(metric: Metric) -> str:
    return f"{metric.shown} {metric.direction.arrow}"


def _gains(run: RunSeries, keys: Sequence[str], catalogue: Catalogue) -> tuple[str, dict[str, float]]:
    """The best checkpoint, and per metric how much better it is than the baseline, in percent."""
    analysis = run.analysis
    objective = next((key for key in (SCORE_KEY, *keys) if key in analysis.metrics), None)
    if objective is None or analysis.baseline is None:
        return "", {}
    rows = analysis.trained
    best = (rows.get_column(objective) * catalogue.get(objective).direction.sign).arg_max()
    if best is None:
        return "", {}
    checkpoint = str(rows.get_column("checkpoint")[best])
    found = {}
    for key in keys:
        value, baseline = analysis.value(checkpoint, key), analysis.value(analysis.baseline, key)
        sign = catalogue.get(key).direction.sign
        if value is not None and baseline and sign:
            found[key] = 100.0 * sign * (value - baseline) / abs(baseline)
    return checkpoint, found
