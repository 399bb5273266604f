"""Launch: what is typed, what is refused and where, what is started, and what is done with jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.desk import ALL_JOBS, FILLED, FINISHED, PLAN, RUNNING, MemoryDesk, job
from support.native import write_native_run
from support.pilot import settled, text_of
from textual.pilot import Pilot

from engine.jobs.snapshot import JobState
from tui.app import LorascopeApp
from tui.evaluations.fields import FIELDS
from tui.screens.dialogs import ChooseDialog, MessageDialog
from tui.screens.launch import LaunchScreen
from tui.screens.mark_dialog import MarkDialog
from tui.screens.plan_dialog import PlanDialog
from tui.state import load_state

Open = Callable[..., AbstractAsyncContextManager[tuple[Pilot[None], LaunchScreen, MemoryDesk]]]


def idle(app: LorascopeApp) -> bool:
    """No thread is at work for a screen."""
    return not any(worker.is_running for worker in app.workers)


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Launch in a folder of its own, with what is filled in, and evaluations that are not carried out."""
    folder = tmp_path / "stand"
    folder.mkdir()
    monkeypatch.chdir(folder)

    @asynccontextmanager
    async def start(
        desk: MemoryDesk | None = None,
        *,
        texts: dict[str, str] | None = None,
        page: str = "form",
        size: tuple[int, int] = (100, 40),
        paths: tuple[Path, ...] = (),
        notifications: bool = False,
    ) -> AsyncIterator[tuple[Pilot[None], LaunchScreen, MemoryDesk]]:
        desk = desk or MemoryDesk()
        app = LorascopeApp(paths, desk=desk)
        state = app.session.state
        state.launch, state.launch_page = dict(FILLED if texts is None else texts), page
        async with app.run_test(size=size, notifications=notifications) as pilot:
            await settled(pilot, lambda: not app.session.discovering)
            await pilot.press("6")
            await settled(pilot, lambda: isinstance(app.screen, LaunchScreen))
            screen = app.screen
            assert isinstance(screen, LaunchScreen)
            await settled(pilot, lambda: screen.begun and app.session.jobs is not None and idle(app))
            yield pilot, screen, desk

    return start


async def calm(pilot: Pilot[None]) -> None:
    """What was pressed is done."""
    app = pilot.app
    assert isinstance(app, LorascopeApp)
    await pilot.pause()
    await settled(pilot, lambda: idle(app))


async def plan_shown(pilot: Pilot[None]) -> PlanDialog:
    """Press p; the dialog once it knows all."""
    await pilot.press("p")
    await settled(pilot, lambda: isinstance(pilot.app.screen, PlanDialog) and pilot.app.screen.is_settled)
    assert isinstance(pilot.app.screen, PlanDialog)
    return pilot.app.screen


BAD = {
    "no such data": ("data", "nowhere", "there is no folder"),
    "data without a dataset": ("data", "empty", "no dataset that lorascope knows"),
    "no such checkpoints": ("checkpoints", "nowhere", "No such file"),
    "no checkpoints there": ("checkpoints", "empty", "holds no checkpoints"),
    "not a checkpoint's name": ("only", "checkpoint_9", "unknown checkpoint 'checkpoint_9'"),
    "no such base": ("base", "nowhere.pt", "there is no file"),
    "a folder as base": ("base", "empty", "there is no file"),
    "no base": ("base", "", "has no base weights"),
    "a base and a seed": ("base_seed", "3", "give one of the two"),
    "a model of that name": ("model", "vgtt", "unknown model 'vgtt'"),
    "no windows": ("max_seqs", "0", "at least 1"),
    "windows in words": ("max_seqs", "many", "a whole number"),
    "half a seed": ("seed", "1.5", "a whole number"),
    "too long windows": ("seq_len", "201", "at most 200"),
    "no stride": ("stride", "0", "at least 1"),
    "a device of that name": ("device", "gpu", "must be auto, cpu, cuda or cuda:N"),
    "a device twice": ("device", "cuda:0,cuda:0", "names a device twice"),
    "nobody works": ("workers", "0", "0 needs --cluster"),
    "a file as target": ("to", "base.pt", "is a file"),
    "a target that is something else": ("to", "imported", "not made by evaluate"),
    "no target": ("to", "", "is missing"),
    "images too small": ("size", "13", "at least 14"),
    "no time": ("shard_timeout", "0", "more than 0"),
    "a file as cache": ("cache", "base.pt", "is not a folder"),
    "a mirror on a disk": ("mirror", "results/run", "must be a folder in an object store"),
    "a target in a store": ("to", "s3://bucket/run", "s3://bucket/run is no path of this machine"),
}


