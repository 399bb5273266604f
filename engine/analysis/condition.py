"""The grammar of a filter condition: outside text to SQL in which every name is known, quoted and validated.

What Polars' SQL would also take (statements, aliases, casts, aggregates, integer and decimal arithmetic) is refused or
made unambiguous here, with the column of the mistake. Polars then parses the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engine.analysis.condition_tokens import Token, at_column, tokenize
from engine.errors import UnknownNameError, WhereError
from engine.i18n import gettext as _

_MAX_DEPTH = 20

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
            raise WhereError(self._ends(self._tokens[-1]), _("a value is missing there"))
        if self._levels:
            place = at_column(self._place, self._levels[-1].column)
            raise WhereError(_("{place}: '(' is never closed").format(place=place), _("close it"))
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
            raise self._error(token, _("a metric or a value is missing before"))
        self._end_value()
        return False

    def _after_value(self, token: Token) -> bool:
        """Take a token after a value; returns whether a value is wanted next."""
        word = token.word
        if token.kind == "operator":
            if token.text in _COMPARISONS:
                if self._compared:
                    raise self._error(token, _("comparisons are joined by AND, not by a second"))
                self._compared = True
            self._operator(token)
            return True
        if word == "NOT":
            following = self._next(token)
            if following.word not in ("IN", "BETWEEN", "LIKE", "ILIKE"):
                raise self._error(following, _("IN, BETWEEN or LIKE must follow NOT, not"))
            self._sql.append("NOT")
            return self._after_value(following)
        if word in _JOINING:
            self._compared = False
            self._sql.append(word)
            return True
        if word in ("LIKE", "ILIKE"):
            pattern = self._next(token)
            if pattern.kind != "text":
                raise self._error(pattern, _("{word} needs a text in single quotes, not").format(word=word))
            self._sql += [word, pattern.text]
            return False
        if word == "IN":
            opening = self._next(token)
            if opening.text != "(":
                raise self._error(opening, _("a list in parentheses must follow IN, not"))
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
            raise self._error(token, _("nothing was opened for"))
        raise self._error(token, _("AND, OR or a comparison is missing before"))

    def _is(self, token: Token) -> bool:
        self._sql.append("IS")
        following = self._next(token)
        if following.word == "NOT":
            self._sql.append("NOT")
            following = self._next(following)
        if following.word not in ("NULL", "TRUE", "FALSE"):
            raise self._error(following, _("NULL, TRUE or FALSE must follow IS, not"))
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
            said = _("{place}: {function}() looks at several checkpoints")
            raise WhereError(
                said.format(place=at_column(self._place, name.column), function=name.text),
                _("a filter sees one at a time; write a number instead"),
            )
        if name.word in _STATEMENT:
            raise self._error(name, _("one plain condition is wanted, without"))
        if function not in FUNCTIONS:
            raise UnknownNameError("function", name.text, FUNCTIONS, at_column(self._place, name.column))
        self._sql.append(function)
        opening = self._next(name)
        self._open(_Level(opening.column, list_like=True, function=function))

    def _open(self, level: _Level) -> None:
        if len(self._levels) >= _MAX_DEPTH:
            said = _("{place}: parentheses are nested too deeply")
            raise WhereError(said.format(place=at_column(self._place, level.column)), _("simplify it"))
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
            raise self._error(token, _("this number is too large:"))
        return f"{number:.17e}"

    def _peek(self, text: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].text == text

    def _next(self, after: Token) -> Token:
        if self._at >= len(self._tokens):
            raise WhereError(self._ends(after), _("something is missing there"))
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _error(self, token: Token, what: str) -> WhereError:
        return WhereError(f"{at_column(self._place, token.column)}: {what} {token.text!r}")

    def _ends(self, after: Token) -> str:
        return _("{place} ends after {text}").format(place=self._place, text=repr(after.text))


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
