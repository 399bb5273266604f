"""Publishes a run into its mirror: now and then while it is computed, and when it is done.

The mirror then holds a run like any other, which lorascope opens by its URL and other programs read where it lies. What
belongs to computing it (``job/``, locks, files that are still being written) is not published.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from engine.errors import LorascopeError, RemoteError, UsageError
from engine.evaluation.journal import Event, Journal, replay
from engine.evaluation.record import CURVE_SHARDS
from engine.i18n import gettext as _
from engine.remote.bringing import AT_ONCE
from engine.remote.published import PUBLISHED, Published, decode
from engine.remote.store import Remote
from engine.results import layout

SECONDS = 60.0  # at least, between two times that a run is published while it is computed
_PROBE = f"{layout.JOB}/probe"
_SHARD_EVENTS = ("started", "resumed", "shard")


def check_mirror(run: Path, mirror: str) -> None:
    """See that the run can be published there, before anything is computed.

    Raises:
        RemoteError: the store cannot be reached, or does not let this user write.
        UsageError: another run lies there.
    """
    remote = Remote(mirror)
    _check_ours(_published(remote), remote, run, _started(run))
    remote.write(_PROBE, b"")
    remote.remove([_PROBE])


def publish(run: Path, mirror: str) -> dict[str, Any]:
    """Make the mirror hold what the run's folder holds; only what has changed is sent.

    ``metadata.json`` comes after the files that it speaks of. Nothing is removed but what was published before.

    Returns:
        What was sent: ``url``, ``files`` and ``mb``.

    Raises:
        RemoteError: the store cannot be reached, or refuses; the next time goes on.
        UsageError: another run lies there.
    """
    remote = Remote(mirror)
    before = _published(remote)
    started = _started(run)
    _check_ours(before, remote, run, started)
    if before is None:
        # First of all: a folder that holds a part of a run must be known for this one's.
        remote.write(PUBLISHED, Published(started).encode())
    there = remote.list()
    files = _files(run)
    known = before.files if before is not None else {}
    due = {
        name: stamp
        for name, stamp in files.items()
        if known.get(name) != stamp or name not in there or there[name].size != stamp[0]
    }
    first = [name for name in due if name != layout.METADATA]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        sent = dict(zip(first, threads.map(lambda name: _put(remote, run, name), first), strict=True))
    if layout.METADATA in due:
        sent[layout.METADATA] = _put(remote, run, layout.METADATA)
    gone = [name for name in known if name not in files]
    remote.remove(gone)
    held = {name: stamp for name, stamp in files.items() if sent.get(name, True)}
    if due or gone:
        remote.write(PUBLISHED, Published(started, held).encode())
    return {"url": mirror, "files": len(due), "mb": round(sum(size for size, _when in due.values()) / 1e6, 1)}


class Publisher:
    """Publishes a run from a thread while it is computed; a context.

    Args:
        run: the run's folder.
        mirror: its mirror's URL.
        tell: called with events, by whoever calls :meth:`saw` and :meth:`finish`.
        seconds: at least, between two times.
    """

    def __init__(self, run: Path, mirror: str, tell: Callable[[Event], None], *, seconds: float = SECONDS) -> None:
        self._run = run
        self._mirror = mirror
        self._tell = tell
        self._seconds = seconds
        self._due = threading.Event()
        self._over = threading.Event()
        self._news: deque[Event] = deque()
        self._thread = threading.Thread(target=self._work, name="lorascope-publisher", daemon=True)

    def __enter__(self) -> Publisher:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._due.set()
        if kind is None:
            self._thread.join()

    def saw(self, event: Event) -> None:
        """Told of every event of the evaluation."""
        if event.kind in _SHARD_EVENTS:
            self._due.set()
        while self._news:
            self._tell(self._news.popleft())

    def finish(self) -> None:
        """Publish what there is at the end.

        Raises:
            RemoteError: it could not be; the run itself is complete.
        """
        try:
            self._tell(Event("published", publish(self._run, self._mirror)))
        except RemoteError as error:
            said = _("{run} is kept, and could not be published: {reason}")
            raise RemoteError(
                said.format(run=self._run, reason=error), _("the same command publishes it, and computes nothing twice")
            ) from error

    def _work(self) -> None:
        last = ""
        while True:
            self._due.wait()
            if self._over.is_set():
                return
            self._due.clear()
            try:
                publish(self._run, self._mirror)
                last = ""
            except (LorascopeError, OSError) as error:
                if str(error) != last:
                    self._news.append(Event("not_published", {"why": str(error)}))
                last = str(error)
            self._over.wait(self._seconds)


def _published(remote: Remote) -> Published | None:
    data = remote.read(PUBLISHED)
    return None if data is None else decode(data)


def _check_ours(before: Published | None, remote: Remote, run: Path, started: str) -> None:
    ours = before is None or before.started == started
    if before is None:
        ours = not any(remote.read(name) is not None for name in (layout.METADATA, layout.JOURNAL))
    if not ours:
        raise UsageError(
            _("{url} holds another run than {run}").format(url=remote.url, run=run), _("choose another --mirror")
        )


def _started(run: Path) -> str:
    return replay(Journal(run / layout.JOURNAL).events()).started


def _files(run: Path) -> dict[str, tuple[int, int]]:
    """The run's files: name -> bytes, and when it was written, ns."""
    found = {}
    for folder, folders, files in os.walk(run):
        at_top = Path(folder) == run
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and not (at_top and name in (layout.JOB, CURVE_SHARDS))
        )
        for file in sorted(files):
            path = Path(folder) / file
            if file.startswith(".") or file == PUBLISHED:
                continue
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # joined with others meanwhile
            found[path.relative_to(run).as_posix()] = (status.st_size, status.st_mtime_ns)
    return found


def _put(remote: Remote, run: Path, name: str) -> bool:
    """Send a file; False where it is not there any more."""
    try:
        remote.put(name, run / name)
    except FileNotFoundError:
        return False
    return True
