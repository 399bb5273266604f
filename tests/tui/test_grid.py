from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.color import Color
from textual.events import MouseScrollDown, MouseScrollLeft, MouseScrollRight, MouseScrollUp
from textual.geometry import Region
from textual.widgets import Button

from tui.themes import THEMES
from tui.widgets.grid import Cell, Column, Grid
from tui.widgets.grid_bar import settled, thumb
from tui.widgets.grid_style import ROLES, contrast

NAMES = Column("name", "name", 10, min_width=6)


def numbers(count, group=""):
    return [Column(f"c{index}", f"c{index}", 8, "right", group) for index in range(count)]


class Rows:
    """Rows named by their keys; a key that starts with ``#`` is a heading. Counts what is asked."""

    def __init__(self, keys, columns=None):
        self.keys = list(keys)
        self.columns = [NAMES, *numbers(3)] if columns is None else list(columns)
        self.asked = []
        self.extra = ""

    @property
    def row_count(self):
        return len(self.keys)

    def cells(self, row):
        self.asked.append(row)
        return [Cell(self.keys[row]), *(Cell(f"{row}.{index}{self.extra}") for index in range(len(self.columns) - 1))]

    def row_key(self, row):
        return self.keys[row]

    def row_kind(self, row):
        return "heading" if self.keys[row].startswith("#") else "row"


def many(count):
    return Rows([f"r{index}" for index in range(count)])


class Host(App[None]):
    def __init__(self, grid, plain=None, theme=None):
        if plain is not None:
            self.plain_mode = plain
        super().__init__()
        self._grid = grid
        self.seen = []
        for entry in THEMES:
            self.register_theme(entry)
        if theme:
            self.theme = theme

    def compose(self) -> ComposeResult:
        yield self._grid
        yield Button("other")

    def on_grid_highlighted(self, event):
        self.seen.append(("highlighted", event.row, event.key, event.column))

    def on_grid_selected(self, event):
        self.seen.append(("selected", event.row, event.key))

    def on_grid_header_selected(self, event):
        self.seen.append(("header", event.column_key))


def lines(grid):
    return [grid.render_line(y).text for y in range(grid.size.height)]


def body(grid):
    """The first words of the body's lines."""
    return [(line[2:].split() or [""])[0] for line in lines(grid)[1:]]


def cursor_lines(grid):
    return [index for index, line in enumerate(lines(grid)) if line[0] in "▌>"]


async def test_it_shows_rows_and_says_where_the_cursor_is():
    grid = Grid()
    grid.set_source(many(100))
    async with Host(grid).run_test(size=(60, 10)) as pilot:
        assert grid.cursor_row == 0
        assert grid.cursor_key == "r0"
        assert lines(grid)[0].split() == ["name", "c0", "c1", "c2"]
        assert body(grid) == ["r0", "r1", "r2", "r3", "r4", "r5"]
        assert cursor_lines(grid) == [1]
        assert pilot.app.seen == [("highlighted", 0, "r0", 0)]


async def test_only_visible_rows_are_asked_for():
    source = many(10_000)
    grid = Grid()
    grid.set_source(source)
    async with Host(grid).run_test(size=(60, 10)):
        grid.action_edge(1)
        assert set(source.asked) <= {*range(20), *range(9_980, 10_000)}
        assert len(source.asked) < 60


async def test_keys_of_a_row_cursor():
    grid = Grid()
    grid.set_source(many(100))
    async with Host(grid).run_test(size=(60, 10)) as pilot:  # six rows are visible
        for key, row in [
            ("down", 1), ("j", 2), ("up", 1), ("k", 0), ("up", 0), ("pagedown", 5), ("pagedown", 10), ("pageup", 5),
            ("end", 99), ("down", 99), ("home", 0), ("G", 99), ("g", 0), ("ctrl+end", 99), ("ctrl+home", 0),
        ]:  # fmt: skip
            await pilot.press(key)
            assert (key, grid.cursor_row) == (key, row)
            assert len(cursor_lines(grid)) == 1
        await pilot.press("enter")
        assert pilot.app.seen[-1] == ("selected", 0, "r0")


