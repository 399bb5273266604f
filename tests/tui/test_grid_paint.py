from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import BLACK, WHITE, Color
from textual.strip import Strip

from tui.widgets.grid_layout import lay_out
from tui.widgets.grid_model import Cell, Column
from tui.widgets.grid_paint import (
    FANCY,
    PLAIN,
    View,
    changed,
    paint_blank,
    paint_groups,
    paint_heading,
    paint_message,
    paint_row,
    paint_titles,
)
from tui.widgets.grid_style import contrast, readable

STYLES = {
    "row": Style(color="white", bgcolor="black"),
    "cursor": Style(color="white", bgcolor="blue"),
    "header": Style(color="white", bgcolor="black", bold=True),
}
ROLES = {"better": Style(color="green"), "rule": Style(color="color(8)"), "accent": Style(color="yellow")}


class FakePalette:
    """Equal styles are one object, as in the real palette."""

    def __init__(self):
        self._styles = {}

    def style(self, surface, role=""):
        key = (surface, role)
        if key not in self._styles:
            base = STYLES.get(surface, STYLES["row"])
            self._styles[key] = base + ROLES[role] if role in ROLES else base
        return self._styles[key]


def view(columns, width, first=1, frozen=1, glyphs=FANCY):
    layout = lay_out(columns, width, frozen)
    slots = layout.slots(first)
    return View(width, columns, slots, first > layout.frozen, layout.hides_right(slots), FakePalette(), glyphs)


TEXTS = st.text(st.characters() | st.sampled_from("漢字\u0301\u05d0\x1b\n[]"), max_size=40)
COLUMNS = st.lists(
    st.builds(
        Column,
        key=TEXTS,
        title=TEXTS,
        width=st.integers(0, 20),
        align=st.sampled_from(["left", "right", "center"]),
        group=st.sampled_from(["", "one", "漢字の組"]),
        min_width=st.none() | st.integers(0, 20),
        flex=st.integers(0, 2),
        rule=st.booleans(),
        ellipsis=st.sampled_from(["end", "middle"]),
    ),
    max_size=8,
)


@given(
    columns=COLUMNS,
    width=st.integers(0, 90),
    first=st.integers(0, 8),
    frozen=st.integers(0, 3),
    cells=st.lists(st.builds(Cell, TEXTS, st.sampled_from(["", "better", "accent"])), max_size=8),
    title=TEXTS,
    surface=st.sampled_from(["row", "cursor"]),
)
def test_every_line_is_exactly_as_wide_as_the_widget(columns, width, first, frozen, cells, title, surface):
    seen = view(columns, width, first, frozen)
    key = columns[0].key if columns else None
    for strip in (
        paint_row(seen, cells, surface, True, 1),
        paint_heading(seen, title),
        paint_titles(seen, key, True),
        paint_groups(seen),
        paint_blank(seen),
        paint_message(seen, title, 2, 5),
    ):
        assert strip.cell_length == width
        assert sum(cell_len(segment.text) for segment in strip) == width
        assert all(segment.text and segment.control is None for segment in strip)


COMPARE = [
    Column("name", "metric", 10),
    Column("old", "old", 6, "right", "run a", rule=True),
    Column("new", "new", 6, "right", "run a"),
    Column("other", "other", 6, "right", "run b", rule=True),
]


def test_lines_of_a_comparison():
    seen = view(COMPARE, 46)
    assert paint_groups(seen).text == "              │ run a          │ run b".ljust(46)
    assert paint_titles(seen, "new", True).text == "   metric     │    old   new ▼ │  other".ljust(46)
    row = paint_row(seen, [Cell("AbsRel"), Cell("1.72"), Cell("0.61", "better"), Cell("2.0")], "cursor", True)
    assert row.text == "▌● AbsRel     │   1.72    0.61 │    2.0".ljust(46)
    assert paint_heading(seen, "depth").text == " depth        │                │".ljust(46)