def write_place(folder: Path) -> dict[str, str]:
    """What an evaluation needs, by names alone; the form filled in rightly."""
    for name in ("street", "checkpoints", "empty", "imported"):
        (folder / name).mkdir()
    (folder / "street" / "street.json").write_text("{}")
    (folder / "imported" / "metadata.json").write_text("{}")
    for number in (1, 2):
        (folder / "checkpoints" / f"checkpoint_{number}.pt").touch()
    (folder / "base.pt").touch()
    return {"data": "street", "checkpoints": "checkpoints", "base": "base.pt", "to": "results/run"}


@pytest.mark.parametrize(
    ("number", "field", "text", "words"), [(n, *bad) for n, bad in enumerate(BAD.values())], ids=BAD
)
async def test_a_bad_input_is_refused_at_its_field(
    opened: Open, number: int, field: str, text: str, words: str
) -> None:
    size = ((80, 24), (120, 40))[number % 2]
    texts = {**write_place(Path.cwd()), field: text}
    async with opened(MemoryDesk(files=True), texts=texts, size=size) as (pilot, screen, desk):
        await pilot.press("p")
        await settled(pilot, lambda: screen.form.asked and bool(screen.form.mistakes()) and idle(screen.lorascope))
        await pilot.pause()
        assert screen.form.mistakes() == [field]
        assert screen.pane.current == field
        lines = text_of(pilot).split("\n")
        at = next(
            index
            for index, line in enumerate(lines)
            if f"   {FIELDS[field].label} " in f"{line[1:]} " or f"▌  {FIELDS[field].label}" in line
        )
        below = " ".join(line.strip(" ▐") for line in lines[at + 1 : at + 4])
        assert below.startswith("✗") and words in below, "\n".join(lines)
        assert desk.done == []


async def test_a_right_form_leads_to_its_plan(opened: Open) -> None:
    async with opened(MemoryDesk(files=True), texts=write_place(Path.cwd())) as (pilot, _screen, desk):
        await plan_shown(pilot)
        assert desk.done == [("plan", False), ("plan", True)]


async def test_a_field_is_typed_in_place(opened: Open) -> None:
    write_place(Path.cwd())
    async with opened(MemoryDesk(files=True), texts={"seed": "1"}) as (pilot, screen, _desk):
        assert screen.pane.current == "data"
        await pilot.press("enter", *"str")
        await settled(pilot, lambda: screen.pane.line._suggestion == "street/")
        await pilot.press("tab")
        await settled(pilot, lambda: screen.pane.line.value == "street/")
        await pilot.press("down")
        await calm(pilot)
        assert screen.form.text("data") == "street/"
        assert screen.pane.current == "checkpoints"
        assert screen.form.mistake("data") == ""
        await pilot.press("enter", *"nowhere", "escape")
        assert screen.form.text("checkpoints") == ""
        path = screen.session.state_path
    assert load_state(path).launch == {"seed": "1", "data": "street/"}


async def test_several_ways_on_are_told(opened: Open) -> None:
    for name in ("street_a", "street_b", "other"):
        Path(name).mkdir()
    async with opened(MemoryDesk(files=True), texts={"seed": "1"}) as (pilot, screen, _desk):
        await pilot.press("enter", "s", "tab")
        await settled(pilot, lambda: screen.pane.line.value == "street_")
        await settled(pilot, lambda: "street_a/  street_b/" in text_of(pilot))


async def test_keys_are_letters_while_a_field_is_typed(opened: Open) -> None:
    async with opened() as (pilot, screen, desk):
        screen.pane.point_at("device")
        await pilot.press("enter", *"pq6?", "enter")
        await calm(pilot)
        assert screen.form.text("device") == "pq6?"
        assert "must be auto" in screen.form.mistake("device")
        assert desk.done == []
        await pilot.press("delete")
        await calm(pilot)
        assert screen.form.text("device") == "" == screen.form.mistake("device")


