"""The thread that reads runs: order, batches, and failures that cost only themselves."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.judged import write_judged_run
from support.store import frame_row, frames, metadata

from engine.config import Config
from engine.errors import DataError
from engine.results.discovery import discover
from engine.results.joining import join_shards
from engine.results.model import RunRef
from engine.results.writer import write_frames, write_metadata
from tui.evidence import judge
from tui.library import Library, Loaded
from tui.loader import Batch, Judging, Loader


@pytest.fixture
def batches() -> queue.Queue[Batch]:
    return queue.Queue()


@pytest.fixture
def loader(batches: queue.Queue[Batch]) -> Iterator[Loader]:
    made = Loader(None, batches.put)
    yield made
    made.stop()


def take(batches: queue.Queue[Batch], runs: int) -> list[Batch]:
    """Batches until that many runs were read."""
    found: list[Batch] = []
    while sum(len(batch.overviews) for batch in found) < runs:
        found.append(batches.get(timeout=60))
    return found


def test_overviews_of_everything_and_runs_only_where_asked(
    loader: Loader, batches: queue.Queue[Batch], example: Path
) -> None:
    alpha, beta = discover([example])
    loader.request([alpha])
    loader.request([beta], keep=True)
    found = take(batches, 2)
    assert {overview.name for batch in found for overview in batch.overviews} == {"alpha", "beta"}
    assert [loaded.run.name for batch in found for loaded in batch.loaded] == ["beta"]
    assert found[-1].remaining == 0


def test_a_baseline_that_is_gone_is_said_and_the_run_is_read_without_it(
    loader: Loader, batches: queue.Queue[Batch], example: Path
) -> None:
    ref = next(iter(discover([example])))
    loader.request([ref], keep=True, baselines={str(ref.path): "checkpoint_99"})
    (batch,) = take(batches, 1)
    assert "checkpoint_99" in batch.errors[0]
    assert batch.loaded[0].run.baseline == "baseline"


@pytest.mark.parametrize("error", [DataError("x.parquet: a pair occurs twice"), RuntimeError("boom")])
def test_a_failure_costs_only_its_own_run(
    loader: Loader, batches: queue.Queue[Batch], example: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    load = Library.load

    def failing(self: Library, ref: RunRef, baseline: str | None = None) -> Loaded:
        if ref.name == "alpha":
            raise error
        return load(self, ref, baseline)

    monkeypatch.setattr(Library, "load", failing)
    loader.request(discover([example]))
    overviews = {entry.name: entry for batch in take(batches, 2) for entry in batch.overviews}
    assert overviews["alpha"].status == "broken"
    assert str(error) in overviews["alpha"].problems[0]
    assert overviews["beta"].status == "ok"


def test_what_is_urgent_comes_first_and_the_newest_of_it_before_the_others(example: Path) -> None:
    order: list[str] = []
    refs = list(discover([example]))
    first, second = refs
    done: queue.Queue[Batch] = queue.Queue()
    loader = Loader(None, done.put)
    with loader._changed:  # the thread waits until all requests are there
        loader.request([first])
        loader.request([second], urgent=True, keep=True)
    for batch in take(done, 2):
        order += [overview.name for overview in batch.overviews]
    loader.stop()
    assert order == [second.name, first.name]


def test_a_run_is_read_while_it_is_evaluated_and_after_its_shards_were_joined(
    loader: Loader, batches: queue.Queue[Batch], tmp_path: Path
) -> None:
    names, run = ("baseline", "checkpoint_1"), tmp_path / "run"

    def shard(number: int) -> None:
        for place, name in enumerate(names):
            rows = frames([frame_row(name, frame, window=number, depth__mae=place + number) for frame in range(2)])
            write_frames(run, name, rows, f"{number:06d}")

    def read() -> tuple[str, list[float]]:
        loader.request(discover([run]), keep=True)
        (batch,) = take(batches, 1)
        (loaded,) = batch.loaded
        assert batch.overviews[0].problems == ()
        assert batch.errors == []
        return batch.overviews[0].status, loaded.analysis.table["depth.building.mae"].to_list()

    write_metadata(run, metadata(*names, status="running"))
    shard(0)
    assert read() == ("running", [0.0, 1.0])
    shard(1)
    assert read() == ("running", [0.5, 1.5])
    assert join_shards(run) == {}
    assert read() == ("running", [0.5, 1.5])
    write_metadata(run, metadata(*names))
    assert read() == ("ok", [0.5, 1.5])


def test_a_run_is_judged_after_everything_is_read(loader: Loader, batches: queue.Queue[Batch], example: Path) -> None:
    refs = list(discover([example]))
    loader.request(refs, keep=True)
    alpha = next(run for batch in take(batches, 2) for run in batch.loaded if run.run.name == "alpha")
    names = ("checkpoint_4", "checkpoint_3")
    question = Judging(alpha, None, "score", names)
    loader.judge(question)
    batch = batches.get(timeout=60)
    ((asked, evidence),) = batch.judged
    assert asked is question
    assert evidence is not None and evidence.knows_ties("score", names)
    # Asked again, the answer is the same object: nothing is computed twice.
    assert evidence.ties("score", names) is evidence.ties("score", names)
    assert evidence.differences(["score"])["kind"].unique().to_list() == ["unpaired"]


def test_what_cannot_be_judged_is_said_and_the_thread_lives_on(
    loader: Loader, batches: queue.Queue[Batch], example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = next(iter(discover([example])))
    loader.request([ref], keep=True)
    (loaded,) = take(batches, 1)[0].loaded

    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("tui.evidence.gather_evidence", broken)
    loader.judge(Judging(loaded))
    batch = batches.get(timeout=60)
    assert batch.judged[0][1] is None
    assert "cannot be judged: RuntimeError: boom" in batch.errors[0]
    monkeypatch.undo()
    loader.judge(Judging(loaded))
    assert batches.get(timeout=60).judged[0][1] is not None


def test_parts_wait_for_what_is_urgent(tmp_path: Path) -> None:
    library = Library(Config())
    loaded = library.load(next(iter(discover([write_judged_run(tmp_path / "judged")]))))
    metrics = loaded.analysis.metrics
    evidence = judge(library, Judging(loaded, parts=metrics), lambda: True)
    assert evidence.knows_parts(["score"]) and not evidence.knows_parts(metrics)
    # The regions of one metric are asked for together.
    again = judge(library, Judging(loaded, evidence, parts=metrics[1:]), lambda: True)
    assert again is evidence
    assert evidence.knows_parts(["depth.building.abs_rel", "depth.full.abs_rel"])
    judge(library, Judging(loaded, evidence, parts=metrics))
    assert evidence.knows_parts(metrics)
    assert set(evidence.scale(metrics)["reading"]) == {"informative", "near_chance", "no_scale"}


def test_the_thread_says_what_is_urgent(loader: Loader, batches: queue.Queue[Batch], tmp_path: Path) -> None:
    ref = next(iter(discover([write_judged_run(tmp_path / "judged")])))
    loader.request([ref], keep=True)
    (loaded,) = take(batches, 1)[0].loaded
    loader.judge(Judging(loaded, parts=("score",)))
    evidence = batches.get(timeout=60).judged[0][1]
    assert evidence is not None and evidence.knows_parts(["score"])
