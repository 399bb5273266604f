"""What Launch does: the plan, starting, stopping, going on; each in a thread, with a sentence when it is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from engine.errors import LorascopeError
from engine.i18n import gettext as _
from engine.jobs.command import evaluate_command
from engine.jobs.snapshot import JobSnapshot, JobState
from engine.liveness import hostname
from tui.evaluations.guessing import guess, pattern_of
from tui.screens.choosing import ask
from tui.screens.dialogs import Choice, MessageDialog
from tui.screens.launch_keys import FORM, JOBS

if TYPE_CHECKING:
    from engine.evaluation.checks import Checked
    from engine.jobs.start import Started
    from tui.screens.launch import LaunchScreen
    from tui.screens.plan_dialog import Answer

_Result = TypeVar("_Result")
_FOUND, _EMPTY = "@found", "@empty"


def command_of(screen: LaunchScreen) -> str:
    """The shell command that does what is filled in, right or not."""
    form = screen.form
    checked = form.checked
    if checked is not None and checked.config is not None and not checked.mistakes:
        from engine.jobs.start import plain_settings

        return evaluate_command(plain_settings(checked.config), cost=form.cost, detach=True)
    return evaluate_command(form.values(), cost=form.cost, detach=True)


def copy_command(screen: LaunchScreen) -> None:
    """Copy the command of the form, or of the job under the cursor."""
    if screen.page == FORM:
        text = command_of(screen)
    else:
        job = screen.jobs.current
        text = job.command if job else ""
    if not text:
        screen.notify(_("there is no command to copy: this was not started as a job"), timeout=2.5)
        return
    screen.app.copy_to_clipboard(text)
    screen.notify(_("command copied"), timeout=1.5)


def show_plan(screen: LaunchScreen, checked: Checked) -> None:
    """Show the plan, then start as the user answers."""
    from tui.screens.plan_dialog import PlanDialog

    config = checked.config
    if config is None:
        return
    cost = screen.form.cost
    desk = screen.lorascope.desk
    here = hostname()
    busy = any(job.state.alive and job.host == here for job in (screen.session.jobs or {}).values())

    def answered(answer: Answer | None) -> None:
        if answer is not None:
            screen.notify(_("starting …"), timeout=2)
            _in_thread(screen, lambda: desk.start(config, cost=cost, queue=answer == "queue"), begun)

    def begun(started: Started) -> None:
        if started.joined:
            screen.notify(_("this job is under way already"), timeout=4)
        show_job(screen, str(started.run))

    screen.app.push_screen(
        PlanDialog(desk, config, command_of(screen), busy=busy, plain=screen.lorascope.plain_mode), answered
    )


def show_job(screen: LaunchScreen, run: str) -> None:
    """Go to a job in the list, as soon as it is there."""
    screen.state.launch_page, screen.state.launch_job = JOBS, run
    screen.wanted_job = run
    screen.lorascope.watch_jobs(closely=True, now=True)
    screen.refresh_view()


def _in_thread(screen: LaunchScreen, act: Callable[[], _Result], done: Callable[[_Result], None]) -> None:
    """Do something in a thread; ``done`` gets its result in the app's, a failure is shown."""
    app = screen.app

    def work() -> None:
        try:
            result = act()
        except LorascopeError as error:
            app.call_from_thread(app.push_screen, MessageDialog(_("That did not work"), str(error)))
            return
        app.call_from_thread(done, result)

    screen.run_worker(work, thread=True, group="act")


def stop_job(screen: LaunchScreen, job: JobSnapshot) -> None:
    """Stop a job: after the shards under way; where that was asked for before, at once; where it is deaf, for good."""
    if not job.state.alive:
        screen.notify(_("it does not run: r goes on with it"), timeout=2.5)
        return
    desk = screen.lorascope.desk
    firmly = job.state is JobState.STOPPING
    if firmly and job.run in screen.stopped_firmly:
        text = _("It was asked to stop at once and still runs. Its process can be ended; finished shards stay.")
        question, act = _("End its process?"), lambda: desk.kill(job.run)
    elif firmly:
        text = _("It stops after the shards under way. It can stop at once: those shards are computed again later.")
        question, act = _("Stop at once?"), lambda: desk.stop(job.run, firmly=True)
    else:
        text = _("The shards under way are finished first; what is done stays, and r goes on with it later.")
        question, act = _("Stop this job?"), lambda: desk.stop(job.run, firmly=False)

    def answered(yes: bool | None) -> None:
        if yes:
            if firmly:
                screen.stopped_firmly.add(job.run)
            _in_thread(screen, act, lambda _nothing: screen.lorascope.watch_jobs(closely=True, now=True))

    screen.app.push_screen(MessageDialog(job.name, text, question=question), answered)


def resume_job(screen: LaunchScreen, job: JobSnapshot) -> None:
    """Go on with a job that has ended before it was done."""
    if job.state.alive or job.state is JobState.FINISHED:
        told = _("it is at work") if job.state.alive else _("it is finished: there is nothing left to do")
        screen.notify(told, timeout=2.5)
        return
    screen.stopped_firmly.discard(job.run)
    _in_thread(
        screen, lambda: screen.lorascope.desk.resume(job.run), lambda started: show_job(screen, str(started.run))
    )


def edit_again(screen: LaunchScreen, job: JobSnapshot) -> None:
    """The form with a job's settings."""

    def done(texts: dict[str, str]) -> None:
        if texts:
            screen.fill_in(texts)
        else:
            screen.notify(_("its settings are not known: this was not started as a job"), timeout=2.5)

    _in_thread(screen, lambda: screen.lorascope.desk.settings(job.run), done)


def open_results(screen: LaunchScreen, job: JobSnapshot) -> None:
    """Compare the run of a job with its baseline, however far it is."""
    key = str(job.run)
    if key not in screen.session.refs:
        screen.notify(_("there are no results yet"), timeout=2.5)
        return
    state = screen.state
    state.cursor_run, state.marked, state.blocks = key, [key], []
    screen.lorascope.action_show("compare")


def choose_checkpoints(screen: LaunchScreen) -> None:
    """Mark the checkpoints to take."""
    from tui.screens.mark_dialog import MarkDialog

    checked = screen.form.checked
    if checked is None or not checked.found:
        screen.notify(_("name a folder with checkpoints first"), timeout=2.5)
        return
    found = checked.found

    def done(names: tuple[str, ...] | None) -> None:
        if names is not None:
            screen.put("only", "" if names == found else pattern_of(names))

    title = _("Checkpoints to take")
    marked = checked.chosen or found
    screen.app.push_screen(MarkDialog(title, found, marked, plain=screen.lorascope.plain_mode), done)


def choose_preset(screen: LaunchScreen) -> None:
    """Fill in a preset; without any, say how to make one."""
    named = screen.presets.named
    choices = [
        Choice(name, name, ", ".join(f"{key} {text}" for key, text in texts.items())) for name, texts in named.items()
    ]
    choices.append(Choice(_FOUND, _("what lies here"), _("data, checkpoints and base found in this folder")))
    choices.append(Choice(_EMPTY, _("an empty form"), "" if named else _("[launch.presets.NAME] in lorascope.toml")))

    def done(value: str) -> None:
        begin = screen.presets.begin
        if value == _FOUND:
            _in_thread(screen, lambda: guess(Path.cwd()), lambda found: screen.fill_in({**found, **begin}))
        elif value == _EMPTY:
            screen.fill_in({})
        else:
            # A preset says what it says; where to write and what it does not name stay.
            screen.fill_in({**screen.form.texts, **named[value]})

    ask(screen, _("Fill in"), choices, None, done)
