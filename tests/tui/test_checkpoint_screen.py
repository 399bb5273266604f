"""Checkpoint in the app: pages, choices, frames and their pictures, key by key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.native import write_native_run
from support.pilot import Started, settled, text_of
from textual.pilot import Pilot
from textual.widgets import Input

from engine.results import layout
from tui.app import LorascopeApp
from tui.screens.checkpoint import CheckpointScreen
from tui.screens.checkpoint_keys import PAGES
from tui.screens.dialogs import ChooseDialog
from tui.screens.picture import PictureScreen
from tui.state import load_state
from tui.widgets.grid import Grid


@pytest.fixture
def opened(started: Started, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Opens Checkpoint on the native run, on a page."""

    @asynccontextmanager
    async def start(page: str = "table", **options: object) -> AsyncIterator[Pilot[None]]:
        path = tmp_path / "native"
        if not path.exists():
            write_native_run(path)
        async with started(path, **options) as pilot:
            state = app(pilot).session.state
            state.checkpoint, state.checkpoint_page = "checkpoint_2", page
            await press(pilot, "5")
            await drawn(pilot)
            yield pilot

    return start


def app(pilot: Pilot[None]) -> LorascopeApp:
    assert isinstance(pilot.app, LorascopeApp)
    return pilot.app


def screen(pilot: Pilot[None]) -> CheckpointScreen:
    found = pilot.app.screen
    assert isinstance(found, CheckpointScreen)
    return found


async def drawn(pilot: Pilot[None]) -> None:
    await settled(pilot, lambda: isinstance(pilot.app.screen, CheckpointScreen) and pilot.app.screen.is_drawn)


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


async def shows(pilot: Pilot[None], text: str) -> None:
    await settled(pilot, lambda: text in text_of(pilot))


async def test_every_page_opens_in_turn(opened) -> None:  # type: ignore[no-untyped-def]
    content = {
        "distribution": "% of frames",
        "frames": "worst first",
        "alignments": "scale_shift",
        "photometric": "the score uses this",
        "slices": "by stratum",
        "table": "rank",
    }
    async with opened() as pilot:
        await shows(pilot, "checkpoint_2")
        names = [name for name, _ in PAGES]
        for name in [*names[1:], names[0]]:
            await press(pilot, "tab")
            await drawn(pilot)
            assert screen(pilot).page == name
            await shows(pilot, content[name])
        await press(pilot, "shift+tab")
        await shows(pilot, "by stratum")


async def test_the_metric_under_the_tables_cursor_is_looked_at(opened) -> None:  # type: ignore[no-untyped-def]
    async with opened() as pilot:
        grid = screen(pilot).grid
        await settled(pilot, lambda: grid.cursor_key is not None)
        while grid.cursor_key != "depth.building.rmse":
            await press(pilot, "down")
        await press(pilot, "tab")
        await shows(pilot, "RMSE m · building ↓ · % of frames")
        await press(pilot, "m")
        await settled(pilot, lambda: isinstance(pilot.app.screen, ChooseDialog))
        await pilot.press(*"pose.ate", "enter")
        await shows(pilot, "ATE m ↓ · % of windows")
        await press(pilot, "t")
        await settled(pilot, lambda: app(pilot).session.state.trend_metrics == ["pose.ate_trans"])


async def test_another_checkpoint_beside_it(opened) -> None:  # type: ignore[no-untyped-def]
    async with opened("frames") as pilot:
        await shows(pilot, "against baseline")
        await press(pilot, "a")
        await settled(pilot, lambda: isinstance(pilot.app.screen, ChooseDialog))
        assert "checkpoint_2" not in [choice.value for choice in pilot.app.screen._choices]  # type: ignore[attr-defined]
        await pilot.press(*"checkpoint_1", "enter")
        await shows(pilot, "against checkpoint_1")
        await press(pilot, "left_square_bracket")
        # It is not laid beside itself.
        await shows(pilot, "checkpoint_1 (2 of 5) against baseline")


async def test_most_apart_leads_from_difference_to_difference(opened) -> None:  # type: ignore[no-untyped-def]
    async with opened("frames") as pilot:
        pane = screen(pilot).pane
        jumps = pane.content.jumps
        keys = []
        for key in ("n", "n", "n", "N"):
            await press(pilot, key)
            keys.append(pane.grid.cursor_key)
        assert keys == [jumps[0], jumps[1], jumps[2], jumps[1]]
        # From elsewhere it begins with the largest difference again.
        pane.grid.move_cursor(row=0)
        await pilot.pause()
        await press(pilot, "n")
        assert pane.grid.cursor_key == jumps[0]


async def test_sorting_begins_at_the_top_and_a_step_keeps_the_frame(opened) -> None:  # type: ignore[no-untyped-def]
    async with opened("frames") as pilot:
        pane = screen(pilot).pane
        await press(pilot, "down", "down", "down")
        await press(pilot, "s")
        await shows(pilot, "most lost first")
        await drawn(pilot)
        assert pane.grid.cursor_row == 0
        await press(pilot, "down", "down")
        key = pane.grid.cursor_key
        await press(pilot, "left_square_bracket")
        await shows(pilot, "checkpoint_1 (2 of 5)")
        await drawn(pilot)
        assert pane.grid.cursor_key == key
        # Each page keeps its own place.
        await press(pilot, "tab")
        await drawn(pilot)
        await press(pilot, "shift+tab")
        await drawn(pilot)
        assert pane.grid.cursor_key == key


