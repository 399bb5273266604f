"""Evaluations and jobs without any: what Launch asks is answered from memory, and what it does is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.errors import DataError, LorascopeError
from engine.evaluation.checks import Checked, check
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.mistakes import place_of, words_of
from engine.jobs.gpu import GpuUse
from engine.jobs.snapshot import CheckpointView, JobSnapshot, JobState, ShardState, ShardView, WorkerView
from engine.jobs.start import Started
from tui.evaluations.desk import Desk

FOUND = tuple(f"checkpoint_{number}" for number in range(1, 41))
PLAN: dict[str, Any] = {
    "run": "run_a",
    "to": "/runs/run_a",
    "dataset": {"name": "KITTI-360", "root": "KITTI-360", "split": "val"},
    "windows": 200,
    "available": 1530,
    "strata": {"rich": 100, "mixed": 60, "road": 40},
    "seq_len": 8,
    "sampling": "stratified",
    "seed": 0,
    "fingerprint": "19c651baffa971f2c0ffee",
    "left_out": {"frame without pose": 12},
    "checkpoints": list(FOUND),
    "shards": 50,
    "shards_done": 0,
    "seconds_per_window": None,
    "seconds": None,
}
TIMED = {**PLAN, "seconds_per_window": 41.5, "seconds": 8300.0, "memory_mb": 5200.0, "gpu_memory_mb": 19400.0}
# A right form, and what it takes to be one.
FILLED = {
    "data": "/data/KITTI-360",
    "checkpoints": "/training/checkpoints",
    "base": "/data/vggt.pt",
    "to": "/runs/run_a",
}


class MemoryDesk(Desk):
    """Answers from memory.

    Args:
        jobs: what there is.
        plan: what is planned, and with times; a sentence stands for a failure.
        files: whether settings are checked with the file system, too.
    """

    def __init__(
        self,
        jobs: tuple[JobSnapshot, ...] = (),
        *,
        plan: Mapping[str, Any] | str = PLAN,
        timed: Mapping[str, Any] | str = TIMED,
        files: bool = False,
        missing: tuple[str, ...] = (),
    ) -> None:
        super().__init__([])
        self.jobs = jobs
        self.done: list[tuple[Any, ...]] = []
        self.fails = ""
        self._plans = {False: plan, True: timed}
        self._files = files
        self._missing = list(missing)

    def missing(self) -> list[str]:
        return self._missing

    def check(self, values: Mapping[str, object]) -> Checked:
        if self._files:
            return check(values)
        try:
            config = EvaluationConfig.model_validate(dict(values))
        except ValidationError as error:
            mistakes = {place_of(one): words_of(one) for one in error.errors()}
            gone = frozenset(place_of(one) for one in error.errors() if one["type"] == "missing")
            return Checked(None, mistakes, gone, FOUND, FOUND)
        return Checked(config, found=FOUND, chosen=FOUND)

    def plan(self, config: EvaluationConfig, *, timed: bool, given_up: Callable[[], bool]) -> Mapping[str, Any]:
        self.done.append(("plan", timed))
        answer = self._plans[timed]
        if isinstance(answer, str):
            raise DataError(answer)
        return answer

    def start(self, config: EvaluationConfig, *, cost: bool, queue: bool) -> Started:
        self._act("start", config, cost, queue)
        self.jobs = (job(Path(config.to), JobState.QUEUED if queue else JobState.STARTING), *self.jobs)
        return Started("0", config.to, joined=False)

    def resume(self, run: Path) -> Started:
        self._act("resume", run)
        return Started("0", run, joined=False)

    def stop(self, run: Path, *, firmly: bool) -> None:
        self._act("stop", run, firmly)

    def kill(self, run: Path) -> None:
        self._act("kill", run)

    def settings(self, run: Path) -> dict[str, str]:
        return dict(FILLED) if run == RUNNING.run else {}

    def look(self, *, anew: bool = False) -> tuple[JobSnapshot, ...]:
        return self.jobs

    def _act(self, *what: Any) -> None:
        if self.fails:
            raise LorascopeError(self.fails)
        self.done.append(what)


def job(run: Path, state: JobState, *, windows: int = 0, done: int = 0, **more: Any) -> JobSnapshot:
    """A job with shards of four windows, of which the first ones are done and the next one is under way."""
    count = -(-windows // 4)
    shards = tuple(
        ShardView(number, min(4, windows - 4 * number), ShardState.DONE, "gpu0", 96.0 + number)
        if number < done // 4
        else ShardView(number, min(4, windows - 4 * number), ShardState.RUNNING, "gpu0", 31.0)
        if number == done // 4 and state.alive
        else ShardView(number, min(4, windows - 4 * number), ShardState.WAITING)
        for number in range(count)
    )
    fields: dict[str, Any] = {
        "id": "0a1b2c3d",
        "host": "node07",
        "pid": 4242,
        "started": "2026-01-05T09:30:00+00:00",
        "windows": windows,
        "windows_done": done,
        "shards": shards,
        "partial": 0 < done < windows,
        "command": f"lorascope evaluate --data /data/KITTI-360 --to {run} --detach",
        **more,
    }
    return JobSnapshot(run=run, name=run.name, state=state, **fields)


_GPU = GpuUse(0, "NVIDIA H100 80GB HBM3", 31_500.0, 85_500.0, 97.0)
RUNNING = job(
    Path("/runs/strategy_b"),
    JobState.RUNNING,
    windows=200,
    done=124,
    phase="running",
    windows_per_minute=2.52,
    seconds_left=1810.0,
    workers=(WorkerView("gpu0", "node07", 4243, "cuda:0", 31, 31, 5400.0, (_GPU,)),),
    checkpoints=(
        CheckpointView("baseline", 124, 200),
        CheckpointView("checkpoint_1", 124, 200),
        CheckpointView("checkpoint_2", 40, 200, "lora_A of block 17 has the wrong shape"),
    ),
    problems=(
        "checkpoint checkpoint_2: lora_A of block 17 has the wrong shape",
        "shard 12: attempt 1 failed: CUDA out of memory",
    ),
    log=("loading VGGT-1B from vggt.pt", "40 checkpoints, trunk shared", "shard 30: 4 windows in 95 s"),
)
_ASIDE = ShardView(3, 4, ShardState.FAILED, failures=3, why="CUDA out of memory")
DEAD = job(
    Path("/runs/strategy_c"), JobState.DEAD, windows=40, done=8, why="its process 911 on node03 is gone", host="node03"
)
STOPPED = job(
    Path("/runs/soft"),
    JobState.STOPPED,
    windows=16,
    done=12,
    why="1 of 4 shards are set aside",
    shards=(*(ShardView(number, 4, ShardState.DONE, "", 60.0) for number in range(3)), _ASIDE),
)
FINISHED = job(Path("/runs/first"), JobState.FINISHED, windows=20, done=20)
QUEUED = job(Path("/runs/later"), JobState.QUEUED)
ALL_JOBS = (RUNNING, QUEUED, STOPPED, DEAD, FINISHED)
