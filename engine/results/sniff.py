"""Tells from a file's first or last bytes whether it is a table with one row per checkpoint. Imports nothing heavy."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable
from pathlib import Path

from engine.catalogue import Catalogue
from engine.results.layout import NAME_COLUMNS, PARQUET_ENDING, STATISTICS

HEADER_BYTES = 64 * 1024
_FOOTER_BYTES = 1024 * 1024
_DELIMITERS = ",;\t"
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Metric keys as they stand among a Parquet footer's binary fields.
_DOTTED = re.compile(rb"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+")
# A table with these has a row per frame or per window, not per checkpoint.
_FINER_ROWS = frozenset({"window", "frame", "align"})

_CATALOGUE = Catalogue()


def text_encoding(data: bytes) -> tuple[str, int]:
    """The encoding that a text file's byte order mark tells (else UTF-8), and how many bytes the mark takes."""
    return next(((name, len(bom)) for bom, name in _BOMS if data.startswith(bom)), ("utf-8", 0))


def delimiter_of(text: str) -> str:
    """The delimiter of a text table: comma, semicolon or tab, whichever its first line holds most often."""
    return max(_DELIMITERS, key=_header_line(text).count)


def _header_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def is_known_metric(key: str) -> bool:
    """Whether the metric table knows ``key`` (dotted keys only: ``score`` alone proves nothing)."""
    return "." in key and _CATALOGUE.get(key).known


def metric_and_statistic(column: str, columns: Iterable[str]) -> tuple[str, str]:
    """What a column holds: ``depth.full.mae.std`` -> (``depth.full.mae``, ``std``); a bare key is its mean.

    An ending other than ``.mean`` is a statistic only where the metric is known or has a mean among ``columns``;
    otherwise ``loss.min`` is the name of a metric.
    """
    metric, _, ending = column.rpartition(".")
    if not metric or ending not in STATISTICS:
        return column, "mean"
    if ending == "mean" or is_known_metric(metric):
        return metric, ending
    names = set(columns)
    return (metric, ending) if metric in names or f"{metric}.mean" in names else (column, "mean")


def looks_like_results(columns: Iterable[str]) -> bool:
    """Whether a table with these columns has one row per checkpoint: one that names it, and a known metric."""
    names = [column.strip() for column in columns]
    lowered = {name.lower() for name in names}
    if lowered.isdisjoint(NAME_COLUMNS) or lowered & _FINER_ROWS:
        return False
    return any(is_known_metric(metric_and_statistic(name, ())[0]) for name in names)


def looks_like_table(path: Path) -> bool:
    """:func:`looks_like_results` for a file, of which only the header or footer is read.

    A file that cannot be read, or is not what its ending says, does not look like one.
    """
    try:
        with path.open("rb") as file:
            if path.suffix.lower() != PARQUET_ENDING:
                return looks_like_results(_csv_columns(file.read(HEADER_BYTES)))
            size = file.seek(0, 2)
            if size < 12:
                return False
            file.seek(size - 8)
            tail = file.read(8)
            length = int.from_bytes(tail[:4], "little")
            if tail[4:] != b"PAR1" or length > size - 12:
                return False
            file.seek(size - 8 - length)
            return _footer_looks_like_results(file.read(min(length, _FOOTER_BYTES)))
    except OSError:
        return False


def _csv_columns(head: bytes) -> list[str]:
    encoding, skip = text_encoding(head)
    text = head[skip:].decode(encoding, "replace")
    try:
        return next(csv.reader([_header_line(text)], delimiter=delimiter_of(text)), [])
    except csv.Error:
        return []


def _footer_looks_like_results(footer: bytes) -> bool:
    # Column names stand in the footer with their length before them.
    names = [name for name in (*NAME_COLUMNS, *_FINER_ROWS) if bytes([len(name)]) + name.encode() in footer.lower()]
    return looks_like_results([*names, *(match.decode() for match in _DOTTED.findall(footer))])
