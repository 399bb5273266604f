"""The program's own texts in the user's language, by gettext.

Texts are written in English where they are used and looked up where they are shown. ``engine/locale`` holds one
catalogue per language and domain; ``python -m catalogues`` brings them up to date. What programs read (JSON, CSV, keys,
names of columns) is never translated, and neither is what comes from outside.
"""

from __future__ import annotations

import gettext as _gettext
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal

from engine.errors import UsageError

Language = Literal["en", "zh"]
Domain = Literal["app", "report"]  # what the program says; what a written report says
LANGUAGES: tuple[Language, ...] = ("en", "zh")
LOCALE = Path(__file__).parent / "locale"
# The order of POSIX and of gettext.
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")

_active: Language = "en"


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
        raise UsageError(f"there are no texts in the language {name!r}", f"take one of: {', '.join(LANGUAGES)}")
    return name


def activate(language: Language) -> None:
    """Speak ``language`` from now on, in the whole process."""
    global _active
    _active = language


def active() -> Language:
    """The language that is spoken."""
    return _active


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Speak ``language`` inside the block only."""
    before = active()
    activate(language)
    try:
        yield
    finally:
        activate(before)


def gettext(message: str) -> str:
    """``message`` in the language that is spoken; imported as ``_``."""
    return message if _active == "en" else translations("app", _active).gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """The form for ``count`` in the language that is spoken."""
    return translations("app", _active).ngettext(singular, plural, count)


def pgettext(context: str, message: str) -> str:
    """As :func:`gettext`, for a short text that means different things in different places."""
    return message if _active == "en" else translations("app", _active).pgettext(context, message)


def mark(message: str) -> str:
    """``message`` itself: says to the extraction that a text of a constant is looked up later, where it is shown."""
    return message
