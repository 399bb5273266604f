"""The head of a report: what it is about, and how to read it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.report.document import Block, Heading, Line, Note, Paragraph, Table, code, fill, heads, plain
from engine.report.names import DOUBTFUL
from engine.report.telling import Teller
from engine.schema import Provenance


def title(teller: Teller) -> str:
    """The report's title."""
    return teller.gettext("LoRA fine-tuning: evaluation report")


def opening(teller: Teller) -> Iterator[Block]:
    """Title, runs, and what words and signs mean."""
    _, words = teller.gettext, teller.words
    runs = teller.facts.runs
    yield Heading(1, plain(title(teller)))
    names = words.listing([teller.strong(run.label) for run in runs])
    about = words.ngettext(
        "This report is about {runs}: the checkpoints of one LoRA fine-tuning against their baseline.",
        "This report is about {runs}: the checkpoints of {count} LoRA fine-tunings, each against its own baseline.",
        len(runs),
    )
    yield Paragraph(fill(about, runs=names, count=len(runs)))
    yield _runs(teller)
    yield Paragraph(
        fill(
            _(
                "A change is called better or worse only where its 95 % interval, corrected for all checkpoints of the "
                "run, leaves out zero. Where no difference is shown, these data do not tell the change from chance, "
                "and the interval says how large it may be. A change that cannot be judged has no interval: its "
                "direction is all that is known."
            ),
            legend=True,
        )
    )
    if teller.has_doubtful:
        yield Paragraph(
            fill(
                _(
                    "{sign} marks metrics that are near chance by construction, or in which the best checkpoint is not "
                    "told from chance: see the section on what the metrics can tell."
                ),
                legend=True,
                sign=DOUBTFUL,
            )
        )
    if len(runs) > 1 and not teller.facts.comparability.comparable:
        yield Note(
            fill(
                _(
                    "Values may not be compared between these runs (see the section on comparability); only changes "
                    "against each run's own baseline are."
                )
            )
        )


def _runs(teller: Teller) -> Table:
    _, words = teller.gettext, teller.words
    head = [_("run"), _("figures"), _("protocol"), _("checkpoints"), _("frames"), _("verdicts")]
    rows = []
    for run in teller.facts.runs:
        material = run.material
        rows.append(
            (
                teller.strong(run.label),
                plain(_provenance(teller, material.metadata.provenance)),
                Line((code(material.metadata.protocol.name),)),
                plain(str(material.analysis.trained.height)),
                plain(_frames(teller, material.facts.frame_counts)),
                plain(teller.basis(run)),
            )
        )
    caption = fill(words.ngettext("The run.", "The runs.", len(rows)))
    return Table(caption, heads(head), tuple(rows), frozenset({3}))


def _provenance(teller: Teller, provenance: Provenance) -> str:
    _ = teller.gettext
    match provenance:
        case Provenance.EVALUATED:
            return _("evaluated by lorascope")
        case Provenance.IMPORTED:
            return _("imported from another system")
        case Provenance.PUBLISHED:
            return _("as published")
        case Provenance.SYNTHETIC:
            return _("evaluated by lorascope on synthetic data")


def _frames(teller: Teller, counts: object) -> str:
    """The least and most frames behind the depth metrics of the report's region."""
    _ = teller.gettext
    known = dict(counts) if isinstance(counts, dict) else {}
    pair = known.get(f"depth.{teller.words.region}") or known.get("depth.full")
    if pair is None:
        return _("not recorded")
    least, most = pair
    return f"{least:,}" if least == most else _("{least} to {most}").format(least=f"{least:,}", most=f"{most:,}")
