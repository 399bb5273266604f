"""How far measuring costs is: one line that changes on a terminal, a line per model elsewhere. On stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from engine.i18n import listing
from engine.text import counted, visible
from tui.cli.cost_tables import merged_word
from tui.cli.evaluate_display import failed_checkpoint
from tui.cli.screen import terminal_width
from tui.format import duration, plain_text
from tui.launch import wants_plain
from tui.text import fit

if TYPE_CHECKING:
    from engine.evaluation.journal import Event


class CostTally:
    """Turns events into words.

    Args:
        now: a monotonic clock, in seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._begin = now()

    def words(self, event: Event) -> str:
        """What an event says, in a line; empty where it says nothing of how far it is."""
        data = event.data
        if event.kind == "cost_started":
            self._begin = self._now()
            return f"0/{counted(data['of'], 'model')}"
        if event.kind == "cost_failed":
            return _("failed: {what}").format(what=failed_checkpoint(data["checkpoint"], data["why"]))
        if event.kind != "cost":
            return ""
        speeds = listing(f"{merged_word(row['merged'])} {row['fps']:.3g} FPS" for row in data["rows"])
        done, of = data["done"], data["of"]
        left = (self._now() - self._begin) / done * (of - done)
        until = [_("{duration} left").format(duration=duration(left))] if done < of else []
        return listing([f"{done}/{counted(of, 'model')}", f"{data['checkpoint']}: {speeds}", *until])


@contextmanager
def open_cost_display(*, plain: bool | None) -> Iterator[Callable[[Event], None]]:
    """What is called with every event, and shows it."""
    tally = CostTally()
    ascii_only = wants_plain(plain)
    changing = sys.stderr.isatty() and not ascii_only

    def show(event: Event) -> None:
        words = visible(tally.words(event))
        if not words:
            return
        if ascii_only:
            words = plain_text(words)
        if changing and event.kind != "cost_failed":
            # Not the last column: a cursor beyond it would begin a new line.
            print("\r" + fit(words, terminal_width() - 1), end="", file=sys.stderr, flush=True)
        else:
            print(f"{_WIPE if changing else ''}{words}", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        if changing:
            print(_WIPE, end="", file=sys.stderr, flush=True)


_WIPE = "\r\x1b[K"
