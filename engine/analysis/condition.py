"""The grammar of a filter condition: outside text to SQL in which every name is known, quoted and validated.

What Polars' SQL would also take (statements, aliases, casts, aggregates, integer and decimal arithmetic) is refused or
made unambiguous here, with the column of the mistake. Polars then parses the result.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import UnknownNameError, WhereError

# Optimising a chain of n conditions takes Polars time that grows with n cubed: 200 take 0.2 s, 1,000 take 27 s.
MAX_TOKENS = 300
_MAX_DEPTH = 20

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
_COMPARISONS = frozenset({"<", ">", "<=", ">=", "=", "==", "<>", "!="})
_JOINING = frozenset({"AND", "OR", "BETWEEN"})
_STATEMENT = frozenset(
    {"SELECT", "FROM", "WITH", "UNION", "ORDER", "GROUP", "HAVING", "LIMIT", "OVER", "CASE", "CAST", "EXISTS", "AS"}
)
# Row by row, and never NaN for finite numbers (which SQL would count as greater than everything).
_NUMERIC = ("abs", "ceil", "floor", "round", "sign")
_TEXTUAL = ("ends_with", "length", "lower", "starts_with", "upper")
FUNCTIONS = (*_NUMERIC, *_TEXTUAL, "coalesce", "greatest", "least", "nullif")
_AGGREGATES = frozenset({"avg", "count", "first", "last", "max", "mean", "median", "min", "rank", "row_number", "sum"})

# A name as it was written (unquoted), whether it was quoted, and its 1-based column -> SQL.
Resolve = Callable[[str, bool, int], str]


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
            raise WhereError(f"comment in {place}, column {position + 1}", "leave it out")
        match = _TOKEN.match(text, position)
        if match is None:
            character = text[position]
            if character in "'\"":
                raise WhereError(f"{place}, column {position + 1}: the quote {character} is never closed", "close it")
            raise WhereError(
                f"{place}, column {position + 1}: {character!r} has no place in a condition",
                "write one condition such as fps >= 1 AND abs_rel < 0.7",
            )
        kind = match.lastgroup or "space"
        word = match.group()
        if kind == "name" and word.upper() in _KEYWORDS:
            kind = "keyword"
        if kind != "space":
            tokens.append(Token(kind, word, position + 1))
        position = match.end()
    if not tokens:
        raise WhereError(f"{place} is empty", "write a condition such as fps >= 1")
    if len(tokens) > MAX_TOKENS:
        raise WhereError(f"{place} is too long ({len(tokens)} words, at most {MAX_TOKENS})", "shorten it")
    return tokens


@dataclass(slots=True)
class _Level:
    """An open parenthesis: of a group, an ``IN`` list or a call."""

    column: int
    list_like: bool = False
    function: str = ""
    divisor: bool = False  # the parenthesis, as a whole, is what something is divided by
    compared: bool = False  # a comparison stands before it that no AND or OR has ended
    arguments: int = 1


class _Writer:
    """Reads tokens by turns, a value then what may follow one, and writes SQL."""

    def __init__(self, tokens: list[Token], resolve: Resolve, place: str) -> None:
        self._tokens = tokens
        self._resolve = resolve
        self._place = place
        self._at = 0
        self._sql: list[str] = []
        self._levels: list[_Level] = []
        self._divisor = False
        self._compared = False

    def write(self) -> str:
        wants_value = True
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            wants_value = self._value(token) if wants_value else self._after_value(token)
        if wants_value:
            raise WhereError(f"{self._place} ends after {self._tokens[-1].text!r}", "a value is missing there")
        if self._levels:
            raise WhereError(f"{self._place}, column {self._levels[-1].column}: '(' is never closed", "close it")
        return " ".join(self._sql)

    def _value(self, token: Token) -> bool:
        """Take a token where a value must stand; returns whether a value is still wanted."""
        word = token.word
        if token.kind == "name" and self._peek("("):
            self._open_call(token)
            return True
        if token.text == "(":
            self._open(_Level(token.column))
            return True
        if token.text in ("-", "+") or word == "NOT":
            self._sql.append(word)
            return True
        if token.kind == "number":
            self._sql.append(self._number(token))
        elif token.kind == "text" or word in ("NULL", "TRUE", "FALSE"):
            self._sql.append(token.text)
        elif token.kind == "quoted":
            self._sql.append(self._resolve(token.text[1:-1].replace('""', '"'), True, token.column))
        elif token.kind == "name":
            self._sql.append(self._resolve(token.text, False, token.column))
        else:
            raise self._error(token, "a metric or a value is missing before")
        self._end_value()
        return False

    def _after_value(self, token: Token) -> bool:
        """Take a token after a value; returns whether a value is wanted next."""
        word = token.word
        if token.kind == "operator":
            if token.text in _COMPARISONS:
                if self._compared:
                    raise self._error(token, "comparisons are joined by AND, not by a second")
                self._compared = True
            self._operator(token)
            return True
        if word == "NOT":
            following = self._next(token)
            if following.word not in ("IN", "BETWEEN", "LIKE", "ILIKE"):
                raise self._error(following, "IN, BETWEEN or LIKE must follow NOT, not")
            self._sql.append("NOT")
            return self._after_value(following)
        if word in _JOINING:
            self._compared = False
            self._sql.append(word)
            return True
        if word in ("LIKE", "ILIKE"):
            pattern = self._next(token)
            if pattern.kind != "text":
                raise self._error(pattern, f"{word} needs a text in single quotes, not")
            self._sql += [word, pattern.text]
            return False
        if word == "IN":
            opening = self._next(token)
            if opening.text != "(":
                raise self._error(opening, "a list in parentheses must follow IN, not")
            self._sql.append("IN")
            self._open(_Level(opening.column, list_like=True))
            return True
        if word == "IS":
            return self._is(token)
        if token.text == "," and self._levels and self._levels[-1].list_like:
            self._levels[-1].arguments += 1
            self._compared = False
            self._sql.append(",")
            return True
        if token.text == ")" and self._levels:
            self._sql.append(")")
            level = self._levels.pop()
            self._divisor, self._compared = level.divisor, level.compared
            self._end_value()
            return False
        if token.text == ")":
            raise self._error(token, "nothing was opened for")
        raise self._error(token, "AND, OR or a comparison is missing before")

    def _is(self, token: Token) -> bool:
        self._sql.append("IS")
        following = self._next(token)
        if following.word == "NOT":
            self._sql.append("NOT")
            following = self._next(following)
        if following.word not in ("NULL", "TRUE", "FALSE"):
            raise self._error(following, "NULL, TRUE or FALSE must follow IS, not")
        self._sql.append(following.word)
        return False

    def _operator(self, token: Token) -> None:
        self._sql.append(token.text)
        if token.text in "/%":
            # A division by zero is null, as "not measured" is: NaN would pass every lower limit.
            self._sql.append("nullif(")
            self._divisor = True

    def _end_value(self) -> None:
        if self._divisor:
            self._sql.append(", 0e0)")
            self._divisor = False

    def _open_call(self, name: Token) -> None:
        function = name.text.lower()
        if function in _AGGREGATES:
            raise WhereError(
                f"{self._place}, column {name.column}: {name.text}() looks at several checkpoints",
                "a filter sees one at a time; write a number instead",
            )
        if name.word in _STATEMENT:
            raise self._error(name, "one plain condition is wanted, without")
        if function not in FUNCTIONS:
            raise UnknownNameError("function", name.text, FUNCTIONS, f"{self._place}, column {name.column}")
        self._sql.append(function)
        opening = self._next(name)
        self._open(_Level(opening.column, list_like=True, function=function))

    def _open(self, level: _Level) -> None:
        if len(self._levels) >= _MAX_DEPTH:
            raise WhereError(f"{self._place}, column {level.column}: parentheses are nested too deeply", "simplify it")
        level.divisor, self._divisor = self._divisor, False
        level.compared, self._compared = self._compared, False
        self._levels.append(level)
        self._sql.append("(")

    def _number(self, token: Token) -> str:
        """The number as SQL for a float: plain ``1`` divides as integers do, ``0.7`` is a decimal that IN misses."""
        level = self._levels[-1] if self._levels else None
        if level and level.function == "round" and level.arguments == 2 and token.text.isdecimal():
            return token.text
        number = float(token.text)
        if number == float("inf"):
            raise self._error(token, "this number is too large:")
        return f"{number:.17e}"

    def _peek(self, text: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].text == text

    def _next(self, after: Token) -> Token:
        if self._at >= len(self._tokens):
            raise WhereError(f"{self._place} ends after {after.text!r}", "something is missing there")
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _error(self, token: Token, what: str) -> WhereError:
        return WhereError(f"{self._place}, column {token.column}: {what} {token.text!r}")


def is_statement_word(name: str) -> bool:
    """Whether a word belongs to SQL statements rather than to conditions."""
    return name.upper() in _STATEMENT


def to_sql(text: str, resolve: Resolve, place: str) -> str:
    """Rewrite a condition as SQL that holds nothing but known names, float numbers, texts and row-wise functions.

    Args:
        text: the condition as it was typed.
        resolve: turns a name into SQL; raises :class:`UnknownNameError` for one that is not there.
        place: where the condition stands, for messages (``--where``).

    Raises:
        WhereError: the condition is not one; names the column.
        UnknownNameError: an unknown metric or function; names the column and suggests the near ones.
    """
    return _Writer(tokenize(text, place), resolve, place).write()
