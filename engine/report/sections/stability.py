"""How steady the runs are: over the training, and over frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.catalogue import SCORE_KEY
from engine.number_text import MISSING
from engine.report.document import Block, Figure, Heading, Line, Paragraph, Table, fill, heads, plain
from engine.report.facts import RunFacts
from engine.report.plot import Curve, LinePlot
from engine.report.telling import Teller


def stability(teller: Teller) -> Iterator[Block]:
    """The section."""
    _ = teller.gettext
    runs = [run for run in teller.runs if run.courses]
    if not runs:
        return
    trends = teller.facts.material.config.trends
    yield Heading(2, plain(_("Stability")))
    yield Paragraph(
        fill(
            _(
                "Rolling variation is the standard deviation of {window} neighbouring checkpoints in percent of their "
                "mean. It describes the curve; it is no test. The spread over frames is the standard deviation of the "
                "metric over frames at the best checkpoint."
            ),
            legend=True,
            window=trends.window,
        )
    )
    yield _table(teller, runs, f"{trends.threshold_pct:g}")
    keys = list(dict.fromkeys(key for run in runs for key in run.courses))
    key = next((key for key in keys if key.endswith(".delta1")), keys[0])
    figure = _figure(teller, [run for run in runs if key in run.courses], key, trends.threshold_pct)
    if figure is not None:
        yield figure


def _table(teller: Teller, runs: Sequence[RunFacts], threshold: str) -> Table:
    _, words = teller.gettext, teller.words
    head = [
        _("run"),
        _("metric"),
        _("largest rolling variation"),
        _("at"),
        _("below {threshold} % to the end from").format(threshold=threshold),
        _("spread over frames"),
    ]
    rows = []
    for run in runs:
        for key, course in run.courses.items():
            found = course.trend
            known = [(value, index) for index, value in enumerate(found.variation) if value is not None]
            if not known:
                continue
            most, place = max(known)
            spread = run.material.analysis.stds.filter(run.material.analysis.stds["checkpoint"] == run.best)
            std = spread[key][0] if key != SCORE_KEY and key in spread.columns else None
            rows.append(
                (
                    plain(run.label),
                    teller.metric(key, [run]),
                    plain(words.share(most)),
                    plain(found.checkpoints[place]),
                    plain(found.plateau_from or MISSING),
                    plain(words.value(key, std) if std is not None else ""),
                )
            )
    return Table(fill(_("Rolling variation over the training.")), heads(head), tuple(rows), frozenset({2, 5}))


def _figure(teller: Teller, runs: Sequence[RunFacts], key: str, threshold: float) -> Figure | None:
    _, words = teller.gettext, teller.words
    curves = [
        Curve(run.label, tuple(map(float, run.courses[key].trend.positions)), run.courses[key].trend.variation)
        for run in runs
    ]
    if not any(value is not None for curve in curves for value in curve.y):
        return None
    name = words.metric(key)
    plot = LinePlot(
        title=_("Rolling variation of {metric}").format(metric=name),
        x_label=_("checkpoint"),
        y_label=_("rolling variation (%)"),
        curves=tuple(curves),
        words=(_("baseline"), _("best value"), _("jump told from noise"), _("95 % interval of the change")),
        threshold=threshold,
    )
    caption: Line = fill(
        _("Rolling variation of {metric}; the line is the threshold of {threshold} %."),
        metric=teller.metric(key, runs),
        threshold=f"{threshold:g}",
    )
    return Figure(plot, caption, caption)
