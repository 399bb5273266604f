"""Workers on this machine: one process per device or share of the CPU, started anew where one dies."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.cluster.exits import REFUSED
from engine.errors import DataError
from engine.i18n import gettext as _

_MODULE = "engine.cluster.worker"
_TERMINATE_SECONDS = 5.0
# Deaths of one worker, with no shard done between them, after which its place is given up.
_HOPELESS = 5
_PAUSE_SECONDS = 1.0


@dataclass
class Slot:
    """A place for one worker process.

    Attributes:
        name: the worker's.
        device: where it computes, as the process sees it.
        environment: variables that are set for it.
    """

    name: str
    device: str
    environment: dict[str, str] = field(default_factory=dict)


def slots_for(devices: Sequence[str], workers: int, environment: Mapping[str, str], cores: int) -> list[Slot]:
    """Places for so many workers, spread over the devices.

    A GPU's worker sees that GPU alone. The CPU's threads are divided among all workers.

    Args:
        devices: names as in the configuration.
        workers: how many.
        environment: of this process.
        cores: that this process may use.
    """
    share = str(max(1, cores // max(1, workers)))
    threads = {name: share for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS") if name not in environment}
    found = []
    for place in range(workers):
        device = devices[place % len(devices)]
        again = place // len(devices)
        name = f"{device}-{again}" if workers > len(devices) else device
        if device.startswith("cuda:"):
            visible = environment.get("CUDA_VISIBLE_DEVICES")
            number = int(device.removeprefix("cuda:"))
            names = [part.strip() for part in visible.split(",")] if visible is not None else []
            # Numbers count what this process may see; one that is not there is left to CUDA to refuse.
            chosen = names[number] if number < len(names) else str(number)
            found.append(Slot(name, "cuda:0", {**threads, "CUDA_VISIBLE_DEVICES": chosen}))
        else:
            found.append(Slot(name, device, dict(threads)))
    return found


class LocalWorkers:
    """Keeps a worker process in every slot.

    Args:
        run: the run's folder.
        slots: the places.
        patience: seconds that a worker waits for a next start of the job.
        log: the file that what they print is added to; by default where this process prints.
        mirror: where the run's folder is not seen, and ``run`` only stands for it: what its files are known from.
    """

    def __init__(
        self, run: Path, slots: Sequence[Slot], *, patience: float = 0.0, log: Path | None = None, mirror: str = ""
    ) -> None:
        self._run = run
        self._mirror = mirror
        self._slots = list(slots)
        self._patience = patience
        self._log = log
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._deaths: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self.refused = False  # whether a worker said that the job does not want it

    @property
    def pids(self) -> dict[str, int]:
        """Worker -> its process."""
        return {name: process.pid for name, process in self._processes.items() if process.poll() is None}

    def keep(self) -> None:
        """Start what is not running. Called again and again.

        Raises:
            DataError: no place is left.
        """
        for slot in list(self._slots):
            process = self._processes.get(slot.name)
            if process is None:
                self._spawn(slot)
            elif (code := process.poll()) is not None:
                self._bury(slot, code)
        if not self._slots and self._deaths:
            name = next(iter(self._deaths))
            said = _("the workers of this machine end again and again (worker {name}, {count} times)")
            raise DataError(said.format(name=name, count=_HOPELESS), _("look at what they print in the job's log"))

    def saw_work(self) -> None:
        """A shard is done: the deaths before that count no more."""
        self._deaths.clear()

    def finished(self) -> bool:
        """Whether every worker has ended by itself, and none is to be started anew."""
        return not self._slots

    def stop(self) -> None:
        """End them all."""
        for process in self._processes.values():
            with contextlib.suppress(OSError):
                process.terminate()
        until = time.monotonic() + _TERMINATE_SECONDS
        for process in self._processes.values():
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()
        self._slots.clear()

    def _bury(self, slot: Slot, code: int) -> None:
        now = time.monotonic()
        if slot.name not in self._not_before:
            self._deaths[slot.name] = self._deaths.get(slot.name, 0) + 1
            self._not_before[slot.name] = now + _PAUSE_SECONDS * (self._deaths[slot.name] - 1)
        self.refused = self.refused or code == REFUSED
        if code in (0, REFUSED) or self._deaths.get(slot.name, 0) >= _HOPELESS:
            self._slots.remove(slot)
            if code in (0, REFUSED):
                self._deaths.pop(slot.name, None)
        elif now >= self._not_before[slot.name]:
            self._spawn(slot)

    def _spawn(self, slot: Slot) -> None:
        self._not_before.pop(slot.name, None)
        command = [sys.executable, "-P", "-m", _MODULE, str(self._run), "--name", slot.name, "--device", slot.device]
        with contextlib.ExitStack() as stack:
            out = stack.enter_context(self._log.open("ab")) if self._log is not None else None
            self._processes[slot.name] = subprocess.Popen(  # noqa: S603 - this very program
                [*command, "--patience", str(self._patience), *(["--mirror", self._mirror] if self._mirror else [])],
                stdin=subprocess.DEVNULL,
                # Ctrl+C is for the job, which lets its workers go by itself.
                process_group=0,
                stdout=out,
                stderr=subprocess.STDOUT if out is not None else None,
                env={**os.environ, **slot.environment},
            )
