"""Images in character cells: where they go, and what each cell shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.halfblocks import RAMP, Place, arrange, halves, luma, pixel_rows, ramp

WIDE = (160, 40)


def test_one_below_another_at_the_whole_width() -> None:
    assert arrange([WIDE] * 3, 80, 20, together=False) == [
        Place(0, 1, 80, 10),
        Place(0, 12, 80, 10),
        Place(0, 23, 80, 10),
    ]
    # Never more than one cell to a pixel.
    assert arrange([WIDE], 300, 20, together=False) == [Place(0, 1, 160, 20)]


def test_all_at_once_as_large_as_fits() -> None:
    assert arrange([WIDE] * 2, 80, 22, together=True) == [Place(0, 1, 80, 10), Place(0, 12, 80, 10)]
    four = arrange([WIDE] * 4, 120, 14, together=True)
    assert {place.top for place in four} == {1, 8}
    assert {place.left for place in four} == {0, 61}
    assert {place.width for place in four} == {48}


def test_no_room_no_places() -> None:
    assert arrange([], 80, 20, together=True) == []
    assert arrange([WIDE], 0, 20, together=False) == []
    assert arrange([WIDE], 80, 1, together=True) == []


sizes = st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=1, max_size=5)


@given(sizes, st.integers(1, 200), st.integers(2, 60), st.booleans())
def test_places_never_overlap_and_stay_inside(
    found: list[tuple[int, int]], width: int, height: int, together: bool
) -> None:
    places = arrange(found, width, height, together=together)
    assert len(places) == len(found)
    taken: set[tuple[int, int]] = set()
    for place, size in zip(places, found, strict=True):
        assert 1 <= place.width <= size[0]
        assert place.left >= 0
        assert place.left + place.width <= max(width, 1) or len(found) * 3 > width
        cells = {
            (x, y)
            for x in range(place.left, place.left + place.width)
            for y in range(place.top - 1, place.top + place.height)
        }
        assert not cells & taken
        taken |= cells
        assert 2 * place.height - 1 <= pixel_rows(place, size) <= 2 * place.height


def test_a_cell_has_two_pixels() -> None:
    red, blue, black = (252, 4, 4), (4, 4, 252), (0, 0, 0)
    assert halves([[red, red], [blue, black], [black, red]]) == [
        [(red, blue), (red, black)],
        [(black, None), (red, None)],
    ]


def test_colours_that_cannot_be_told_apart_are_one() -> None:
    (row,) = halves([[(100, 100, 100), (103, 96, 101)]])
    assert row[0] == row[1]
    assert all(abs(value - 100) <= 4 for value in row[0][0])


def test_grey_is_brightness() -> None:
    ((cell,),) = halves([[(255, 255, 255)], [(0, 255, 0)]], grey=True)
    assert cell == ((248, 248, 248), (144, 144, 144))
    assert luma((255, 255, 255)) == pytest.approx(255)


def test_ascii_is_as_bright_as_the_two_pixels() -> None:
    black, white = (0, 0, 0), (255, 255, 255)
    assert ramp([[black, white, white], [black, white, black]]) == [" @="]
    assert ramp([[black, white]], light=True) == ["@ "]


@given(st.integers(0, 255), st.integers(0, 255))
def test_brighter_is_never_less_ink(one: int, other: int) -> None:
    first, second = sorted((one, other))
    ((a,), (b,)) = (ramp([[(value,) * 3]]) for value in (first, second))  # type: ignore[list-item]
    assert RAMP.index(a) <= RAMP.index(b)
