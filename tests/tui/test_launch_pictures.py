"""Pictures of Launch: the form, its mistakes, the plan, jobs, and what it says where there is nothing."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from support.desk import ALL_JOBS, FILLED, MemoryDesk
from support.pilot import settled
from textual.pilot import Pilot

from tui.app import LorascopeApp
from tui.screens.launch import LaunchScreen
from tui.screens.plan_dialog import PlanDialog

SIZES = [(80, 24), (120, 40)]
WRONG = {**FILLED, "seed": "1.5", "device": "gpu", "to": ""}


@pytest.fixture(autouse=True)
def greenwich(monkeypatch: pytest.MonkeyPatch, example: Path) -> Iterator[None]:
    """Times are shown in the local zone, here always the same; in a folder with two runs."""
    monkeypatch.chdir(example)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def made(desk: MemoryDesk, texts: dict[str, str], page: str, **options: object) -> LorascopeApp:
    """The app with what is filled in."""
    app = LorascopeApp([], desk=desk, **options)  # type: ignore[arg-type]
    app.session.state.launch, app.session.state.launch_page = dict(texts), page
    return app


def ready(*keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Opens Launch, waits until it knows all, and presses keys."""

    async def before(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, LorascopeApp)

        def idle() -> bool:
            done = not isinstance(app.screen, PlanDialog) or app.screen.is_settled
            return done and not any(worker.is_running for worker in app.workers)

        await settled(pilot, lambda: len(app.session.overviews) == len(app.session.refs) == 2)
        await pilot.press("6")
        await settled(pilot, lambda: isinstance(app.screen, LaunchScreen) and app.screen.begun and idle())
        await settled(pilot, lambda: app.session.jobs is not None)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
            await settled(pilot, idle)

    return before


CASES: dict[str, tuple[MemoryDesk, dict[str, str], str, tuple[str, ...]]] = {
    "form": (MemoryDesk(), FILLED, "form", ()),
    "all-settings": (MemoryDesk(), FILLED, "form", ("m",)),
    "mistakes": (MemoryDesk(), WRONG, "form", ("p",)),
    "typing": (MemoryDesk(), FILLED, "form", ("down", "down", "down", "down", "down", "down", "enter", "1", "2")),
    "plan": (MemoryDesk(), FILLED, "form", ("p",)),
    "checkpoints": (MemoryDesk(), FILLED, "form", ("c", "space", "space")),
    "jobs": (MemoryDesk(ALL_JOBS), FILLED, "jobs", ()),
    "shards": (MemoryDesk(ALL_JOBS), FILLED, "jobs", ("right_square_bracket", "right_square_bracket")),
    "dead": (MemoryDesk(ALL_JOBS), FILLED, "jobs", ("down", "down", "down")),
    "empty": (MemoryDesk(), FILLED, "jobs", ()),
    "no-extra": (MemoryDesk(missing=("torch", "peft", "cv2")), FILLED, "form", ()),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("case", CASES)
def test_launch(snap_compare, case: str, size: tuple[int, int]) -> None:  # type: ignore[no-untyped-def]
    desk, texts, page, keys = CASES[case]
    assert snap_compare(made(desk, texts, page), terminal_size=size, run_before=ready(*keys))


@pytest.mark.parametrize("options", [{"plain": True}, {"theme": "lorascope-mono"}], ids=["plain", "mono"])
@pytest.mark.parametrize("case", ["mistakes", "plan", "jobs"])
def test_launch_without_colour(snap_compare, case: str, options: dict[str, object]) -> None:  # type: ignore[no-untyped-def]
    desk, texts, page, keys = CASES[case]
    assert snap_compare(made(desk, texts, page, **options), terminal_size=(80, 24), run_before=ready(*keys))


def test_launch_in_a_tiny_terminal(snap_compare) -> None:  # type: ignore[no-untyped-def]
    desk, texts, page, keys = CASES["jobs"]
    assert snap_compare(made(desk, texts, page), terminal_size=(30, 7), run_before=ready(*keys))