async def test_choices_are_gone_through_by_arrows(opened: Open) -> None:
    async with opened() as (pilot, screen, _desk):
        screen.pane.point_at("align")
        await pilot.press("right")
        await calm(pilot)
        assert screen.form.text("align") == "scale_shift"
        await pilot.press("left", "left")
        await calm(pilot)
        assert screen.form.text("align") == "scale"


async def test_the_plan_is_shown_before_anything_is_started(opened: Open) -> None:
    async with opened(texts={**FILLED, "cost": "yes"}) as (pilot, screen, desk):
        await plan_shown(pilot)
        text = text_of(pilot)
        for shown in ("200 of 1530", "rich 100", "40 and the baseline", "2 h 18 min", "5.2 GB", "19.4 GB of GPU"):
            assert shown in text, text
        assert "--data /data/KITTI-360" in text and "--cost --detach" in " ".join(text.split())
        assert desk.done == [("plan", False), ("plan", True)]
        await pilot.press("enter")
        await settled(pilot, lambda: screen.page == "jobs" and screen.jobs.current is not None)
        name, config, cost, queue = desk.done[-1]
        assert (name, str(config.to), cost, queue) == ("start", "/runs/run_a", True, False)
        current = screen.jobs.current
        assert current is not None and current.run == Path("/runs/run_a")


async def test_a_plan_can_be_left(opened: Open) -> None:
    async with opened() as (pilot, screen, desk):
        await plan_shown(pilot)
        await pilot.press("escape")
        await calm(pilot)
        assert pilot.app.screen is screen
        assert all(what[0] == "plan" for what in desk.done)


