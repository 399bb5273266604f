"""From facts to a document in one language."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.i18n import Language, speaking
from engine.report.document import Block, Document, Heading, plain
from engine.report.facts import ReportFacts
from engine.report.sections.between import between
from engine.report.sections.choice import choice
from engine.report.sections.comparing import comparing
from engine.report.sections.cost import cost
from engine.report.sections.evaluation import evaluation
from engine.report.sections.following import following
from engine.report.sections.limits import limits
from engine.report.sections.opening import opening, title
from engine.report.sections.reproducing import generator, reproducing
from engine.report.sections.results import results
from engine.report.sections.stability import stability
from engine.report.sections.summary import summary
from engine.report.sections.tradeoffs import tradeoffs
from engine.report.sections.training import training
from engine.report.telling import Teller
from engine.report.words import Words


def compose(facts: ReportFacts, language: Language) -> Document:
    """The report.

    Args:
        facts: what there is to say.
        language: to say it in.
    """
    building = any(".building." in key for run in facts.runs for key in run.changes)
    teller = Teller(facts, Words(language, facts.material.catalogue, "building" if building else "full"))
    sections: list[Callable[[Teller], Iterable[Block]]] = [
        opening,
        summary,
        results,
        between,
        training,
        stability,
        cost,
        tradeoffs,
        _advice,
        comparing,
        limits,
        reproducing,
    ]
    # What comes from the rest of the program (names of metrics, reasons) is in the report's language, too.
    with speaking(language):
        blocks = [block for section in sections for block in section(teller)]
        return Document(title(teller), language, tuple(blocks), teller.gettext("Contents"), generator(teller))


def _advice(teller: Teller) -> list[Block]:
    heading = Heading(2, plain(teller.gettext("Advice")))
    return [heading, *choice(teller), *following(teller), *evaluation(teller)]
