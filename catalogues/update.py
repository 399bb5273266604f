"""Texts out of the sources into catalogues, and catalogues compiled: what ``pybabel extract|update|compile`` does,
for the domains of this project, with one answer to the question whether all is up to date.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from engine.i18n import LANGUAGES, LOCALE, Domain

PROJECT = "lorascope"
ROOT = Path(__file__).parent.parent
REPORT = ROOT / "engine" / "report"
# Function -> which of its arguments are text.
KEYWORDS = {
    "_": slice(1),
    "gettext": slice(1),
    "ngettext": slice(2),
    "pgettext": slice(2),
    "mark": slice(1),
    "nmark": slice(2),
    "Command": slice(2, 4),
}
# The attribute of a screen that explains it; blanks in it do not count.
HELP = "HELP"
_PLURALS = {"ngettext", "nmark"}
_METHODS = {"gettext", "ngettext", "pgettext"}
DOMAINS: tuple[Domain, ...] = get_args(Domain)
TRANSLATED = tuple(language for language in LANGUAGES if language != "en")


# What the head of a catalogue says; the rest of Babel's would change with its version, the day, or the person.
_HEADERS = {"Language", "Plural-Forms", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}


class Plain(Catalog):
    """A catalogue whose file depends on its texts alone."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """Name and value of each line of the head."""
        kept = [(name, value) for name, value in super().mime_headers if name in _HEADERS]
        return [("Project-Id-Version", PROJECT), *kept]


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
    """Every text of a domain, in the order of the sources; places are left out, for they would change all the time.

    Raises:
        ValueError: a text is put together where it is looked up, so that no catalogue can hold it.
    """
    catalog = Catalog(charset="utf-8")
    for path in sources(domain):
        for message, context in texts_of(path.read_text("utf-8"), str(path.relative_to(ROOT))):
            catalog.add(message, context=context)
    return catalog


def texts_of(source: str, name: str) -> Iterator[tuple[str | tuple[str, str], str | None]]:
    """The texts of a module in their order, each with its context.

    By the syntax tree and not by tokens, as Babel reads them: what a token is in an f-string depends on Python's
    version.

    Args:
        source: the module.
        name: what to call it in an error.

    Raises:
        ValueError: as for :func:`extracted`.
    """
    for call in _calls(ast.parse(source)):
        if isinstance(call, str):
            yield call, None
            continue
        function = _function(call)
        arguments = call.args[KEYWORDS[function]]
        texts = [part.value for part in arguments if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if any(isinstance(part, ast.JoinedStr) for part in arguments) or 0 < len(texts) < len(arguments):
            raise ValueError(f"{name}:{call.lineno}: write the text as it is, with {{places}} and .format(...)")
        if not texts:
            continue  # the text of a constant, which is marked where it stands
        if function == "pgettext":
            yield texts[1], texts[0]
        elif function in _PLURALS:
            yield (texts[0], texts[1]), None
        else:
            yield from ((text, None) for text in texts)


def _calls(tree: ast.AST) -> Iterator[ast.Call | str]:
    """The calls that look a text up or mark one, and the helps of screens, as they stand in the source."""
    if isinstance(tree, ast.Call) and _function(tree) in KEYWORDS:
        yield tree
    if (
        isinstance(tree, ast.Assign)
        and [ast.unparse(target) for target in tree.targets] == [HELP]
        and not isinstance(tree.value, ast.Name)  # of another module, where it stands as text
    ):
        yield " ".join(str(ast.literal_eval(tree.value)).split())
    for node in ast.iter_child_nodes(tree):
        yield from _calls(node)


def _function(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):  # of a catalogue that is handed about
        return call.func.attr if call.func.attr in _METHODS else ""
    return call.func.id if isinstance(call.func, ast.Name) else ""


def state(domain: Domain, language: str) -> State:
    """A catalogue as it should be: known translations kept, texts that are gone left out."""
    po = LOCALE / language / "LC_MESSAGES" / f"{domain}.po"
    known = Catalog(locale=language)
    if po.exists():
        with po.open("rb") as file:
            known = read_po(file, locale=language)
    known.update(extracted(domain), no_fuzzy_matching=True, update_creation_date=False)
    catalog = Plain(locale=language, charset="utf-8", fuzzy=False)
    catalog.header_comment = f"# Texts of lorascope ({domain}): {language}"
    for message in known:
        if message.id:
            catalog.add(message.id, message.string, context=message.context)
    text, compiled = io.BytesIO(), io.BytesIO()
    write_po(text, catalog, width=120, no_location=True)
    write_mo(compiled, catalog)
    untranslated = tuple(str(message.id) for message in catalog if message.id and not _whole(message.string))
    files = ((po, text.getvalue()), (po.with_suffix(".mo"), compiled.getvalue()))
    stale = any(not path.exists() or path.read_bytes() != wanted for path, wanted in files)
    return State(po, text.getvalue(), compiled.getvalue(), untranslated, stale)


def _whole(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return bool(string) and (isinstance(string, str) or all(string or ()))


def write(catalogue: State) -> None:
    """Both files of a catalogue."""
    catalogue.po.parent.mkdir(parents=True, exist_ok=True)
    catalogue.po.write_bytes(catalogue.text)
    catalogue.po.with_suffix(".mo").write_bytes(catalogue.compiled)
