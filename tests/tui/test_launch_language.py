"""Launch in another language: nothing of its own stays English, and what is wide fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.desk import ALL_JOBS, FILLED, RUNNING, TIMED, MemoryDesk
from support.odd import Odd, english
from support.pilot import settled, text_of
from textual.pilot import Pilot

from engine import i18n
from engine.jobs.snapshot import CheckpointView, JobSnapshot
from engine.liveness import hostname
from tui.app import LorascopeApp
from tui.evaluations.job_pages import PAGES
from tui.screens.launch import LaunchScreen
from tui.screens.plan_dialog import PlanDialog

# Names of settings, of devices and of data, and what is typed: no language's.
DATA = {"vggt", "val", "uniform", "fp32", "fit", "auto", "rich", "mixed", "road", "KITTI", "RGB", "YAML", "NAME"}
DATA |= {"launch", "presets", "toml", "pip", "install", "eval", "torch", "peft", "cv2", "GPU", "cpu", "cuda", "train"}
DATA |= {
    "test",
    "stratified",
    "evaluate",
    "data",
    "runs",
    "detach",
    "gpu",
    "node",
    "strategy",
    "soft",
    "first",
    "later",
}
DATA |= {"later", "del", "median", "window", "pt", "PT", "run", "seed", "to", "base", "checkpoints", "training"}


def outside(job: JobSnapshot) -> JobSnapshot:
    """A job of which all that is told in sentences was told in that language."""
    say = Odd().gettext
    return replace(
        job,
        why=say(job.why),
        log=tuple(map(say, job.log)),
        problems=tuple(map(say, job.problems)),
        shards=tuple(replace(shard, why=say(shard.why)) for shard in job.shards),
        checkpoints=tuple(CheckpointView(one.name, one.done, one.of, say(one.why)) for one in job.checkpoints),
    )


JOBS = tuple(map(outside, ALL_JOBS))
PLAN = {**TIMED, "left_out": {}}


async def see(pilot: Pilot[None], *keys: str) -> str:
    """Launch after these keys."""
    app = pilot.app
    assert isinstance(app, LorascopeApp)

    def idle() -> bool:
        done = not isinstance(app.screen, PlanDialog) or app.screen.is_settled
        return done and not any(worker.is_running for worker in app.workers)

    if not isinstance(app.screen, LaunchScreen):
        await settled(pilot, lambda: not app.session.discovering)
        await pilot.press("6")
        await settled(pilot, lambda: isinstance(app.screen, LaunchScreen) and app.screen.begun and idle())
        await settled(pilot, lambda: app.session.jobs is not None)
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
        await settled(pilot, idle)
    return text_of(pilot)


def launch(desk: MemoryDesk, page: str, **texts: str) -> LorascopeApp:
    """The app with what is filled in."""
    app = LorascopeApp([], desk=desk)
    app.session.state.launch, app.session.state.launch_page = {**FILLED, **texts}, page
    return app


@pytest.fixture(autouse=True)
def stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, in which nothing lies."""
    folder = tmp_path / "0"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


FORMS: dict[str, tuple[MemoryDesk, tuple[str, ...]]] = {
    "form": (MemoryDesk(plan=PLAN, timed=PLAN), ()),
    "help": (MemoryDesk(), ("question_mark",)),
    "palette": (MemoryDesk(), ("ctrl+p",)),
    "all-settings": (MemoryDesk(), ("m",)),
    "plan": (MemoryDesk(plan=PLAN, timed=PLAN), ("p",)),
    "plan-while-busy": (MemoryDesk(tuple(replace(job, host=hostname()) for job in JOBS), plan=PLAN), ("p",)),
    "which": (MemoryDesk(), ("c",)),
    "presets": (MemoryDesk(), ("o",)),
    "wrong-page": (MemoryDesk(), ("s",)),
    "copied": (MemoryDesk(), ("y",)),
    "no-extra": (MemoryDesk(missing=("torch", "peft", "cv2")), ()),
}


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("case", FORMS)
async def test_the_form_is_marked(case: str) -> None:
    desk, keys = FORMS[case]
    app = launch(desk, "form")
    async with app.run_test(size=(150, 60), notifications=True) as pilot:
        assert english(await see(pilot, *keys)) - DATA == set()