async def test_sideways_a_row_cursor_scrolls_by_whole_columns_beside_the_frozen_ones():
    grid = Grid(frozen=1)
    grid.set_source(Rows(["a", "b"], [NAMES, *numbers(9)]))
    async with Host(grid).run_test(size=(40, 10)) as pilot:
        assert lines(grid)[0].split() == ["name", "c0", "c1", "c2", "›"]
        await pilot.press("right", "l")
        assert lines(grid)[0].split() == ["name", "‹", "c2", "c3", "c4", "›"]
        assert lines(grid)[1].split()[1:] == ["a", "0.2", "0.3", "0.4"]
        await pilot.press("h")
        assert lines(grid)[0].split()[:3] == ["name", "‹", "c1"]
        for _ in range(20):
            grid.action_sideways(1)
        assert lines(grid)[0].split() == ["name", "‹", "c6", "c7", "c8"]
        assert grid.cursor_row == 0


async def test_a_cell_cursor_moves_by_columns_and_stays_wholly_visible():
    grid = Grid(cursor="cell")
    grid.set_source(Rows(["a", "b"], [NAMES, *numbers(9)]))
    async with Host(grid).run_test(size=(40, 10)) as pilot:
        await pilot.press("right", "right", "right", "right")
        assert grid.cursor_column == 4
        assert "c3" in lines(grid)[0]
        await pilot.press("end")
        assert grid.cursor_column == 9
        assert "c8" in lines(grid)[0]
        await pilot.press("home", "left")
        assert grid.cursor_column == 0
        assert pilot.app.seen[-1] == ("highlighted", 0, "a", 0)
        assert grid.cursor_row == 0


async def test_the_cursor_skips_headings_and_shows_the_one_above_it():
    grid = Grid()
    grid.set_source(Rows(["#one", "a", "b", "#two", "##", "c", "#end"]))
    async with Host(grid).run_test(size=(60, 8)):  # four rows are visible
        assert grid.cursor_key == "a"
        assert lines(grid)[1] == " #one".ljust(60)[: grid.size.width]
        visited = []
        for step in (1, 1, 1, -1, -1, -1):
            grid.action_step(step)
            visited.append(grid.cursor_key)
        assert visited == ["b", "c", "c", "b", "a", "a"]
        assert grid.scroll_offset.y == 0  # the first heading is on the screen again
        grid.action_edge(1)
        assert grid.cursor_key == "c"
        grid.action_page(-1)
        assert grid.cursor_key == "b"


async def test_only_headings_leave_no_row_to_stand_on():
    grid = Grid()
    grid.set_source(Rows(["#one", "#two"]))
    async with Host(grid).run_test(size=(40, 8)) as pilot:
        await pilot.press("down", "end", "enter", "right", "pageup")
        assert (grid.cursor_row, grid.cursor_key) == (-1, None)
        assert pilot.app.seen == []
        grid.set_source(Rows(["#one", "a"]))
        assert grid.cursor_key == "a"


async def test_the_cursor_stays_on_its_row_and_height_when_the_source_is_replaced():
    grid = Grid()
    grid.set_source(many(50))
    async with Host(grid).run_test(size=(60, 10)) as pilot:
        grid.move_cursor(row=20)
        grid.move_cursor(row=18)
        height = grid.cursor_row - grid.scroll_offset.y
        grid.set_source(Rows([f"new{index}" for index in range(7)] + [f"r{index}" for index in range(50)]))
        assert (grid.cursor_row, grid.cursor_key) == (25, "r18")
        assert grid.cursor_row - grid.scroll_offset.y == height
        await pilot.pause()
        assert pilot.app.seen[-1] == ("highlighted", 25, "r18", 0)
        grid.set_source(many(10))
        assert (grid.cursor_row, grid.cursor_key) == (9, "r9")
        grid.set_source(many(60), keep_cursor=False)
        assert (grid.cursor_row, grid.scroll_offset.y) == (0, 0)


