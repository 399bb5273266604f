"""A table as CSV, Parquet, JSON, Markdown or LaTeX.

CSV, JSON and Parquet are for programs: column names as they are, full precision. Markdown and LaTeX are for people:
headers, rounded numbers, right-aligned. Null stays null: empty in CSV, ``null`` in JSON, a dash for people. NaN and
infinite numbers, which a table must not hold, become null in every format.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import polars as pl
from polars.datatypes import DataTypeClass

from engine.atomic import atomic_write_bytes
from engine.errors import ExportError, TargetExistsError, UsageError
from engine.export.escape import csv_text, json_text, markdown_text
from engine.export.latex import beyond_pdflatex, latex_text
from engine.i18n import gettext as _
from engine.text import columns_of, visible

# Wider cells than this do not widen their column in the Markdown source.
_PAD_LIMIT = 40
_NEGATIVE = re.compile(r"-[0-9.]")
_CSV_QUOTED = re.compile(r'[",\r\n]')


class TableFormat(StrEnum):
    """The table formats, by the name that ``--format`` takes."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    MARKDOWN = "markdown"
    LATEX = "latex"

    @classmethod
    def from_suffix(cls, path: Path) -> TableFormat:
        """The format that a file name asks for.

        Raises:
            UsageError: the ending is none of a table format; lists those that are.
        """
        found = _SUFFIXES.get(path.suffix.lower())
        if found is None:
            endings = ", ".join(_SUFFIXES)
            said = _("{file}: the ending names no table format").format(file=visible(str(path)))
            raise UsageError(said, _("end it in one of {endings}").format(endings=endings))
        return found


_SUFFIXES = {
    ".csv": TableFormat.CSV,
    ".parquet": TableFormat.PARQUET,
    ".json": TableFormat.JSON,
    ".md": TableFormat.MARKDOWN,
    ".markdown": TableFormat.MARKDOWN,
    ".tex": TableFormat.LATEX,
}


def render(
    frame: pl.DataFrame,
    fmt: TableFormat,
    *,
    headers: Mapping[str, str] | None = None,
    digits: Mapping[str, int] | None = None,
    right: Collection[str] = (),
) -> str | bytes:
    """The table in one format.

    Args:
        frame: one row per table row. List, array and struct columns go to JSON and Parquet only.
        fmt: the format.
        headers: column -> heading, for Markdown and LaTeX; the column's name where missing.
        digits: column -> decimals, for float columns in Markdown and LaTeX; all digits where missing.
        right: text columns that hold formatted numbers, to be right-aligned in Markdown and LaTeX.

    Returns:
        Text that ends in a newline; bytes for Parquet. Text is escaped as :mod:`engine.export.escape` and
        :mod:`engine.export.latex` say.

    Raises:
        ExportError: the frame has no columns, or one that the format cannot hold.
    """
    if not frame.columns:
        raise ExportError(_("the table has no columns"), _("choose at least one"))
    _check_types(frame.schema, fmt)
    finite = frame.select(_finite(pl.col(name), dtype).alias(name) for name, dtype in frame.schema.items())
    if fmt is TableFormat.PARQUET:
        buffer = io.BytesIO()
        finite.write_parquet(buffer)
        return buffer.getvalue()
    if fmt is TableFormat.CSV:
        return _csv(finite)
    if fmt is TableFormat.JSON:
        return _json(finite)
    numeric = {name for name, dtype in finite.schema.items() if dtype.is_numeric()} | set(right)
    aligned_right = [name in numeric for name in finite.columns]
    escape: Callable[[str], str] = markdown_text if fmt is TableFormat.MARKDOWN else latex_text
    heads = [escape((headers or {}).get(name, name)) for name in finite.columns]
    columns = [
        [
            _cell(value, (digits or {}).get(name), escape, name in numeric and fmt is TableFormat.LATEX)
            for value in finite[name]
        ]
        for name in finite.columns
    ]
    layout = _markdown if fmt is TableFormat.MARKDOWN else _latex
    return layout(heads, [list(row) for row in zip(*columns, strict=True)], aligned_right)


