"""The runs beside each other: their changes, and what tells those apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.analysis.across import GainDifference
from engine.analysis.deltas import Verdict
from engine.report.document import Block, Claim, Heading, Line, Paragraph, Table, fill, heads, plain
from engine.report.facts import MetricGains
from engine.report.telling import Teller


def between(teller: Teller) -> Iterator[Block]:
    """The section."""
    _ = teller.gettext
    if len(teller.runs) < 2 or not teller.facts.gains:
        return
    yield Heading(2, plain(_("The runs beside each other")))
    yield Paragraph(
        fill(
            _(
                "For each run the change of its best checkpoint against its own baseline, in percent of that baseline, "
                "and the difference of two such changes in percentage points. Intervals are corrected for every pair "
                "of checkpoints that could have been chosen."
            ),
            legend=True,
        )
    )
    pairs = list(
        dict.fromkeys((one.first.run, one.second.run) for row in teller.facts.gains for one in row.differences)
    )
    for first, second in pairs:
        yield _table(teller, first, second)
        yield Paragraph(_reading(teller, first, second))


def _table(teller: Teller, first: str, second: str) -> Table:
    _, words = teller.gettext, teller.words
    head = [_("metric"), "", first, second, _("difference (points)"), _("95 % interval"), _("ahead")]
    rows, tones = [], {}
    for row in teller.facts.gains:
        one = _pair(row, first, second)
        if one is None:
            continue
        metric = words.catalogue.get(row.metric)
        low_high = (
            ""
            if one.ci95 is None
            else _("{low} to {high}").format(low=f"{one.ci95[0]:+.1f}", high=f"{one.ci95[1]:+.1f}")
        )
        rows.append(
            (
                teller.metric(row.metric, teller.runs),
                plain(metric.direction.arrow if metric.direction.sign else ""),
                plain(words.percent(one.first.percent)),
                plain(words.percent(one.second.percent)),
                plain(f"{one.points:+.1f}"),
                plain(low_high),
                _verdict(teller, one),
            )
        )
        if one.ahead is not None:
            tones[len(rows) - 1, 6] = Verdict.BETTER.value
        elif one.ci95 is not None:
            tones[len(rows) - 1, 6] = Verdict.TIED.value
    caption = fill(_("{first} and {second}: changes against their own baselines."), first=first, second=second)
    return Table(caption, heads(head), tuple(rows), frozenset({2, 3, 4, 5}), tones)


def _pair(row: MetricGains, first: str, second: str) -> GainDifference | None:
    return next((one for one in row.differences if (one.first.run, one.second.run) == (first, second)), None)


def _verdict(teller: Teller, one: GainDifference) -> Line:
    words = teller.words
    if one.ci95 is None:
        return Line(plain(words.marked(None)).spans, denies=True)
    if one.ahead is None:
        return Line(plain(words.marked(Verdict.TIED)).spans, denies=True)
    return Line(plain(one.ahead).spans, (ahead_claim(one),))


def ahead_claim(one: GainDifference) -> Claim:
    """That one run is ahead of another in a metric."""
    other = one.second.run if one.ahead == one.first.run else one.first.run
    return Claim(one.ahead, one.first.metric, one.ahead or "", other, Verdict.BETTER)


def _reading(teller: Teller, first: str, second: str) -> Line:
    """What of it is shown, and what is direction only."""
    _, words = teller.gettext, teller.words
    found = [one for row in teller.facts.gains if (one := _pair(row, first, second)) is not None]
    shown = [one for one in found if one.ahead is not None]
    judged = [one for one in found if one.ci95 is not None]
    parts: list[Line] = []
    if shown:
        texts = [
            fill(
                _("{metric} ({run} ahead)"),
                claims=[ahead_claim(one)],
                metric=teller.metric(one.first.metric, teller.runs),
                run=one.ahead or "",
            )
            for one in shown
        ]
        parts.append(fill(_("A difference is shown in {metrics}."), metrics=words.listing(texts)))
    if judged and not shown:
        text = words.ngettext(
            "In the one metric that can be judged, no difference is shown.",
            "In none of the {count} metrics that can be judged is a difference shown.",
            len(judged),
        )
        parts.append(fill(text, denies=True, count=len(judged)))
    if not judged:
        parts.append(fill(_("No difference can be judged: no spreads are recorded."), denies=True))
    parts += _directions(teller, found, first, second)
    return teller.sentences(parts)


def _directions(teller: Teller, found: Sequence[GainDifference], first: str, second: str) -> Iterator[Line]:
    """By value alone: which run changed more for the better in what."""
    _, words = teller.gettext, teller.words
    for run, sign in ((first, 1.0), (second, -1.0)):
        ahead = [
            teller.metric(one.first.metric, teller.runs)
            for one in found
            if one.ahead is None and sign * words.catalogue.get(one.first.metric).direction.sign * one.points > 0
        ]
        if ahead:
            yield fill(
                _("By value alone, direction only, {run} is ahead in {metrics}."),
                denies=True,
                run=run,
                metrics=words.listing(ahead),
            )
