"""Jobs as the app watches them: which are told, in which order, and whose results are new."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.desk import ALL_JOBS, FINISHED, RUNNING, MemoryDesk, job
from support.jobs import shard_done, write_beat, write_started
from support.native import write_native_run

from engine.jobs.snapshot import JobSnapshot, JobState
from tui.evaluations.desk import Desk
from tui.evaluations.job_pages import PAGES, page_rows
from tui.evaluations.job_rows import JobRows, bar, percent_done
from tui.evaluations.watching import Board, Freshness, Watcher


class Clock:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_jobs_of_a_folder_are_found_and_those_at_work_come_first(tmp_path: Path) -> None:
    write_started(tmp_path / "a_dead", windows=4)
    journal = write_started(tmp_path / "b_alive", windows=4)
    shard_done(journal, 0)
    write_beat(tmp_path / "b_alive")
    found = Desk([tmp_path], clock=Clock()).look()
    assert [(one.name, one.state, one.windows_done) for one in found] == [
        ("b_alive", JobState.RUNNING, 2),
        ("a_dead", JobState.DEAD, 0),
    ]


def test_folders_are_searched_now_and_then_and_when_asked(tmp_path: Path) -> None:
    clock = Clock()
    desk = Desk([tmp_path], clock=clock)
    assert desk.look() == ()
    write_started(tmp_path / "run")
    assert desk.look() == ()
    assert len(desk.look(anew=True)) == 1
    clock.now += 60
    write_started(tmp_path / "second")
    assert len(desk.look()) == 2


def test_a_job_that_has_ended_is_looked_at_less_often(tmp_path: Path) -> None:
    clock = Clock()
    journal = write_started(tmp_path / "run", windows=4)
    desk = Desk([tmp_path], clock=clock)
    assert desk.look()[0].windows_done == 0
    shard_done(journal, 0)  # somebody went on with it
    assert desk.look()[0].windows_done == 0
    clock.now += 11
    assert desk.look()[0].windows_done == 2


def test_a_broken_journal_costs_only_its_job(tmp_path: Path) -> None:
    write_started(tmp_path / "good")
    (tmp_path / "bad" / "job").mkdir(parents=True)
    (tmp_path / "bad" / "job" / "job.json").write_text("{")
    found = {one.name: one for one in Desk([tmp_path]).look()}
    assert found["bad"].state is JobState.FAILED
    assert "cannot be read" in found["bad"].why
    assert found["good"].state is JobState.DEAD


def fresh_names(freshness: Freshness, now: float, *jobs: JobSnapshot) -> list[str]:
    return [ref.name for ref in freshness.of(jobs, now)]


def test_results_are_read_again_when_shards_are_done(tmp_path: Path) -> None:
    run = write_native_run(tmp_path / "run")
    alive = job(run, JobState.RUNNING, windows=40, done=4)
    freshness = Freshness([tmp_path])
    assert fresh_names(freshness, 0.0, alive) == ["run"]
    assert fresh_names(freshness, 100.0, alive) == []
    more = job(run, JobState.RUNNING, windows=40, done=8)
    assert fresh_names(freshness, 100.0, more) == ["run"]
    # Not for every shard where they come fast; but the end is told at once.
    most = job(run, JobState.RUNNING, windows=40, done=36)
    assert fresh_names(freshness, 101.0, most) == []
    assert fresh_names(freshness, 111.0, most) == ["run"]
    assert fresh_names(freshness, 112.0, job(run, JobState.FINISHED, windows=40, done=40)) == ["run"]


def test_what_was_there_before_or_lies_elsewhere_is_left_to_others(tmp_path: Path) -> None:
    run = write_native_run(tmp_path / "here" / "run")
    ended = job(run, JobState.FINISHED, windows=4, done=4)
    assert fresh_names(Freshness([tmp_path]), 0.0, ended) == []
    alive = job(run, JobState.RUNNING, windows=40, done=4)
    assert fresh_names(Freshness([tmp_path / "other"]), 0.0, alive) == []
    without_results = job(tmp_path / "here" / "new", JobState.RUNNING, windows=40, done=4)
    assert fresh_names(Freshness([tmp_path]), 0.0, without_results) == []


def test_the_watcher_tells_what_is_new_and_nothing_else() -> None:
    desk = MemoryDesk((RUNNING,))
    boards: list[Board] = []
    looked, told = threading.Semaphore(0), threading.Semaphore(0)
    look = desk.look

    def looking(*, anew: bool = False) -> tuple[JobSnapshot, ...]:
        looked.release()
        return look(anew=anew)

    desk.look = looking  # type: ignore[method-assign]

    def deliver(board: Board) -> None:
        boards.append(board)
        told.release()

    watcher = Watcher(lambda: desk, Freshness([]), deliver)
    try:
        assert told.acquire(timeout=60)
        watcher.watch(closely=True)
        assert all(looked.acquire(timeout=60) for _ in range(2))
        desk.jobs = (replace(RUNNING, windows_done=128), FINISHED)
        watcher.watch(closely=True, now=True)
        assert told.acquire(timeout=60)
    finally:
        watcher.stop()
    assert [len(board.jobs) for board in boards] == [1, 2]


def test_a_file_system_that_is_away_does_not_end_the_watcher() -> None:
    desk = MemoryDesk((RUNNING,))
    failures = iter([OSError("away")])
    told = threading.Event()
    look = desk.look

    def looking(*, anew: bool = False) -> tuple[JobSnapshot, ...]:
        for failure in failures:
            raise failure
        return look(anew=anew)

    desk.look = looking  # type: ignore[method-assign]
    watcher = Watcher(lambda: desk, Freshness([]), lambda board: told.set() if board.jobs else None)
    try:
        watcher.watch(closely=True, now=True)
        assert told.wait(60)
    finally:
        watcher.stop()


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "░░░░"), (0.5, "██░░"), (0.34, "█▎░░"), (1.0, "████"), (7.0, "████")]
)
def test_the_bar(share: float, text: str) -> None:
    assert bar(share, 4, plain=False) == text


def test_only_what_is_done_is_at_a_hundred_percent() -> None:
    assert percent_done(job(Path("/r"), JobState.RUNNING, windows=1000, done=996)) == "99 %"
    assert percent_done(job(Path("/r"), JobState.FINISHED, windows=1000, done=1000)) == "100 %"
    assert percent_done(job(Path("/r"), JobState.STARTING)) == ""


def cells_of(make: Callable[[], object]) -> str:
    rows: JobRows = make()  # type: ignore[assignment]
    return "\n".join("  ".join(cell.text for cell in rows.cells(row)) for row in range(rows.row_count))


def test_the_list_says_state_progress_rate_and_what_it_takes() -> None:
    text = cells_of(lambda: JobRows(ALL_JOBS, plain=True))
    assert text.isascii()
    first = text.split("\n")[0]
    for shown in ("strategy_b", "running", "62 %", "124/200", "2.52/min", "30 min", "31.5/86 GB 97 %", "node07"):
        assert shown in first
    assert [line.split()[1] for line in text.split("\n")] == ["running", "queued", "stopped", "dead", "finished"]


def test_pages_tell_what_went_wrong() -> None:
    pages = {name: cells_of(lambda name=name: page_rows(RUNNING, name, width=100, plain=True)) for name, _ in PAGES}
    assert all(page.isascii() for page in pages.values())
    assert "problem  shard 12: attempt 1 failed: CUDA out of memory" in pages["overview"]
    assert "partial" in pages["overview"]
    assert "checkpoint_2" in pages["checkpoints"] and "left out: lora_A of block 17" in pages["checkpoints"]
    assert pages["shards"].split("\n")[0].split()[:2] == ["31", "running"]
    assert "cuda:0" in pages["workers"]
    assert pages["log"].split("\n")[-1] == "shard 30: 4 windows in 95 s"


def test_outside_text_is_shown_literally() -> None:
    hostile = replace(RUNNING, why="[red]\x1b[2J", log=("\x1b]0;title\x07[bold]x",))
    text = cells_of(lambda: page_rows(hostile, "overview", width=80, plain=False))
    text += cells_of(lambda: page_rows(hostile, "log", width=80, plain=False))
    assert "\x1b" not in text and "[red]" in text and "[bold]x" in text
