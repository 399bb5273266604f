"""What a process that works on a run does besides: it says that it lives and what it does, and hears when to stop."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from engine.errors import LorascopeError, StorageError, UsageError
from engine.i18n import gettext as _
from engine.jobs.files import JobFiles
from engine.jobs.gpu import GpuMeter
from engine.liveness import BEAT_SECONDS, Life, holding, hostname, life, start_of
from engine.results.writing import not_written

GRACEFULLY, FIRMLY = "gracefully", "firmly"
_FIRM_SECONDS = 20.0  # after which a process that was told to stop at once is ended


class Presence:
    """Holds the job's lock, writes the heartbeat, and watches for the wish to stop. A context manager.

    Args:
        run: the run's folder.
        devices: whose GPUs are metered.

    Raises:
        UsageError: on entering, another process works on the run.
        StorageError: on entering, the folder cannot be written to.
    """

    def __init__(self, run: Path, devices: Sequence[str] = ()) -> None:
        self._files = JobFiles(run)
        self._devices = devices
        self._meter: GpuMeter | None = None
        self._stack = ExitStack()
        self._over = threading.Event()
        self._asked = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)
        self._shards: dict[int, dict[str, Any]] = {}
        self._phase = "loading"
        self._start = start_of(os.getpid())
        # What is known of workers elsewhere; this process itself computes where there is nothing to ask.
        self.workers: Callable[[], list[dict[str, Any]]] | None = None

    def __enter__(self) -> Presence:
        files = self._files
        try:
            files.folder.mkdir(parents=True, exist_ok=True)
            if life(files.run) is Life.ALIVE:
                said = _("{run}: another process is evaluating into this folder").format(run=files.run)
                raise UsageError(said, _("wait for it, or stop it; lorascope jobs shows it"))
            if not self._stack.enter_context(holding(files.alive)):
                said = _("{run}: another process works on this job").format(run=files.run)
                raise UsageError(said, _("see lorascope jobs"))
            files.stop.unlink(missing_ok=True)
        except OSError as error:
            self._stack.close()
            said = _("{path}: cannot be written to ({reason})")
            said = said.format(path=files.run, reason=error.strerror or error)
            raise StorageError(said, _("check the folder's rights and space")) from error
        except BaseException:
            self._stack.close()
            raise
        self._write()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        why = ""
        if isinstance(error, LorascopeError):
            why = str(error)
        elif isinstance(error, Exception):
            why = f"{type(error).__name__}: {error}"
        self._phase = "ended"
        self._write(why)
        self._stack.close()

    def enter(self, phase: str) -> None:
        """Say what is done now: ``queued``, ``waiting`` (for workers), ``loading``, ``running`` or ``cost``."""
        if phase != self._phase:
            self._phase = phase
            self._write()

    def began(self, shard: int, worker: str) -> None:
        """A shard is begun; called with the same worker's next one when it is done."""
        self._phase = "running"
        running = {number: entry for number, entry in self._shards.items() if entry["worker"] != worker}
        self._shards = {**running, shard: {"worker": worker, "since": time.time()}}

    def ended(self, shard: int) -> None:
        """A shard is done, or failed."""
        self._shards = {number: entry for number, entry in self._shards.items() if number != shard}

    def stopping(self) -> bool:
        """Whether somebody asked to stop at the next shard."""
        return self._asked.is_set()

    def ask_to_stop(self) -> None:
        """As if somebody had asked to stop at the next shard."""
        self._asked.set()

    def _beat_on(self) -> None:
        told_at: float | None = None
        last = time.monotonic()
        while not self._over.wait(min(0.5, BEAT_SECONDS)):
            wish = self._wish()
            if wish:
                self._asked.set()
            if wish == FIRMLY:
                if told_at is None:
                    told_at = time.monotonic()
                    os.kill(os.getpid(), signal.SIGINT)
                elif time.monotonic() - told_at > _FIRM_SECONDS:
                    os._exit(130)
            if time.monotonic() - last >= BEAT_SECONDS:
                last = time.monotonic()
                self._write()

    def _wish(self) -> str:
        try:
            return self._files.stop.read_text("utf-8").strip()
        except OSError:
            return ""

    def _write(self, why: str = "") -> None:
        data = {
            "host": hostname(),
            "pid": os.getpid(),
            "start": self._start,
            "time": time.time(),
            "phase": self._phase,
            "why": why,
            "data": {
                "shards": self._shards,
                "workers": [] if self._phase in ("queued", "ended") else self._worker_data(),
            },
        }
        path = self._files.heartbeat
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        # A full disk must not end what keeps looking after the job; nor need a heartbeat survive a power cut.
        with contextlib.suppress(OSError):
            temporary.write_text(json.dumps(data), "utf-8")
            temporary.replace(path)

    def _worker_data(self) -> list[dict[str, Any]]:
        if self.workers is not None:
            return self.workers()
        return [self_report("", ",".join(self._devices), next(iter(self._shards), None), self._gpus())]

    def _gpus(self) -> GpuMeter:
        if self._meter is None:
            self._meter = GpuMeter(self._devices)
        return self._meter


def self_report(name: str, device: str, shard: int | None, meter: GpuMeter) -> dict[str, Any]:
    """What this process says of itself as a worker, as plain data."""
    return {
        "name": name,
        "host": hostname(),
        "pid": os.getpid(),
        "device": device,
        "shard": shard,
        "memory_mb": memory_mb(),
        "gpus": [
            {
                "index": gpu.index,
                "name": gpu.name,
                "used_mb": gpu.used_mb,
                "total_mb": gpu.total_mb,
                "busy_pct": gpu.busy_pct,
            }
            for gpu in meter.read()
        ],
    }


def memory_mb() -> float | None:
    """Main memory that this process holds, in MB (1e6 bytes); ``None`` where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def ask_to_stop(run: Path, *, firmly: bool) -> None:
    """Ask the process that works on a run to stop at the next shard, or at once.

    Raises:
        StorageError: the folder cannot be written to.
    """
    files = JobFiles(run)
    try:
        files.folder.mkdir(parents=True, exist_ok=True)
        files.stop.write_text(FIRMLY if firmly else GRACEFULLY, "utf-8")
    except OSError as error:
        raise not_written(files.stop, error) from error
