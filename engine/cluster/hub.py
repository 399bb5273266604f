"""Dask's scheduler in a thread of this process, and a client of it: the few things that are asked of them."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from engine.cluster import settings as _settings  # noqa: F401 - before distributed
from engine.cluster.keys import security
from engine.errors import LorascopeError, UsageError
from engine.i18n import gettext as _

_METRIC = "lorascope"
# Between a worker's name and its process: one that died a moment ago may still be known when the next one joins.
OF_PROCESS = "#"
_SECONDS = 600.0  # for an answer to come; that its worker is lost is noticed otherwise
_BRINGING = 8  # answers on their way at a time


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker as the scheduler knows it.

    Attributes:
        address: where it is.
        name: what it calls itself.
        free: whether it has nothing to do, and can do something.
        report: what it says of itself.
    """

    address: str
    name: str
    free: bool
    report: dict[str, Any]


class Hub:
    """A scheduler that only workers with the run's key can join.

    Args:
        run: the run's folder; its key must be there.
        everywhere: whether other machines reach it; else this one alone.
        listen: the address or the network interface for them; ``None`` for the one that leads out.

    Raises:
        LorascopeError: it cannot listen there.
    """

    def __init__(self, run: Path, *, everywhere: bool, listen: str | None) -> None:
        from distributed import Client
        from distributed.utils import LoopRunner, sync

        self._security = security(run)
        # Answers come by the network, and some bring files: a slow one must hold up nobody else's.
        self._bringing = threading.Semaphore(_BRINGING)
        self._runner = LoopRunner(loop=None, asynchronous=False)
        self._runner.start()
        self._sync: Callable[..., Any] = partial(sync, self._runner.loop)
        self._scheduler: Any = None
        self._client: Any = None
        try:
            self._scheduler = self._sync(self._start, **_place(everywhere=everywhere, listen=listen))
            self._client = Client(
                self._scheduler.address, security=self._security, set_as_default=False, loop=self._runner.loop
            )
        except (OSError, ValueError) as error:
            self.close()
            said = _("no workers can be waited for ({reason})").format(reason=error)
            raise LorascopeError(said, _("check --listen")) from error

    @property
    def address(self) -> str:
        """Where workers join."""
        return str(self._scheduler.address)

    async def _start(self, **place: str) -> Any:
        from distributed import Scheduler

        return await Scheduler(
            protocol="tls",
            security=self._security,
            dashboard=False,
            dashboard_address="127.0.0.1:0",
            **place,
        )

    def workers(self) -> list[WorkerState]:
        """The workers that are there now."""
        found: list[WorkerState] = self._sync(self._look)
        return found

    async def _look(self) -> list[WorkerState]:
        return [
            WorkerState(
                str(address),
                str(state.name).partition(OF_PROCESS)[0],
                state.status.name == "running" and not state.processing,
                dict(state.metrics.get(_METRIC) or {}),
            )
            for address, state in self._scheduler.workers.items()
        ]

    def reports(self) -> list[dict[str, Any]]:
        """What the workers say of themselves; empty where the scheduler is on its way out."""
        with contextlib.suppress(Exception):
            return [worker.report for worker in self.workers() if worker.report]
        return []

    def submit(
        self, function: Callable[[Any], Any], argument: Any, *, key: str, at: str, done: queue.Queue[tuple[str, Any]]
    ) -> Any:
        """Have a worker do something.

        Args:
            function: importable where the worker runs.
            argument: plain data.
            key: a name that is used once.
            at: the worker's address. Where it dies nobody else does it: who submitted notices, and decides.
            done: takes the key, and the value or the exception that came of it, when it is over and here.

        Returns:
            The future, which can be dropped (:meth:`drop`).
        """
        future = self._client.submit(function, argument, key=key, workers=[at], allow_other_workers=False, pure=False)
        future.add_done_callback(partial(self._bring, key, done))
        return future

    def _bring(self, key: str, done: queue.Queue[tuple[str, Any]], future: Any) -> None:
        def wait() -> None:
            with self._bringing:
                done.put((key, _result(future)))

        # A daemon: an answer that never comes must not keep this process.
        threading.Thread(target=wait, name="lorascope-answer", daemon=True).start()

    def drop(self, future: Any) -> None:
        """Want no answer any more."""
        with contextlib.suppress(Exception):
            future.cancel(force=True)

    def dismiss(self, address: str, why: str) -> None:
        """Tell a worker that it is not wanted, and let it go."""
        from engine.cluster.worker import refuse

        with contextlib.suppress(Exception):  # it may be gone already
            self._client.run(refuse, why, workers=[address], wait=True)
            self._sync(self._let_go, address)

    async def _let_go(self, address: str) -> None:
        await self._scheduler.remove_worker(address, stimulus_id="lorascope-dismissed", safe=True)

    def close(self) -> None:
        """Send the workers home and end the scheduler."""
        with contextlib.suppress(Exception):
            if self._client is not None:
                self._client.close(timeout=2)
        with contextlib.suppress(Exception):
            if self._scheduler is not None:
                self._sync(self._scheduler.close, callback_timeout=10)
        with contextlib.suppress(Exception):
            self._runner.stop()


def _result(future: Any) -> Any:
    """What a future holds: a value, or the exception that was raised."""
    try:
        return future.result(timeout=_SECONDS)
    except BaseException as error:  # that of a future that was dropped is no Exception
        return error
    finally:
        with contextlib.suppress(Exception):
            future.release()


def _place(*, everywhere: bool, listen: str | None) -> dict[str, str]:
    """Where to listen, in Dask's words."""
    if not everywhere:
        return {"host": "127.0.0.1"}
    if listen is None:
        return {}
    if listen in (name for _, name in socket.if_nameindex()):
        return {"interface": listen}
    if any(character.isspace() or character == "/" for character in listen):
        said = _("--listen {name} is neither an address nor a network interface").format(name=repr(listen))
        raise UsageError(said, _("see: ip address"))
    return {"host": listen}
