from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.text import ELLIPSIS, cell_width, fit, fit_middle, prose, wrap

ALIGNMENTS = st.sampled_from(["left", "right", "center"])
# Plain text, and the characters that break columns: wide, combining, selectors, joiners, controls, right-to-left.
AWKWARD = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("漢字👩🏽\u200d\ufe0f\u0301\u05d0\u05d1\u0627\u202e\x1b\n\t\x00\ue000\u1100\u11a8❤☺0#"),
    ),
    max_size=60,
)


@given(AWKWARD, st.integers(0, 40), ALIGNMENTS)
def test_fit_is_exactly_as_wide_as_asked(text, width, align):
    assert cell_len(fit(text, width, align)) == width
    assert cell_len(fit_middle(text, width, align)) == width


@given(AWKWARD)
def test_text_that_fits_is_shown_whole(text):
    text = text.replace(ELLIPSIS, "")
    width = cell_width(text)
    assert ELLIPSIS not in fit(text, width)
    assert fit(text, width) == fit_middle(text, width)
    assert cell_len(fit(text, width)) == width


@given(AWKWARD, AWKWARD, st.integers(1, 30))
def test_two_fitted_columns_side_by_side_keep_their_widths(left, right, width):
    line = fit(left, width) + " " + fit(right, width, "right")
    assert cell_len(line) == 2 * width + 1


@pytest.mark.parametrize(
    ("text", "width", "align", "expected"),
    [
        ("ab", 4, "left", "ab  "),
        ("ab", 4, "right", "  ab"),
        ("ab", 5, "center", " ab  "),
        ("abcd", 4, "left", "abcd"),
        ("abcde", 4, "left", "abc…"),
        ("abcde", 1, "right", "…"),
        ("abc", 0, "left", ""),
        ("abc", -3, "left", ""),
        ("漢字漢字", 8, "left", "漢字漢字"),
        ("漢字漢字", 7, "left", "漢字漢…"),
        ("漢字漢字", 6, "left", "漢字… "),  # the third would need cells 5 and 6, the ellipsis has one of them
        ("漢字", 1, "left", "…"),
        ("[bold]x", 9, "left", "[bold]x  "),
        ("\x1b[31m", 6, "left", "␛[31m "),
        ("a\nb", 4, "left", "a␊b "),
        ("e\u0301x", 3, "left", "e\u0301x "),
        ("❤\ufe0f", 2, "left", "❤ "),
    ],
)
def test_fit(text, width, align, expected):
    assert fit(text, width, align) == expected


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("checkpoint_34", 13, "checkpoint_34"),
        ("checkpoint_34", 9, "chec…t_34"),
        ("checkpoint_34", 8, "chec…_34"),
        ("checkpoint_34", 2, "c…"),
        ("checkpoint_34", 1, "…"),
        ("漢字漢字漢字", 9, "漢字…漢字"),
        ("漢字漢字漢字", 8, "漢字…字 "),
    ],
)
def test_fit_middle_keeps_head_and_tail(text, width, expected):
    assert fit_middle(text, width) == expected


def test_right_to_left_text_ends_with_a_mark_so_that_the_next_column_stays_in_place():
    fitted = fit("שלום", 6)
    assert fitted == "שלום\u200e  "
    assert cell_len(fitted) == 6
    assert fit("שלום", 3) == "של…\u200e"


def test_very_long_text_is_cut_without_reading_it_whole():
    assert fit("x" * 5000, 5) == "xxxx…"
    assert fit("é" * 5000, 5) == "éééé…"
    assert fit_middle("é" + "x" * 100_000 + "字", 6) == "éxx…字"
    assert cell_len(fit("a" + "\u0301" * 5000 + "b", 4)) == 4


def test_cell_width():
    assert cell_width("abc") == 3
    assert cell_width("漢a") == 3
    assert cell_width("\x1b") == 1
    assert cell_width("\u200d") == len("<U+200D>")


CHINESE = "判定依据：配对，基于 2 个序列的 8 个窗口；已按查看 24 个 checkpoint 作校正（见“帮助”）。"


def test_text_with_blanks_is_wrapped_as_ever() -> None:
    words = "a few words, and some-longer ones, that must be broken into lines δ<1.25"
    assert wrap(words, 20) == textwrap.wrap(words, 20)
    assert prose(words, 20) == words


@given(st.integers(16, 80), st.integers(0, 4))
def test_wide_text_is_broken_between_characters(width: int, hanging: int) -> None:
    lines = wrap(CHINESE, width, hanging=hanging)
    assert all(cell_len(line) <= width - (hanging if at else 0) for at, line in enumerate(lines))
    assert "".join(lines).replace(" ", "") == CHINESE.replace(" ", "")
    assert not any(line[0] in "，；：。）” " or line[-1] in "（“ " for line in lines)
    # Words of letters stay whole, and no line is left emptier than its next piece needs.
    assert any("checkpoint" in line for line in lines)
    assert all(cell_len(line) > width - hanging - cell_len("checkpoint") - 4 for line in lines[:-1])


def test_prose_keeps_its_indent_and_what_fits() -> None:
    assert prose("  短", 10) == "  短"
    assert prose("  一二三四五六七", 10) == "  一二三四\n  五六七"
