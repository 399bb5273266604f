"""Pictures of every screen, at the least and at a comfortable size, on each kind of theme."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from support.pilot import settled
from textual.pilot import Pilot

from tui.app import LorascopeApp
from tui.screens.base import LorascopeScreen
from tui.widgets.plot import PlotView

SIZES = [(80, 24), (120, 40)]
SCREENS = ["runs", "compare", "trends", "pick", "checkpoint"]


def ready(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Waits until everything was read, presses keys, and waits until plots are drawn."""

    async def before(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, LorascopeApp)
        session = app.session
        await settled(pilot, lambda: not session.discovering and len(session.overviews) == len(session.refs))
        for key in keys:
            await pilot.press(key)
            await settled(pilot, lambda: _quiet(app))

    return before


def _quiet(app: LorascopeApp) -> bool:
    """Nothing is being read, judged or drawn any more."""
    active = app.session.active_runs()
    plots = [plot for plot in app.screen.query(PlotView) if plot.display]
    busy = [worker for worker in app.workers if worker.is_running]
    judging = isinstance(app.screen, LorascopeScreen) and app.screen.judging
    return not app.session.missing(active) and not busy and not judging and all(plot.is_drawn for plot in plots)


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
