"""The catalogue of the reports: complete, with the same places, and nothing English left in Chinese."""

from __future__ import annotations

import re
from string import Formatter

import pytest
from babel.messages.pofile import read_po
from support.reporting import D1, report_of, summary_run

from catalogues.update import extracted, state
from engine.analysis.known_limits import LIMITS
from engine.i18n import LOCALE, translations
from engine.report.compose import compose
from engine.report.facts import find_facts
from engine.report.names import METRICS, PURPOSES, REGIONS, VERDICTS

PO = LOCALE / "zh" / "LC_MESSAGES" / "report.po"


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_the_catalogue_is_complete_and_compiled() -> None:
    assert state("report", "zh").untranslated == ()
    with PO.open("rb") as file:
        written = read_po(file, locale="zh")
    compiled = translations("report", "zh")
    texts = [message for message in extracted("report") if message.id]
    for message in texts:
        known = written.get(message.id)
        assert known is not None and known.string, f"run python -m catalogues: {message.id!r}"
        if isinstance(message.id, str):
            assert compiled.gettext(message.id) == known.string
        else:
            assert (compiled.ngettext(*message.id, 2),) == tuple(known.string)


def test_every_translation_has_the_places_of_its_text() -> None:
    with PO.open("rb") as file:
        catalogue = read_po(file, locale="zh")
    checked = 0
    for message in catalogue:
        if not message.id:
            continue
        originals = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string)
        # The singular may do without the number.
        wanted = set.union(*(places(text) for text in originals))
        for text in strings:
            assert places(text) == wanted, (message.id, text)
        checked += 1
    assert checked == len([message for message in extracted("report") if message.id]) > 200


def test_every_name_and_every_reason_is_translated() -> None:
    report, app = translations("report", "zh"), translations("app", "zh")
    unlike = {"lorascope", "run", "checkpoint"}
    for text in (*METRICS.values(), *REGIONS.values(), *PURPOSES.values(), *VERDICTS.values()):
        assert report.gettext(text) != text or text in unlike, text
    for limit in LIMITS.values():
        assert app.gettext(limit.reason) != limit.reason, limit.reason


WORD = re.compile(r"\b(the|of|is|are|and|was|with|from|not|no|its|to|at)\b")


@pytest.mark.parametrize("protocol", ["v1", "compat"])
@pytest.mark.parametrize("std", [0.2, None])
def test_nothing_english_is_left_in_a_chinese_report(protocol: str, std: float | None) -> None:
    means = {"baseline": {D1: 0.4}} | {f"checkpoint_{index}": {D1: 0.1 * index} for index in range(8)}
    runs = [summary_run(label, means, std=std, protocol=protocol) for label in ("a_run", "b_run")]
    document = compose(find_facts(report_of(*runs)), "zh")
    for line in document.lines():
        plain = "".join(span.text for span in line.spans if span.style != "code")
        assert not WORD.search(plain), plain
