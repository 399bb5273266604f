"""One metric (or a pair of regions) of one or several runs as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.catalogue import Catalogue, Metric, region_shown
from engine.i18n import gettext as _
from engine.i18n import listing, mark
from engine.text import visible
from tui.format import metric_number, percent
from tui.plots.spec import HLine, Marker, PlotSpec, Series, VLine, series_role

if TYPE_CHECKING:
    from engine.analysis.bands import Intervals
    from engine.analysis.evidence import Evidence
    from engine.analysis.overview import RunAnalysis
    from engine.analysis.trends import Trend
    from engine.config import TrendConfig


@dataclass(frozen=True, eq=False)
class RunSeries:
    """A run to draw.

    Attributes:
        name: what the legend calls it; outside text.
        role: its colour slot, ``series-1`` to ``series-8``.
        analysis: its tables.
        evidence: what is known of its changes, where its band is to be drawn.
    """

    name: str
    role: str
    analysis: RunAnalysis
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class _Curve:
    """One metric of one run, with how it is drawn."""

    run: RunSeries
    metric: Metric
    trend: Trend
    role: str
    dashed: bool
    name: str
    label: str
    intervals: Intervals | None


# By what the intervals are of (see engine.analysis.bands) and what they were computed from.
_BAND_NAMES = {
    ("change", ("paired",)): mark("95 % of the change, paired"),
    ("change", ("unpaired",)): mark("95 % of the change, unpaired"),
    ("change", ("paired", "unpaired")): mark("95 % of the change, partly unpaired"),
    ("value", ("paired",)): mark("95 % of the mean"),
    ("value", ("unpaired",)): mark("95 % of the mean, by its spread"),
    ("value", ("paired", "unpaired")): mark("95 % of the mean, partly by its spread"),
}


def value_panel(keys: Sequence[str], runs: Sequence[RunSeries], catalogue: Catalogue, config: TrendConfig) -> PlotSpec:
    """Values over the checkpoints, with each run's baseline and its best checkpoint.

    One run: a colour per metric. Several: a colour per run, the second metric dashed and without lines of its own. The
    first metric has the band of its intervals, in runs that come with evidence.
    """
    curves = _curves(keys, runs, catalogue, config)
    several = len(curves) > 1
    hlines, markers = [], []
    for curve in curves:
        trend, metric = curve.trend, curve.metric
        if curve.dashed:
            continue
        if trend.baseline is not None:
            of = f" {curve.name}" if several else ""
            text = f"{_('baseline')}{of} {metric_number(trend.baseline, metric)}"
            hlines.append(HLine(trend.baseline, text, curve.role if several else "baseline"))
        best = None if trend.best is None else trend.values[trend.best]
        if trend.best is not None and best is not None:
            markers.append(Marker(trend.positions[trend.best], best, _best_text(best, curve), name=_("best")))
    return PlotSpec(
        title=_title(curves),
        x_label=_("checkpoint"),
        series=tuple(_with_band(_series(curve, curve.trend.values, curve.label), curve, several) for curve in curves),
        hlines=tuple(hlines),
        markers=tuple(markers),
        x_is_integer=True,
        note=_absent(keys, runs),
        digits=curves[0].metric.digits,
        x_names=_x_names(curves),
    )


def variation_panel(
    keys: Sequence[str], runs: Sequence[RunSeries], catalogue: Catalogue, config: TrendConfig
) -> PlotSpec:
    """Rolling variation in percent with the threshold, jumps as vertical lines, and from where on a run is stable."""
    curves = _curves(keys, runs, catalogue, config)
    alone = len(curves) == 1
    vlines = [
        VLine(
            curve.trend.positions[jump.index],
            f"{percent(jump.change_pct)} %" if alone and jump.change_pct is not None else "",
            "jump" if alone else curve.role,
        )
        for curve in curves
        for jump in curve.trend.jumps
    ]
    stable = [_short(curve.trend, curve.trend.plateau_index) for curve in curves]
    from_where = _("stable from {places}").format(places=" / ".join(stable))
    notes = (from_where if set(stable) != {"–"} else _("not stable"), _absent(keys, runs))
    peak = max((v for curve in curves for v in curve.trend.variation if v is not None), default=0.0)
    return PlotSpec(
        title=f"{_title(curves, arrow=False)} · {_('variation %')}",
        x_label=_("checkpoint"),
        series=tuple(_series(curve, curve.trend.variation, curve.label) for curve in curves),
        hlines=(HLine(config.threshold_pct, f"{config.threshold_pct:g} %", "threshold", "dotted"),),
        vlines=tuple(vlines),
        x_is_integer=True,
        y_limits=(0.0, max(peak, 1.5 * config.threshold_pct)),
        note=" · ".join(part for part in notes if part),
        digits=2,
        unit="%",
        x_names=_x_names(curves),
    )


def heading(metric: Metric, *, region: bool = True, arrow: bool = True) -> str:
    """A metric as a heading or an axis says it: ``RMSE m · building ↓``."""
    title = metric.title if region else metric.heading
    return f"{visible(title)} {metric.direction.arrow}" if arrow and metric.direction.sign else visible(title)


def _curves(keys: Sequence[str], runs: Sequence[RunSeries], catalogue: Catalogue, config: TrendConfig) -> list[_Curve]:
    from engine.analysis.bands import intervals_of
    from engine.analysis.trends import trend

    found = []
    for second, key in enumerate(keys):
        metric = catalogue.get(key)
        region = visible(region_shown(metric.region) or metric.shown) if len(keys) > 1 else ""
        shown = False
        for run in runs:
            if key not in run.analysis.metrics:
                continue
            of_run = visible(run.name) if len(runs) > 1 else ""
            found.append(
                _Curve(
                    run,
                    metric,
                    trend(run.analysis, key, config, catalogue=catalogue),
                    run.role if len(runs) > 1 else series_role(second),
                    second > 0 and len(runs) > 1,
                    region if second else of_run or region,
                    # Under the cursor the metric is said once, then only the runs.
                    of_run if shown else " ".join(part for part in (visible(metric.shown), region, of_run) if part),
                    intervals_of(run.evidence, key) if run.evidence is not None and not second else None,
                )
            )
            shown = True
    return found


def _series(curve: _Curve, values: tuple[float | None, ...], label: str) -> Series:
    return Series(
        name=curve.name,
        x=tuple(float(position) for position in curve.trend.positions),
        y=values,
        role=curve.role,
        style="dashed" if curve.dashed else "line",
        label=label,
    )


def _with_band(series: Series, curve: _Curve, several: bool) -> Series:
    """A curve with the band of its intervals, if there are any."""
    found, trend = curve.intervals, curve.trend
    ends = found.ends(trend.baseline) if found is not None else {}
    if found is None or not ends:
        return series
    lows, highs = (tuple(ends[name][side] if name in ends else None for name in trend.checkpoints) for side in (0, 1))
    name = _(_BAND_NAMES[found.of.value, tuple(kind.value for kind in found.kinds)])
    return replace(series, band=(lows, highs), band_name=f"{name} · {curve.name}" if several and curve.name else name)


def _best_text(best: float, curve: _Curve) -> str:
    text = metric_number(best, curve.metric)
    baseline = curve.trend.baseline
    if not baseline:
        return text
    return f"{text} ({percent(100 * (best - baseline) / abs(baseline))} %)"


def _title(curves: Sequence[_Curve], *, arrow: bool = True) -> str:
    metrics = {curve.metric.key: curve.metric for curve in curves}
    first = curves[0].metric
    if len(metrics) == 1:
        return heading(first, arrow=arrow)
    same = {metric.label for metric in metrics.values()} == {first.label}
    return heading(first, region=False, arrow=arrow) if same else listing(map(heading, metrics.values()))


def _absent(keys: Sequence[str], runs: Sequence[RunSeries]) -> str:
    """Which of several runs lack the panel's first metric, in words."""
    without = [visible(run.name) for run in runs if keys[0] not in run.analysis.metrics]
    return _("not measured in {runs}").format(runs=listing(without)) if without else ""


def _short(trend: Trend, index: int | None) -> str:
    if index is None:
        return "–"
    step = trend.steps[index]
    return str(step) if step is not None else visible(trend.checkpoints[index])


def _x_names(curves: Sequence[_Curve]) -> tuple[tuple[float, str], ...]:
    """Names of positions that are not the checkpoints' own numbers."""
    named: dict[float, str] = {}
    for curve in curves:
        trend = curve.trend
        if tuple(trend.steps) != trend.positions:
            for position, name in zip(trend.positions, trend.checkpoints, strict=True):
                named.setdefault(float(position), visible(name))
    return tuple(named.items())
