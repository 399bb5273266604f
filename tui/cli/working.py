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


def worker(
    run: Annotated[
        str, typer.Option("--run", metavar="RUN", help="The run's folder as this machine sees it, or its mirror's URL.")
    ],
    device: Annotated[
        str, typer.Option(metavar="NAME", help="cpu, cuda, cuda:N, auto; several with commas: a process for each.")
    ] = "auto",
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes. [default: one per device]")
    ] = None,
    patience: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long to wait for a job that is not there, or has died.")
    ] = 60.0,
) -> opt.Work:
    """Work for a job, on any machine that sees its folder, or its mirror in an object store.

    The job was started with evaluate --cluster, and --mirror where this machine does not see the run's folder. Only who
    can read the key in the folder or the mirror is let in. Ctrl+C leaves; what was under way is done by others. Who may
    write to a mirror may run code as whoever works by it.
    """

    def work() -> int:
        from tui.cli.workers import work_for

        return work_for(run, device, workers, patience)

    return work


def workers(
    job: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder, or a job's id.", show_default=False)],
    slurm: Annotated[bool, typer.Option("--slurm", help="Have Slurm place workers (sbatch, an array).")] = False,
    nodes: Annotated[int, typer.Option(metavar="N", min=1, help="Slurm: how many.")] = 1,
    gres: Annotated[str | None, typer.Option(metavar="GRES", help="Slurm: resources of each, e.g. gpu:1.")] = None,
    partition: Annotated[str | None, typer.Option(metavar="NAME", help="Slurm: where.")] = None,
    time: Annotated[str | None, typer.Option(metavar="LIMIT", help="Slurm: limit of each, e.g. 04:00:00.")] = None,
    cpus: Annotated[int | None, typer.Option(metavar="N", min=1, help="Slurm: cores of each.")] = None,
    memory: Annotated[str | None, typer.Option(metavar="SIZE", help="Slurm: main memory of each, e.g. 32G.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--sbatch", metavar="OPTION", help="Slurm: any other option; may be repeated.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="Slurm: what each computes on. [default: its GPUs, else cpu]")
    ] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel the workers that Slurm was asked for.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be submitted, do nothing.")] = False,
    format_: FormatJson = "table",
    plain: opt.Plain = False,
) -> opt.Work:
    """The workers of a job: show them, have Slurm place more, cancel those.

    Nodes must see the run's folder, data, checkpoints and this installation under the same paths. Workers end with
    their job; a node that fails costs the shard that it had.
    """

    def work() -> int:
        from engine.jobs.slurm import SlurmRequest
        from tui.cli.workers import cancel_slurm, place_by_slurm, show_workers

        if cancel:
            return cancel_slurm(job, as_json=format_ == "json", plain=plain or None)
        if not slurm:
            return show_workers(job, as_json=format_ == "json", plain=plain or None)
        request = SlurmRequest(nodes, gres, partition, time, cpus, memory, tuple(option or ()), device)
        return place_by_slurm(job, request, dry_run=dry_run, as_json=format_ == "json", plain=plain or None)

    return work
