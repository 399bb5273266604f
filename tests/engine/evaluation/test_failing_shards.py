"""Shards that fail: tried again, set aside, stopped by a time limit; a full disk; stopping when asked to."""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pytest
from support.rows import rows

from engine.errors import DataError, StorageError
from engine.evaluation.ahead import ReadyWindow
from engine.evaluation.config import EvaluationConfig
from engine.evaluation.journal import Event, Journal, State, replay
from engine.evaluation.lock import locked
from engine.evaluation.reserve import FILE as RESERVE
from engine.evaluation.runner import JOURNAL, evaluate
from engine.evaluation.shard import ShardResult, ShardWorker
from engine.evaluation.time_limit import TookTooLong, time_limit
from engine.results.discovery import discover
from engine.results.load import load_run

BAD = 1


@pytest.fixture(scope="module")
def config(street: Path, tmp_path_factory: pytest.TempPathFactory) -> EvaluationConfig:
    """The base alone on three windows, a window per shard."""
    return EvaluationConfig(
        data=street,
        to=tmp_path_factory.mktemp("runs") / "reference",
        base_seed=7,
        model="tiny",
        size=112,
        seq_len=4,
        stride=4,
        shard=1,
        max_seqs=3,
    )


@pytest.fixture(scope="module")
def reference(config: EvaluationConfig) -> Path:
    return evaluate(config)


def into(config: EvaluationConfig, to: Path, **changes: object) -> EvaluationConfig:
    return EvaluationConfig.model_validate({**config.model_dump(), "to": to, **changes})


def state(run: Path) -> State:
    return replay(Journal(run / JOURNAL).events())


