"""Whether the runs may be compared: what decides it, run by run."""

from __future__ import annotations

from collections.abc import Iterator

from engine.analysis.comparability import Facts
from engine.report.document import Block, Bullets, Heading, Item, Line, Note, Paragraph, Table, code, fill, heads, plain
from engine.report.telling import Teller

_SHORT = 12


def comparing(teller: Teller) -> Iterator[Block]:
    """The section."""
    _, words = teller.gettext, teller.words
    yield Heading(2, plain(_("Comparability")))
    verdict, runs = teller.facts.comparability, teller.facts.runs
    if len(runs) > 1:
        text = (
            _("Protocol, alignment, precision and sample agree, or the baselines do: values may be compared.")
            if verdict.comparable
            else _(
                "Values may not be compared between the runs; the rows marked ≠ say why. Changes against each "
                "run's own baseline may be read side by side."
            )
        )
        yield Note(plain(text)) if not verdict.comparable else Paragraph(plain(text))
    table, blank = _table(teller)
    yield table
    if blank:
        yield Paragraph(fill(_("Not recorded in any run: {settings}."), settings=words.listing(blank)))
    items = []
    for run in runs:
        for family, (least, most) in run.material.facts.frame_counts.items():
            if least != most and family == f"depth.{words.region}":
                items.append(
                    fill(
                        _(
                            "{run}: the means of its checkpoints are over {least} to {most} frames with points "
                            "of the region, not the same ones."
                        ),
                        run=run.label,
                        least=f"{least:,}",
                        most=f"{most:,}",
                    )
                )
        items += [
            fill(_("{run}: left out {count} ({why})."), run=run.label, count=count, why=why)
            for why, count in sorted(run.material.metadata.left_out.items())
        ]
        items += [
            fill(_("{run}, note of the run: {note}"), run=run.label, note=note) for note in run.material.metadata.notes
        ]
        items += [
            fill(_("{run}, problem: {problem}"), run=run.label, problem=problem) for problem in run.material.problems
        ]
    items += [plain(note) for note in teller.facts.material.notes]
    if items:
        yield Bullets(tuple(map(Item, items)))


def _table(teller: Teller) -> tuple[Table, list[str]]:
    """What is known of any run, and the settings that are not."""
    _, words = teller.gettext, teller.words
    every = [run.material.facts for run in teller.facts.runs]
    unknown = _("not recorded")

    def row(name: str, values: list[object], *, as_code: bool = False) -> tuple[Line, ...]:
        known = {value for value in values if value is not None}
        differ = len(known) > 1
        cells = [
            plain(unknown) if value is None else Line((code(_shown(value)),)) if as_code else plain(_shown(value))
            for value in values
        ]
        return (plain(name), plain("≠" if differ else ""), *cells)

    def of(name: str) -> list[object]:
        return [getattr(facts, name) for facts in every]

    settings = [
        (_("protocol"), of("protocol")),
        (_("alignment"), of("align")),
        (_("one alignment for each"), of("align_scope")),
        (_("image preparation"), of("prepare")),
        (_("image width"), of("image_size")),
        (_("precision"), of("dtype")),
        (_("device"), of("device")),
    ]
    fingerprints: list[object] = [_fingerprint(facts) for facts in every]
    rows = [row(name, values) for name, values in settings if any(value is not None for value in values)]
    blank = [name for name, values in settings if all(value is None for value in values)]
    if any(value is not None for value in fingerprints):
        rows.append(row(_("sample fingerprint"), fingerprints, as_code=True))
    else:
        blank.append(_("sample fingerprint"))
    shared = _telling(every)
    if shared is not None and len(every) > 1:
        digits = words.catalogue.get(shared).digits
        name = _("{metric} of the baseline").format(metric=words.metric(shared))
        rows.append(row(name, [f"{facts.baseline[shared]:.{digits}f}" for facts in every]))
    head = [_("setting"), "", *(run.label for run in teller.facts.runs)]
    caption = fill(_("What decides whether values may be compared."))
    return Table(caption, heads(head), tuple(rows)), blank


def _fingerprint(facts: Facts) -> str | None:
    return None if facts.sample_fingerprint is None else facts.sample_fingerprint[:_SHORT]


def _shown(value: object) -> str:
    return str(value)


def _telling(every: list[Facts]) -> str | None:
    """A quality metric that all baselines have: the one that people know best."""
    shared = set.intersection(*(set(facts.baseline) for facts in every)) if every else set()
    return min(
        shared, key=lambda key: (not key.endswith(".building.abs_rel"), not key.endswith("abs_rel"), key), default=None
    )