MISTAKES = {
    "seed": "1.5",
    "max_seqs": "0",
    "device": "gpu",
    "workers": "x",
    "model": "none",
    "only": ",",
    "shard_timeout": "never",
    "split": "some",
    "readers": "99",
}


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("field", MISTAKES)
async def test_mistakes_are_marked(field: str) -> None:
    app = launch(MemoryDesk(), "form", **{field: MISTAKES[field]})
    async with app.run_test(size=(150, 60), notifications=True) as pilot:
        shown = await see(pilot, "p")
        assert "✗" in shown
        # Pydantic joins the choices itself.
        assert english(shown) - DATA - {"or", "all", "never", "some", "none", "tiny"} == set()


@pytest.mark.usefixtures("odd")
async def test_what_the_file_system_says_is_marked(stand: Path) -> None:
    (stand / "1.txt").touch()
    app = launch(
        MemoryDesk(files=True), "form", data="/0/1", checkpoints="/0/2", base="/0/3.pt", to=str(stand / "1.txt")
    )
    async with app.run_test(size=(150, 60), notifications=True) as pilot:
        shown = await see(pilot, "p")
        assert shown.count("✗") >= 4
        # The reasons of the operating system are not ours.
        assert english(shown) - DATA - {"No", "such", "file", "or", "directory"} == set()


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("row", range(len(JOBS)))
async def test_every_page_of_a_job_is_marked(row: int) -> None:
    app = launch(MemoryDesk(JOBS), "jobs")
    async with app.run_test(size=(150, 60), notifications=True) as pilot:
        shown = await see(pilot, *["down"] * row)
        for _page in PAGES:
            assert english(shown) - DATA - {"NVIDIA", "HBM3"} == set()
            shown = await see(pilot, "right_square_bracket")


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("keys", [("s",), ("r",), ("e",), ("enter",), ("y",), ("question_mark",), ("p",)])
@pytest.mark.parametrize("jobs", [JOBS[:1], JOBS[-1:], ()], ids=["running", "finished", "none"])
async def test_what_is_done_with_jobs_is_marked(jobs: tuple[JobSnapshot, ...], keys: tuple[str, ...]) -> None:
    app = launch(MemoryDesk(jobs), "jobs")
    async with app.run_test(size=(150, 60), notifications=True) as pilot:
        assert english(await see(pilot, *keys)) - DATA == set()


@pytest.mark.usefixtures("odd")
async def test_a_job_that_ends_is_told_of(stand: Path) -> None:
    desk = MemoryDesk(JOBS[:1])
    app = launch(desk, "jobs")
    async with app.run_test(size=(150, 60), notifications=True) as pilot:
        await see(pilot)
        desk.jobs = (replace(JOBS[-1], run=RUNNING.run, name=RUNNING.name),)
        app.watch_jobs(closely=True, now=True)
        await settled(
            pilot, lambda: app.session.jobs is not None and not any(j.state.alive for j in app.session.jobs.values())
        )
        assert english(await see(pilot)) - DATA == set()


# -- Chinese ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("page", ["form", "jobs"])
def test_launch_in_chinese(  # type: ignore[no-untyped-def]
    snap_compare, monkeypatch, example: Path, page: str, size: tuple[int, int]
) -> None:
    monkeypatch.chdir(example)  # where runs are, no notice says that there are none
    i18n.activate("zh")
    jobs = tuple(replace(job, started="") for job in ALL_JOBS[1:])  # times are shown in the local zone

    async def before(pilot: Pilot[None]) -> None:
        await see(pilot)

    assert snap_compare(launch(MemoryDesk(jobs), page), terminal_size=size, run_before=before)
