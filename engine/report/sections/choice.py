"""Advice: which checkpoint for what, with what speaks for it and what it gives up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.analysis.advice import Absence, Advice, Behind, Decided, Pick
from engine.analysis.deltas import Verdict
from engine.analysis.purposes import Purpose
from engine.catalogue import SCORE_KEY
from engine.report.document import (
    Block,
    Bullets,
    Claim,
    Heading,
    Item,
    Line,
    Paragraph,
    Table,
    fill,
    heads,
    plain,
)
from engine.report.names import DOUBTFUL, PURPOSES
from engine.report.telling import Teller


def choice(teller: Teller) -> Iterator[Block]:
    """The part on checkpoints."""
    _ = teller.gettext
    yield Heading(3, plain(_("Which checkpoint")))
    yield Paragraph(
        fill(
            _(
                "Depth and geometry are ranked by their part of the composite score, balanced by all of it. Among "
                "checkpoints that cannot be told from the best one, the second criterion decides: the cheaper one "
                "where costs differ beyond their noise, else the steadier one over frames where that is beyond chance. "
                "Where neither tells them apart, the best value is taken; a tie is no equality."
            ),
            legend=True,
        )
    )
    for run in teller.runs:
        yield from _advice(teller, run.label, run.advice, run.label)
    joint = teller.facts.advice
    if joint is not None:
        yield from _advice(teller, _("all runs together"), joint, None)


def _advice(teller: Teller, title: str, advice: Advice, run: str | None) -> Iterator[Block]:
    _ = teller.gettext
    if advice.picks and all(pick.decided is Decided.ONLY for pick in advice.picks):
        only = advice.picks[0].checkpoint
        text = _("{run} has one checkpoint, {checkpoint}: there is nothing to choose.")
        yield Paragraph(fill(text, run=title, checkpoint=only))
        return
    if advice.picks:
        yield _table(teller, title, advice, run)
        told: set[str] = set()
        items = []
        for pick in advice.picks:
            # What a checkpoint gives up is told once.
            gaps = [] if pick.checkpoint in told else [*_worse(teller, pick, run), *_behind(teller, pick, run)]
            told.add(pick.checkpoint)
            items.append(Item(_head(teller, pick), (*_below(teller, pick, run), *gaps)))
        yield Bullets(tuple(items))
    missing = [Item(line) for line in _missing(teller, title, advice.missing)]
    if missing:
        yield Bullets(tuple(missing))


def _table(teller: Teller, title: str, advice: Advice, run: str | None) -> Table:
    _, words = teller.gettext, teller.words
    head = [_("for"), _("take"), _("value"), _("best value"), _("not told from it"), _("against the baseline")]
    rows, tones = [], {}
    for number, pick in enumerate(advice.picks):
        tied = len(pick.group) - 1 if pick.decided not in (Decided.UNJUDGED, Decided.ONLY) else None
        rows.append(
            (
                plain(teller.purpose(pick)),
                teller.strong(pick.checkpoint),
                plain(words.value(SCORE_KEY, pick.value)),
                fill(
                    _("{value} ({checkpoint})"),
                    value=words.value(SCORE_KEY, pick.leader_value),
                    checkpoint=pick.leader,
                ),
                plain("" if tied is None else _("{count} of {total}").format(count=tied, total=pick.total - 1)),
                _verdict(teller, pick, run),
            )
        )
        if pick.change.verdict is not None:
            tones[number, 5] = pick.change.verdict.value
    return Table(fill(_("{run}: what to take."), run=title), heads(head), tuple(rows), frozenset({2}), tones)


def _verdict(teller: Teller, pick: Pick, run: str | None) -> Line:
    """The objective's verdict. Only the composite score is a metric of its own, which a claim can name."""
    cell, words = pick.change, teller.words
    if cell.delta is None:
        return plain("")
    return Line(
        plain(words.marked(cell.verdict)).spans,
        tuple(_claims(pick, run)),
        cell.verdict in (Verdict.TIED, None),
    )


def _claims(pick: Pick, run: str | None) -> list[Claim]:
    if pick.change.verdict is None:
        return []
    key = SCORE_KEY if pick.purpose not in (Purpose.DEPTH, Purpose.GEOMETRY) else f"{SCORE_KEY}:{pick.purpose}"
    return [Claim(run, key, pick.checkpoint, "", pick.change.verdict)]


def _head(teller: Teller, pick: Pick) -> Line:
    _ = teller.gettext
    return fill(
        _("{purpose}: {checkpoint}, {why}."),
        purpose=teller.purpose(pick),
        checkpoint=teller.strong(pick.checkpoint),
        why=teller.why(pick),
    )


def _below(teller: Teller, pick: Pick, run: str | None) -> Iterator[Line]:
    _, words = teller.gettext, teller.words
    if pick.purpose is Purpose.CHEAPEST:
        yield from _cost(teller, pick)
    elif pick.purpose is Purpose.STABLE:
        yield from _spreads(teller, pick, run)
    else:
        yield fill(
            _("Ranked by {objective}. The best value is that of {leader}. {tie}"),
            objective=_objective(teller, pick),
            leader=pick.leader,
            tie=teller.tie(pick),
        )
        if any(_doubtful(teller, key) for key in pick.objective):
            keys = [key for key in pick.objective if _doubtful(teller, key)]
            yield fill(
                _("Part of what it is ranked by is marked {sign}: {metrics}. Read this advice with care."),
                sign=DOUBTFUL,
                metrics=words.listing([words.metric(key) for key in keys]),
            )


