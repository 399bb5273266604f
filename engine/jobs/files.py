"""The files of a job: ``job/`` in the run's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.liveness import ALIVE
from engine.results.layout import HEARTBEAT, JOB, JOURNAL, METADATA


@dataclass(frozen=True, slots=True)
class JobFiles:
    """Where everything of one job lies.

    Attributes:
        run: the run's folder.
    """

    run: Path

    @property
    def folder(self) -> Path:
        """Everything that is about computing the run, and not about its results."""
        return self.run / JOB

    @property
    def record(self) -> Path:
        """What the job is: :class:`engine.jobs.record.JobRecord`."""
        return self.folder / "job.json"

    @property
    def launching(self) -> Path:
        """A lock, held while the job's process is started."""
        return self.folder / "launching"

    @property
    def alive(self) -> Path:
        """A lock, held as long as the job's process lives."""
        return self.folder / ALIVE

    @property
    def heartbeat(self) -> Path:
        """What the process says of itself every few seconds."""
        return self.folder / HEARTBEAT

    @property
    def log(self) -> Path:
        """What the job's processes print."""
        return self.folder / "log.txt"

    @property
    def stop(self) -> Path:
        """Is there where somebody asked the job to stop; says how."""
        return self.folder / "stop"

    @property
    def scheduler(self) -> Path:
        """Where workers reach the job; only its owner can read it."""
        return self.folder / "scheduler.json"

    @property
    def keys(self) -> Path:
        """The run's certificate and key; whoever can read them may work for the run."""
        return self.folder / "keys"

    @property
    def slurm(self) -> Path:
        """The jobs that Slurm runs for this one."""
        return self.folder / "slurm.json"

    @property
    def journal(self) -> Path:
        """The run's journal."""
        return self.run / JOURNAL

    @property
    def metadata(self) -> Path:
        """What the run says of itself."""
        return self.run / METADATA
