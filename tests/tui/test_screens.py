"""Pictures of every screen, at the least and at a comfortable size, on each kind of theme."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.judged import write_judged_run
from support.native import write_native_run
from support.pilot import ready

from tui.app import LorascopeApp

SIZES = [(80, 24), (120, 40)]
SCREENS = ["runs", "compare", "trends", "pick", "checkpoint"]


@pytest.fixture
def app(example: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LorascopeApp]:
    """The app on two runs in the folder that it was started in."""
    monkeypatch.chdir(example)

    def make(**options: object) -> LorascopeApp:
        return LorascopeApp([], **options)  # type: ignore[arg-type]

    return make


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(snap_compare, app, screen: str, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    keys = [str(SCREENS.index(screen) + 1)] if screen != "runs" else []
    assert snap_compare(app(), terminal_size=size, run_before=ready(*keys))


@pytest.mark.parametrize("theme", ["lorascope-light", "lorascope-mono"])
def test_themes(snap_compare, app, theme: str) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(app(theme=theme), terminal_size=(100, 30), run_before=ready("2"))


@pytest.mark.parametrize("screen", ["2", "3", "4"])
def test_plain_text(snap_compare, app, screen: str) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(app(plain=True), terminal_size=(80, 24), run_before=ready(screen))


@pytest.mark.parametrize("preset", range(1, 7))
def test_presets(snap_compare, app, preset: int) -> None:  # type: ignore[no-untyped-def]
    keys = ["3", *["right_square_bracket"] * preset]
    assert snap_compare(app(), terminal_size=(80, 24), run_before=ready(*keys))


@pytest.mark.parametrize("screen", ["1", "2", "3", "4", "5"])
def test_tiny(snap_compare, app, screen: str) -> None:  # type: ignore[no-untyped-def]
    keys = [screen] if screen != "1" else []
    assert snap_compare(app(), terminal_size=(30, 7), run_before=ready(*keys))


def test_help(snap_compare, app) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(app(), terminal_size=(80, 24), run_before=ready("2", "question_mark"))


def test_choosing_a_checkpoint(snap_compare, app) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(app(), terminal_size=(80, 24), run_before=ready("2", "c"))


def test_pick_with_limits_and_basket(snap_compare, app) -> None:  # type: ignore[no-untyped-def]
    keys = ("4", "b", "down", "b", "tab", "right", "right", "down", "left", "left", "left")
    assert snap_compare(app(), terminal_size=(120, 40), run_before=ready(*keys))


@pytest.fixture
def native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LorascopeApp]:
    """The app on a run with per-frame rows and pictures, in the folder that it was started in."""
    monkeypatch.chdir(write_native_run(tmp_path / "runs" / "native").parent)

    def make(page: str, **options: object) -> LorascopeApp:
        found = LorascopeApp([], **options)  # type: ignore[arg-type]
        found.session.state.checkpoint = "checkpoint_2"
        found.session.state.checkpoint_page = page
        return found

    return make


PAGES = ["distribution", "frames", "alignments", "photometric", "slices"]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("page", PAGES)
def test_checkpoint_pages(snap_compare, native, page: str, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(native(page), terminal_size=size, run_before=ready("5"))


@pytest.mark.parametrize("page", ["distribution", "frames", "photometric"])
def test_checkpoint_pages_in_plain_text(snap_compare, native, page: str) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(native(page, plain=True), terminal_size=(80, 24), run_before=ready("5"))


@pytest.mark.parametrize("theme", ["lorascope-light", "lorascope-mono"])
def test_checkpoint_pages_in_other_themes(snap_compare, native, theme: str) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(native("distribution", theme=theme), terminal_size=(80, 24), run_before=ready("5"))


# From the worst frame down to one of which there is a picture, of four panels.
TO_PICTURE = ("5", *["down"] * 8, "enter")


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("keys", [(), ("z",)], ids=["wide", "together"])
def test_picture(snap_compare, native, keys: tuple[str, ...], size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(native("frames"), terminal_size=size, run_before=ready(*TO_PICTURE, *keys))


@pytest.mark.parametrize("options", [{"plain": True}, {"theme": "lorascope-mono"}], ids=["plain", "mono"])
def test_picture_without_colour(snap_compare, native, options: dict[str, object]) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(native("frames", **options), terminal_size=(80, 24), run_before=ready(*TO_PICTURE))


def test_a_run_of_summaries_on_the_page_of_distributions(snap_compare, app) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(app(), terminal_size=(80, 24), run_before=ready("5", "tab"))


def test_a_run_of_summaries_on_the_page_of_frames(snap_compare, app) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(app(), terminal_size=(80, 24), run_before=ready("5", "tab", "tab"))


@pytest.mark.parametrize("options", [{}, {"theme": "lorascope-mono"}, {"plain": True}], ids=["dark", "mono", "plain"])
def test_a_paired_band(snap_compare, native, options: dict[str, object]) -> None:  # type: ignore[no-untyped-def]
    app = native("table", **options)
    app.session.state.preset, app.session.state.trend_metrics = "custom", ["depth.building.abs_rel"]
    assert snap_compare(app, terminal_size=(80, 24), run_before=ready("3", "right"))


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., LorascopeApp]:
    """The app on a run in which parts are lost and metrics carry no information."""
    monkeypatch.chdir(write_judged_run(tmp_path / "runs" / "judged").parent)

    def make(**options: object) -> LorascopeApp:
        found = LorascopeApp([], **options)  # type: ignore[arg-type]
        found.session.state.checkpoint = "checkpoint_1"
        found.session.state.checkpoint_metric = "depth.building.abs_rel"
        found.session.state.checkpoint_page = "slices"
        return found

    return make


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", ["compare", "pick", "checkpoint"])
def test_lost_parts(snap_compare, judged, screen: str, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    keys = (str(SCREENS.index(screen) + 1), *(["down"] * 2 if screen == "compare" else []))
    assert snap_compare(judged(), terminal_size=size, run_before=ready(*keys))


@pytest.mark.parametrize("options", [{"plain": True}, {"theme": "lorascope-light"}], ids=["plain", "light"])
@pytest.mark.parametrize("screen", ["2", "5"])
def test_lost_parts_otherwise(snap_compare, judged, screen: str, options: dict[str, object]) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(judged(**options), terminal_size=(80, 24), run_before=ready(screen, "down", "down"))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_scale(snap_compare, judged, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    assert snap_compare(judged(), terminal_size=size, run_before=ready("2", "v", "v", *["down"] * 5))


@pytest.mark.parametrize("options", [{}, {"theme": "lorascope-light"}, {"plain": True}], ids=["dark", "light", "plain"])
def test_a_checkpoint_on_the_scale(snap_compare, judged, options: dict[str, object]) -> None:  # type: ignore[no-untyped-def]
    app = judged(**options)
    app.session.state.checkpoint_page = "table"
    assert snap_compare(app, terminal_size=(100, 30), run_before=ready("5"))
