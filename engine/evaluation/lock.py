"""One evaluation at a time on a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from engine.errors import StorageError, UsageError
from engine.liveness import holding
from engine.results.layout import LOCK

FILE = LOCK


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the run's lock, which the kernel releases when this process dies.

    Raises:
        UsageError: another process evaluates into this folder.
        StorageError: the folder cannot be written to.
    """
    with ExitStack() as stack:
        try:
            run.mkdir(parents=True, exist_ok=True)
            mine = stack.enter_context(holding(run / LOCK))
        except OSError as error:
            raise StorageError(
                f"{run}: cannot be written to ({error.strerror or error})", "choose another --to"
            ) from error
        if not mine:
            raise UsageError(
                f"{run}: another process is evaluating into this folder",
                "wait for it, or stop it; lorascope jobs shows it",
            )
        yield
