"""Waiting for the app when it runs without a terminal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from textual.pilot import Pilot

from tui.app import LorascopeApp
from tui.screens.base import LorascopeScreen
from tui.screens.checkpoint import CheckpointScreen
from tui.screens.picture import PictureScreen
from tui.widgets.plot import PlotView

Started = Callable[..., AbstractAsyncContextManager[Pilot[None]]]


async def settled(pilot: Pilot[None], condition: Callable[[], bool], tries: int = 600) -> None:
    """Wait until something is true of the app; fails loudly when it never is."""
    for _ in range(tries):
        await pilot.pause(0.02)
        if condition():
            await pilot.pause()
            return
    raise AssertionError("the app never got there")


def text_of(pilot: Pilot[None]) -> str:
    """What stands on the screen, line by line."""
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


def ready(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Waits until everything was read, presses keys, and waits until plots are drawn."""

    async def before(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, LorascopeApp)
        session = app.session
        await settled(pilot, lambda: not session.discovering and len(session.overviews) == len(session.refs))
        for key in keys:
            await pilot.press(key)
            await settled(pilot, lambda: quiet(app))

    return before


def quiet(app: LorascopeApp) -> bool:
    """Whether nothing is being read, judged or drawn any more."""
    active = app.session.active_runs()
    if isinstance(app.screen, CheckpointScreen | PictureScreen) and not app.screen.is_drawn:
        return False
    plots = [plot for plot in app.screen.query(PlotView) if plot.display]
    busy = [worker for worker in app.workers if worker.is_running]
    judging = isinstance(app.screen, LorascopeScreen) and app.screen.judging
    return not app.session.missing(active) and not busy and not judging and all(plot.is_drawn for plot in plots)
