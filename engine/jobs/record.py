"""What a job is: its settings and its process, in ``job/job.json``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engine.atomic import atomic_write_bytes
from engine.errors import DataError
from engine.i18n import gettext as _
from engine.jobs.files import JobFiles
from engine.results.writing import not_written


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it was started last.

    Attributes:
        id: a short name that follows from the run's folder.
        run: the run's folder, absolute.
        created: when it was started first, ISO 8601.
        started: when it was started last.
        config: the fields of :class:`engine.evaluation.config.EvaluationConfig` that were set, as plain data; paths are
            absolute.
        cost: whether costs are measured afterwards.
        queue: whether it waits for earlier jobs on the same devices.
        host: the machine that it was started on.
        pid: its process there; 0 before it is started.
        start: what tells that process from a later one of its number.
    """

    id: str
    run: Path
    created: str
    started: str
    config: dict[str, Any] = field(default_factory=dict)
    cost: bool = False
    queue: bool = False
    host: str = ""
    pid: int = 0
    start: str = ""

    @property
    def devices(self) -> frozenset[str]:
        """The devices that it computes on."""
        return frozenset(str(self.config.get("device", "auto")).split(","))

    def write(self) -> None:
        """Write it into its run's folder, which has a folder for jobs.

        Raises:
            StorageError: it cannot be written.
        """
        path = JobFiles(self.run).record
        plain = {**asdict(self), "run": str(self.run)}
        try:
            atomic_write_bytes(path, json.dumps(plain, indent=2).encode() + b"\n")
        except OSError as error:
            raise not_written(path, error) from error


def read_record(run: Path) -> JobRecord | None:
    """The job of a run; ``None`` where there is none.

    The folder may have been moved since: it is where it is found.

    Raises:
        DataError: there is one, and it cannot be read.
    """
    path = JobFiles(run).record
    try:
        raw = json.loads(path.read_bytes())
        return JobRecord(**{**raw, "run": run.absolute()})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as error:
        said = _("{path}: cannot be read ({reason})").format(path=path, reason=error)
        raise DataError(said, _("start the job again")) from error


def job_id(run: Path) -> str:
    """A short name for the job of a run's folder: 8 hexadecimal digits."""
    return hashlib.sha256(str(run.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:8]
