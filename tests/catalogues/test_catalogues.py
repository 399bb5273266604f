"""The catalogues hold every text of the sources, translated, with the same places, and are compiled."""

from __future__ import annotations

from string import Formatter

import pytest
from babel.messages.pofile import read_po

from catalogues.update import DOMAINS, ROOT, TRANSLATED, sources, state, texts_of
from engine.i18n import Domain

ALL = [(domain, language) for domain in DOMAINS for language in TRANSLATED]


@pytest.mark.parametrize(("domain", "language"), ALL)
def test_every_text_is_translated_and_compiled(domain: Domain, language: str) -> None:
    catalogue = state(domain, language)
    assert not catalogue.untranslated, "translate these in the .po, then: python -m catalogues"
    assert not catalogue.stale, "bring it up to date: python -m catalogues"


@pytest.mark.parametrize(("domain", "language"), ALL)
def test_translations_have_the_places_of_their_texts(domain: Domain, language: str) -> None:
    with state(domain, language).po.open("rb") as file:
        catalogue = read_po(file, locale=language)
    wrong = []
    for message in catalogue:
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string or ())
        # A plural form names what all forms together name.
        wanted = set().union(*map(places, ids))
        wrong += [message.id for string in strings if message.id and places(string) != wanted]
    assert not wrong


def places(text: str) -> set[str]:
    """The names in braces."""
    return {name for _literal, name, _spec, _conversion in Formatter().parse(text) if name is not None}


def test_a_head_names_no_person_and_no_day() -> None:
    text = state("app", "zh").text.decode()
    head = text.split("\n\n", 1)[0]
    assert "EMAIL" not in head
    assert "Date" not in head
    assert "Babel" not in head


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('_("a {x}").format(x=_("b"))', [("a {x}", None), ("b", None)]),
        ("f\"{_('a')} b\"", [("a", None)]),
        ('_("a " "b")', [("a b", None)]),
        ('pgettext("where", "a")', [("a", "where")]),
        ('ngettext("{n} a", "{n} as", n)', [(("{n} a", "{n} as"), None)]),
        ('X = {"k": mark("a"), "l": nmark("b", "bs")}', [("a", None), (("b", "bs"), None)]),
        ('Command("act", "k", "title", "Help.", footer=False)', [("title", None), ("Help.", None)]),
        ('class S:\n    HELP = """One\n    two."""', [("One two.", None)]),
        ("_(name)", []),
        ("other._('a')", []),
    ],
)
def test_texts_are_found_where_they_are_looked_up(source: str, found: list[object]) -> None:
    assert list(texts_of(source, "here")) == found


@pytest.mark.parametrize("source", ['_(f"a {x}")', 'ngettext("a", word, n)', "mark(f'a')", 'pgettext(place, "a")'])
def test_a_text_that_no_catalogue_can_hold_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match=r"here:1: write the text as it is"):
        list(texts_of(source, "here"))


def test_reports_have_a_catalogue_of_their_own() -> None:
    app, report = set(sources("app")), set(sources("report"))
    assert not app & report
    assert ROOT / "tui" / "app.py" in app
