"""Waiting for the app when it runs without a terminal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from textual.pilot import Pilot

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
