"""The form of a cache of summaries: a line that names form and version, a checksum, a header in JSON, a Parquet table.

The version covers everything that decides the numbers besides the rows: the code that derives them, the schema of the
rows, that of the summary.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence

import polars as pl
import polars.selectors as cs
from pydantic import BaseModel, ConfigDict, ValidationError

from engine.results.distributions import DISTRIBUTIONS
from engine.results.folder_summary import FolderSummary
from engine.results.model import Problem, Severity
from engine.results.reading import PARQUET_ERRORS
from engine.results.shards import Stamp
from engine.schema import FRAMES, SCHEMA_VERSION
from engine.schema import empty as empty_frame

# To be raised whenever the same rows would give other numbers, names or problems than before.
DERIVATION = 1
LARGEST = 64 * 2**20  # bytes; a larger file is not a cache of summaries

_DIGEST_BYTES = 32
_LENGTH_BYTES = 8


class _Problem(BaseModel):
    model_config = ConfigDict(frozen=True)

    severity: Severity
    file: str
    message: str
    place: str
    remedy: str


class _Folder(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    files: list[tuple[str, int, int, int | None]]
    alignment: str
    alignments: list[str]
    usable: int
    problems: list[_Problem]
    rows: int


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True)

    folders: list[_Folder]


def encode(summaries: Sequence[FolderSummary]) -> bytes:
    """A cache that holds these summaries."""
    header = _Header(folders=[_folder(summary) for summary in summaries]).model_dump_json().encode()
    table = pl.concat([empty_frame(DISTRIBUTIONS), *(summary.table for summary in summaries)])
    file = io.BytesIO()
    table.write_parquet(file)
    content = len(header).to_bytes(_LENGTH_BYTES, "little") + header + file.getvalue()
    return _first_line() + hashlib.sha256(content).digest() + content


def decode(data: bytes) -> dict[str, FolderSummary]:
    """Folder name -> its summary; nothing where ``data`` is damaged, of another version or something else."""
    first = _first_line()
    start = len(first) + _DIGEST_BYTES
    content = data[start:]
    if not data.startswith(first) or hashlib.sha256(content).digest() != data[len(first) : start]:
        return {}
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    try:
        header = _Header.model_validate_json(content[_LENGTH_BYTES:end])
        table = pl.read_parquet(io.BytesIO(content[end:]))
    except (ValidationError, *PARQUET_ERRORS):
        return {}
    if table.schema != DISTRIBUTIONS or table.height != sum(folder.rows for folder in header.folders):
        return {}
    finite = cs.float().is_finite().fill_null(True).all()
    given = (~cs.float()).is_not_null().all()
    if not table.select(pl.all_horizontal(finite) & pl.all_horizontal(given)).item():
        return {}
    return _summaries(header, table)


def _summaries(header: _Header, table: pl.DataFrame) -> dict[str, FolderSummary]:
    found = {}
    start = 0
    for folder in header.folders:
        found[folder.name] = FolderSummary(
            folder.name,
            tuple(Stamp(*file) for file in folder.files),
            folder.alignment,
            tuple(folder.alignments),
            folder.usable,
            tuple(Problem(**problem.model_dump()) for problem in folder.problems),
            table.slice(start, folder.rows),
        )
        start += folder.rows
    return found


def _folder(summary: FolderSummary) -> _Folder:
    return _Folder(
        name=summary.name,
        files=[(stamp.name, stamp.size, stamp.modified, stamp.changed) for stamp in summary.stamps],
        alignment=summary.alignment,
        alignments=list(summary.alignments),
        usable=summary.usable,
        problems=[
            _Problem(severity=p.severity, file=p.file, message=p.message, place=p.place, remedy=p.remedy)
            for p in summary.problems
        ],
        rows=summary.table.height,
    )


def _first_line() -> bytes:
    schemas = json.dumps([[(name, str(dtype)) for name, dtype in schema.items()] for schema in (FRAMES, DISTRIBUTIONS)])
    digest = hashlib.sha256(schemas.encode()).hexdigest()[:16]
    return f"lorascope summaries {DERIVATION}.{SCHEMA_VERSION}.{digest}\n".encode()
