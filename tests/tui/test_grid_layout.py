from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.grid_layout import GUTTER, MARGIN, lay_out
from tui.widgets.grid_model import Column

COLUMNS = st.lists(
    st.builds(
        Column,
        key=st.just("k"),
        title=st.just("t"),
        width=st.integers(0, 30),
        align=st.sampled_from(["left", "right", "center"]),
        min_width=st.none() | st.integers(0, 30),
        flex=st.integers(0, 3),
        rule=st.booleans(),
    ),
    max_size=12,
)


def column(width, **more):
    return Column("k", "t", width, **more)


@given(COLUMNS, st.integers(0, 120), st.integers(0, 4), st.integers(0, 14))
def test_slots_lie_in_order_inside_the_widget(columns, available, frozen, first):
    layout = lay_out(columns, available, frozen)
    slots = layout.slots(first)
    x = GUTTER
    for slot in slots:
        assert slot.width >= 1
        assert slot.x > x - 1
        assert slot.rule_x == -1 or x <= slot.rule_x < slot.x
        x = slot.end
    assert x <= max(GUTTER, available - MARGIN)
    assert [slot.column for slot in slots] == sorted({slot.column for slot in slots})


@given(COLUMNS, st.integers(0, 120), st.integers(0, 4))
def test_everything_can_be_reached_by_scrolling(columns, available, frozen):
    layout = lay_out(columns, available, frozen)
    if columns:
        last = layout.slots(layout.last_first)
        # Where not even one cell fits there is nothing to reach.
        assert not last or last[-1].column == len(columns) - 1 or available < 24
    for index in range(len(columns)):
        first = layout.first_showing(index, layout.frozen)
        assert layout.frozen <= first <= max(layout.frozen, index)


@given(COLUMNS, st.integers(0, 200), st.integers(0, 4))
def test_columns_shrink_only_for_want_of_room_and_flexible_ones_use_all_of_it(columns, available, frozen):
    layout = lay_out(columns, available, frozen)
    wanted = [max(1, entry.width) for entry in columns]
    if layout.total < available:
        assert list(layout.widths) == wanted
        assert not any(entry.flex for entry in columns)
    if any(width < want for width, want in zip(layout.widths, wanted, strict=True)):
        assert sum(wanted) + GUTTER + MARGIN + sum(layout.spaces) > available


def test_gaps_are_two_cells_where_there_is_room_and_one_where_not():
    columns = [column(10), column(8, align="right"), column(8, align="right")]
    assert [(slot.x, slot.width) for slot in lay_out(columns, 40, 1).slots(1)] == [(3, 10), (15, 8), (25, 8)]
    # 2 gutter + 1 + 10 + 2 + 8 + 2 + 8 + 1 margin = 34 cells are needed for wide gaps.
    assert [slot.x for slot in lay_out(columns, 34, 1).slots(1)] == [3, 15, 25]
    assert [slot.x for slot in lay_out(columns, 33, 1).slots(1)] == [3, 14, 23]


def test_a_rule_stands_in_the_middle_of_three_blank_cells():
    slots = lay_out([column(4), column(5, rule=True)], 40, 1).slots(1)
    assert [(slot.x, slot.rule_x) for slot in slots] == [(3, -1), (10, 8)]


def test_flexible_columns_share_the_rest_in_proportion():
    assert lay_out([column(10, flex=1), column(10), column(10, flex=2)], 100, 1).widths == (30, 10, 52)


def test_columns_shrink_in_proportion_to_what_they_can_give():
    columns = [column(20, min_width=10), column(30, min_width=10), column(8)]
    # 58 + 3 gaps + gutter and margin = 64; 49 are there, so 15 cells go: 5 of the 10 spare ones, 10 of the 20.
    assert lay_out(columns, 49, 1).widths == (15, 20, 8)
    assert lay_out(columns, 34, 1).widths == (10, 10, 8)


def test_numbers_are_never_cut_by_the_right_edge_but_text_may_be():
    numbers = [column(10), *(column(8, align="right") for _ in range(5))]
    slots = lay_out(numbers, 30, 1).slots(1)
    assert [(slot.column, slot.width) for slot in slots] == [(0, 10), (1, 8)]
    texts = [column(10), *(column(10) for _ in range(5))]
    layout = lay_out(texts, 32, 1)
    assert [(slot.column, slot.width) for slot in layout.slots(1)] == [(0, 10), (1, 10), (2, 6)]
    assert layout.hides_right(layout.slots(1))
    assert not layout.hides_right(layout.slots(layout.last_first))


def test_frozen_columns_give_way_in_a_narrow_table():
    columns = [column(24), *(column(8, align="right") for _ in range(5))]
    layout = lay_out(columns, 30, 1)
    assert layout.frozen == 1
    assert layout.widths[0] == 12  # gutter 2 + gap 1 + 12 = half of 30
    assert lay_out([column(24), column(24), *columns[1:]], 20, 2).frozen == 1


@pytest.mark.parametrize("available", range(8))
def test_hardly_any_room(available):
    layout = lay_out([column(10), column(8, align="right")], available, 1)
    assert all(slot.end <= available for slot in layout.slots(layout.last_first))


def test_no_columns():
    layout = lay_out([], 20, 3)
    assert layout.slots(0) == []
    assert not layout.hides_right([])
    assert layout.last_first == 0


def test_first_showing_moves_as_little_as_possible():
    layout = lay_out([column(10), *(column(8, align="right") for _ in range(10))], 42, 1)
    assert [slot.column for slot in layout.slots(1)] == [0, 1, 2, 3]
    assert layout.first_showing(3, 1) == 1
    assert layout.first_showing(4, 1) == 2
    assert layout.first_showing(2, 5) == 2
    assert layout.first_showing(0, 5) == 5
