"""How far an evaluation is, from the events of its journal alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from engine.evaluation.journal import Event
from engine.i18n import gettext as _

BASELINE = "baseline"
_RECENT = 50  # shards that the rate is over
_PROBLEMS = 50  # sentences that are kept


class Progress:
    """Takes events one after the other. Cheap to keep and to ask again and again."""

    def __init__(self) -> None:
        self.windows = 0
        self.shard_size = 1
        self.started = ""
        self.finished = False
        self.stopped = ""  # why it stopped, where that was no wish
        self.last = ""  # the kind of the last event that is about evaluating
        self.seconds: dict[int, float] = {}  # of finished shards
        self.workers: dict[int, str] = {}  # of finished shards
        self.attempts: dict[int, tuple[int, str]] = {}  # shard -> failures since the last start, and the last reason
        self.set_aside: dict[int, str] = {}
        self.checkpoints: dict[str, int] = {}  # windows that are done
        self.failed_checkpoints: dict[str, str] = {}
        self.failed_windows: dict[int, str] = {}
        self.problems: deque[str] = deque(maxlen=_PROBLEMS)
        self.notices: list[str] = []
        self.costs = 0
        self._recent: deque[tuple[float, int]] = deque(maxlen=_RECENT)

    @property
    def shards(self) -> int:
        """How many there are."""
        return -(-self.windows // self.shard_size)

    @property
    def windows_done(self) -> int:
        """Windows of finished shards."""
        return sum(map(self.size, self.seconds))

    @property
    def windows_per_second(self) -> float | None:
        """Over the last shards since the last start; ``None`` before the first one."""
        if len(self._recent) < 2:
            return None
        elapsed = self._recent[-1][0] - self._recent[0][0]
        done = sum(size for _, size in list(self._recent)[1:])
        return done / elapsed if elapsed > 0 and done else None

    def size(self, shard: int) -> int:
        """Windows of a shard."""
        return max(0, min(self.shard_size, self.windows - shard * self.shard_size))

    def take_all(self, events: Iterable[Event]) -> None:
        """Take events in their order."""
        for event in events:
            self.take(event)

    def take(self, event: Event) -> None:
        """Take one event; those of an unknown kind change nothing."""
        known = {
            "started": self._start,
            "resumed": self._resume,
            "shard": self._shard,
            "shard_failed": self._failure,
            "checkpoint_failed": self._bad_checkpoint,
            "sharing": self._sharing,
            "stopped": self._stop,
            "finished": self._finish,
            "worker_lost": self._worker,
            "worker_refused": self._worker,
            "cost": self._cost,
        }.get(event.kind)
        if known is not None:
            known(event)
            if not event.kind.startswith("cost"):
                self.last = event.kind

    def _start(self, event: Event) -> None:
        settings = event.data["settings"]
        self.windows = int(event.data["windows"])
        self.shard_size = int(settings["shard"])
        self.started = event.time
        self.checkpoints = dict.fromkeys((BASELINE, *settings["checkpoint_files"]), 0)
        self._begin(event)

    def _resume(self, event: Event) -> None:
        self.set_aside.clear()
        self.attempts.clear()
        self.stopped = ""
        self._begin(event)

    def _begin(self, event: Event) -> None:
        self._recent.clear()
        self._recent.append((_seconds(event.time), 0))

    def _shard(self, event: Event) -> None:
        data = event.data
        number = int(data["shard"])
        if number in self.seconds:
            return
        self.seconds[number] = float(data["seconds"])
        self.workers[number] = str(data.get("worker", ""))
        self.set_aside.pop(number, None)
        self._recent.append((_seconds(event.time), self.size(number)))
        for window, why in data["failed_windows"].items():
            self.failed_windows[int(window)] = str(why)
            self.problems.append(_("window {window}: {reason}").format(window=window, reason=why))
        for name, why in data["failed_checkpoints"].items():
            self._drop(str(name), str(why))
        for name in self.checkpoints:
            if name not in self.failed_checkpoints:
                self.checkpoints[name] += self.size(number)

    def _failure(self, event: Event) -> None:
        number, why = int(event.data["shard"]), str(event.data["why"])
        self.attempts[number] = (int(event.data["attempt"]), why)
        last = bool(event.data["set_aside"])
        if last:
            self.set_aside[number] = why
        said = _("shard {shard}: attempt {attempt} failed: {reason}")
        if last:
            said = _("shard {shard}: set aside after {attempt} attempts: {reason}")
        self.problems.append(said.format(shard=number, attempt=event.data["attempt"], reason=why))

    def _bad_checkpoint(self, event: Event) -> None:
        self._drop(str(event.data["checkpoint"]), str(event.data["why"]))

    def _drop(self, name: str, why: str) -> None:
        if name not in self.failed_checkpoints:
            self.failed_checkpoints[name] = why
            self.problems.append(_("checkpoint {name}: {reason}").format(name=name, reason=why))

    def _sharing(self, event: Event) -> None:
        self.notices = [str(notice) for notice in event.data["notices"]]

    def _stop(self, event: Event) -> None:
        self.stopped = str(event.data.get("why", ""))

    def _finish(self, event: Event) -> None:
        self.finished = True
        self.stopped = ""

    def _worker(self, event: Event) -> None:
        said = _("worker {name} was refused")
        if event.kind == "worker_lost":
            said = _("worker {name} was lost")
        said, why = said.format(name=event.data["worker"]), event.data.get("why")
        self.problems.append(f"{said}: {why}" if why else said)

    def _cost(self, _event: Event) -> None:
        self.costs += 1


def _seconds(time: str) -> float:
    try:
        return datetime.fromisoformat(time).timestamp()
    except ValueError:
        return 0.0
