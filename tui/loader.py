"""Reads runs in a thread of its own: the most urgent first, results in batches. Textual-free."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import LorascopeError, UnknownNameError
from engine.i18n import gettext as _
from engine.results.model import RunRef
from tui.session import Overview, broken_overview

if TYPE_CHECKING:
    from engine.analysis.evidence import Evidence
    from tui.library import Library, Loaded

# Results are handed over together when this much time has passed: one repaint for many rows.
BATCH_SECONDS = 0.08


@dataclass(frozen=True)
class Batch:
    """What was read since the last batch.

    Attributes:
        overviews: one for every run that was read.
        loaded: the runs themselves, where they were asked for.
        errors: sentences for the user.
        library: the library that read them.
        remaining: how many runs are still to be read.
        judged: what tells the changes of runs from chance; ``None`` where judging failed.
    """

    overviews: list[Overview] = field(default_factory=list)
    loaded: list[Loaded] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    library: Library | None = None
    remaining: int = 0
    judged: list[tuple[Judging, Evidence | None]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Judging:
    """A run to be judged in all its metrics.

    Attributes:
        loaded: the run.
        evidence: what is known of it from before, if anything.
        objective: the metric of a ranking whose tie group is wanted, or empty.
        checkpoints: those that stand for choice in it, best first.
        parts: metrics that are wanted in every part of the sample, and on the scale from chance to the truth.
    """

    loaded: Loaded
    evidence: Evidence | None = None
    objective: str = ""
    checkpoints: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    def same(self, other: Judging) -> bool:
        """Whether both ask the same of the same reading of a run."""
        asked, others = ((own.objective, own.checkpoints, own.parts) for own in (self, other))
        return self.loaded is other.loaded and asked == others


class Loader:
    """A thread that reads runs, and judges them when there is nothing to read.

    Args:
        config_path: a ``lorascope.toml`` that was named; else it is looked for.
        deliver: called in the thread with every batch.
    """

    def __init__(self, config_path: Path | None, deliver: Callable[[Batch], None]) -> None:
        self._config_path = config_path
        self._deliver = deliver
        self._queue: list[tuple[int, int, str, RunRef, str | None, bool]] = []
        self._judgings: list[Judging] = []
        self._judging: Judging | None = None
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="lorascope-loader", daemon=True)
        self._thread.start()

    def request(
        self,
        refs: Iterable[RunRef],
        *,
        urgent: bool = False,
        keep: bool = False,
        baselines: Mapping[str, str] | None = None,
    ) -> None:
        """Ask for runs: ``urgent`` ones are read first; ``keep`` hands over the run, not just its overview."""
        with self._changed:
            for ref in refs:
                key = str(ref.path)
                order = next(self._order)
                # The newest urgent request is what the user looks at now.
                priority = -order if urgent else order
                baseline = (baselines or {}).get(key)
                heapq.heappush(self._queue, (priority, order, key, ref, baseline, keep))
            self._changed.notify()

    def judge(self, judging: Judging) -> None:
        """Have a run judged after everything that is to be read; a later question about it replaces an earlier one."""
        with self._changed:
            others = [other for other in self._judgings if other.loaded.key != judging.loaded.key]
            if self._judging is None or not self._judging.same(judging):
                others.append(judging)
            self._judgings = others
            self._changed.notify()

    def stop(self) -> None:
        """End the thread after the run that it is reading; does not wait for it."""
        with self._changed:
            self._stopped = True
            self._queue.clear()
            self._judgings.clear()
            self._changed.notify()

    def _next(self, timeout: float | None) -> tuple[RunRef, str | None, bool] | None:
        with self._changed:
            if not self._queue and not self._judgings and not self._stopped:
                self._changed.wait(timeout)
            if not self._queue:
                return None
            _, _, _, ref, baseline, keep = heapq.heappop(self._queue)
            return ref, baseline, keep

    def _work(self) -> None:
        library: Library | None = None
        while not self._stopped:
            item = self._next(None)
            errors: list[str] = []
            if library is None:
                library, errors = self._open_library()
            if item is not None:
                library = self._read_batch(library, item, errors)
            else:
                self._judge_next(library, errors)

    def _judge_next(self, library: Library, errors: list[str]) -> None:
        with self._changed:
            if not self._judgings:
                return
            # The newest one is what the user looks at now.
            judging = self._judging = self._judgings.pop()
            remaining = len(self._queue)
        evidence = None
        try:
            from tui.evidence import judge

            evidence = judge(library, judging, self._has_urgent)
        except LorascopeError as error:
            errors.append(_unjudged(judging, str(error)))
        except Exception as error:
            errors.append(_unjudged(judging, _bug(error)))
        with self._changed:
            self._judging = None
        if not self._stopped:
            self._deliver(Batch(errors=errors, library=library, remaining=remaining, judged=[(judging, evidence)]))

    def _has_urgent(self) -> bool:
        """Whether a run is to be read, or a question waits that is quickly answered."""
        with self._changed:
            return self._stopped or bool(self._queue) or any(not other.parts for other in self._judgings)

    def _read_batch(self, library: Library, item: tuple[RunRef, str | None, bool] | None, errors: list[str]) -> Library:
        """Read until the queue is empty or the batch is due, then hand it over."""
        overviews: list[Overview] = []
        kept: list[Loaded] = []
        due = time.monotonic() + BATCH_SECONDS
        while item is not None and not self._stopped:
            ref, baseline, keep = item
            loaded, overview = self._read(library, ref, baseline, errors)
            overviews.append(overview)
            if keep and loaded is not None:
                kept.append(loaded)
            item = self._next(0) if time.monotonic() < due else None
        if not self._stopped:
            with self._changed:
                remaining = len(self._queue)
            self._deliver(Batch(overviews, kept, errors, library, remaining))
        return library

    def _read(
        self, library: Library, ref: RunRef, baseline: str | None, errors: list[str]
    ) -> tuple[Loaded | None, Overview]:
        """One run; whatever is wrong with it costs only itself."""
        try:
            try:
                loaded = library.load(ref, baseline)
            except UnknownNameError as error:
                # A baseline that was chosen once may be gone from the run.
                errors.append(str(error))
                loaded = library.load(ref)
            return loaded, library.overview(loaded)
        except LorascopeError as error:
            return None, broken_overview(ref, str(error))
        except Exception as error:
            # The thread must live on for the other runs; the row says that this is the program's own fault.
            return None, broken_overview(ref, _bug(error))

    def _open_library(self) -> tuple[Library, list[str]]:
        from engine.config import Config, load_config
        from tui.library import Library

        try:
            return Library(load_config(self._config_path)), []
        except LorascopeError as error:
            return Library(Config()), [_("{error} (the defaults are used)").format(error=error)]


def _unjudged(judging: Judging, why: str) -> str:
    return _("{run} cannot be judged: {reason}").format(run=judging.loaded.run.name, reason=why)


def _bug(error: Exception) -> str:
    return _("{error} (please report this as a bug)").format(error=f"{type(error).__name__}: {error}")
