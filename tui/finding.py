"""Discovery for the app: in a thread of its own, begun before the first paint. Textual-free and without Polars."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from engine.errors import LorascopeError
from engine.i18n import gettext as _
from engine.i18n import listing
from engine.remote.url import origin_of, shown
from engine.results.discovery import discover
from engine.results.model import RunRef

BATCH = 200
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Found:
    """Runs that were found together.

    Attributes:
        refs: the runs.
        notices: sentences for the user.
        samples: whether these are the samples that come with lorascope, for want of others.
        done: whether this is the last of it.
    """

    refs: Sequence[RunRef]
    notices: Sequence[str] = ()
    samples: bool = False
    done: bool = False


class Finder:
    """Looks for runs in a thread that starts at once.

    What is found before somebody listens is kept: an app that takes it while it is put together shows the runs'
    names in its very first paint.

    Args:
        roots: where to look; empty means the current folder, else the samples.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = list(roots)
        self._found: list[Found] = []
        self._listener: Callable[[], None] | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._work, name="lorascope-finder", daemon=True).start()

    def take(self) -> list[Found]:
        """What was found since the last call."""
        with self._lock:
            found, self._found = self._found, []
        return found

    def listen(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called, in the thread, whenever there is something to take; at once if there is already."""
        with self._lock:
            self._listener = listener
            waiting = bool(self._found)
        if waiting:
            listener()

    def _work(self) -> None:
        try:
            for found in find_batches(self._roots):
                self._put(found)
        except LorascopeError as error:
            self._put(Found([], [str(error)], done=True))

    def _put(self, found: Found) -> None:
        with self._lock:
            self._found.append(found)
            listener = self._listener
        if listener:
            listener()


def samples_folder() -> Path:
    """Where the sample runs that come with lorascope lie."""
    import sample_results

    return Path(sample_results.__file__).parent


def find_batches(roots: Sequence[Path]) -> Iterator[Found]:
    """The runs below the folders (the current one if none is named, then the samples), in batches.

    Folders that hold what is brought from an object store are brought up to date first, which is said.

    Raises:
        DataError: a named path does not exist, or a store cannot be reached.
    """
    places = list(roots) or [Path.cwd()]
    for place in places:
        if origin_of(place):
            yield from _brought(place)
    batch: list[RunRef] = []
    found = False
    found_runs = discover(places)
    for ref in found_runs:
        found = True
        batch.append(ref)
        if len(batch) >= BATCH:
            yield Found(batch)
            batch = []
    notices = [str(problem) for problem in found_runs.problems]
    if found or roots:
        nothing = [] if found else [_("no runs below {folders}").format(folders=listing(map(shown, places)))]
        yield Found(batch, [*notices, *nothing], done=True)
        return
    why = _("no runs below {folder}: these are lorascope's samples").format(folder=places[0])
    yield Found(list(discover([samples_folder()])), [why], samples=True, done=True)


def _brought(place: Path) -> Iterator[Found]:
    """Bring up to date what lies in a place; says so before it takes its time."""
    from engine.remote.bringing import bring_all

    said: queue.SimpleQueue[str] = queue.SimpleQueue()
    with ThreadPoolExecutor(1, "lorascope-bringing") as thread:
        under_way = thread.submit(bring_all, [place], said.put, again=True)
        while not under_way.done() or not said.empty():
            with contextlib.suppress(queue.Empty):
                yield Found([], [said.get(timeout=_LOOK_SECONDS)])
    under_way.result()
