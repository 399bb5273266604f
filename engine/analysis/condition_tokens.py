"""The words of a filter condition: outside text cut into numbers, names, texts and signs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.errors import WhereError
from engine.i18n import gettext as _

# Optimising a chain of n conditions takes Polars time that grows with n cubed: 200 take 0.2 s, 1,000 take 27 s.
MAX_TOKENS = 300

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
  | (?P<text>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<name>[^\W\d]\w*(?:\.\w+)*)
  | (?P<operator><=|>=|<>|!=|==|[=<>+\-*/%])
  | (?P<mark>[(),])
    """,
    re.VERBOSE,
)
_KEYWORDS = frozenset({"AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ILIKE", "IS", "NULL", "TRUE", "FALSE"})


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind (a group of the pattern, or ``keyword``), its text and its 1-based column."""

    kind: str
    text: str
    column: int

    @property
    def word(self) -> str:
        """The text as keywords are compared."""
        return self.text.upper()


def tokenize(text: str, place: str) -> list[Token]:
    """Split a condition.

    Raises:
        WhereError: a character that no condition holds, a text without its closing quote, a comment, or too much.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        if text.startswith(("--", "/*"), position):
            raise WhereError(_("comment in {place}").format(place=at_column(place, position + 1)), _("leave it out"))
        match = _TOKEN.match(text, position)
        if match is None:
            character = text[position]
            if character in "'\"":
                said = _("{place}: the quote {character} is never closed")
                raise WhereError(said.format(place=at_column(place, position + 1), character=character), _("close it"))
            said = _("{place}: {character} has no place in a condition")
            raise WhereError(
                said.format(place=at_column(place, position + 1), character=repr(character)),
                _("write one condition such as fps >= 1 AND abs_rel < 0.7"),
            )
        kind = match.lastgroup or "space"
        word = match.group()
        if kind == "name" and word.upper() in _KEYWORDS:
            kind = "keyword"
        if kind != "space":
            tokens.append(Token(kind, word, position + 1))
        position = match.end()
    if not tokens:
        raise WhereError(_("{place} is empty").format(place=place), _("write a condition such as fps >= 1"))
    if len(tokens) > MAX_TOKENS:
        said = _("{place} is too long ({count} words, at most {most})")
        raise WhereError(said.format(place=place, count=len(tokens), most=MAX_TOKENS), _("shorten it"))
    return tokens


def at_column(place: str, column: int) -> str:
    """A place in a condition, in words.

    Args:
        place: where the condition stands.
        column: 1-based.
    """
    return _("{place}, column {column}").format(place=place, column=column)
