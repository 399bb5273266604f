"""The commands about work that is under way, with their options and help. Each returns the work to do."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tui.cli import options as opt

Action = Literal["list", "show", "follow", "stop", "resume"]
FormatJson = Annotated[
    Literal["table", "json"], typer.Option("--format", "-f", help="For people, or a document for programs.")
]


def jobs(
    action: Annotated[Action, typer.Argument(metavar="[ACTION]", help="list, show, follow, stop or resume.")] = "list",
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[JOB]...",
            help="A run's folder, or what list shows as the job's id or run. For list: folders to look below.",
            show_default=False,
        ),
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="stop: at once, not at the next shard.")] = False,
    wait: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="stop: wait until it has ended. [default: 60]")
    ] = None,
    kill: Annotated[
        bool, typer.Option("--kill", help="stop: end the process where it does not listen; on its machine only.")
    ] = False,
    queue: Annotated[
        bool, typer.Option("--queue", help="resume: after the jobs on the same devices that were started before.")
    ] = False,
    format_: FormatJson = "table",
    plain: opt.Plain = False,
) -> opt.Work:
    """Evaluations under way and ended: show, follow, stop, go on.

    A job goes on when its terminal is closed. list shows the jobs below the current folder and those that you started
    elsewhere. follow shows one until it ends; Ctrl+C leaves it alone. With --format json, follow prints a line each
    time. stop lets the shards that are under way end; resume goes on, and tries again what was set aside.
    """

    def work() -> int:
        from tui.cli.jobs import Question, run_jobs

        question = Question(
            action, tuple(targets or ()), firmly=now, wait=60.0 if wait is None else wait, kill=kill, queue=queue
        )
        return run_jobs(question, as_json=format_ == "json", plain=plain or None)

    return work
