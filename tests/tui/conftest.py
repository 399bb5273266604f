"""Runs for the app's tests, and the app started without a terminal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.legacy import write_example
from support.odd import Odd
from support.pilot import Started, settled
from textual.pilot import Pilot

from engine import i18n
from engine.config import Config
from engine.results.discovery import discover
from tui.app import LorascopeApp
from tui.library import Library, Loaded


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A folder with two runs, ``alpha`` (best: checkpoint_4) and ``beta`` (best: checkpoint_2)."""
    return write_example(tmp_path / "example")


@pytest.fixture
def library() -> Library:
    """The analysis with default settings."""
    return Library(Config())


@pytest.fixture
def alpha(example: Path, library: Library) -> Loaded:
    """The first run, read."""
    return library.load(next(iter(discover([example / "alpha"]))))


@pytest.fixture
def started() -> Started:
    """Opens the app on some folders and waits until every run was read."""

    @asynccontextmanager
    async def start(
        *paths: Path, size: tuple[int, int] = (120, 40), notifications: bool = False
    ) -> AsyncIterator[Pilot[None]]:
        app = LorascopeApp(paths)
        async with app.run_test(size=size, notifications=notifications) as pilot:
            session = app.session
            await settled(pilot, lambda: not session.discovering and len(session.overviews) == len(session.refs))
            yield pilot

    return start


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language of odd letters is spoken."""
    monkeypatch.setattr(i18n, "translations", lambda _domain, _language: Odd())
    i18n.activate("zh")
