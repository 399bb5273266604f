"""Starts jobs: each a process of its own, which a closed terminal, a lost connection or a killed tmux leaves alone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import DataError, StorageError, UsageError
from engine.i18n import gettext as _
from engine.i18n import listing
from engine.jobs import registry
from engine.jobs.files import JobFiles
from engine.jobs.record import JobRecord, job_id, read_record
from engine.liveness import Life, holding, hostname, life, read_beat, start_of

if TYPE_CHECKING:
    from engine.evaluation.config import EvaluationConfig

PROCESS = "engine.cluster.job"  # the module that is the job's process
_END_SECONDS = 10.0
_BEGIN_SECONDS = 60.0  # after which a process that says nothing is looked after no longer


@dataclass(frozen=True, slots=True)
class Started:
    """A job that is under way.

    Attributes:
        id: its short name.
        run: the run's folder.
        joined: whether another start had done it already, and this one only found it.
    """

    id: str
    run: Path
    joined: bool


def start(config: EvaluationConfig, *, cost: bool = False, queue: bool = False) -> Started:
    """Start an evaluation as a job, or go on with one that was interrupted; a job that is under way is joined.

    Returns as soon as the process is there; whether its plan can be carried out is told by the job itself.

    Args:
        config: its settings.
        cost: measure costs afterwards.
        queue: wait for the jobs on the same devices that were started before.

    Raises:
        UsageError: a job with other settings works in that folder, or a process that is no job.
        StorageError: the folder cannot be written to.
        DataError: the process ended at once.
    """
    run = config.to.absolute()
    record = JobRecord(job_id(run), run, "", "", plain_settings(config), cost, queue)
    with _launching(run):
        if _is_under_way(run):
            _check_same(config, read_record(run))
            return Started(record.id, run, joined=True)
        return _launch(record)


def resume(run: Path, *, queue: bool = False) -> Started:
    """Go on with a job that has ended before it was done; shards that were set aside are tried again.

    Raises:
        UsageError: it was not started as a job.
        StorageError, DataError: as :func:`start`.
    """
    run = run.absolute()
    record = read_record(run)
    if record is None:
        said = _("{run} was not started as a job").format(run=run)
        raise UsageError(said, _("use the same lorascope evaluate command with --detach"))
    with _launching(run):
        if _is_under_way(run):
            return Started(record.id, run, joined=True)
        # The folder may have been moved since; the record follows it.
        config = {**record.config, "to": str(run)}
        return _launch(replace(record, id=job_id(run), config=config, queue=queue))


def plain_settings(config: EvaluationConfig) -> dict[str, Any]:
    """The settings that were given, as plain data that means the same in every folder: paths are absolute."""
    given = config.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return {
        name: str(value.absolute()) if isinstance(value := getattr(config, name), Path) else plain
        for name, plain in given.items()
    }


@contextmanager
def _launching(run: Path) -> Iterator[None]:
    """One start at a time, so that the second one finds what the first one started."""
    files = JobFiles(run)
    try:
        files.folder.mkdir(parents=True, exist_ok=True)
        with holding(files.launching, patience=_BEGIN_SECONDS) as mine:
            if not mine:
                said = _("{run}: another start of this job does not come to an end").format(run=run)
                raise UsageError(said, _("try again"))
            yield
    except OSError as error:
        said = _("{path}: cannot be written to ({reason})").format(path=run, reason=error.strerror or error)
        raise StorageError(said, _("check the folder's rights and space")) from error


def _is_under_way(run: Path) -> bool:
    """Whether a process works on it; one that has said that it ended is waited for, as it still holds its lock."""
    until = time.monotonic() + _END_SECONDS
    while life(run) is Life.ALIVE:
        beat = read_beat(run)
        if beat is None or beat.phase != "ended" or time.monotonic() > until:
            return True
        time.sleep(0.02)
    return False


def _launch(record: JobRecord) -> Started:
    files = JobFiles(record.run)
    before = read_record(record.run) if files.record.exists() else None
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    record = replace(record, created=before.created if before else now, started=now, host=hostname(), pid=0, start="")
    files.stop.unlink(missing_ok=True)
    record.write()
    registry.register(record)
    with files.log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - this very program
            # -P: a folder called "engine" where the user stands must not be taken for this one.
            [sys.executable, "-P", "-m", PROCESS, str(record.run)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Leaves the terminal's session: neither its end nor a signal to it reaches the job.
            start_new_session=True,
        )
    record = replace(record, pid=process.pid, start=start_of(process.pid))
    record.write()
    _wait_until_there(record.run, process)
    return Started(record.id, record.run, joined=False)


def _wait_until_there(run: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _BEGIN_SECONDS
    while time.monotonic() < until and life(run) is not Life.ALIVE:
        code = process.poll()
        if code is not None:
            if code:
                said = _("{run}: the job ended at once: {reason}")
                raise DataError(said.format(run=run, reason=_last_line(JobFiles(run).log)), _("see its log"))
            return
        time.sleep(0.02)
    # It is nobody's child from now on; that it ends is seen by its lock and its heartbeat.
    process.returncode = 0


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text("utf-8", "replace").split("\n")
    except OSError:
        lines = []
    return next((line.strip() for line in reversed(lines) if line.strip()), _("it said nothing"))


def _check_same(config: EvaluationConfig, record: JobRecord | None) -> None:
    """Raises UsageError where the job that is under way is another one."""
    run = config.to.absolute()
    if record is None:
        said = _("{run}: another process is evaluating into this folder").format(run=run)
        raise UsageError(said, _("wait for it, or stop it"))
    mine, other = config.settings(), type(config).model_validate(record.config).settings()
    # The split that is meant by none is known to the plan only.
    changed = [key for key in mine if mine[key] != other.get(key)]
    if changed:
        said = _("{run}: a job with other settings is under way there ({settings})")
        raise UsageError(said.format(run=run, settings=listing(changed)), _("choose another folder"))
