"""What it would take to be sure: windows, samples, and evaluations that can be paired."""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.advice import Advice, Decided
from engine.analysis.differences import Kind
from engine.analysis.purposes import Purpose
from engine.analysis.separation import Separation
from engine.catalogue import SCORE_KEY
from engine.report.document import Block, Bullets, Heading, Item, Line, Paragraph, fill, plain
from engine.report.facts import RunFacts
from engine.report.telling import Teller


def evaluation(teller: Teller) -> Iterator[Block]:
    """The part on evaluations."""
    _ = teller.gettext
    yield Heading(3, plain(_("What it would take to be sure")))
    yield Paragraph(
        fill(
            _(
                "Numbers of windows are for 80 % power at 5 %, two-sided, for that one question, if the difference is "
                "as large as it looks. Where it was picked as the largest of many, it is likely to be smaller, "
                "and more "
                "windows will be needed."
            ),
            legend=True,
        )
    )
    items = []
    for run in teller.runs:
        lines = [*_separations(teller, run.advice), *_pairing(teller, run)]
        if lines:
            items.append(Item(teller.strong(run.label), tuple(lines)))
    if teller.facts.advice is not None:
        lines = list(_separations(teller, teller.facts.advice))
        if lines:
            items.append(Item(plain(_("All runs together")), tuple(lines)))
    items += [Item(line) for line in _sample(teller)]
    yield Bullets(tuple(items) or (Item(plain(_("There is nothing to separate."))),))


def _separations(teller: Teller, advice: Advice) -> Iterator[Line]:
    _, words = teller.gettext, teller.words
    pick = advice.pick(Purpose.BALANCED)
    if pick is None or pick.decided in (Decided.ONLY, Decided.UNJUDGED):
        return
    for one in (pick.nearest, pick.taken if pick.taken != pick.nearest else None):
        if one is not None:
            yield _separation(teller, one)
    tied = len(pick.group) - 1
    if tied and pick.resolved:
        parts = [
            fill(_("{count} with {times} times as many windows"), count=count, times=times)
            for times, count in pick.resolved
        ]
        yield fill(
            words.ngettext(
                "Of the {tied} checkpoint tied with {leader}, expected to be told from it: {parts}.",
                "Of the {tied} checkpoints tied with {leader}, expected to be told from it: {parts}.",
                tied,
            ),
            denies=True,
            tied=tied,
            leader=pick.leader,
            parts=words.listing(parts),
        )


def _separation(teller: Teller, one: Separation) -> Line:
    _, words = teller.gettext, teller.words
    reach = "" if one.ci95 is None else words.interval(SCORE_KEY, *one.ci95)
    if one.windows is None or not reach:
        template = _(
            "Between {first} and {second} the score differs by {delta}; what it would take to tell them apart is "
            "not known."
        )
    elif one.needed is None:
        template = _(
            "{first} and {second} (score difference {delta}, 95 % interval {reach}) cannot be told apart by any "
            "number of windows worth naming; there are {windows}."
        )
    elif one.needed <= one.windows:
        template = _(
            "{first} and {second} (score difference {delta}, 95 % interval {reach}) are told apart as a single "
            "question; there are {windows} windows."
        )
    else:
        template = _(
            "To tell {first} from {second} (score difference {delta}, 95 % interval {reach}) would take about "
            "{needed} windows; there are {windows}."
        )
    return fill(
        template,
        denies=True,
        first=one.first,
        second=one.second,
        delta=words.difference(SCORE_KEY, one.delta),
        reach=reach,
        needed=words.count(one.needed or 0),
        windows=words.count(one.windows or 0),
    )


def _pairing(teller: Teller, run: RunFacts) -> Iterator[Line]:
    """Summaries are judged without pairing, and were made on other frames each."""
    _, words = teller.gettext, teller.words
    kinds = {cell.kind for cell in run.changes.values() if cell.kind}
    if Kind.PAIRED in kinds:
        return
    pair = run.material.facts.frame_counts.get(f"depth.{words.region}")
    if pair is not None and pair[0] != pair[1]:
        yield fill(
            _(
                "Its checkpoints were evaluated on {least} to {most} frames, not the same ones: nothing can be "
                "paired. Evaluated on one fixed sample with per-frame rows, checkpoints are compared frame by "
                "frame, which usually takes fewer windows."
            ),
            least=f"{pair[0]:,}",
            most=f"{pair[1]:,}",
        )
    elif kinds:
        yield plain(
            _(
                "Without per-frame rows nothing can be paired. Evaluated on one fixed sample with per-frame "
                "rows, checkpoints are compared frame by frame, which usually takes fewer windows."
            )
        )
    else:
        yield plain(_("Neither spreads nor per-frame rows are recorded: evaluate it again to judge anything."))


def _sample(teller: Teller) -> Iterator[Line]:
    _ = teller.gettext
    if len(teller.runs) > 1 and not teller.facts.comparability.comparable:
        yield plain(
            _(
                "Evaluate all runs on one sample, with one protocol and precision: then their values may be "
                "compared, and their checkpoints paired."
            )
        )