class Failing:
    """Makes one shard fail so many times."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left = times
        self._error = error
        self._compute = ShardWorker.compute

    def __call__(self, patch: pytest.MonkeyPatch) -> Failing:
        failing = self

        def compute(worker: ShardWorker, windows: Sequence[object], loads: Iterator[ReadyWindow | str]) -> ShardResult:
            if windows[0].id == BAD and failing.left:  # type: ignore[attr-defined]
                failing.left -= 1
                next(loads)
                raise failing._error
            return failing._compute(worker, windows, loads)  # type: ignore[arg-type]

        patch.setattr(ShardWorker, "compute", compute)
        return self


def test_a_shard_that_fails_is_tried_again(
    config: EvaluationConfig, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = Failing(2, RuntimeError("out of memory\nand much more"))(monkeypatch)
    run = evaluate(into(config, tmp_path / "run"))
    assert failing.left == 0
    assert state(run).finished
    assert rows(run).equals(rows(reference))
    attempts = [event.data for event in Journal(run / JOURNAL).events() if event.kind == "shard_failed"]
    assert [(data["shard"], data["attempt"], data["set_aside"]) for data in attempts] == [
        (BAD, 1, False),
        (BAD, 2, False),
    ]
    assert attempts[0]["why"] == "RuntimeError: out of memory"


def test_a_shard_that_fails_three_times_is_set_aside_and_can_be_done_later(
    config: EvaluationConfig, reference: Path, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        Failing(99, RuntimeError("no kernel image"))(patch)
        run = evaluate(into(config, tmp_path / "run"))
    after = state(run)
    assert not after.finished
    assert after.shards == {0, 2}
    assert after.set_aside == {BAD: "RuntimeError: no kernel image"}
    assert rows(run).equals(rows(reference).filter(pl.col("window") != BAD))
    metadata = json.loads((run / "metadata.json").read_text("utf-8"))
    assert metadata["status"] == "stopped"
    assert metadata["left_out"]["shards set aside"] == 1
    assert metadata["notes"] == [f"shard {BAD}: RuntimeError: no kernel image"]
    loaded = load_run(next(iter(discover([run]))))
    assert (loaded.status, loaded.summary.is_empty()) == ("stopped", False)

    assert evaluate(into(config, run)) == run
    assert state(run).finished
    assert state(run).set_aside == {}
    assert rows(run).equals(rows(reference))
    assert pl.read_parquet(run / "curves.parquet").equals(pl.read_parquet(reference / "curves.parquet"))
    assert json.loads((run / "metadata.json").read_text("utf-8"))["status"] == "done"


def test_where_no_shard_works_it_ends(
    config: EvaluationConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compute(*_: object) -> ShardResult:
        raise RuntimeError("no kernel image")

    monkeypatch.setattr(ShardWorker, "compute", compute)
    with pytest.raises(DataError, match=r"no shard could be computed; shard 0: RuntimeError: no kernel image"):
        evaluate(into(config, tmp_path / "run"))
    assert not (tmp_path / "run" / RESERVE).exists()


def test_a_shard_has_a_time_limit(
    config: EvaluationConfig, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute, hung = ShardWorker.compute, []

    def hanging(worker: ShardWorker, windows, loads) -> ShardResult:  # type: ignore[no-untyped-def]
        if windows[0].id == BAD and not hung:
            hung.append(BAD)
            until = time.monotonic() + 300
            while time.monotonic() < until:
                time.sleep(0.01)
        return compute(worker, windows, loads)

    monkeypatch.setattr(ShardWorker, "compute", hanging)
    # Enough for a shard of this size on any machine, and far less than it hangs.
    run = evaluate(into(config, tmp_path / "run", shard_timeout=8))
    (attempt,) = [event.data for event in Journal(run / JOURNAL).events() if event.kind == "shard_failed"]
    assert "time limit of 8 s" in attempt["why"]
    assert rows(run).equals(rows(reference))


def test_time_limits() -> None:
    with pytest.raises(TookTooLong, match=r"limit of 0\.01 s"), time_limit(0.01):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            pass
    with time_limit(60):
        pass


def test_a_full_disk_stops_it_with_a_sentence_and_it_goes_on_later(
    config: EvaluationConfig, reference: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    kept: list[bool] = []

    def full(frame: pl.DataFrame, path: Path, **options: object) -> None:
        if path.parent.parent.name == "frames" and (run / JOURNAL).read_text("utf-8").count('"event": "shard"'):
            kept.append((run / RESERVE).exists())
            raise OSError(errno.ENOSPC, "No space left on device")
        write(frame, path, **options)

    write = pl.DataFrame.write_parquet
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pl.DataFrame, "write_parquet", full)
        with pytest.raises(StorageError, match="No space left on device"):
            evaluate(into(config, run))
    assert kept == [True], "it tried again, or kept no space back for the journal"
    assert not (run / RESERVE).exists()
    *_, last = Journal(run / JOURNAL).events()
    assert last.kind == "stopped"
    assert "No space left on device" in last.data["why"]
    assert (last.data["done"], last.data["of"]) == (1, 3)
    evaluate(into(config, run))
    assert rows(run).equals(rows(reference))


def test_it_stops_at_the_next_shard_when_asked(config: EvaluationConfig, reference: Path, tmp_path: Path) -> None:
    events: list[Event] = []
    asked = lambda: any(event.kind == "shard" for event in events)  # noqa: E731
    run = evaluate(into(config, tmp_path / "run"), watch=events.append, stopping=asked)
    assert [event.kind for event in events] == ["started", "shard", "stopped"]
    assert not state(run).finished
    assert load_run(next(iter(discover([run])))).status == "stopped"
    evaluate(into(config, run))
    assert rows(run).equals(rows(reference))


def test_a_shard_that_comes_twice_counts_once(config: EvaluationConfig, reference: Path, tmp_path: Path) -> None:
    from engine.evaluation.executor import Outcome, Work
    from engine.evaluation.in_process import InProcess

    class Twice(InProcess):
        def run(self, work: Work) -> Iterator[Outcome]:
            for outcome in super().run(work):
                yield outcome
                yield outcome

    run = evaluate(into(config, tmp_path / "run"), executor=Twice())
    shards = [event.data["shard"] for event in Journal(run / JOURNAL).events() if event.kind == "shard"]
    assert shards == [0, 1, 2]
    assert rows(run).equals(rows(reference))


def test_the_lock_waits_for_whoever_only_looks(tmp_path: Path) -> None:
    import fcntl
    import threading

    (tmp_path / ".lock").touch()
    with (tmp_path / ".lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        release = threading.Timer(0.1, lambda: fcntl.flock(looking, fcntl.LOCK_UN))
        release.start()
        with locked(tmp_path):
            pass
        release.join()