async def test_the_cursor_column_follows_its_key():
    grid = Grid(cursor="cell")
    grid.set_source(Rows(["a"], [NAMES, *numbers(3)]))
    async with Host(grid).run_test(size=(60, 10)):
        grid.move_cursor(column=2)
        grid.set_source(Rows(["a"], [NAMES, Column("x", "x", 3), *numbers(3)]))
        assert grid.cursor_column == 3
        grid.set_source(Rows(["a"], [NAMES]))
        assert grid.cursor_column == 0


async def test_a_source_that_shrinks_under_the_cursor():
    source = many(50)
    grid = Grid()
    grid.set_source(source)
    async with Host(grid).run_test(size=(60, 10)) as pilot:
        grid.move_cursor(row=49)
        del source.keys[3:]
        assert (grid.cursor_row, grid.cursor_key) == (-1, None)
        assert len(lines(grid)) == grid.size.height
        await pilot.press("up")
        assert grid.cursor_key == "r2"
        del source.keys[:]
        await pilot.press("down")
        grid.refresh_rows()
        assert (grid.cursor_row, grid.scroll_offset.y) == (-1, 0)
        source.keys += ["x", "y"]
        grid.refresh_rows()
        assert grid.cursor_key == "x"


async def test_messages_name_the_newest_place_only():
    grid = Grid()
    grid.set_source(many(50))
    async with Host(grid).run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        pilot.app.seen.clear()
        grid.move_cursor(row=7)
        grid.move_cursor(row=7)
        grid.refresh_rows()
        await pilot.pause()
        assert pilot.app.seen == [("highlighted", 7, "r7", 0)]
        for _ in range(5):
            grid.action_step(1)
        await pilot.pause()
        assert pilot.app.seen[-1] == ("highlighted", 12, "r12", 0)


async def test_clicks():
    grid = Grid()
    grid.set_source(Rows(["#one", "a", "b", "c"]))
    async with Host(grid).run_test(size=(60, 10)) as pilot:
        await pilot.pause()
        pilot.app.seen.clear()
        await pilot.click(grid, offset=(5, 3))
        assert pilot.app.seen == [("highlighted", 2, "b", 0)]
        await pilot.click(grid, offset=(5, 4), times=2)
        assert pilot.app.seen[1:] == [("highlighted", 3, "c", 0), ("selected", 3, "c")]
        await pilot.click(grid, offset=(5, 1))  # a heading
        await pilot.click(grid, offset=(5, 6))  # below the last row
        assert grid.cursor_key == "c"
        await pilot.click(grid, offset=(5, 4))
        assert pilot.app.seen[-1] == ("selected", 3, "c")
        await pilot.click(grid, offset=(18, 0))
        await pilot.click(grid, offset=(4, 0))
        assert pilot.app.seen[-2:] == [("header", "c0"), ("header", "name")]
        await pilot.click(grid, offset=(55, 0))  # beside the last column
        assert pilot.app.seen[-1] == ("header", "name")


@pytest.mark.parametrize(
    ("kind", "shift", "rows", "moved"),
    [
        (MouseScrollDown, False, 2, 0),
        (MouseScrollDown, True, 0, 1),
        (MouseScrollRight, False, 0, 1),
        (MouseScrollUp, True, 0, -1),
        (MouseScrollLeft, False, 0, -1),
    ],
)
async def test_the_wheel_scrolls_without_moving_the_cursor(kind, shift, rows, moved):
    grid = Grid()
    grid.set_source(Rows([f"r{index}" for index in range(50)], [NAMES, *numbers(9)]))
    async with Host(grid).run_test(size=(40, 10)) as pilot:
        grid.action_sideways(1)
        grid.post_message(kind(grid, 5, 5, 0, 0, 0, shift, False, False))
        await pilot.pause()
        await pilot.pause()
        assert grid.scroll_offset.y == rows
        assert f"c{1 + moved}" in lines(grid)[0].split()[:3]
        assert grid.cursor_row == 0