async def test_beside_a_job_nothing_is_measured_unless_asked_and_queueing_is_offered(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.screens.launching.hostname", lambda: RUNNING.host)
    async with opened(MemoryDesk((RUNNING,))) as (pilot, screen, desk):
        dialog = await plan_shown(pilot)
        assert desk.done == [("plan", False)]
        assert "not measured beside the job" in text_of(pilot)
        await pilot.press("m")
        await settled(pilot, lambda: len(desk.done) == 2 and dialog.is_settled)
        await pilot.press("w")
        await settled(pilot, lambda: desk.done[-1][0] == "start")
        assert desk.done[-1][3] is True
        await settled(pilot, lambda: bool(screen.jobs.current) and screen.jobs.current.state is JobState.QUEUED)


async def test_a_plan_that_cannot_be_made_starts_nothing(opened: Open) -> None:
    async with opened(MemoryDesk(plan="split 'val' has no window of 8 consecutive frames")) as (pilot, _, desk):
        await plan_shown(pilot)
        assert "has no window of 8" in text_of(pilot)
        await pilot.press("enter")
        await calm(pilot)
        assert isinstance(pilot.app.screen, PlanDialog)
        assert desk.done == [("plan", False)]


async def test_what_cannot_be_measured_can_be_started(opened: Open) -> None:
    async with opened(MemoryDesk(timed="CUDA out of memory")) as (pilot, _, desk):
        await plan_shown(pilot)
        assert "not measured: CUDA out of memory" in text_of(pilot)
        await pilot.press("enter")
        await settled(pilot, lambda: desk.done[-1][0] == "start")


async def test_a_start_that_fails_says_so(opened: Open) -> None:
    desk = MemoryDesk()
    desk.fails = "/runs/run_a: cannot be written to (No space left on device)"
    async with opened(desk) as (pilot, screen, _):
        await plan_shown(pilot)
        await pilot.press("enter")
        await settled(pilot, lambda: isinstance(pilot.app.screen, MessageDialog))
        assert "No space left on device" in text_of(pilot)
        assert screen.page == "form"


async def test_checkpoints_are_marked(opened: Open) -> None:
    async with opened(MemoryDesk(files=True), texts=write_place(Path.cwd())) as (pilot, screen, _):
        await pilot.press("c")
        assert isinstance(pilot.app.screen, MarkDialog)
        await pilot.press("space", "enter")
        await calm(pilot)
        assert screen.form.text("only") == "checkpoint_2"
        assert screen.form.checked is not None and screen.form.checked.chosen == ("checkpoint_2",)
        await pilot.press("c", "i", "i", "a", "a", "enter")
        await calm(pilot)
        assert screen.form.text("only") == ""


async def test_presets_fill_the_form_in(opened: Open) -> None:
    Path("lorascope.toml").write_text("[evaluate]\nseq_len = 4\n[launch.presets.quick]\nmax_seqs = 10\n")
    async with opened(texts={}) as (pilot, screen, _):
        assert screen.form.texts == {"seq_len": "4"}
        await pilot.press("o")
        assert isinstance(pilot.app.screen, ChooseDialog)
        await pilot.press("enter")
        await calm(pilot)
        assert screen.form.texts == {"seq_len": "4", "max_seqs": "10"}


async def test_without_the_extra_it_says_what_to_install(opened: Open) -> None:
    desk = MemoryDesk(ALL_JOBS, missing=("torch", "peft"))
    async with opened(desk) as (pilot, screen, _):
        assert "pip install 'lorascope[eval]'" in text_of(pilot)
        assert "torch, peft" in text_of(pilot)
        await pilot.press("p", "enter", "right")
        await calm(pilot)
        assert pilot.app.screen is screen and desk.done == []
        await pilot.press("tab")
        await calm(pilot)
        assert "strategy_b" in text_of(pilot)


async def test_live_jobs_are_followed_without_losing_the_cursor(opened: Open) -> None:
    async with opened(MemoryDesk(ALL_JOBS), page="jobs", notifications=True) as (pilot, screen, desk):
        await pilot.press("down", "down")
        chosen = screen.jobs.current
        assert chosen is not None and chosen.name == "soft"
        desk.jobs = (job(Path("/runs/new"), JobState.STARTING), replace(RUNNING, windows_done=160), *ALL_JOBS[1:])
        screen.lorascope.watch_jobs(closely=True, now=True)
        await settled(pilot, lambda: "160/200" in text_of(pilot))
        assert screen.jobs.current is not None and screen.jobs.current.name == "soft"
        desk.jobs = (replace(RUNNING, state=JobState.FINISHED, windows_done=200),)
        screen.lorascope.watch_jobs(closely=True, now=True)
        await settled(pilot, lambda: "strategy_b: finished" in text_of(pilot))


async def test_a_job_is_stopped_then_firmly_then_for_good(opened: Open) -> None:
    async with opened(MemoryDesk((RUNNING,)), page="jobs") as (pilot, screen, desk):
        await pilot.press("s", "escape")
        assert desk.done == []
        await pilot.press("s", "enter")
        await calm(pilot)
        assert desk.done == [("stop", RUNNING.run, False)]
        desk.jobs = (replace(RUNNING, state=JobState.STOPPING),)
        screen.lorascope.watch_jobs(closely=True, now=True)
        await settled(pilot, lambda: "stopping" in text_of(pilot))
        await pilot.press("s", "enter")
        await calm(pilot)
        assert desk.done[-1] == ("stop", RUNNING.run, True)
        await pilot.press("s", "enter")
        await calm(pilot)
        assert desk.done[-1] == ("kill", RUNNING.run)


@pytest.mark.parametrize(("row", "done"), [(0, False), (2, True), (3, True), (4, False)])
async def test_what_has_ended_before_it_was_done_goes_on(opened: Open, row: int, done: bool) -> None:
    async with opened(MemoryDesk(ALL_JOBS), page="jobs") as (pilot, _screen, desk):
        await pilot.press(*["down"] * row, "r")
        await calm(pilot)
        assert desk.done == ([("resume", ALL_JOBS[row].run)] if done else [])


async def test_a_dead_job_is_shown_as_dead(opened: Open) -> None:
    async with opened(MemoryDesk(ALL_JOBS), page="jobs") as (pilot, _screen, desk):
        await pilot.press("down", "down", "down")
        await calm(pilot)
        assert "its process 911 on node03 is gone" in text_of(pilot)
        await pilot.press("s")
        await calm(pilot)
        assert desk.done == []


async def test_a_job_is_edited_again(opened: Open) -> None:
    async with opened(MemoryDesk(ALL_JOBS), texts={}, page="jobs") as (pilot, screen, _):
        await pilot.press("e")
        await calm(pilot)
        assert (screen.page, screen.form.texts) == ("form", FILLED)


@pytest.mark.parametrize(("page", "words"), [("form", "--base /data/vggt.pt"), ("jobs", "--to /runs/strategy_b")])
async def test_the_command_is_copied(opened: Open, page: str, words: str) -> None:
    async with opened(MemoryDesk(ALL_JOBS), page=page) as (pilot, _screen, _):
        await pilot.press("y")
        assert words in pilot.app.clipboard
        assert pilot.app.clipboard.startswith("lorascope evaluate")


async def test_pages_of_a_job(opened: Open) -> None:
    async with opened(MemoryDesk(ALL_JOBS), page="jobs") as (pilot, screen, _):
        seen: dict[str, str] = {}
        for _at in range(5):
            seen[screen.detail] = text_of(pilot)
            await pilot.press("right_square_bracket")
            await calm(pilot)
        assert "CUDA out of memory" in seen["overview"]
        assert "left out: lora_A" in seen["checkpoints"]
        assert "shard 30: 4 windows in 95 s" in seen["log"]
        await pilot.press("left_square_bracket")
        assert screen.detail == "log"


async def test_results_of_a_live_run_are_shown_as_partial(opened: Open, tmp_path: Path) -> None:
    run = write_native_run(tmp_path / "runs" / "native", status="running")
    live = job(run, JobState.RUNNING, windows=40, done=8)
    desk = MemoryDesk()
    async with opened(desk, page="jobs", paths=(run.parent,)) as (pilot, screen, _):
        app = screen.lorascope
        app.session.state.objective = "depth.building.abs_rel"
        desk.jobs = (live,)
        app.watch_jobs(closely=True, now=True)
        await settled(pilot, lambda: screen.jobs.current is not None)
        await pilot.press("1")
        await settled(pilot, lambda: "live 20%" in text_of(pilot))
        desk.jobs = (job(run, JobState.RUNNING, windows=40, done=12),)
        app.watch_jobs(closely=False, now=True)
        await settled(pilot, lambda: "live 30%" in text_of(pilot))
        await pilot.press("2")
        await settled(pilot, lambda: "(partial)" in text_of(pilot))
        assert "partial, not all windows are computed" in text_of(pilot)


async def test_a_run_that_appears_while_the_app_is_open_is_found(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    desk = MemoryDesk((FINISHED,))
    async with opened(desk, page="jobs", paths=(tmp_path / "runs",)) as (pilot, screen, _):
        screen.state.objective = "depth.building.abs_rel"
        run = write_native_run(tmp_path / "runs" / "native", status="running")
        desk.jobs = (job(run, JobState.RUNNING, windows=40, done=8), FINISHED)
        screen.lorascope.watch_jobs(closely=True, now=True)
        await settled(pilot, lambda: str(run) in screen.session.overviews)
        await pilot.press("up", "enter")
        await settled(pilot, lambda: "(partial)" in text_of(pilot))


async def test_the_view_is_restored(opened: Open) -> None:
    async with opened(MemoryDesk(ALL_JOBS), page="jobs") as (pilot, screen, _):
        await pilot.press("down", "right_square_bracket")
        await calm(pilot)
        path = screen.session.state_path
    state: Any = load_state(path)
    assert (state.screen, state.launch_page, state.launch_detail) == ("launch", "jobs", "checkpoints")
    assert state.launch_job == str(ALL_JOBS[1].run)
    assert state.launch == FILLED


def test_the_plan_of_tests_is_the_one_of_the_program() -> None:
    pytest.importorskip("torch", reason="evaluating needs the extra `eval`")
    import inspect

    from engine.evaluation import forecast

    source = inspect.getsource(forecast.plan_document)
    assert all(f'"{key}"' in source for key in PLAN)


async def test_the_line_that_is_typed_stays_on_its_field_when_mistakes_appear_above(opened: Open) -> None:
    async with opened(MemoryDesk(files=True), texts=write_place(Path.cwd())) as (pilot, screen, _):
        screen.pane.point_at("seed")
        await pilot.press("enter", "x", "down", "enter", "4")
        await settled(pilot, lambda: screen.form.mistake("seed") != "" and idle(screen.lorascope))
        await pilot.pause()
        region = screen.pane.grid.cell_region(screen.pane.grid.cursor_row, "value")
        assert region is not None and screen.pane.line.styles.offset.y.value == region.y
        await pilot.press("enter")
        await calm(pilot)
        assert screen.form.text("seq_len") == "4"
