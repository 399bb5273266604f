"""How far an evaluation is: a bar on a terminal, a line per shard elsewhere. On stderr, from the journal's events."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from engine.i18n import listing
from engine.text import counted, visible
from tui.format import duration, plain_text
from tui.launch import wants_plain

if TYPE_CHECKING:
    from engine.evaluation.journal import Event, State
    from engine.evaluation.plan import Plan

_REPAINTS_PER_SECOND = 2  # every repaint is bytes over SSH
_BAR = 14  # leaves room for the words in 80 columns


class Tally:
    """Counts windows from events.

    Args:
        plan: the work.
        before: what was done before this start.
    """

    def __init__(self, plan: Plan, before: State) -> None:
        self._sizes = [len(shard) for shard in plan.shards]
        self._done = set(before.shards)
        self._here = 0
        self._begun: datetime | None = None
        self._seconds = 0.0
        self.models = len(plan.checkpoints) + 1

    @property
    def total(self) -> int:
        """Windows of the sample."""
        return sum(self._sizes)

    @property
    def done(self) -> int:
        """Windows that are computed."""
        return sum(self._sizes[number] for number in self._done)

    @property
    def seconds_per_window(self) -> float | None:
        """Over the shards of this start; ``None`` before the first."""
        return self._seconds / self._here if self._here else None

    def take(self, event: Event) -> list[str]:
        """Count an event; returns what failed in it, in sentences."""
        data = event.data
        if event.kind == "shard":
            number = int(data["shard"])
            self._done.add(number)
            self._here += self._sizes[number]
            if self._begun is not None:
                # Of the clock, not of computing: workers compute side by side.
                self._seconds = (datetime.fromisoformat(event.time) - self._begun).total_seconds()
            windows = [failed_window(window, why) for window, why in data["failed_windows"].items()]
            checkpoints = [failed_checkpoint(name, why) for name, why in data["failed_checkpoints"].items()]
            self.models -= len(checkpoints)
            return windows + checkpoints
        if event.kind in ("started", "resumed"):
            self._begun = datetime.fromisoformat(event.time)
        if event.kind == "shard_failed":
            said = _("shard {shard}, attempt {attempt}: {reason}")
            if data["set_aside"]:
                said = _("shard {shard}, set aside: {reason}")
            return [said.format(shard=data["shard"], attempt=data["attempt"], reason=data["why"])]
        if event.kind == "checkpoint_failed":
            self.models -= 1
            return [failed_checkpoint(data["checkpoint"], data["why"])]
        return []

    @staticmethod
    def notices(event: Event) -> list[str]:
        """What a user should know, in sentences."""
        if event.kind == "sharing":
            return [str(notice) for notice in event.data["notices"]]
        if event.kind == "published":
            said = _("published to {url}: {files}, {size} MB")
            data = event.data
            return [said.format(url=data["url"], files=counted(data["files"], "file"), size=data["mb"])]
        return [str(event.data["why"])] if event.kind == "not_published" else []

    def words(self) -> str:
        """How far it is, in a line."""
        parts = [f"{self.done}/{counted(self.total, 'window')}", counted(self.models, "model")]
        each = self.seconds_per_window
        if each:
            parts.append(_("{number}/min").format(number=f"{60 / each:.3g}"))
        if each and self.done < self.total:
            parts.append(_("{duration} left").format(duration=duration(each * (self.total - self.done))))
        return listing(parts)


@contextmanager
def open_display(plan: Plan, before: State, *, plain: bool | None) -> Iterator[Callable[[Event], None]]:
    """What is called with every event, and shows it."""
    tally = Tally(plan, before)
    if sys.stderr.isatty() and not wants_plain(plain):
        with _bar(tally) as show:
            yield show
    else:
        yield _lines(tally, wants_plain(plain))


def _lines(tally: Tally, plain: bool) -> Callable[[Event], None]:
    def say(text: str) -> None:
        shown = visible(text)
        print(plain_text(shown) if plain else shown, file=sys.stderr, flush=True)

    def show(event: Event) -> None:
        for failure in tally.take(event):
            say(_("failed: {what}").format(what=failure))
        for notice in tally.notices(event):
            say(_("note: {note}").format(note=notice))
        if event.kind in ("started", "resumed", "shard"):
            say(tally.words())

    return show


@contextmanager
def _bar(tally: Tally) -> Iterator[Callable[[Event], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.text import Text

    console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
    progress = Progress(
        BarColumn(_BAR),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=console,
        refresh_per_second=_REPAINTS_PER_SECOND,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with progress:
        task = progress.add_task(_("loading the model"), total=tally.total, completed=tally.done)

        def show(event: Event) -> None:
            for failure in tally.take(event):
                console.print(Text(visible(_("failed: {what}").format(what=failure)), "red"), soft_wrap=True)
            for notice in tally.notices(event):
                console.print(Text(visible(_("note: {note}").format(note=notice)), "yellow"), soft_wrap=True)
            if event.kind in ("started", "resumed", "shard"):
                progress.update(task, completed=tally.done, description=tally.words())

        yield show


def failed_checkpoint(name: object, why: object) -> str:
    """A checkpoint that failed, and why."""
    return _("checkpoint {name}: {reason}").format(name=name, reason=why)


def failed_window(window: object, why: object) -> str:
    """A window that failed, and why."""
    return _("window {window}: {reason}").format(window=window, reason=why)
