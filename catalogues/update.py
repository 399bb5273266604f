"""Texts out of the sources into catalogues, and catalogues compiled: what ``pybabel extract|update|compile`` does,
for the domains of this project, with one answer to the question whether all is up to date.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from engine.i18n import LANGUAGES, LOCALE, Domain

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "engine" / "report"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "mark": None,
    "nmark": (1, 2),
}
DOMAINS: tuple[Domain, ...] = get_args(Domain)
TRANSLATED = tuple(language for language in LANGUAGES if language != "en")


@dataclass(frozen=True, slots=True)
class State:
    """One catalogue: its file, what it should hold, and what is wrong with what it holds."""

    po: Path
    text: bytes  # of the .po file, brought up to date
    compiled: bytes  # of the .mo file
    untranslated: tuple[str, ...]
    stale: bool  # the files on disk differ from the two above


def sources(domain: Domain) -> Iterator[Path]:
    """The modules whose texts belong to a domain."""
    for package in ("engine", "tui"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if (REPORT in path.parents) == (domain == "report"):
                yield path


def extracted(domain: Domain) -> Catalog:
    """Every text of a domain, in the order of the sources; places are left out, for they would change all the time."""
    catalog = Catalog(project="lorascope", charset="utf-8")
    for path in sources(domain):
        for _, message, comments, context in extract_from_file(
            "python", path, keywords=KEYWORDS, comment_tags=("Translators:",)
        ):
            catalog.add(message, auto_comments=comments, context=context)
    return catalog


def state(domain: Domain, language: str) -> State:
    """A catalogue as it should be: known translations kept, texts that are gone left out."""
    po = LOCALE / language / "LC_MESSAGES" / f"{domain}.po"
    if po.exists():
        with po.open("rb") as file:
            catalog = read_po(file, locale=language)
    else:
        catalog = Catalog(locale=language, project="lorascope", charset="utf-8")
    catalog.update(extracted(domain), no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    catalog.header_comment = f"# Texts of lorascope ({domain}): {language}"
    catalog.fuzzy = False
    text, compiled = io.BytesIO(), io.BytesIO()
    write_po(text, catalog, width=120, omit_header=False, no_location=True)
    lines = [line for line in text.getvalue().split(b"\n") if not line.startswith((b'"POT-Creation', b'"PO-Revision'))]
    with_header = b"\n".join(lines)
    again = read_po(io.BytesIO(with_header), locale=language)
    again.creation_date = again.revision_date = None  # type: ignore[assignment]  # the same file whenever it is made
    write_mo(compiled, again)
    untranslated = tuple(str(message.id) for message in again if message.id and not _whole(message.string))
    mo = po.with_suffix(".mo")
    stale = (
        not po.exists() or not mo.exists() or po.read_bytes() != with_header or mo.read_bytes() != compiled.getvalue()
    )
    return State(po, with_header, compiled.getvalue(), untranslated, stale)


def _whole(string: str | tuple[str, ...] | list[str]) -> bool:
    return bool(string) if isinstance(string, str) else bool(string) and all(string)


def write(catalogue: State) -> None:
    """Both files of a catalogue."""
    catalogue.po.parent.mkdir(parents=True, exist_ok=True)
    catalogue.po.write_bytes(catalogue.text)
    catalogue.po.with_suffix(".mo").write_bytes(catalogue.compiled)
