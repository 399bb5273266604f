"""The program's own texts in the user's language, by gettext.

Texts are written in English where they are used and looked up where they are shown. ``engine/locale`` holds one
catalogue per language and domain; ``python -m catalogues`` brings them up to date. What programs read (JSON, CSV, keys,
names of columns) is never translated, and neither is what comes from outside.
"""

from __future__ import annotations

import gettext as _gettext
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["en", "zh"]
Domain = Literal["app", "report"]  # what the program says; what a written report says
LANGUAGES: tuple[Language, ...] = ("en", "zh")
LOCALE = Path(__file__).parent / "locale"
# The order of POSIX and of gettext.
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")

_active: Language = "en"
# Holds for one thread or task alone: a document in English can be written while the screen speaks another language.
_inside: ContextVar[Language | None] = ContextVar("language", default=None)


@cache
def translations(domain: Domain, language: Language) -> _gettext.NullTranslations:
    """The catalogue of a domain in a language; English needs none.

    Returns:
        An object with ``gettext``, ``ngettext`` and ``pgettext``. A text that a catalogue lacks stays English.
    """
    if language == "en":
        return _gettext.NullTranslations()
    return _gettext.translation(domain, LOCALE, [language])


def language_of(environment: Mapping[str, str] | None = None) -> Language:
    """The language that the environment asks for: the first of LANGUAGE, LC_ALL, LC_MESSAGES and LANG that is set.

    Args:
        environment: variables by name; those of the process by default.

    Returns:
        ``zh`` for any Chinese locale (``zh_CN.UTF-8``), else ``en``.
    """
    variables = os.environ if environment is None else environment
    for name in _VARIABLES:
        for value in filter(None, variables.get(name, "").split(":")):
            code = value.partition(".")[0].partition("_")[0].partition("-")[0].lower()
            return code if code in LANGUAGES else "en"
    return "en"


def language_named(name: str) -> Language:
    """The language that a user named.

    Raises:
        UsageError: there are no texts in that language.
    """
    if name not in LANGUAGES:
        from engine.errors import UsageError  # which speaks through this module

        said = gettext("there are no texts in the language {name}").format(name=repr(name))
        raise UsageError(said, gettext("take one of: {names}").format(names=listing(LANGUAGES)))
    return name


def activate(language: Language) -> None:
    """Speak ``language`` from now on, in the whole process."""
    global _active
    _active = language


def active() -> Language:
    """The language that is spoken."""
    return _inside.get() or _active


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speak ``language`` inside the block only, and only in this thread or task."""
    token = _inside.set(language)
    try:
        yield
    finally:
        _inside.reset(token)


def gettext(message: str) -> str:
    """``message`` in the language that is spoken; imported as ``_``. The empty text stays empty."""
    language = active()
    return message if language == "en" or not message else translations("app", language).gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form for ``count`` in the language that is spoken."""
    return translations("app", active()).ngettext(singular, plural, count)


def pgettext(context: str, message: str) -> str:
    """As :func:`gettext`, for a short text that means different things in different places."""
    language = active()
    return message if language == "en" else translations("app", language).pgettext(context, message)


def mark(message: str) -> str:
    """``message`` itself: says to the extraction that a text of a constant is looked up later, where it is shown."""
    return message


def nmark(singular: str, plural: str) -> tuple[str, str]:
    """Both forms themselves: as :func:`mark`, for what :func:`ngettext` looks up later."""
    return singular, plural


def listing(items: Iterable[str]) -> str:
    """The items with what stands between two of them in the language that is spoken: ``a, b, c``."""
    return pgettext("between the items of a list", ", ").join(items)


def sentences(parts: Iterable[str]) -> str:
    """Several statements in one line, with what stands between two of them: ``a; b``."""
    return pgettext("between two statements", "; ").join(parts)
