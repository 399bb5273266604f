"""The summary: what the data say, in a few points."""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.advice import Decided
from engine.analysis.purposes import Purpose
from engine.catalogue import SCORE_KEY
from engine.report.document import Block, Bullets, Heading, Item, Line, fill, plain
from engine.report.facts import RunFacts
from engine.report.sections.between import ahead_claim
from engine.report.sections.training import standing, told_jumps, until
from engine.report.telling import Teller


def summary(teller: Teller) -> Iterator[Block]:
    """The section."""
    _ = teller.gettext
    yield Heading(2, plain(_("Summary")))
    items = [item for run in teller.runs for item in _run(teller, run)]
    items += [Item(line) for line in _between(teller)]
    items += [Item(line) for line in _doubtful(teller)]
    items += _takes(teller)
    if not items:
        items = [Item(plain(_("No checkpoint of these runs has a value to talk about.")))]
    yield Bullets(tuple(items))


def _run(teller: Teller, run: RunFacts) -> Iterator[Item]:
    _, words = teller.gettext, teller.words
    best = run.best or ""
    balanced = run.advice.pick(Purpose.BALANCED)
    below: list[Line] = []
    if balanced is not None:
        cell = run.changes[SCORE_KEY]
        line = fill(
            _("{run}: {checkpoint} is the only checkpoint; its composite score is {score}.")
            if balanced.decided is Decided.ONLY
            else _("{run}: {checkpoint} has the highest composite score, {score}. {tie}"),
            run=teller.strong(run.label),
            checkpoint=teller.strong(best),
            score=teller.score_phrase(run, cell, best),
            tie=teller.tie(balanced),
        )
    else:
        line = fill(
            _("{run}: there is no composite score; {checkpoint} has the best value of {metric}."),
            run=teller.strong(run.label),
            checkpoint=teller.strong(best),
            metric=words.metric(run.objective),
        )
    cells = [cell for cell in run.changes.values() if cell.key != SCORE_KEY]
    phrases = teller.verdicts(run, cells)
    if phrases:
        below.append(
            fill(_("Against the baseline, {checkpoint}: {phrases}."), checkpoint=best, phrases=words.items(phrases))
        )
    below += _training(teller, run)
    yield Item(line, tuple(below))


def _training(teller: Teller, run: RunFacts) -> Iterator[Line]:
    """Where the depth accuracy jumped, and until when gains are shown."""
    key = next((key for key in run.courses if key.endswith(".delta1")), None) or next(iter(run.courses), None)
    if key is None:
        return
    course = run.courses[key]
    settled = until(teller, run, course)
    lines = [*standing(teller, run, course), *told_jumps(teller, run, course), *([] if settled is None else [settled])]
    if lines:
        yield fill(
            teller.gettext("{metric} over the training: {sentences}"),
            metric=teller.metric(key, [run]),
            sentences=teller.sentences(lines),
        )


def _between(teller: Teller) -> Iterator[Line]:
    """What differs between the runs."""
    _, words = teller.gettext, teller.words
    if len(teller.runs) < 2:
        return
    judged = [one for row in teller.facts.gains for one in row.differences if one.ci95 is not None]
    if not judged:
        yield fill(_("Whether the runs differ cannot be said: no spreads are recorded."), denies=True)
        return
    shown = [one for one in judged if one.ahead is not None]
    metrics = len({one.first.metric for one in judged})
    if not shown:
        yield fill(
            words.ngettext(
                "Between the best checkpoints of the runs, no difference is shown in the one metric that can be "
                "judged, each taken against its own baseline.",
                "Between the best checkpoints of the runs, no difference is shown in any of the {count} metrics that "
                "can be judged, each taken against its own baseline.",
                metrics,
            ),
            denies=True,
            count=metrics,
        )
        return
    parts = [
        fill(
            _("{metric} ({run} ahead by {points} points)"),
            claims=[ahead_claim(one)],
            metric=teller.metric(one.first.metric, teller.runs),
            run=one.ahead or "",
            points=f"{abs(one.points):.1f}",
        )
        for one in shown
    ]
    yield fill(
        _(
            "Between the best checkpoints of the runs, each against its own baseline, a difference is shown in "
            "{metrics}."
        ),
        metrics=words.listing(parts),
    )


def _doubtful(teller: Teller) -> Iterator[Line]:
    """Metrics that tell little, and why."""
    _, words = teller.gettext, teller.words
    pairs = [(run, key) for run in teller.facts.runs for key in run.changes]
    built = dict.fromkeys(key for run, key in pairs if teller.by_construction(run, key))
    if built:
        yield fill(
            _(
                "Near chance by construction, whatever is predicted: {metrics}. Changes in them, told from chance or "
                "not, say little about the model."
            ),
            metrics=words.listing([words.metric(key) for key in built]),
        )
    for run in teller.facts.runs:
        untold = [key for key in run.changes if teller.not_told(run, key)]
        if untold:
            yield fill(
                _(
                    "{run}: {checkpoint} is not shown to be better than chance (a constant depth, a camera that stands "
                    "still) in {metrics}."
                ),
                denies=True,
                run=teller.strong(run.label),
                checkpoint=run.best or "",
                metrics=words.listing([words.metric(key) for key in untold]),
            )


def _takes(teller: Teller) -> Iterator[Item]:
    """What to take, run by run, or over all where they may be compared."""
    _ = teller.gettext
    sources = [(run.label, run.advice) for run in teller.runs]
    if teller.facts.advice is not None:
        sources = [("", teller.facts.advice)]
    for label, advice in sources:
        below = [
            fill(
                _("{purpose}: {checkpoint}, {why}."),
                purpose=teller.purpose(pick),
                checkpoint=teller.strong(pick.checkpoint),
                why=teller.why(pick),
            )
            for pick in advice.picks
            if pick.decided is not Decided.ONLY
        ]
        if below:
            head = fill(_("To take from {run}:"), run=teller.strong(label)) if label else plain(_("To take:"))
            yield Item(head, tuple(below))