async def test_a_picture_is_shown_swapped_and_zoomed(opened) -> None:  # type: ignore[no-untyped-def]
    async with opened("frames", notifications=True) as pilot:
        pane = screen(pilot).pane
        rows = pane.frames
        places = [rows.place(row)[1:] for row in range(rows.row_count)]
        pane.grid.move_cursor(row=places.index((0, 11)))
        await press(pilot, "enter")
        await shows(pilot, "window 0, frame 11 has no picture")
        await shows(pilot, "window 0 frame 12, window 2 frame 20")
        seen = []
        for _ in range(3):
            await press(pilot, "p")
            seen.append(pane.place()[1:])
        # From (0, 11) on, in the order of the table, and round again.
        assert seen == [(0, 12), (2, 20), (0, 12)]
        await press(pilot, "enter")
        await settled(pilot, lambda: isinstance(pilot.app.screen, PictureScreen) and pilot.app.screen.is_drawn)
        await shows(pilot, "depth error")
        shown = text_of(pilot)
        assert "checkpoint_2 · window 0 · frame 12 · AbsRel 0.3000 (baseline 0.4000)" in shown
        assert "space baseline" in shown
        await press(pilot, "space")
        await shows(pilot, "baseline · window 0 · frame 12 · AbsRel 0.4000 (checkpoint_2 0.3000)")
        await press(pilot, "z")
        await shows(pilot, "z larger")
        await press(pilot, "right")
        # The other checkpoint has no picture of that frame.
        await shows(pilot, "checkpoint_2 · window 2 · frame 20")
        await shows(pilot, "normals")
        await press(pilot, "down", "up", "left", "escape")
        assert screen(pilot).page == "frames"


async def test_a_damaged_picture_is_said(opened, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    async with opened("frames") as pilot:
        (tmp_path / "native" / layout.PREVIEWS / "checkpoint_2" / "w0-12.png").write_bytes(b"no picture")
        pane = screen(pilot).pane
        places = [pane.frames.place(row)[1:] for row in range(pane.frames.row_count)]
        pane.grid.move_cursor(row=places.index((0, 12)))
        await press(pilot, "enter")
        await shows(pilot, "previews/checkpoint_2/w0-12.png: is no readable PNG")


async def test_keys_of_other_pages_say_where_they_work(opened) -> None:  # type: ignore[no-untyped-def]
    async with opened("slices", notifications=True) as pilot:
        await press(pilot, "n")
        await shows(pilot, "this key is for the pages frames")
        assert " n most apart" not in text_of(pilot)


async def test_regions(opened) -> None:  # type: ignore[no-untyped-def]
    async with opened("alignments") as pilot:
        await shows(pilot, "AbsRel · building ↓")
        await press(pilot, "R")
        await shows(pilot, "AbsRel · full ↓")
        await press(pilot, "R")
        await shows(pilot, "AbsRel · building ↓")


async def test_a_plot_is_read_with_the_arrows(opened) -> None:  # type: ignore[no-untyped-def]
    async with opened("photometric") as pilot:
        await press(pilot, "right")
        await shows(pilot, "difference of colour below 0.05: ")
        await press(pilot, "right")
        await shows(pilot, "difference of colour below 0.06: ")


async def test_the_page_and_its_choices_are_kept(opened) -> None:  # type: ignore[no-untyped-def]
    async with opened("frames") as pilot:
        await press(pilot, "s", "s")
        await shows(pilot, "most different first")
        path = app(pilot).session.state_path
    state = load_state(path)
    assert (state.screen, state.checkpoint_page, state.frames_order) == ("checkpoint", "frames", "difference")


async def test_a_frame_is_copied(opened) -> None:  # type: ignore[no-untyped-def]
    async with opened("frames") as pilot:
        await press(pilot, "y")
        await pilot.pause()
        assert pilot.app.clipboard.endswith("native checkpoint_2 2013_05_28_drive_0004_sync 3 23")


async def test_a_run_read_anew_is_asked_anew(opened, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    async with opened("slices") as pilot:
        await shows(pilot, "by stratum")
        (tmp_path / "native" / layout.WINDOWS).unlink()
        await press(pilot, "ctrl+r")
        await settled(pilot, lambda: "by stratum" not in text_of(pilot) and "by drive" in text_of(pilot))


async def test_runs_without_frames_say_so_on_every_page(started: Started, example: Path) -> None:
    async with started(example) as pilot:
        await press(pilot, "5")
        await drawn(pilot)
        await press(pilot, "tab")
        await shows(pilot, "mean ± std")
        for page in ("frames", "alignments", "photometric", "slices"):
            await press(pilot, "tab")
            await drawn(pilot)
            assert screen(pilot).page == page
            text = " ".join(text_of(pilot).split())
            assert "no photometric curve" in text or "alpha has no per-frame rows, only summaries" in text
            await press(pilot, "n", "s", "a", "escape", "R", "y", *(["enter"] if page == "frames" else []))
        assert app(pilot).is_running


async def test_a_page_is_chosen_with_the_mouse(opened) -> None:  # type: ignore[no-untyped-def]
    async with opened() as pilot:
        await pilot.click("#checkpoint-pages", offset=(25, 0))
        await shows(pilot, "worst first")


async def test_the_cursor_key_of_a_filter_goes_to_the_dialog(opened) -> None:  # type: ignore[no-untyped-def]
    async with opened("distribution") as pilot:
        await press(pilot, "m")
        await settled(pilot, lambda: isinstance(pilot.app.screen, ChooseDialog))
        await pilot.press(*"nothing like it")
        assert pilot.app.screen.query_one(Input).value == "nothing like it"
        await press(pilot, "escape")
        assert not pilot.app.screen.query_one("#frames-grid", Grid).display