def _objective(teller: Teller, pick: Pick) -> Line:
    """``0.60 δ<1.25, 0.40 AbsRel``, or the composite score."""
    _, words = teller.gettext, teller.words
    if pick.purpose is Purpose.BALANCED:
        return plain(words.metric(SCORE_KEY))
    parts = [f"{weight:.2f} × {words.metric(key)}" for key, weight in pick.objective.items()]
    return words.listing(parts)


def _doubtful(teller: Teller, key: str) -> bool:
    return any(teller.doubtful(run, key) for run in teller.runs)


def _cost(teller: Teller, pick: Pick) -> Iterator[Line]:
    _, words = teller.gettext, teller.words
    if pick.cost is None:
        return
    figure = pick.cost
    yield fill(
        _(
            "Its {metric} is {value}; the {total} that stood for choice have {least} to {most}, and {equal} cost "
            "the same as the cheapest."
        ),
        metric=words.metric(figure.metric),
        value=words.value(figure.metric, figure.value),
        total=pick.total,
        least=words.value(figure.metric, figure.least),
        most=words.value(figure.metric, figure.most),
        equal=figure.equal,
    )
    if not figure.measured:
        yield fill(_("Costs are single figures: whether they differ by more than chance is not known."), denies=True)


def _spreads(teller: Teller, pick: Pick, run: str | None) -> Iterator[Line]:
    """Spreads over frames against those of the best value."""
    _, words = teller.gettext, teller.words
    if pick.second is not None:
        yield fill(
            _(
                "Of {total} checkpoints that cannot be told from the best by score, it has the smallest weighted "
                "standard deviation over frames, {value}."
            ),
            denies=True,
            total=pick.total,
            value=f"{pick.second.value:.3f}",
        )
    judged = [cell for cell in pick.spreads if cell.verdict is not None]
    told = [cell for cell in judged if cell.verdict is Verdict.BETTER]
    if pick.checkpoint != pick.leader and pick.spreads:
        if told:
            claims = [Claim(run, f"std:{cell.key}", pick.checkpoint, pick.leader, Verdict.BETTER) for cell in told]
            yield fill(
                _("Its spread is shown to be smaller than that of {leader} in {metrics}."),
                claims=claims,
                leader=pick.leader,
                metrics=words.listing([words.metric(cell.key) for cell in told]),
            )
        elif judged:
            yield fill(
                _("In no metric is its spread shown to be smaller than that of {leader}: direction only."),
                denies=True,
                leader=pick.leader,
            )
        else:
            yield fill(
                _(
                    "Whether its spread differs from that of {leader} cannot be judged without per-frame rows: "
                    "direction only."
                ),
                denies=True,
                leader=pick.leader,
            )
    if pick.variation is not None:
        yield fill(_("The rolling variation of the score there is {value}."), value=words.share(pick.variation))


def _worse(teller: Teller, pick: Pick, run: str | None) -> Iterator[Line]:
    """Where it falls behind even the baseline."""
    _, words = teller.gettext, teller.words
    if pick.worse:
        parts = [
            fill(_("{metric} ({change})"), metric=teller.metric(cell.key, teller.runs), change=words.change(cell))
            for cell in pick.worse
        ]
        claims = [Claim(run, cell.key, pick.checkpoint, "", Verdict.WORSE) for cell in pick.worse]
        yield fill(_("It is worse than the baseline in {metrics}."), claims=claims, metrics=words.listing(parts))


def _behind(teller: Teller, pick: Pick, run: str | None) -> Iterator[Line]:
    """What it gives up, told and untold."""
    _, words = teller.gettext, teller.words
    if pick.decided is Decided.ONLY:
        return
    told = [one for one in pick.behind if one.told]
    equal = [one for one in pick.behind if one.told is False]
    unknown = [one for one in pick.behind if one.told is None]
    parts: list[Line] = []
    if told:
        texts = [_gap(teller, one, run, pick.checkpoint) for one in told]
        parts.append(fill(_("It gives up, told from chance: {metrics}."), metrics=words.items(texts)))
    if equal:
        texts = [teller.metric(one.metric, teller.runs) for one in equal]
        parts.append(
            fill(_("It is not told from the best value in {metrics}."), denies=True, metrics=words.listing(texts))
        )
    if unknown:
        texts = [teller.metric(one.metric, teller.runs) for one in unknown]
        parts.append(fill(_("{metrics} cannot be judged."), denies=True, metrics=words.listing(texts)))
    if parts:
        yield teller.sentences(parts)


def _gap(teller: Teller, one: Behind, run: str | None, checkpoint: str) -> Line:
    _, words = teller.gettext, teller.words
    return fill(
        _("{metric} {value} against {best} at {leader}"),
        claims=[Claim(run, one.metric, checkpoint, one.leader, Verdict.WORSE)],
        metric=teller.metric(one.metric, teller.runs),
        value=words.value(one.metric, one.value),
        best=words.value(one.metric, one.leader_value),
        leader=one.leader,
    )


def _missing(teller: Teller, title: str, missing: Mapping[Purpose, Absence]) -> Iterator[Line]:
    _ = teller.gettext
    reasons = {
        Absence.NO_METRICS: _("the run did not measure what it takes"),
        Absence.NO_COSTS: _("neither speed nor memory is recorded"),
        Absence.COSTS_UNUSABLE: _("its recorded costs do not measure single checkpoints"),
        Absence.NO_SPREAD: _("no spreads are recorded"),
        Absence.ONE_CHECKPOINT: _("there is only one checkpoint"),
        Absence.NOTHING_LEFT: _("no checkpoint meets the limits"),
    }
    for purpose, reason in missing.items():
        yield fill(
            _("{run}, {purpose}: no advice, {reason}."),
            denies=True,
            run=title,
            purpose=_(PURPOSES[purpose]),
            reason=reasons[reason],
        )
