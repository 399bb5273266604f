"""The commands with their options and help. Each returns the work to do, which imports what it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tui.cli import evaluating, making, shipping, working
from tui.cli import options as opt
from tui.cli.options import Work
from tui.cli.output import Destination
from tui.plots.presets import PRESETS
from tui.state import View

# Help is plain text: it is read in poor terminals, too, and in pipes.
SETTINGS: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["--help", "-h"], "max_content_width": 100},
}
COMMANDS = typer.Typer(**SETTINGS)


def command_lines() -> Iterator[str]:
    """A line of help for each command."""
    for info in COMMANDS.registered_commands:
        summary = (info.callback.__doc__ or "").strip().splitlines()[0]
        yield f"  {info.name:<9}{summary}"


@COMMANDS.command("runs")
def runs(
    paths: opt.Paths = None,
    format_: opt.Format = None,
    to: opt.ToFile = None,
    force: opt.Force = False,
    config: opt.Config = None,
    plain: opt.Plain = False,
) -> Work:
    """What is there: checkpoints, protocol, best checkpoint, score, status.

    A run that cannot be read is listed with its reason. The score is the composite score of the best checkpoint.
    """

    def work() -> int:
        from tui.cli.runs import list_runs

        return list_runs(paths or [Path()], config=config, destination=Destination(format_, to, force, plain or None))

    return work


@COMMANDS.command("compare")
def compare(
    paths: opt.Paths = None,
    checkpoint: Annotated[
        list[str] | None,
        typer.Option(
            "--checkpoint",
            "-c",
            metavar="NAME",
            help="best, a checkpoint's name, or RUN=NAME for one run; repeat it for several. [default: best]",
        ),
    ] = None,
    objective: opt.Objective = "score",
    where: opt.Where = None,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics", "-m", metavar="GLOB", help="Only these metrics, e.g. 'depth.building.*'; may be repeated."
        ),
    ] = None,
    different: Annotated[bool, typer.Option("--different", help="Only metrics whose verdict differs.")] = False,
    view: Annotated[
        View,
        typer.Option(
            help="The change as percent, as difference, as points from chance to truth, or both values alone."
        ),
    ] = "percent",
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Show values of runs that may not be compared side by side; says so.")
    ] = False,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help="Every metric in every part of the sample: drive, stratum, region and so on."
        ),
    ] = None,
    baseline: opt.Baseline = None,
    format_: opt.Format = None,
    to: opt.ToFile = None,
    force: opt.Force = False,
    config: opt.Config = None,
    plain: opt.Plain = False,
) -> Work:
    """Baseline against checkpoint, run beside run.

    "best" is the best checkpoint by the objective among those for which --where holds. ▲ better, ▼ worse: told from
    chance, corrected for all checkpoints of the run; ≈ no difference is shown; no mark: it cannot be judged, and the
    sign of the change is all there is. ! better as a whole, but worse in a part of the sample; ? the metric carries no
    information there. The lines below the table name the parts and say what verdicts are based on.
    """

    def work() -> int:
        from tui.cli.compare import Question, compare_runs

        question = Question(
            tuple(checkpoint or ("best",)),
            objective,
            where,
            tuple(metrics or ()),
            different,
            view,
            baseline,
            by,
            anyway,
        )
        return compare_runs(
            paths or [Path()], question, config=config, destination=Destination(format_, to, force, plain or None)
        )

    return work


@COMMANDS.command("rank")
def rank(
    run: opt.RunPath,
    name: opt.RunName = None,
    objective: opt.Objective = "score",
    where: opt.Where = None,
    top: Annotated[int | None, typer.Option("--top", "-k", metavar="K", min=1, help="Only the first K.")] = None,
    pareto: Annotated[
        str | None, typer.Option(metavar="KEY,KEY", help="Mark the Pareto front over these metrics, e.g. abs_rel,fps.")
    ] = None,
    baseline: opt.Baseline = None,
    format_: opt.Format = None,
    to: opt.ToFile = None,
    force: opt.Force = False,
    config: opt.Config = None,
    plain: opt.Plain = False,
) -> Work:
    """The checkpoints of one run, best first.

    = stands for a rank that cannot be told from the best. The marks are those of compare: the change against the
    baseline, told from chance or not.
    """

    def work() -> int:
        from tui.cli.rank import Question, rank_run

        question = Question(objective, where, top, pareto, baseline)
        return rank_run(run, name, question, config=config, destination=Destination(format_, to, force, plain or None))

    return work


@COMMANDS.command("trend")
def trend(
    paths: Annotated[list[Path], typer.Argument(metavar="RUN", help="Runs, or folders that hold them.")],
    name: Annotated[
        list[str] | None, typer.Option("--run", metavar="NAME", help="Only this run; repeat it for several.")
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", "-m", metavar="KEY", help="What to draw; repeat it for several.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"A prepared figure: {', '.join(entry.key for entry in PRESETS)}."),
    ] = None,
    width: Annotated[int | None, typer.Option(min=20, max=1000, help="Columns. [default: the terminal's]")] = None,
    height: Annotated[
        int | None, typer.Option(min=5, max=400, help="Lines per plot. [default: fits the terminal]")
    ] = None,
    band: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The run whose 95 % band is drawn. [default: the only one; none of several]"),
    ] = None,
    baseline: opt.Baseline = None,
    format_: opt.Format = None,
    to: opt.ToFile = None,
    force: opt.Force = False,
    config: opt.Config = None,
    plain: opt.Plain = False,
) -> Work:
    """A metric over the checkpoints: a plot, its jumps and its plateau.

    The shaded band is the 95 % interval of the change against the baseline, for all checkpoints at once: where the
    dashed line is outside of it, the change was told from chance. A run without a baseline has the interval of each
    value.
    """

    def work() -> int:
        from tui.cli.trend import Question, show_trend

        question = Question(tuple(metric or ()), preset, width, height, baseline, band)
        return show_trend(
            paths,
            tuple(name or ()),
            question,
            config=config,
            destination=Destination(format_, to, force, plain or None),
        )

    return work


@COMMANDS.command("frames")
def frames(
    run: opt.RunPath,
    checkpoint: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="A name, or best.", show_default=False)],
    metric: Annotated[
        str | None, typer.Option("--metric", "-m", metavar="KEY", help="A metric of frames. [default: abs_rel]")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="NAME", help="The checkpoint beside it. [default: the baseline]")
    ] = None,
    by: Annotated[
        Literal["worst", "lost", "difference"],
        typer.Option(help="What comes first: the worst value, what was lost most, the largest difference."),
    ] = "worst",
    worst: Annotated[
        int | None,
        typer.Option("--worst", "-k", metavar="N", min=1, help="Only the first N. [default: all, 20 on a terminal]"),
    ] = None,
    name: opt.RunName = None,
    baseline: opt.Baseline = None,
    format_: opt.Format = None,
    to: opt.ToFile = None,
    force: opt.Force = False,
    config: opt.Config = None,
    plain: opt.Plain = False,
) -> Work:
    """The frames of a checkpoint, the worst first.

    Each frame with its window, drive and stratum, beside the baseline or another checkpoint. The run needs per-frame
    rows.
    """

    def work() -> int:
        from tui.cli.frames import Question, show_frames

        question = Question(checkpoint, metric, against, by, worst, baseline)
        return show_frames(
            run, name, question, config=config, destination=Destination(format_, to, force, plain or None)
        )

    return work


COMMANDS.command("export")(shipping.export)
COMMANDS.command("next")(shipping.next_run)
COMMANDS.command("report")(shipping.report)
COMMANDS.command("evaluate")(evaluating.evaluate)
COMMANDS.command("jobs")(working.jobs)
COMMANDS.command("worker")(working.worker)
COMMANDS.command("workers")(working.workers)
COMMANDS.command("cost")(making.cost)
COMMANDS.command("selftest")(making.selftest)
COMMANDS.command("synth")(making.synth)
