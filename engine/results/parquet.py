"""Opens the store's Parquet files lazily, checking columns and types, and keeps NaN out of tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from engine.results.problems import ProblemLog, some
from engine.results.reading import PARQUET_ERRORS, why_unreadable

HEADER = "header"  # the place of problems with a file's columns, which its contents alone decide
_REMEDY = "write the run again with this version"


def has_schema(path: Path, file: str, schema: pl.Schema, log: ProblemLog, *, optional: Sequence[str] = ()) -> bool:
    """Whether a Parquet file can be read as a table of ``schema``; what is wrong is reported.

    Args:
        path: the file; only its footer is read.
        file: its name in messages.
        schema: the columns and types that it should have; more columns are fine.
        log: where problems are reported.
        optional: columns without which the rest is still worth reading: reported as well, then null.
    """
    try:
        found = pl.scan_parquet(path, glob=False, hive_partitioning=False).collect_schema()
    except PARQUET_ERRORS as error:
        log.error(file, why_unreadable(error), remedy="write it again, or remove it")
        return False
    missing = [name for name in schema if name not in found]
    wrong = [name for name, dtype in schema.items() if name in found and found[name] != dtype]
    if missing:
        what = f"columns {some(missing)} are" if len(missing) > 1 else f"column {missing[0]} is"
        log.error(file, f"the {what} missing", place=HEADER, remedy=_REMEDY)
    for name in wrong:
        log.error(
            file,
            f"the column {name} holds {found[name]}, not {schema[name]}",
            place=HEADER,
            remedy=_REMEDY,
        )
    return not wrong and set(missing) <= set(optional)


def scan(paths: Sequence[Path], schema: pl.Schema) -> pl.LazyFrame:
    """The rows of Parquet files that :func:`has_schema`, with the columns of ``schema`` alone, as they stand."""
    return pl.scan_parquet(
        list(paths),
        glob=False,  # folders may be called "[a]"
        hive_partitioning=False,  # nor is "step=5" a column
        schema=schema,
        missing_columns="insert",
        extra_columns="ignore",
    )


def finite(column: str) -> pl.Expr:
    """A float column with NaN and infinity as null."""
    return pl.when(pl.col(column).is_finite()).then(pl.col(column)).alias(column)


def float_columns(schema: pl.Schema) -> list[str]:
    """The columns of ``schema`` that hold floats."""
    return [name for name, dtype in schema.items() if dtype.is_float()]
