"""What was paid for what: metrics that got worse while others got better, and parts of the data that lost."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from engine.analysis.deltas import Verdict
from engine.analysis.dynamics import Loss
from engine.report.document import Block, Bullets, Claim, Heading, Item, Line, Paragraph, fill, plain
from engine.report.facts import RunFacts
from engine.report.telling import Teller
from engine.report.words import claim


def tradeoffs(teller: Teller) -> Iterator[Block]:
    """The section."""
    _ = teller.gettext
    yield Heading(2, plain(_("Trade-offs")))
    yield Paragraph(
        fill(
            _(
                "What got worse than the baseline while something else got better, at the best checkpoint. Both are "
                "told from chance; that one caused the other is not."
            ),
            legend=True,
        )
    )
    items = [item for run in teller.runs for item in _run(teller, run)]
    yield Bullets(tuple(items) or (Item(plain(_("There is no checkpoint to look at."))),))


def _run(teller: Teller, run: RunFacts) -> Iterator[Item]:
    _, words = teller.gettext, teller.words
    found = run.payment
    if found is None or run.material.analysis.baseline is None:
        return
    head = fill(_("{run}, {checkpoint}"), run=teller.strong(run.label), checkpoint=found.checkpoint)
    below: list[Line] = []
    judged = [cell for cell in (*run.changes.values(), *run.rest.values()) if cell.verdict is not None]
    if not judged:
        below.append(fill(_("Nothing can be judged: no spreads are recorded."), denies=True))
    elif not found.lost:
        below.append(
            fill(
                _("Nothing is shown to be worse than the baseline, of {count} metrics judged."),
                denies=True,
                count=len(judged),
            )
        )
    else:
        if found.gained:
            gained = words.listing([teller.change(run, cell, interval=False) for cell in found.gained])
            claims = [one for cell in found.gained for one in claim(run.label, found.checkpoint, cell)]
            below.append(fill(_("Better: {changes}."), claims=claims, changes=gained))
        below += [_loss(teller, run, found.checkpoint, loss) for loss in found.lost]
    below += _slices(teller, run)
    yield Item(head, tuple(below))


def _loss(teller: Teller, run: RunFacts, checkpoint: str, loss: Loss) -> Line:
    _ = teller.gettext
    template = (
        _("Worse: {change}. It is worse at {times} of {judged} checkpoints, at all of them from {since} on.")
        if loss.since is not None and loss.times > 1
        else _("Worse: {change}. It is worse at {times} of {judged} checkpoints.")
    )
    return fill(
        template,
        claims=claim(run.label, checkpoint, loss.cell),
        change=teller.change(run, loss.cell, interval=True),
        times=loss.times,
        judged=loss.judged,
        since=loss.since or "",
    )


def _slices(teller: Teller, run: RunFacts) -> Iterator[Line]:
    """Drives and strata in which a metric that is better as a whole is worse."""
    _, words = teller.gettext, teller.words
    rows = run.slices
    if rows.is_empty():
        return
    kinds = {"drive": _("drive {name}"), "stratum": _("stratum {name}")}
    losing = rows.filter("loses")
    for row in losing.iter_rows(named=True):
        yield fill(
            _("{metric} is better as a whole and worse in {part} ({change})."),
            claims=[
                Claim(run.label, row["of"], row["checkpoint"], "", Verdict.BETTER),
                Claim(run.label, f"{row['by']}:{row['slice']}:{row['of']}", row["checkpoint"], "", Verdict.WORSE),
            ],
            metric=teller.metric(row["of"], [run]),
            part=kinds[row["by"]].format(name=row["slice"]),
            change=words.percent(row["delta_pct"]),
        )
    if losing.is_empty():
        judged = rows.drop_nulls("verdict")
        drives, strata = (
            judged.filter(pl.col("by") == name).get_column("slice").n_unique() for name in ("drive", "stratum")
        )
        if drives + strata:
            yield fill(
                _(
                    "In none of the {drives} drives and {strata} strata that can be judged is a metric worse "
                    "that is better as a whole."
                ),
                denies=True,
                drives=drives,
                strata=strata,
            )
        else:
            yield fill(_("Single drives and strata hold too few windows to be judged."), denies=True)
