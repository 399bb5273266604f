"""Windows read ahead of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from engine.dataset.model import PreparedWindow, Window
from engine.errors import DataError
from engine.scoring.truth import WindowTruth


@dataclass(frozen=True, eq=False)
class ReadyWindow:
    """A window to compute.

    Attributes:
        prepared: images and ground truth.
        truth: what scoring needs; ``None`` where it is still to be prepared.
    """

    prepared: PreparedWindow
    truth: WindowTruth | None = None


class Ahead:
    """Reads windows in threads, a few ahead of where they are used.

    Args:
        pool: the threads.
        read: reads one window; called in them.
        windows: in the order in which they will be asked for.
        ahead: how many are read before they are asked for.
    """

    def __init__(
        self, pool: ThreadPoolExecutor, read: Callable[[Window], ReadyWindow], windows: Iterable[Window], ahead: int
    ) -> None:
        self._pool = pool
        self._read = read
        self._left = iter(windows)
        self._ahead = ahead
        self._futures: dict[int, Future[ReadyWindow]] = {}

    def take(self, windows: Sequence[Window]) -> Iterator[ReadyWindow | str]:
        """The next windows in their order; of one that cannot be read, why."""
        for window in windows:
            while len(self._futures) < self._ahead and (following := next(self._left, None)) is not None:
                self._futures[following.id] = self._pool.submit(self._read, following)
            try:
                yield self._futures.pop(window.id).result()
            except DataError as error:
                yield str(error)


@contextmanager
def reading(
    read: Callable[[Window], ReadyWindow], windows: Iterable[Window], readers: int
) -> Iterator[Callable[[Sequence[Window]], Iterator[ReadyWindow | str]]]:
    """While windows are read ahead by so many threads.

    Yields:
        Called with the next windows, gives each as it is ready; of one that cannot be read, why.
    """
    with ThreadPoolExecutor(readers, "read") as pool:
        try:
            yield Ahead(pool, read, windows, readers + 1).take
        finally:
            # What nobody will ask for any more is not worth waiting for.
            pool.shutdown(wait=False, cancel_futures=True)