async def test_marks_sort_and_groups():
    columns = [NAMES, *numbers(2, "first"), Column("z", "z", 8, "right", "second", rule=True)]
    grid = Grid()
    grid.set_source(Rows(["a", "b"], columns))
    async with Host(grid).run_test(size=(60, 10)):
        grid.set_marked({"b"})
        grid.set_sort("c1", descending=True)
        shown = lines(grid)
        assert shown[0].split() == ["first", "│", "second"]
        assert shown[1].split() == ["name", "c0", "c1", "▼", "│", "z"]
        assert [line[:3] for line in shown[2:4]] == ["▌  ", " ● "]
        grid.set_sort("c0")
        assert "c0 ▲" in lines(grid)[1]
        grid.set_sort(None)
        assert "▲" not in lines(grid)[1]


async def test_outside_text_is_literal():
    grid = Grid()
    columns = [Column("n", "[red]n[/]", 12, ellipsis="middle"), Column("x", "\x1b[1mx\n", 12)]
    keys = ["[bold]a", "\x1b[31mb", "two\nlines", "x" * 5000, "漢字" * 20, "שלום" * 9, "#[b]\n\x1b"]
    grid.set_source(Rows(keys, columns))
    async with Host(grid).run_test(size=(60, 14)) as pilot:
        await pilot.pause()
        shown = lines(grid)
        assert "[red]n[/]" in shown[0]
        assert "␛[1mx␊" in shown[0]
        assert [line[3:15] for line in shown[1:5]] == ["[bold]a     ", "␛[31mb      ", "two␊lines   ", "xxxxxx…xxxxx"]
        assert shown[7].startswith(" #[b]␊␛")
        assert not any(character < " " for line in shown for character in line)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(size=st.tuples(st.integers(1, 40), st.integers(1, 8)), second=st.tuples(st.integers(1, 120), st.integers(1, 30)))
async def test_any_size_shows_lines_of_exactly_its_width(size, second):
    grid = Grid(cursor="cell", frozen=2, empty="nothing")
    columns = [NAMES, *numbers(2, "a"), *numbers(4, "b")]
    grid.set_source(Rows(["#h", *map(str, range(20))], columns))
    async with Host(grid).run_test(size=size) as pilot:
        for wanted in (size, second):
            await pilot.resize_terminal(*wanted)
            grid.action_page(1)
            grid.action_sideways(3)
            assert all(grid.render_line(y).cell_length == grid.size.width for y in range(grid.size.height))


async def test_nothing_to_show():
    grid = Grid(empty="no runs here")
    async with Host(grid).run_test(size=(40, 9)) as pilot:
        assert [line.strip() for line in lines(grid)] == ["", "", "no runs here", "", "", ""]
        grid.set_source(Rows([], []))
        await pilot.press("down", "right", "G", "enter")
        grid.set_source(Rows([]))
        assert lines(grid)[0].split() == ["name", "c0", "c1", "c2"]
        assert "no runs here" in "".join(lines(grid))
        grid.set_source(Rows(["a"], []))
        assert grid.cursor_key == "a"


async def test_plain_mode_is_ascii_with_a_reversed_cursor_and_follows_the_app():
    columns = [NAMES, Column("x", "x", 8, rule=True)]
    grid = Grid()
    grid.set_source(Rows([f"r{index}" for index in range(30)], columns))
    async with Host(grid, plain=True).run_test(size=(40, 10)) as pilot:
        grid.set_marked({"r0"})
        grid.set_sort("x")
        assert lines(grid)[1].startswith(">* r0 ")
        assert all(line.isascii() for line in lines(grid))
        assert all(segment.style.reverse for segment in grid.render_line(1))
        bar = grid.vertical_scrollbar
        assert {character for y in range(bar.size.height) for character in bar.render_line(y).text} == {"#", "|"}
        pilot.app.plain_mode = False
        pilot.app.refresh_css()
        assert lines(grid)[1].startswith("▌● r0 ")
        assert not any(segment.style.reverse for segment in grid.render_line(1))


