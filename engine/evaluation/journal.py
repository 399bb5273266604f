"""``journal.jsonl``: what an evaluation did, one event per line; the source of progress and of resuming.

A line is written and flushed to disk after the files that it speaks of. A process that is killed loses at most the work
of the shard it was in; a line cut short is ignored.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import DataError, StorageError


@dataclass(frozen=True, slots=True)
class Event:
    """One line.

    Attributes:
        kind: ``started``, ``resumed``, ``checkpoint_failed`` (to load), ``shard``, ``shard_failed`` (an attempt; with
            ``set_aside`` the last one), ``sharing``, ``stopped`` (with ``why`` where nobody asked for it), ``finished``
            (with ``not_joined`` where shards were left as they are: folder -> why); of workers ``worker_joined``,
            ``worker_lost``, ``worker_refused``; and of measuring costs, which decide nothing about the evaluation:
            ``cost_started``, ``cost``, ``cost_failed``. ``published`` and ``not_published`` are told, and not written.
        data: its fields.
        time: when, UTC, ISO 8601.
    """

    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    time: str = ""

    def line(self) -> str:
        """The event as JSON."""
        return json.dumps({"event": self.kind, "time": self.time, **self.data}, ensure_ascii=True)


class Journal:
    """Appends to and reads the journal of a run.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, kind: str, **data: Any) -> Event:
        """Write one event and flush it to disk.

        Raises:
            StorageError: the file cannot be written.
        """
        event = Event(kind, data, datetime.now(UTC).isoformat(timespec="milliseconds"))
        try:
            with self._path.open("ab") as file:
                # A line that was cut short by a kill must not swallow this one.
                prefix = b"" if self._ends_whole() else b"\n"
                file.write(prefix + event.line().encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(
                f"{self._path}: cannot be written ({error.strerror or error})", "make space or rights"
            ) from error
        return event

    def _ends_whole(self) -> bool:
        with self._path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if size == 0:
                return True
            file.seek(size - 1)
            return file.read(1) == b"\n"

    def events(self) -> Iterator[Event]:
        """All whole events, oldest first; lines that are no events are skipped.

        Raises:
            DataError: the file exists but cannot be read.
        """
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise DataError(f"{self._path}: cannot be read ({error.strerror or error})") from error
        yield from parse_events(raw)


def parse_events(raw: bytes) -> Iterator[Event]:
    """The events of a piece of a journal; lines that are no events are skipped."""
    for line in raw.split(b"\n"):
        try:
            fields = json.loads(line)
            kind, time = fields.pop("event"), fields.pop("time")
        except (ValueError, KeyError, AttributeError, TypeError):
            continue
        yield Event(str(kind), fields, str(time))


@dataclass(frozen=True, slots=True)
class State:
    """What a journal says of a run.

    Attributes:
        settings: those of the first start; ``None`` where nothing was started.
        started: when that was, ISO 8601; empty where nothing was started.
        shards: numbers of finished shards.
        failed_windows: window id -> why.
        failed_checkpoints: name -> why.
        chance_depth: metres, the constant depth of ``chance``.
        seconds: computing time of all finished shards.
        finished: whether the run is complete.
        sharing: the last report of what the checkpoints shared; empty where there is none.
        set_aside: numbers of shards that failed too often, and why; starting again tries them again.
    """

    settings: dict[str, Any] | None
    started: str
    shards: frozenset[int]
    failed_windows: dict[int, str]
    failed_checkpoints: dict[str, str]
    chance_depth: float | None
    seconds: float
    finished: bool
    sharing: dict[str, Any] = field(default_factory=dict)
    set_aside: dict[int, str] = field(default_factory=dict)


def replay(events: Iterator[Event]) -> State:
    """The state that the events lead to."""
    settings: dict[str, Any] | None = None
    chance_depth: float | None = None
    started = ""
    shards: set[int] = set()
    failed_windows: dict[int, str] = {}
    failed_checkpoints: dict[str, str] = {}
    seconds = 0.0
    finished = False
    sharing: dict[str, Any] = {}
    set_aside: dict[int, str] = {}
    for event in events:
        data = event.data
        if event.kind == "started" and settings is None:
            settings, chance_depth, started = data["settings"], data["chance_depth"], event.time
        elif event.kind == "shard":
            shards.add(int(data["shard"]))
            set_aside.pop(int(data["shard"]), None)
            seconds += float(data["seconds"])
            failed_windows.update({int(window): str(why) for window, why in data["failed_windows"].items()})
            failed_checkpoints.update(data["failed_checkpoints"])
        elif event.kind == "checkpoint_failed":
            failed_checkpoints[str(data["checkpoint"])] = str(data["why"])
        elif event.kind == "resumed":
            set_aside.clear()
        elif event.kind == "shard_failed":
            if data["set_aside"]:
                set_aside[int(data["shard"])] = str(data["why"])
        elif event.kind == "sharing":
            sharing = data
        elif event.kind == "finished":
            finished = True
    return State(
        settings,
        started,
        frozenset(shards),
        failed_windows,
        failed_checkpoints,
        chance_depth,
        seconds,
        finished,
        sharing,
        set_aside,
    )