def test_plain_lines_are_ascii():
    seen = view(COMPARE, 46, glyphs=PLAIN)
    row = paint_row(seen, [Cell("AbsRel"), Cell("1.72"), Cell("0.61"), Cell("2.0")], "cursor", True)
    assert row.text == ">* AbsRel     |   1.72    0.61 |    2.0".ljust(46)
    assert paint_titles(seen, "new", False).text.isascii()


def test_a_run_of_equal_style_is_one_segment():
    seen = view(COMPARE, 46)
    row = paint_row(seen, [Cell("AbsRel"), Cell("1"), Cell("2", "better"), Cell("", "better")], "row", False)
    # name | rule | old, blanks | new | rule | the rest: blanks take no style of their own
    assert [segment.text.strip() for segment in row] == ["AbsRel", "│", "1", "2", "│"]


def test_a_group_is_named_above_the_columns_of_it_that_are_seen():
    seen = view(COMPARE, 30, first=2)
    assert [slot.column for slot in seen.slots] == [0, 2, 3]
    assert paint_groups(seen).text == "              run a  │ run b".ljust(30)
    assert "‹" in paint_titles(seen, None, False).text


def test_hints_say_that_columns_are_hidden():
    seen = view([Column("n", "n", 10), *(Column(f"c{i}", f"c{i}", 8, "right") for i in range(9))], 40, first=3)
    titles = paint_titles(seen, None, False).text
    assert titles.index("‹") == seen.slots[1].x - 1
    assert titles.endswith("›")


@pytest.mark.parametrize(("width", "expected"), [(7, "title ▼"), (6, "title▼"), (5, "tit…▼"), (2, "…▼"), (1, "▼")])
def test_the_sort_indicator_is_never_cut(width, expected):
    seen = view([Column("k", "title", width)], 30, frozen=0, first=0)
    assert paint_titles(seen, "k", True).text.strip() == expected


def test_a_message_is_centred_and_wrapped():
    seen = view([], 24)
    lines = [paint_message(seen, "nothing here: choose another folder", y, 4).text for y in range(4)]
    assert [line.strip() for line in lines] == ["", "nothing here: choose", "another folder", ""]
    assert lines[2] == "     another folder     "


@given(
    st.tuples(*[st.integers(0, 255)] * 3),
    st.tuples(*[st.integers(0, 255)] * 3),
)
def test_readable_colours_have_the_contrast_asked_for(one, other):
    background = Color(*other)
    assert contrast(readable(Color(*one), background, 4.5), background) >= 4.5


def test_contrast_is_that_of_wcag():
    assert contrast(WHITE, BLACK) == pytest.approx(21)
    # https://www.w3.org/TR/WCAG22/ : #767676 is the lightest grey that passes AA on white, at 4.54 to 1
    assert contrast(Color(0x76, 0x76, 0x76), WHITE) == pytest.approx(4.54, abs=0.005)
    already = Color(0, 0, 120)
    assert readable(already, WHITE, 4.5) == already


@given(
    st.lists(st.tuples(st.sampled_from("ab█ 数"), st.sampled_from(["red", "blue"])), min_size=1, max_size=12), st.data()
)
def test_what_changed_lies_in_the_span_and_reaches_its_ends(pieces: list[tuple[str, str]], data: st.DataObject) -> None:
    styles = {"red": Style(color="red"), "blue": Style(color="blue")}
    before = Strip([Segment(text, styles[style]) for text, style in pieces])
    at = data.draw(st.integers(0, len(pieces) - 1))
    other = data.draw(st.sampled_from([text for text in "xy" if cell_len(pieces[at][0]) == 1] or ["数", "据"]))
    after = Strip([*list(before)[:at], Segment(other, styles[pieces[at][1]]), *list(before)[at + 1 :]])
    begin, end = changed(before, after)
    assert before.crop(0, begin) == after.crop(0, begin)
    assert before.crop(end).text == after.crop(end).text
    changes = other != pieces[at][0]
    width = sum(cell_len(text) for text, _ in pieces[:at])
    assert (begin, end) == ((width, width + cell_len(other)) if changes else (begin, begin))
    assert changed(None, after) == (0, after.cell_length)
    assert changed(after, after)[0] == changed(after, after)[1]
