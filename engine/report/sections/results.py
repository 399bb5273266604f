"""Baseline against best checkpoint, a table and a figure per run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.analysis.comparison import Cell
from engine.catalogue import SCORE_KEY
from engine.report.document import Block, Figure, Heading, Line, Paragraph, Table, fill, heads, plain
from engine.report.facts import RunFacts
from engine.report.plot import Bar, IntervalPlot
from engine.report.telling import Teller
from engine.report.words import claim


def results(teller: Teller) -> Iterator[Block]:
    """The section."""
    _, words = teller.gettext, teller.words
    yield Heading(2, plain(_("Baseline and best checkpoint")))
    region = _region(teller)
    if region:
        yield Paragraph(region)
    for run in teller.runs:
        yield Heading(3, fill(_("{run}: {checkpoint}"), run=run.label, checkpoint=run.best or ""))
        yield change_table(
            teller,
            run,
            list(run.changes.values()),
            fill(
                words.ngettext(
                    "{run}: the baseline and {checkpoint}. Intervals are of the change.",
                    "{run}: the baseline and {checkpoint}. Intervals are of the change, corrected for {looks} "
                    "checkpoints.",
                    run.looks,
                ),
                run=run.label,
                checkpoint=run.best or "",
                looks=run.looks,
            ),
        )
        if run.rest:
            yield Paragraph(_rest(teller, run))
    figure = _figure(teller)
    if figure is not None:
        yield figure
    if not teller.runs:
        yield Paragraph(plain(_("No checkpoint of these runs has a value.")))


def change_table(teller: Teller, run: RunFacts, cells: Sequence[Cell], caption: Line) -> Table:
    """Metrics of a checkpoint beside the baseline's, with change, interval and verdict."""
    _, words = teller.gettext, teller.words
    head = [_("metric"), "", _("baseline"), run.best or "", _("change"), _("95 % interval"), _("verdict")]
    rows, tones = [], {}
    for number, cell in enumerate(cells):
        metric = words.catalogue.get(cell.key)
        rows.append(
            (
                teller.metric(cell.key, [run], unit=True),
                plain(metric.direction.arrow if metric.direction.sign else ""),
                plain(words.value(cell.key, cell.baseline, unit=False)),
                plain(words.value(cell.key, cell.value, unit=False)),
                plain(words.change(cell) if cell.delta is not None else ""),
                plain(words.relative(cell)),
                Line(
                    plain(words.marked(cell.verdict) if cell.delta is not None else "").spans,
                    tuple(claim(run.label, run.best or "", cell)),
                    cell.verdict is None or cell.verdict == "tied",
                ),
            )
        )
        if cell.verdict is not None:
            tones[number, 6] = cell.verdict.value
    return Table(caption, heads(head), tuple(rows), frozenset({2, 3, 4, 5}), tones)


def _region(teller: Teller) -> Line | None:
    _ = teller.gettext
    if not any(".building." in key for run in teller.runs for key in run.changes):
        return None
    return plain(_("Regional metrics are of building points unless another region is named."))


def _rest(teller: Teller, run: RunFacts) -> Line:
    """Whether the rest of the image paid."""
    _, words = teller.gettext, teller.words
    phrases = teller.verdicts(run, list(run.rest.values()))
    return fill(
        _("Outside buildings, {checkpoint}: {phrases}."), checkpoint=run.best or "", phrases=words.items(phrases)
    )


def _figure(teller: Teller) -> Figure | None:
    """Every change with its interval, all runs in one picture."""
    _, words = teller.gettext, teller.words
    keys = list(dict.fromkeys(key for run in teller.runs for key in run.changes))
    bars = []
    for key in keys:
        for index, run in enumerate(teller.runs):
            cell = run.changes.get(key)
            if cell is None or cell.delta_pct is None or not cell.baseline:
                continue
            scale = 100.0 / abs(cell.baseline)
            low, high = (None, None) if cell.joint95 is None else (cell.joint95[0] * scale, cell.joint95[1] * scale)
            metric = words.catalogue.get(key)
            name = f"{teller.metric(key, teller.runs).text} {metric.direction.arrow}"
            tone = "" if cell.verdict is None else cell.verdict.value
            bars.append(Bar(name, index, cell.delta_pct, low, high, tone, words.percent(cell.delta_pct)))
    if not bars:
        return None
    title = _("Change against the baseline")
    plot = IntervalPlot(
        title, _("change against the baseline (%)"), tuple(run.label for run in teller.runs), tuple(bars)
    )
    shown = [
        fill(
            _("{run}, {metric}: {change}"),
            run=run.label,
            metric=words.metric(SCORE_KEY),
            change=words.change(run.changes[SCORE_KEY]),
        )
        for run in teller.runs
        if SCORE_KEY in run.changes
    ]
    description = fill(
        _("Changes of {count} metrics in percent of the baseline, with 95 % intervals. {score}"),
        count=len(keys),
        score=words.items(shown),
    )
    caption = plain(
        _(
            "Changes against each run's own baseline with 95 % intervals, corrected for all checkpoints; arrows "
            "say which way a metric gets better."
        )
    )
    return Figure(plot, Line(caption.spans, legend=True), description)
