"""What the metrics can tell: limits by construction, and the scale from chance to the truth."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from engine.analysis.calibration import Reading
from engine.analysis.known_limits import KnownLimit, Limit
from engine.report.document import Block, Bullets, Heading, Item, Line, Paragraph, Table, fill, heads, plain
from engine.report.facts import RunFacts
from engine.report.telling import Teller

_FAR = 1000.0


def limits(teller: Teller) -> Iterator[Block]:
    """The section."""
    _ = teller.gettext
    yield Heading(2, plain(_("What the metrics can tell")))
    some = False
    for run in teller.facts.runs:
        if not run.readings.is_empty():
            some = True
            yield _scale(teller, run)
    shared = _construction(teller)
    if shared:
        some = True
        yield Paragraph(
            fill(
                _("These figures are of a system whose formulas are known, and with them what its metrics cannot tell:")
            )
        )
        yield Bullets(tuple(map(Item, shared)))
    if not some:
        yield Paragraph(
            plain(
                _(
                    "Neither chance nor the truth was evaluated in these runs: how far a metric is from either "
                    "is not known."
                )
            )
        )
    yield Bullets((Item(plain(_("Conclusions hold for the drives that were evaluated, not for unseen ones."))),))


def _construction(teller: Teller) -> list[Line]:
    """A line per reason, with the metrics that it concerns."""
    _, words = teller.gettext, teller.words
    found: dict[tuple[str, Limit], dict[str, KnownLimit]] = {}
    for run in teller.facts.runs:
        for key, limit in run.limits.items():
            found.setdefault((limit.reason, limit.limit), {})[key] = limit
    lines = []
    for (reason, kind), metrics in found.items():
        names = words.listing([words.metric(key) for key in metrics])
        perfect = [
            _("{metric} {value}").format(metric=words.metric(key), value=_perfect(teller, key, limit))
            for key, limit in metrics.items()
            if limit.perfect is not None
        ]
        here = [
            _("{metric} {before} and {after} ({run})").format(
                metric=words.metric(key),
                before=words.value(key, cell.baseline),
                after=words.value(key, cell.value),
                run=run.label,
            )
            for run in teller.facts.runs
            for key, cell in run.changes.items()
            if key in metrics and metrics[key].perfect is not None and cell.baseline is not None
        ]
        line = fill(
            _("{metrics}: near chance; {reason}.")
            if kind is Limit.NEAR_CHANCE
            else _("{metrics}: distorted; {reason}."),
            metrics=names,
            reason=words.app_text(reason),
        )
        if perfect:
            template = (
                _("{line} A perfect prediction of a synthetic street gets {perfect}; baseline and best have {here}.")
                if here
                else _("{line} A perfect prediction of a synthetic street gets {perfect}.")
            )
            line = fill(template, line=line, perfect=words.listing(perfect), here=words.items(here))
        lines.append(line)
    return lines


def _perfect(teller: Teller, key: str, limit: KnownLimit) -> str:
    unit = teller.words.catalogue.get(key).unit
    gap = "" if unit in ("", "°") else " "
    return f"{limit.perfect:g}{gap}{unit}"


def _scale(teller: Teller, run: RunFacts) -> Table:
    _, words = teller.gettext, teller.words
    baseline, best = run.material.analysis.baseline, run.best
    readings = {
        Reading.INFORMATIVE: _("informative"),
        Reading.NEAR_CHANCE: _("not told from chance"),
        Reading.BELOW_CHANCE: _("below chance"),
        Reading.NO_SCALE: _("chance is nearly as good as the truth"),
    }
    head = [
        _("metric"),
        _("chance"),
        _("truth"),
        _("baseline on the scale"),
        _("{checkpoint} on the scale").format(checkpoint=best or ""),
        _("reading"),
    ]
    rows = []
    for key in run.readings.get_column("metric").unique(maintain_order=True):
        own = {row["checkpoint"]: row for row in run.readings.filter(pl.col("metric") == key).iter_rows(named=True)}
        row = own.get(best or "")
        if row is None:
            continue
        before = own.get(baseline or "")
        rows.append(
            (
                teller.metric(key, [run], unit=True),
                plain(words.value(key, row["chance"], unit=False)),
                plain(words.value(key, row["oracle"], unit=False)),
                plain(_percent(teller, None if before is None else before["percent"])),
                plain(_percent(teller, row["percent"])),
                plain(_("too few windows") if row["reading"] is None else readings[Reading(row["reading"])]),
            )
        )
    caption = fill(_("{run}: the scale from chance (0 %) to the truth (100 %)."), run=run.label)
    return Table(caption, heads(head), tuple(rows), frozenset({1, 2, 3, 4}))


def _percent(teller: Teller, value: float | None) -> str:
    if value is None:
        return ""
    # How far beyond the ends of the scale does not matter.
    return f"< {teller.words.share(-_FAR)}" if value < -_FAR else teller.words.share(value)