def write_table(
    frame: pl.DataFrame,
    path: Path,
    fmt: TableFormat | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    digits: Mapping[str, int] | None = None,
    right: Collection[str] = (),
    force: bool = False,
) -> None:
    """Write the table to a file, in one step: it is there whole or not at all.

    Args:
        frame, headers, digits, right: as :func:`render`.
        path: the file to write; its folder must exist.
        fmt: the format; by default what the file's ending says.
        force: replace a file that is there.

    Raises:
        UsageError: no format was given and the ending names none.
        TargetExistsError: the file exists and ``force`` is off.
        ExportError: it cannot be written, or its format cannot hold the table.
    """
    name = visible(str(path))
    chosen = fmt or TableFormat.from_suffix(path)
    if path.is_dir():
        raise ExportError(_("{file}: is a folder").format(file=name), _("name a file in it"))
    if path.exists() and not force:
        said = _("{file}: exists already").format(file=name)
        raise TargetExistsError(said, _("choose another name or replace it with --force"))
    content = render(frame, chosen, headers=headers, digits=digits, right=right)
    try:
        atomic_write_bytes(path, content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        said = _("{file}: cannot be written ({reason})").format(file=name, reason=reason)
        raise ExportError(said, _("check the folder or choose another")) from error


def _check_types(schema: pl.Schema, fmt: TableFormat) -> None:
    for name, dtype in schema.items():
        leaves = set(_leaves(dtype))
        unfit: set[DataTypeClass] = {pl.Object}
        if fmt is not TableFormat.PARQUET:
            unfit.add(pl.Binary)
        if fmt is TableFormat.JSON:
            unfit |= {pl.Decimal, pl.Duration}
            unfit |= {pl.Date, pl.Datetime, pl.Time} if dtype.is_nested() else set()
        flat_only = fmt in (TableFormat.CSV, TableFormat.MARKDOWN, TableFormat.LATEX)
        if leaves & unfit or (flat_only and dtype.is_nested()):
            said = _("column {name} ({type}) does not fit into a {format} table")
            raise ExportError(
                said.format(name=repr(visible(name)), type=dtype, format=fmt),
                _("leave it out") if pl.Object in leaves else _("leave it out or choose parquet"),
            )


def _leaves(dtype: pl.DataType | DataTypeClass) -> Iterator[DataTypeClass]:
    if isinstance(dtype, pl.List | pl.Array):
        yield from _leaves(dtype.inner)
    elif isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            yield from _leaves(field.dtype)
    else:
        yield dtype.base_type()


def _finite(values: pl.Expr, dtype: pl.DataType | DataTypeClass) -> pl.Expr:
    """NaN and infinite numbers as null, at any depth."""
    if dtype.is_float():
        return pl.when(values.is_finite()).then(values)
    if isinstance(dtype, pl.List):
        return values.list.eval(_finite(pl.element(), dtype.inner))
    if isinstance(dtype, pl.Array):
        return values.arr.eval(_finite(pl.element(), dtype.inner))
    if isinstance(dtype, pl.Struct) and dtype.fields:
        fields = [_finite(values.struct.field(field.name), field.dtype).alias(field.name) for field in dtype.fields]
        return pl.when(values.is_not_null()).then(pl.struct(fields))
    return values


def _csv(frame: pl.DataFrame) -> str:
    texts = [
        pl.Series(
            name, [None if value is None else csv_text(value) for value in frame[name].cast(pl.String)], pl.String
        )
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.String | pl.Categorical | pl.Enum)
    ]
    # The head is written here: two names may become one text, which a frame would refuse.
    head = ",".join(_csv_quoted(csv_text(name)) for name in frame.columns)
    return head + "\n" + frame.with_columns(texts).write_csv(include_header=False)


def _csv_quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _CSV_QUOTED.search(text) or not text else text


def _json(frame: pl.DataFrame) -> str:
    times = [name for name, dtype in frame.schema.items() if dtype.is_temporal()]
    plain = frame.with_columns(pl.Series(name, [_iso(value) for value in frame[name]], pl.String) for name in times)
    rows = ",\n".join("  " + json_text(row) for row in plain.iter_rows(named=True))
    return f"[\n{rows}\n]\n" if rows else "[]\n"


def _iso(value: object) -> str | None:
    return None if value is None else value.isoformat()  # type: ignore[attr-defined]


def _cell(value: object, digits: int | None, escape: Callable[[str], str], minus_sign: bool) -> str:
    if value is None:
        return escape("–")
    text = _number(value, digits) if isinstance(value, float) else str(value)
    escaped = escape(text)
    # A hyphen in front of a number is a minus: LaTeX sets it as one.
    return "$-$" + escaped[1:] if minus_sign and _NEGATIVE.match(escaped) else escaped


def _number(value: float, digits: int | None) -> str:
    if digits is None:
        return repr(value)
    # "z": no negative zero. Beyond 1e15 decimals say nothing and a cell would have hundreds of digits.
    return f"{value:z.{digits}f}" if abs(value) < 1e15 else f"{value:.{digits}e}"


def _markdown(heads: list[str], rows: list[list[str]], right: list[bool]) -> str:
    widths = [
        max([3, *(min(columns_of(row[index]), _PAD_LIMIT) for row in (heads, *rows))]) for index in range(len(heads))
    ]
    rule = [
        ("-" * (width - 1) + ":") if at_right else "-" * width for width, at_right in zip(widths, right, strict=True)
    ]
    lines = [heads, rule, *rows]
    return "".join(
        "| " + " | ".join(_padded(*cell) for cell in zip(line, widths, right, strict=True)) + " |\n" for line in lines
    )


def _padded(text: str, width: int, at_right: bool) -> str:
    gap = " " * max(0, width - columns_of(text))
    return gap + text if at_right else text + gap


def _latex(heads: list[str], rows: list[list[str]], right: list[bool]) -> str:
    body = [" & ".join(row) + r" \\" for row in rows]
    table = [
        r"\begin{tabular}{" + "".join("r" if at_right else "l" for at_right in right) + "}",
        r"\toprule",
        " & ".join(heads) + r" \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    foreign = beyond_pdflatex("\n".join(table))
    engine = f"; needs lualatex or xelatex and a font that has: {foreign}" if foreign else ""
    return "\n".join([r"% needs \usepackage{booktabs}" + engine, *table]) + "\n"
