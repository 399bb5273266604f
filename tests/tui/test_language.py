"""The app in another language: nothing of its own stays English, and nothing that is wide breaks a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from support.native import write_native_run
from support.odd import english
from support.pilot import Started, quiet, ready, settled, text_of
from textual.pilot import Pilot
from textual.widgets import Input

from engine import i18n
from tui.app import LorascopeApp
from tui.screens.dialogs import LineDialog
from tui.state import BasketItem
from tui.widgets.grid import Grid
from tui.widgets.plot import PlotView
from tui.widgets.plot_paint import cells_of, kept_whole
from tui.widgets.plot_slice import PlotSlice

SCREENS = ["runs", "compare", "trends", "pick", "checkpoint"]


async def see(pilot: Pilot[None], *keys: str) -> str:
    """The screen after these keys."""
    app = pilot.app
    assert isinstance(app, LorascopeApp)
    for key in keys:
        await pilot.press(key)
        await settled(pilot, lambda: quiet(app))
    return text_of(pilot)


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("screen", SCREENS)
async def test_every_screen_and_its_help_are_marked(started: Started, example: Path, screen: str) -> None:
    async with started(example, size=(150, 60)) as pilot:
        keys = [str(SCREENS.index(screen) + 1)] if screen != "runs" else []
        shown = await see(pilot, *keys)
        assert "ŕúñ" in shown  # the headline counts the runs
        assert english(shown) == set()
        assert english(await see(pilot, "question_mark")) == set()


DIALOGS = {
    "runs": [("i",), ("B",), ("slash",), ("ctrl+p",)],
    "compare": [("c",), ("o",), ("slash",), ("a",), ("v",), ("d",), ("e",)],
    "trends": [("m",), ("right",), *[("right_square_bracket",) * times for times in range(1, 7)]],
    "pick": [("o",), ("w",), ("a",), ("p",), ("e",), ("tab", "right", "enter"), ("b",)],
    "checkpoint": [("c",), ("r",), ("b",), ("e",)],
}


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize(("screen", "keys"), [(name, keys) for name, every in DIALOGS.items() for keys in every])
async def test_dialogs_and_views_are_marked(
    started: Started, example: Path, screen: str, keys: tuple[str, ...]
) -> None:
    async with started(example, size=(150, 60), notifications=True) as pilot:
        if screen != "runs":
            await see(pilot, str(SCREENS.index(screen) + 1))
        assert english(await see(pilot, *keys)) == set()


@pytest.fixture
def native(tmp_path: Path) -> Path:
    """A run with per-frame rows, in a folder of its own."""
    return write_native_run(tmp_path / "0" / "native").parent


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("page", ["table", "distribution", "frames", "alignments", "photometric", "slices"])
async def test_pages_of_a_checkpoint_are_marked(started: Started, native: Path, page: str) -> None:
    async with started(native, size=(150, 50), notifications=True) as pilot:
        app = pilot.app
        assert isinstance(app, LorascopeApp)
        app.session.state.checkpoint, app.session.state.checkpoint_page = "checkpoint_2", page
        assert english(await see(pilot, "5")) == set()
        for key in ("m", "escape", "a", "escape", "n", "n", "p", "enter", "z", "escape"):
            assert english(await see(pilot, key)) == set(), key


@pytest.mark.usefixtures("odd")
async def test_empty_screens_are_marked(started: Started, tmp_path: Path) -> None:
    folder = tmp_path / "0"
    folder.mkdir()
    async with started(folder, size=(120, 30)) as pilot:
        app = pilot.app
        for key in "2345":
            await pilot.press(key)
            await settled(pilot, lambda wanted=SCREENS[int(key) - 1]: getattr(app.screen, "NAME", "") == wanted)
            assert english(text_of(pilot)) == set()
            if key != "3":  # where a plot says it in the status line
                assert "ñó ŕúñ ţó" in text_of(pilot)


@pytest.mark.usefixtures("odd")
async def test_what_is_wrong_is_marked(started: Started, tmp_path: Path) -> None:
    """Problems of runs, of what is typed, and of exports."""
    folder = tmp_path / "0"
    folder.mkdir()
    (folder / "1_metrics.json").write_text("{")
    (folder / "2_metrics.json").write_text('{"depth.full.mae": {"mean": "x"}}')
    async with started(folder, size=(150, 40), notifications=True) as pilot:
        shown = await see(pilot, "i")
        # What Python says of JSON is not ours.
        assert english(shown) <= {"Expecting", "property", "name", "enclosed", "in", "double", "quotes", "JSON"}


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("typed", ["fps >", "fps", "nothing > 1", "(fps > 1", "avg(fps) > 1", "fps > 1 > 2", "'a"])
async def test_what_is_wrong_with_a_condition_is_marked(started: Started, example: Path, typed: str) -> None:
    async with started(example, size=(150, 40)) as pilot:
        await see(pilot, "4", "w")
        dialog = pilot.app.screen
        assert isinstance(dialog, LineDialog)
        dialog.query_one(Input).value = typed
        await pilot.pause()
        words = {"AND", "OR", "NOT", "IN", "LIKE", "planarity", "vram", "fps", "avg", "nothing", "abs", "rel"}
        assert english(text_of(pilot)) - words == set()


@pytest.mark.usefixtures("odd")
async def test_an_export_without_files_is_marked(started: Started, example: Path) -> None:
    async with started(example, size=(150, 40)) as pilot:
        app = pilot.app
        assert isinstance(app, LorascopeApp)
        app.session.state.basket = [BasketItem(str(example / "alpha"), "checkpoint_4")]
        shown = await see(pilot, "4", "e", "enter")
        assert english(shown) - {"DIR"} == set()


# -- Chinese ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def chinese() -> None:
    """Chinese is spoken."""
    i18n.activate("zh")


@pytest.fixture
def app(example: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LorascopeApp]:
    """The app on two runs in the folder that it was started in."""
    monkeypatch.chdir(example)
    return lambda **options: LorascopeApp([], **options)


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("screen", SCREENS)
def test_screen_in_chinese(snap_compare, app, screen: str) -> None:  # type: ignore[no-untyped-def]
    keys = [str(SCREENS.index(screen) + 1)] if screen != "runs" else []
    assert snap_compare(app(), terminal_size=(80, 24), run_before=ready(*keys))


@pytest.mark.usefixtures("chinese")
def test_help_in_chinese(snap_compare, app) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(app(), terminal_size=(80, 24), run_before=ready("2", "question_mark"))


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("page", ["distribution", "frames", "alignments", "photometric", "slices"])
def test_page_in_chinese(snap_compare, native: Path, page: str) -> None:  # type: ignore[no-untyped-def]
    found = LorascopeApp([native])
    found.session.state.checkpoint, found.session.state.checkpoint_page = "checkpoint_2", page
    assert snap_compare(found, terminal_size=(80, 24), run_before=ready("5"))


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("key", ["1", "2", "4", "5"])
async def test_wide_texts_keep_columns_aligned(
    started: Started, example: Path, key: str, size: tuple[int, int]
) -> None:
    async with started(example, size=size) as pilot:
        shown = await see(pilot, key)
        assert re.search("[\u4e00-\u9fff]", shown)
        grid = pilot.app.screen.query(Grid).first()
        lines = [grid.render_line(y).text for y in range(grid.size.height)]
        assert {cell_len(line) for line in lines} == {grid.size.width}
        rules = [[cell_len(line[:at]) for at, char in enumerate(line) if char == "│"] for line in lines]
        assert len({tuple(places) for places in rules if places}) <= 1


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("steps", range(7))
async def test_no_character_of_a_plot_is_lost(
    started: Started, example: Path, steps: int, size: tuple[int, int]
) -> None:
    async with started(example, size=size) as pilot:
        await see(pilot, "3", *["right_square_bracket"] * steps, "right")
        plot = pilot.app.screen.query_one(PlotView)
        height, width = plot.size.height, plot.size.width
        for y in range(height):
            whole = plot._line(y).text
            seen = "".join(part.render_line(y).text for part in plot.query_children(PlotSlice))
            assert cell_len(whole) == width
            assert seen == whole


@given(st.text("ab 汉字，┤", max_size=40), st.lists(st.integers(0, 60), max_size=4))
def test_no_wide_character_lies_across_an_edge(text: str, edges: list[int]) -> None:
    row = cells_of([(text, "title")], 64)
    kept = kept_whole(row, sorted(edges))
    assert len(kept) == 64
    assert "".join(char for char, _ in kept).replace(" ", "") == text.replace(" ", "")[: len(text)]
    assert all(kept[edge][0] for edge in edges if len(text) < 30 and 0 < edge < 64)


def test_a_row_of_narrow_characters_stays_as_it_is() -> None:
    row = cells_of([("title ", "title"), ("note", "note")], 12)
    assert kept_whole(row, [3, 6]) == row
    assert cells_of([("e\u0301x", "")], 3) == [("e\u0301", ""), ("x", ""), (" ", "")]


@pytest.fixture
def wide_example(example: Path) -> Iterator[Path]:
    """A run with a wide name, seen in English: the plot has slices, and names are kept whole in all of them."""
    (example / "alpha").rename(example / "名字很长的训练运行一号")
    yield example


async def test_a_wide_name_is_kept_whole_in_slices(started: Started, wide_example: Path) -> None:
    async with started(wide_example, size=(80, 24)) as pilot:
        shown = await see(pilot, "3")
        plot = pilot.app.screen.query_one(PlotView)
        assert len(plot.query_children(PlotSlice)) > 1
        assert "名字很长的训练运行一号" in shown.replace(" ", "")