@pytest.mark.parametrize("theme", [*(entry.name for entry in THEMES), "textual-light", "gruvbox", "ansi-dark"])
async def test_roles_stay_readable_on_every_surface(theme):
    grid = Grid()
    grid.set_source(many(3))
    async with Host(grid, theme=theme).run_test(size=(40, 10)):
        grid.render_line(0)
        palette = grid._palette
        for surface in ("row", "cursor", "blurred", "cell", "header"):
            for role in ("", *ROLES):
                style = palette.style(surface, role)
                if theme.startswith("ansi"):
                    assert surface not in ("cursor", "cell") or style.reverse
                else:
                    ratio = contrast(Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor))
                    assert ratio >= (2.95 if role == "muted" else 4.4), (surface, role)


async def test_the_cursor_is_dimmer_without_focus_and_colours_follow_the_theme():
    grid = Grid()
    grid.set_source(many(3))
    async with Host(grid).run_test(size=(40, 10)) as pilot:
        focused = grid.render_line(1)
        await pilot.press("tab")
        blurred = grid.render_line(1)
        assert blurred.text == focused.text
        assert blurred != focused
        pilot.app.theme = "lorascope-light"
        await pilot.pause()
        assert grid.render_line(1) != blurred


class Spy(Grid):
    """Records what it asks to be repainted."""

    DEFAULT_CSS = ""

    def __init__(self, **more):
        self.regions = []
        super().__init__(**more)

    def refresh(self, *regions, **more):
        self.regions.append(regions)
        return super().refresh(*regions, **more)


async def test_a_cursor_move_repaints_two_lines_and_a_scroll_only_the_body():
    grid = Spy()
    grid.set_source(many(100))
    async with Host(grid).run_test(size=(40, 10)):
        width = grid.size.width
        grid.regions.clear()
        grid.action_step(1)
        assert grid.regions == [(Region(0, 1, width, 1),), (Region(0, 2, width, 1),)]
        grid.move_cursor(row=5)
        grid.regions.clear()
        grid.action_step(1)  # at the lower edge
        assert (Region(0, 1, width, 6),) in grid.regions
        assert not any(region.y == 0 for regions in grid.regions for region in regions)


async def test_new_contents_repaint_only_what_looks_different():
    source = many(100)
    grid = Spy()
    grid.set_source(source)
    async with Host(grid).run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        width = grid.size.width
        lines(grid)
        grid.regions.clear()
        grid.refresh_rows()
        grid.set_source(many(100))
        assert grid.regions == []
        grid.set_marked({"r2", "r70"})
        # Only the gutter of that line: what stands behind it is as it was.
        assert grid.regions == [(Region(0, 3, 3, 1),)]
        grid.regions.clear()
        source = grid.source
        source.keys.append("one more")
        grid.refresh_rows()
        assert grid.regions == [(Region(0, 3, 3, 1),)]  # not painted since: no layout, no other line
        assert grid.max_scroll_y == 101 - 6
        grid.regions.clear()
        grid.refresh_row(4)
        grid.refresh_row(50)
        assert grid.regions == [(Region(0, 5, width, 1),)]


def test_the_thumb_of_the_scrollbar():
    assert thumb(10, 100, 10, 0) == (0, 1)
    assert thumb(10, 100, 10, 90) == (9, 1)
    assert thumb(10, 20, 10, 5) == (2, 5)
    assert thumb(10, 10, 10, 0) == (0, 10)
    # A thumb of one cell on ten cells and 90 hidden lines moves every ten lines.
    assert {settled(10, 100, 10, position) for position in range(5)} == {0.0}
    assert settled(10, 100, 10, 12) == 10.0
    assert settled(0, 100, 10, 12) == 0.0


@given(st.integers(0, 60), st.integers(1, 5000), st.integers(1, 60), st.floats(0, 1))
def test_a_settled_position_leaves_the_thumb_where_it_is(size, virtual, window, share):
    position = share * max(0, virtual - window)
    start, length = thumb(size, virtual, window, position)
    assert 0 <= start <= start + length <= size
    assert thumb(size, virtual, window, settled(size, virtual, window, position)) == (start, length)
