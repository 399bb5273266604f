"""Looks at a job again and again: a frozen snapshot each time, reading only what is new."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.evaluation.journal import parse_events
from engine.i18n import gettext as _
from engine.jobs import registry
from engine.jobs.command import evaluate_command
from engine.jobs.files import JobFiles
from engine.jobs.gpu import GpuUse
from engine.jobs.progress import Progress
from engine.jobs.record import JobRecord, job_id, read_record
from engine.jobs.snapshot import CheckpointView, JobSnapshot, JobState, ShardState, ShardView, WorkerView
from engine.liveness import Beat, Life, hostname, is_process, life, read_beat

LOG_LINES = 100
_LOG_BYTES = 32 * 1024


class JobWatch:
    """One job, looked at from any machine on the same file system.

    Args:
        run: the run's folder.
        clock: seconds since 1970; tests give their own.
    """

    def __init__(self, run: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._files = JobFiles(run.absolute())
        self._clock = clock
        self._progress = Progress()
        self._read = 0  # bytes of the journal that were taken

    def snapshot(self) -> JobSnapshot:
        """The job now.

        Raises:
            DataError: the journal or the job's record cannot be read.
        """
        self._read_journal()
        files, progress = self._files, self._progress
        record = read_record(files.run)
        beat = read_beat(files.run)
        state, why = self._state(record, beat)
        shards = self._shards(beat if state.alive else None)
        left = progress.windows - progress.windows_done
        rate = progress.windows_per_second
        config = record.config if record else {}
        return JobSnapshot(
            id=job_id(files.run),
            run=files.run,
            name=str(config.get("name") or files.run.name),
            state=state,
            phase=beat.phase if beat and state.alive else "",
            why=why,
            host=beat.host if beat else (record.host if record else ""),
            pid=beat.pid if beat else (record.pid if record else 0),
            created=record.created if record else progress.started,
            started=record.started if record else progress.started,
            windows_done=progress.windows_done,
            windows=progress.windows,
            shards=shards,
            checkpoints=tuple(
                CheckpointView(name, done, progress.windows, progress.failed_checkpoints.get(name, ""))
                for name, done in progress.checkpoints.items()
            ),
            windows_per_minute=rate * 60 if rate else None,
            seconds_left=left / rate if rate and left and state is JobState.RUNNING else None,
            workers=self._workers(beat) if beat and state.alive else (),
            log=self._log(),
            problems=tuple(progress.problems),
            notices=tuple(progress.notices),
            partial=not progress.finished and bool(progress.seconds),
            detached=record is not None and (beat is None or (beat.host, beat.pid) == (record.host, record.pid)),
            command=evaluate_command(config, cost=bool(record and record.cost), detach=True) if config else "",
        )

    def follow(self, *, every: float = 1.0) -> Iterator[JobSnapshot]:
        """A snapshot at once and then every so many seconds, until no process works on the job any more."""
        while True:
            found = self.snapshot()
            yield found
            if not found.state.alive:
                return
            time.sleep(every)

    def _read_journal(self) -> None:
        path = self._files.journal
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._read:  # another journal in its place
                    self._progress, self._read = Progress(), 0
                file.seek(self._read)
                new = file.read()
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            said = _("{path}: cannot be read ({reason})")
            raise DataError(said.format(path=path, reason=error.strerror or error)) from error
        whole = new.rfind(b"\n") + 1
        self._progress.take_all(parse_events(new[:whole]))
        self._read += whole

    def _state(self, record: JobRecord | None, beat: Beat | None) -> tuple[JobState, str]:
        files, progress = self._files, self._progress
        found = life(files.run, beat)
        if found is Life.ALIVE:
            if beat is None or beat.phase == "ended":  # it has only just begun
                return JobState.STARTING, ""
            if files.stop.exists():
                return JobState.STOPPING, ""
            phases = {"queued": JobState.QUEUED, "loading": JobState.STARTING, "waiting": JobState.STARTING}
            return phases.get(beat.phase, JobState.RUNNING), ""
        if record is not None and self._is_launched(record, beat):
            return JobState.STARTING, ""
        if progress.finished:
            return JobState.FINISHED, beat.why if beat else ""
        entry = registry.read_entry(files.run)
        why = (beat.why if beat and found is Life.ENDED else "") or (entry.last_words if entry else "")
        why = why or progress.stopped
        if why:
            return JobState.FAILED, why
        if found is Life.ENDED or progress.last == "stopped":
            aside = len(progress.set_aside)
            said = _("{count} of {all} shards are set aside").format(count=aside, all=progress.shards)
            return JobState.STOPPED, said if aside else ""
        if beat is None:
            return JobState.DEAD, _("its process is gone")
        return JobState.DEAD, _("its process {pid} on {host} is gone").format(pid=beat.pid, host=beat.host)

    def _is_launched(self, record: JobRecord, beat: Beat | None) -> bool:
        """Whether its process was started, and has not yet said anything."""
        if record.host != hostname() or (beat is not None and beat.pid == record.pid and beat.start == record.start):
            return False
        return is_process(record.pid, record.start)

    def _shards(self, beat: Beat | None) -> tuple[ShardView, ...]:
        progress = self._progress
        running: dict[str, Any] = beat.data.get("shards", {}) if beat else {}
        views = []
        for number in range(progress.shards):
            failures, why = progress.attempts.get(number, (0, ""))
            now = running.get(str(number))
            if number in progress.seconds:
                state, worker, seconds = ShardState.DONE, progress.workers[number], progress.seconds[number]
            elif now is not None:
                state, worker = ShardState.RUNNING, str(now["worker"])
                seconds = max(0.0, self._clock() - float(now["since"]))
            else:
                aside = number in progress.set_aside
                state, worker, seconds = (ShardState.FAILED if aside else ShardState.WAITING), "", None
            views.append(ShardView(number, progress.size(number), state, worker, seconds, failures, why))
        return tuple(views)

    def _workers(self, beat: Beat) -> tuple[WorkerView, ...]:
        done: dict[str, int] = {}
        for name in self._progress.workers.values():
            done[name] = done.get(name, 0) + 1
        return tuple(
            WorkerView(
                name=str(worker["name"]),
                host=str(worker["host"]),
                pid=int(worker["pid"]),
                device=str(worker["device"]),
                shard=worker["shard"],
                done=done.get(str(worker["name"]), 0),
                memory_mb=worker["memory_mb"],
                gpus=tuple(GpuUse(**gpu) for gpu in worker["gpus"]),
            )
            for worker in beat.data.get("workers", [])
        )

    def _log(self) -> tuple[str, ...]:
        try:
            with self._files.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _LOG_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ()
        lines = text.splitlines()
        return tuple((lines[1:] if size > _LOG_BYTES else lines)[-LOG_LINES:])
