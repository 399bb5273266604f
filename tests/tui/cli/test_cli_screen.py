"""Tables for people: aligned, within the screen, literal."""

from __future__ import annotations

import contextlib
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.cli.cells import Cell, Column
from tui.cli.screen import Screen, wrapped


def drawn(
    capsys: pytest.CaptureFixture[str], screen: Screen, columns: list[Column], rows: list[list[str]]
) -> list[str]:
    """The lines of a table."""
    capsys.readouterr()
    screen.table(columns, rows)
    return capsys.readouterr().out.splitlines()


def test_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [Column("name", outside=True), Column("value", "right"), Column("")]
    rows = [["a", "1.0", "▲"], ["long name", "12.25", ""]]
    assert drawn(capsys, Screen(width=80), columns, rows) == [
        "name       value",
        "─────────  ─────  ─",
        "a            1.0  ▲",
        "long name  12.25",
    ]


def test_names_are_cut_before_columns_go_and_numbers_never(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [
        Column("run", outside=True, least=6),
        Column("n", "right", rank=2),
        Column("m", rank=1),
        Column("score", "right"),
    ]
    rows = [["abcdefghijklmnop", "50", "xyz", "0.3455"]]

    def widths(width: int) -> tuple[str, str]:
        head, _, row = drawn(capsys, Screen(width=width), columns, rows)
        return head.split()[-1] + " " + " ".join(head.split()[:-1]), row

    assert widths(40) == ("score run n m", "abcdefghijklmnop  50  xyz  0.3455")
    assert widths(25) == ("score run n m", "abcd…nop  50  xyz  0.3455")
    assert widths(21) == ("score run m", "abcd…nop  xyz  0.3455")
    assert widths(20) == ("score run m", "abc…nop  xyz  0.3455")


def test_groups_stand_over_their_columns(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [
        Column("metric"),
        *(Column("a", "right", group=("first run", "c1")), Column("b", "right")),
        *(Column("a", "right", group=("second", "c2")), Column("b", "right")),
    ]
    capsys.readouterr()
    Screen(width=80).table(columns, [Cell("heading across everything"), ["x", "1", "2", "3", "4"]])
    assert capsys.readouterr().out.splitlines() == [
        "       │ first run │ second",
        "       │ c1        │ c2",
        "metric │      a  b │   a  b",
        "───────┼───────────┼───────",
        "heading across everything",
        "x      │      1  2 │   3  4",
    ]


def test_plain_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [Column("Δ%", group=("x" * 30,)), Column("name", outside=True, least=8)]
    out = drawn(capsys, Screen(width=24, plain=True), columns, [["≥ 2", "y" * 30]])
    assert "".join(out).isascii()


@given(
    st.lists(st.tuples(st.text(max_size=40), st.text("0123456789.", max_size=6)), min_size=1, max_size=5),
    st.integers(30, 90),
)
def test_no_line_is_wider_than_the_screen_and_none_is_broken(rows: list[tuple[str, str]], width: int) -> None:
    columns = [Column("name", outside=True, least=8), Column("value", "right"), Column("extra", rank=1)]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        Screen(width=width).table(columns, [[name, value, "some words"] for name, value in rows])
    lines = out.getvalue().removesuffix("\n").split("\n")
    assert len(lines) == len(rows) + 2
    assert all(cell_len(line) <= width for line in lines)
    assert "Cc" not in {unicodedata.category(character) for line in lines for character in line}


def test_paragraphs() -> None:
    text = "one two three four five six seven"
    assert wrapped(text, None, "  ") == ["  " + text]
    assert wrapped(text, 20, "  ") == ["  one two three four", "    five six seven"]
    assert wrapped("x" * 40, 20) == ["x" * 40]
    assert wrapped("", 20) == [""]


def test_colour_is_for_terminals_that_want_it(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(width=80)
    screen.line(Cell("red", "red"))
    assert (screen.colour, capsys.readouterr().out) == (False, "red\n")
