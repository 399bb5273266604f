"""Waiting for the app when it runs without a terminal."""

from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot


async def settled(pilot: Pilot[None], condition: Callable[[], bool], tries: int = 600) -> None:
    """Wait until something is true of the app; fails loudly when it never is."""
    for _ in range(tries):
        await pilot.pause(0.02)
        if condition():
            await pilot.pause()
            return
    raise AssertionError("the app never got there")
