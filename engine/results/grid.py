"""A CSV or Parquet file as columns and rows of cells, whatever state it is in."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import polars.selectors as cs

from engine.i18n import gettext as _
from engine.i18n import mark, ngettext
from engine.results.columns import number_in_text
from engine.results.layout import PARQUET_ENDING
from engine.results.problems import ProblemLog, some
from engine.results.reading import PARQUET_ERRORS, read_bytes, why_unreadable
from engine.results.sniff import delimiter_of, text_encoding

MAX_ROWS = 20_000  # a table with one row per checkpoint is far smaller


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's cells.

    Attributes:
        columns: header cells without surrounding blanks.
        rows: one list of cells per row, as long as ``columns``; ``None`` where a cell is empty or missing.
        places: where each row stands, e.g. ``line 7``: English, as a row without a name is called by it.
        is_text: whether cells are text, in which numbers have still to be read.
    """

    columns: list[str]
    rows: list[list[object]]
    places: list[str]
    is_text: bool

    def numbers(self, column: int) -> list[object]:
        """The cells of one column, each a number where it is one."""
        cells = [row[column] for row in self.rows]
        return [number_in_text(cell) if isinstance(cell, str) else cell for cell in cells] if self.is_text else cells


def place_shown(place: str) -> str:
    """One of a grid's places in the user's language."""
    kind, _blank, number = place.partition(" ")
    text = _("line {number}") if kind == "line" else _("row {number}")
    return text.format(number=number)


def read_grid(path: Path, file: str, log: ProblemLog) -> Grid | None:
    """Read a table's cells.

    Args:
        path: a CSV (comma, semicolon or tab; UTF-8, or UTF-16 with its mark) or Parquet file.
        file: its name in messages.
        log: where problems are reported.

    Returns:
        The cells, with at least one row, or ``None`` after reporting why there are none.
    """
    grid = _parquet(path, file, log) if path.suffix.lower() == PARQUET_ENDING else _csv(path, file, log)
    if grid is not None and not grid.rows:
        log.error(file, mark("the table has a header and no rows"))
        return None
    return grid


def _csv(path: Path, file: str, log: ProblemLog) -> Grid | None:
    data = read_bytes(path, file, log)
    if data is None:
        return None
    text = _decoded(data, file, log)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    columns: list[str] = []
    rows: list[list[object]] = []
    places: list[str] = []
    ragged: list[str] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = [cell.strip() for cell in cells]
                continue
            if len(rows) >= MAX_ROWS:
                said = _("more than {count} rows: not a table with one row per checkpoint")
                log.error(file, said.format(count=MAX_ROWS))
                return None
            place = f"line {reader.line_num}"
            if len(cells) != len(columns):
                ragged.append(place)
            padded: list[object] = [*cells[: len(columns)], *[None] * (len(columns) - len(cells))]
            rows.append(padded)
            places.append(place)
    except csv.Error as error:
        said = _("the table breaks off here ({reason})").format(reason=error)
        log.error(file, said, place=place_shown(f"line {reader.line_num}"))
    if ragged:
        said = ngettext(
            "the row has more or fewer cells than the header's {cells}",
            "{count} rows have more or fewer cells than the header's {cells}",
            len(ragged),
        )
        log.error(file, said.format(count=len(ragged), cells=len(columns)), place=some(map(place_shown, ragged)))
    if not columns:
        log.error(file, mark("the file is empty"))
        return None
    return Grid(columns, rows, places, is_text=True)


def _decoded(data: bytes, file: str, log: ProblemLog) -> str:
    encoding, skip = text_encoding(data)
    try:
        return data[skip:].decode(encoding)
    except UnicodeDecodeError as error:
        said = _("not {encoding} text: what could not be read stands as \\x..")
        log.warning(
            file,
            said.format(encoding=encoding.upper()),
            place=_("byte {place}").format(place=skip + error.start),
            remedy=mark("save it as UTF-8"),
        )
        return data[skip:].decode(encoding, "backslashreplace")


def _parquet(path: Path, file: str, log: ProblemLog) -> Grid | None:
    try:
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        height = scan.select(pl.len()).collect().item()
        if height > MAX_ROWS:
            said = _("{count} rows: not a table with one row per checkpoint")
            log.error(file, said.format(count=height))
            return None
        frame = scan.with_columns(cs.decimal().cast(pl.Float64)).collect()
    except PARQUET_ERRORS as error:
        log.error(file, why_unreadable(error))
        return None
    rows: list[list[object]] = [list(row) for row in frame.iter_rows()]
    places = [f"row {number}" for number in range(1, len(rows) + 1)]
    return Grid([column.strip() for column in frame.columns], rows, places, is_text=False)
