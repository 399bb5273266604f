"""The keys of Launch, and on which of its two pages they do something."""

from __future__ import annotations

from collections.abc import Iterator

from engine.i18n import mark
from tui.commands import Command

FORM, JOBS = "form", "jobs"

_ON_FORM: tuple[Command, ...] = (
    Command("edit", "enter", mark("fill in"), mark("Type the field under the cursor; tab completes paths.")),
    Command("plan", "p", mark("plan, start"), mark("Check everything, show the plan, then start the job.")),
    Command(
        "turn(1)", "right", mark("choose"), mark("The next choice of a field; with left the one before."), label="←→"
    ),
    Command("turn(-1)", "left", mark("choose back"), mark("The choice before."), footer=False),
    Command("which", "c", mark("checkpoints"), mark("Mark the checkpoints to take among those in the folder.")),
    Command("preset", "o", mark("presets"), mark("Fill in a preset of lorascope.toml, what lies here, or nothing.")),
    Command("more", "m", mark("more"), mark("Show the rarer settings, too, or no longer.")),
    Command("clear", "delete,backspace", mark("default"), mark("Empty the field under the cursor.")),
)
_ON_JOBS: tuple[Command, ...] = (
    Command("open", "enter", mark("results"), mark("Compare what the job has computed so far with its baseline.")),
    Command("stop", "s", mark("stop"), mark("Stop the job after the shards under way; once more: at once.")),
    Command("resume", "r", mark("go on"), mark("Go on with a job that has ended; shards set aside are tried again.")),
    Command(
        "detail(1)",
        "right_square_bracket",
        mark("page"),
        mark("The next page of what is told of the job; with [ the one before."),
        label="[ ]",
    ),
    Command("detail(-1)", "left_square_bracket", mark("page back"), mark("The page before."), footer=False),
    Command("details", "d", mark("scroll"), mark("Go from the list of jobs to the page below it, and back.")),
    Command("again", "e", mark("edit"), mark("Fill in the form with the settings of this job.")),
)
_ON_BOTH: tuple[Command, ...] = (
    Command("page", "tab", mark("form/jobs"), mark("Go from the form to the jobs and back.")),
    Command("copy", "y", mark("copy"), mark("Copy the shell command that does the same to the clipboard.")),
)
ACTIONS: tuple[Command, ...] = (*_ON_BOTH[:1], *_ON_FORM, *_ON_JOBS, *_ON_BOTH[1:])


def commands_on(page: str) -> Iterator[Command]:
    """The commands that do something on a page."""
    own = _ON_FORM if page == FORM else _ON_JOBS
    tab, copy = _ON_BOTH
    yield from (*own[:3], tab, copy, *own[3:])
