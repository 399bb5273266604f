"""Filters: a SQL condition over metrics and aliases becomes a Polars expression."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from engine.analysis.condition import is_statement_word, to_sql
from engine.analysis.condition_tokens import at_column
from engine.catalogue import ALIASES
from engine.errors import UnknownNameError, WhereError, suggest
from engine.i18n import gettext as _

PLACE = "--where"

_TYPES: dict[str, type[pl.DataType]] = {"checkpoint": pl.String, "role": pl.String, "step": pl.Int64}


def parse_where(text: str, columns: Sequence[str], *, place: str = PLACE) -> pl.Expr:
    """Parse a condition such as ``depth.building.abs_rel < 0.7 AND fps >= 1``.

    Names are columns (dots need no quotes; odd names stand in double quotes) or the aliases of
    :data:`engine.catalogue.ALIASES`, which mean the first of their metrics that the run has; aliases, and columns where
    that is unambiguous, in any case. Texts stand in single quotes. Comparisons, AND, OR, NOT, BETWEEN, IN, LIKE, ILIKE,
    IS NULL, arithmetic and a few row-wise functions are understood; a division by zero is null.

    Args:
        text: the condition.
        columns: the columns of the table that will be filtered.
        place: where the text stands, for messages.

    Returns:
        A boolean expression over those columns; null where a metric was not measured.

    Raises:
        UnknownNameError: a name that is neither; says at which column (from 1) and suggests the near ones.
        WhereError: anything else that is not one plain condition.
    """
    used: set[str] = set()

    def resolve(name: str, quoted: bool, column: int) -> str:
        sql, key = _resolve(name, quoted, columns, at_column(place, column))
        used.add(key)
        return sql

    sql = to_sql(text, resolve, place)
    try:
        # In parentheses Polars' parser takes an expression only: no alias, no second clause.
        expression = pl.sql_expr(f"({sql})")
        probe = pl.DataFrame(schema={key: _TYPES.get(key, pl.Float64) for key in sorted(used)})
        dtype = probe.clear(1).select(expression.alias("kept")).get_column("kept").dtype
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _refusal(place, error) from None
    if dtype != pl.Boolean:
        said = _("{place} is a value, not a condition").format(place=place)
        raise WhereError(said, _("compare it with something, such as fps >= 1"))
    return expression


def apply_where(table: pl.DataFrame, text: str, *, place: str = PLACE) -> tuple[pl.DataFrame, int]:
    """Keep the rows for which a condition holds.

    Args:
        table: a wide table with one row per checkpoint.
        text: the condition, see :func:`parse_where`.
        place: where the text stands, for messages.

    Returns:
        The rows kept, in their order, and how many were rejected. A row for which the condition is null, because a
        metric was not measured, is rejected.

    Raises:
        UnknownNameError, WhereError: as :func:`parse_where`.
    """
    expression = parse_where(text, table.columns, place=place)
    try:
        kept = table.filter(expression)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _refusal(place, error) from None
    return kept, table.height - kept.height


def _refusal(place: str, error: BaseException) -> WhereError:
    if isinstance(error, (pl.exceptions.SQLInterfaceError, pl.exceptions.SQLSyntaxError)):
        said = _("{place} cannot be read as a condition").format(place=place)
        return WhereError(said, _("write one such as fps >= 1 AND abs_rel < 0.7"))
    said = _("{place} compares or computes what does not fit").format(place=place)
    return WhereError(said, _("compare numbers with numbers, names with texts"))


def _resolve(name: str, quoted: bool, columns: Sequence[str], place: str) -> tuple[str, str]:
    """The SQL of a name and the column that it means."""
    if name in columns:
        return _quote(name, place), name
    lowered = name.lower()
    alias = ALIASES.get(lowered)
    key = next((key for key in alias.keys if key in columns), None) if alias else None
    if alias and key:
        quotient = _quote(key, place)
        return (quotient if alias.factor == 1.0 else f"({quotient} * {alias.factor:.17e})"), key
    same = [column for column in columns if column.lower() == lowered]
    if len(same) == 1:
        return _quote(same[0], place), same[0]
    if is_statement_word(name) and not quoted:
        said = _("{place}: {word} is not part of a condition").format(place=place, word=name.upper())
        raise WhereError(said, _("write one such as fps >= 1"))
    known = [*columns, *(a for a, entry in ALIASES.items() if any(key in columns for key in entry.keys))]
    if quoted and not suggest(name, known):
        said = _("{place}: there is no metric {name}").format(place=place, name=repr(name))
        raise WhereError(said, _("put a text in single quotes"))
    raise UnknownNameError("metric", name, known, place)


def _quote(name: str, place: str) -> str:
    if name == "*" or not name or (name.startswith("^") and name.endswith("$")):
        said = _("{place}: Polars would take the name {name} for a pattern").format(place=place, name=repr(name))
        raise WhereError(said, _("rename the metric"))
    return '"' + name.replace('"', '""') + '"'
