"""Tables in their formats: what programs read back, what people see, what is refused."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import string
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from engine.errors import ExportError, TargetExistsError, UsageError
from engine.export.escape import csv_text
from engine.export.tables import TableFormat, render, write_table

TEXT = st.none() | st.text(max_size=12) | st.text(alphabet=string.printable, max_size=12)
REAL = st.none() | st.floats(allow_nan=True, allow_infinity=True)
WHOLE = st.none() | st.integers(-(2**63), 2**63 - 1)
ROWS = st.lists(st.tuples(TEXT, REAL, WHOLE, st.none() | st.booleans()), max_size=12)
SCHEMA = {"run": pl.String, "depth.building.abs_rel": pl.Float64, "count": pl.Int64, "best": pl.Boolean}


def frame_of(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def without_nan(frame: pl.DataFrame) -> pl.DataFrame:
    values = [None if x is None or not math.isfinite(x) else x for x in frame["depth.building.abs_rel"]]
    return frame.with_columns(pl.Series("depth.building.abs_rel", values, pl.Float64))


def text_of(frame: pl.DataFrame, fmt: TableFormat, **options: object) -> str:
    rendered = render(frame, fmt, **options)  # type: ignore[arg-type]
    assert isinstance(rendered, str)
    return rendered


@given(ROWS)
def test_csv_reads_back(rows: list[tuple[object, ...]]) -> None:
    frame = frame_of(rows)
    read = pl.read_csv(io.StringIO(text_of(frame, TableFormat.CSV)), schema=SCHEMA)
    expected = [None if name is None else csv_text(name) for name in frame["run"]]
    assert_frame_equal(read, without_nan(frame).with_columns(pl.Series("run", expected, pl.String)), check_exact=True)


@given(ROWS)
def test_parquet_reads_back(rows: list[tuple[object, ...]]) -> None:
    frame = frame_of(rows)
    rendered = render(frame, TableFormat.PARQUET)
    assert isinstance(rendered, bytes)
    assert_frame_equal(pl.read_parquet(io.BytesIO(rendered)), without_nan(frame), check_exact=True)


@given(ROWS)
def test_json_reads_back(rows: list[tuple[object, ...]]) -> None:
    frame = frame_of(rows)
    assert json.loads(text_of(frame, TableFormat.JSON)) == without_nan(frame).to_dicts()


@given(ROWS, st.sampled_from([TableFormat.MARKDOWN, TableFormat.LATEX]))
def test_people_get_one_line_per_row(rows: list[tuple[object, ...]], fmt: TableFormat) -> None:
    text = text_of(frame_of(rows), fmt, digits={"depth.building.abs_rel": 3})
    assert len(text.split("\n")) == len(rows) + {TableFormat.MARKDOWN: 3, TableFormat.LATEX: 8}[fmt]


def test_csv_neutralises_names_and_heads() -> None:
    text = text_of(pl.DataFrame({"=1+1": ["@x", 'a"b'], "n": [1, None]}), TableFormat.CSV)
    assert text == '\'=1+1,n\n\'@x,1\n"a""b",\n'


def test_csv_tells_an_empty_text_from_null() -> None:
    frame = pl.DataFrame({"a": ["", None], "b": [1, 2]})
    assert text_of(frame, TableFormat.CSV) == 'a,b\n"",1\n,2\n'


def test_markdown_layout() -> None:
    frame = pl.DataFrame(
        {"run": ["strategy_b", "建|x", None], "x": [0.61065, float("nan"), -0.00001], "delta": ["-64.5", "+8.6", None]}
    )
    assert text_of(frame, TableFormat.MARKDOWN, headers={"x": "AbsRel ↓"}, digits={"x": 4}, right=["delta"]) == (
        "| run        | AbsRel ↓ | delta |\n"
        "| ---------- | -------: | ----: |\n"
        "| strategy_b |   0.6107 | -64.5 |\n"
        "| 建\\|x      |        – |  +8.6 |\n"
        "| –          |   0.0000 |     – |\n"
    )


def test_without_digits_nothing_is_rounded_and_huge_numbers_stay_short() -> None:
    frame = pl.DataFrame({"x": [0.1 + 0.2, 1e300], "y": [1.0, 1e300]})
    text = text_of(frame, TableFormat.MARKDOWN, digits={"y": 2})
    assert "0.30000000000000004" in text and "1e+300" in text and "1.00e+300" in text


def test_a_long_name_does_not_widen_every_row() -> None:
    lines = text_of(pl.DataFrame({"run": ["x" * 5000, "y"]}), TableFormat.MARKDOWN).splitlines()
    assert len(lines[2]) > 5000 and len(lines[3]) < 60


def test_nested_columns_go_where_they_fit() -> None:
    frame = pl.DataFrame(
        {"frames": [[1.0, math.nan], None, []], "s": [{"a": math.inf, "b": "x"}, None, {"a": 1.0, "b": None}]}
    )
    clean = [
        {"frames": [1.0, None], "s": {"a": None, "b": "x"}},
        {"frames": None, "s": None},
        {"frames": [], "s": {"a": 1.0, "b": None}},
    ]
    assert json.loads(text_of(frame, TableFormat.JSON)) == clean
    rendered = render(frame, TableFormat.PARQUET)
    assert isinstance(rendered, bytes)
    assert pl.read_parquet(io.BytesIO(rendered)).to_dicts() == clean
    for fmt in (TableFormat.CSV, TableFormat.MARKDOWN, TableFormat.LATEX):
        with pytest.raises(
            ExportError, match=r"column 'frames' \(List\(Float64\)\) does not fit into a \w+ table; leave"
        ):
            render(frame, fmt)


def test_other_types() -> None:
    frame = pl.DataFrame(
        {"when": [date(2026, 1, 2), None], "kind": pl.Series(["=a", None], dtype=pl.Categorical), "none": [None, None]}
    )
    assert text_of(frame, TableFormat.CSV) == "when,kind,none\n2026-01-02,'=a,\n,,\n"
    assert json.loads(text_of(frame, TableFormat.JSON))[0] == {"when": "2026-01-02", "kind": "=a", "none": None}
    with pytest.raises(ExportError, match="'raw'"):
        render(pl.DataFrame({"raw": [b"x"]}), TableFormat.JSON)
    with pytest.raises(ExportError, match="no columns"):
        render(pl.DataFrame(), TableFormat.CSV)


@pytest.mark.parametrize(
    ("name", "fmt"),
    [
        ("a.csv", TableFormat.CSV),
        ("a.PARQUET", TableFormat.PARQUET),
        ("a.json", TableFormat.JSON),
        ("a.md", TableFormat.MARKDOWN),
        ("a.markdown", TableFormat.MARKDOWN),
        ("a.tex", TableFormat.LATEX),
    ],
)
def test_suffixes(name: str, fmt: TableFormat) -> None:
    assert TableFormat.from_suffix(Path(name)) is fmt


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.csv.gz"])
def test_an_unknown_suffix_lists_the_formats(name: str) -> None:
    with pytest.raises(UsageError, match=r"\.csv, \.parquet, \.json, \.md, \.markdown, \.tex"):
        TableFormat.from_suffix(Path(name))


@pytest.mark.parametrize("fmt", list(TableFormat))
def test_write_table(tmp_path: Path, fmt: TableFormat) -> None:
    frame = pl.DataFrame({"run": ["δ"], "x": [1.5]})
    path = tmp_path / "table.out"
    write_table(frame, path, fmt)
    rendered = render(frame, fmt)
    assert path.read_bytes() == (rendered if isinstance(rendered, bytes) else rendered.encode())
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("mine")
    frame = pl.DataFrame({"x": [1]})
    with pytest.raises(TargetExistsError, match=r"exists already; .*--force"):
        write_table(frame, path)
    assert path.read_text() == "mine"
    write_table(frame, path, force=True)
    assert path.read_text() == "x\n1\n"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.csv"
    path.write_text("mine")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExportError, match=r"table\.csv: cannot be written \(No space left on device\)"):
        write_table(pl.DataFrame({"x": [1]}), path, force=True)
    assert path.read_text() == "mine" and list(tmp_path.iterdir()) == [path]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    frame = pl.DataFrame({"x": [1]})
    with pytest.raises(ExportError, match=r"cannot be written \(No such file"):
        write_table(frame, tmp_path / "none" / "t.csv")
    with pytest.raises(ExportError, match="is a folder"):
        write_table(frame, tmp_path, TableFormat.CSV, force=True)
