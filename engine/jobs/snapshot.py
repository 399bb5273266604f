"""What a job is at one moment: everything that a live screen shows, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.i18n import mark
from engine.jobs.gpu import GpuUse

# What the process of a job does, as its heartbeat says it.
PHASES = (mark("queued"), mark("waiting"), mark("loading"), mark("running"), mark("cost"))


class JobState(StrEnum):
    """What becomes of a job."""

    QUEUED = mark("queued")  # waits for earlier jobs on its devices
    STARTING = mark("starting")  # its process lives and computes nothing yet: it loads the models
    RUNNING = mark("running")
    STOPPING = mark("stopping")  # was asked to stop
    STOPPED = mark("stopped")  # ended before it was done, in an orderly way; going on is possible
    FINISHED = mark("finished")
    FAILED = mark("failed")  # ended with an error; going on is possible once that is removed
    DEAD = mark("dead")  # its process is gone without a word; going on is possible

    @property
    def alive(self) -> bool:
        """Whether a process works on it or waits to."""
        return self in (JobState.QUEUED, JobState.STARTING, JobState.RUNNING, JobState.STOPPING)


class ShardState(StrEnum):
    """What becomes of a shard."""

    WAITING = mark("waiting")
    RUNNING = mark("running")
    DONE = mark("done")
    FAILED = mark("failed")  # set aside after its last attempt; going on tries it again


@dataclass(frozen=True, slots=True)
class ShardView:
    """One shard.

    Attributes:
        number: from 0.
        windows: how many it has.
        state: what becomes of it.
        worker: who computes or computed it; empty for the job's own process.
        seconds: that it took, or has been running for.
        failures: attempts that failed since the last start.
        why: of the last of them.
    """

    number: int
    windows: int
    state: ShardState
    worker: str = ""
    seconds: float | None = None
    failures: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """One checkpoint.

    Attributes:
        name: its name; ``baseline`` is the first one.
        done: windows that are computed.
        of: windows of the sample.
        why: why it is left out; empty where it is not.
    """

    name: str
    done: int
    of: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One process that computes.

    Attributes:
        name: empty for the job's own process.
        host: its machine.
        pid: its number there.
        device: what it computes on.
        shard: what it computes now.
        done: shards of this run that it finished.
        memory_mb: main memory that it holds (1e6 bytes).
        gpus: the GPUs that it uses.
    """

    name: str
    host: str
    pid: int
    device: str
    shard: int | None
    done: int
    memory_mb: float | None
    gpus: tuple[GpuUse, ...] = ()


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """A job at one moment.

    Attributes:
        id: its short name.
        run: the run's folder.
        name: the run's name.
        state: what becomes of it.
        phase: what its process does now, where it lives: ``queued``, ``waiting`` (for workers), ``loading``,
            ``running``, ``cost``.
        why: why it failed, or what is to be known of its state; a sentence, or empty.
        host: the machine of its process.
        pid: its number there.
        created: when it was started first, ISO 8601; empty where that is not known.
        started: when it was started last.
        windows_done: windows that are computed.
        windows: of the sample; 0 before the sample is drawn.
        shards: one by one.
        checkpoints: one by one, the baseline in front.
        windows_per_minute: lately; ``None`` before the second shard.
        seconds_left: at that rate, while it runs.
        workers: who computes, while it runs.
        log: the last lines of what its processes printed.
        problems: what went wrong so far, in sentences, the last ones.
        notices: what a user should know besides.
        partial: whether the run's store holds results, but not yet all of them.
        detached: whether it outlives its terminal; an evaluation in a terminal is shown, too.
        command: the shell command that would go on with it.
    """

    id: str
    run: Path
    name: str
    state: JobState
    phase: str = ""
    why: str = ""
    host: str = ""
    pid: int = 0
    created: str = ""
    started: str = ""
    windows_done: int = 0
    windows: int = 0
    shards: tuple[ShardView, ...] = ()
    checkpoints: tuple[CheckpointView, ...] = ()
    windows_per_minute: float | None = None
    seconds_left: float | None = None
    workers: tuple[WorkerView, ...] = ()
    log: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    partial: bool = False
    detached: bool = True
    command: str = ""

    @property
    def share(self) -> float:
        """How much of the windows is done, 0 to 1."""
        return self.windows_done / self.windows if self.windows else 0.0

    @property
    def shards_done(self) -> int:
        """How many shards are done."""
        return sum(shard.state is ShardState.DONE for shard in self.shards)

    @property
    def set_aside(self) -> tuple[ShardView, ...]:
        """The shards that failed too often."""
        return tuple(shard for shard in self.shards if shard.state is ShardState.FAILED)
