"""The commands that lead on from what was found, with their options and help. Each returns the work to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tui.cli import options as opt

Checkpoints = Annotated[
    list[Path] | None, typer.Option(metavar="DIR", help="Where the checkpoints' files are; may be repeated.")
]
How = Annotated[Literal["table", "json"], typer.Option("--format", "-f", help="How to tell what was written.")]


def export(
    run: opt.RunPath,
    checkpoint: Annotated[list[str], typer.Argument(metavar="CHECKPOINT", help="Names, or best.", show_default=False)],
    to: Annotated[Path, typer.Option(metavar="DIR", help="The folder to export into.", show_default=False)],
    checkpoints: Checkpoints = None,
    name: opt.RunName = None,
    objective: Annotated[
        str | None, typer.Option("--objective", "-o", metavar="KEY", help="What best means. [default: score]")
    ] = None,
    where: opt.Where = None,
    baseline: opt.Baseline = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Write the base with LoRA merged into it, too, and prove it.")
    ] = False,
    base: Annotated[Path | None, typer.Option(metavar="FILE", help="For --merge: the base model's weights.")] = None,
    base_seed: Annotated[
        int | None, typer.Option(metavar="N", help="For --merge: random base weights from this seed, as the run's.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="For --merge: vggt or tiny. [default: the run's]")
    ] = None,
    training: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="For --merge: the training's YAML, for .pt files without one beside them."),
    ] = None,
    force: opt.Force = False,
    format_: How = "table",
    config: opt.Config = None,
) -> opt.Work:
    """Copy chosen checkpoints, verified, with a model card.

    The files go to DIR/<run>/<checkpoint>/, each verified by SHA-256. README.md beside them is a model card for the
    Hugging Face Hub; selection.json says the same as data. "best" is the best by the objective among those for which
    --where holds. --merge adds merged/model.safetensors, whose outputs are compared with the unmerged model's.
    """

    def work() -> int:
        from tui.cli.export import Question, export_checkpoints
        from tui.cli.merging import Merging

        question = Question(tuple(checkpoint), objective, where, tuple(checkpoints or ()), baseline)
        merging = Merging(merge, base, base_seed, model, training)
        return export_checkpoints(
            run, name, question, to, merging=merging, force=force, as_json=format_ == "json", config=config
        )

    return work


def next_run(
    run: opt.RunPath,
    checkpoint: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="A name, or best.", show_default=False)],
    to: Annotated[Path, typer.Option(metavar="FILE.yaml", help="The file to write.", show_default=False)],
    training: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The training's YAML. [default: the one that lies with the checkpoint]"),
    ] = None,
    lr_factor: Annotated[float, typer.Option(metavar="X", help="Of every learning rate.")] = 0.2,
    alpha_factor: Annotated[float, typer.Option(metavar="X", help="Of LoRA's alpha.")] = 0.5,
    epochs: Annotated[int, typer.Option(metavar="N", help="How long to train.")] = 4,
    freeze: Annotated[
        str | None,
        typer.Option(
            metavar="LIST", help="Leave these out of LoRA: proj, mlp, attn, qkv, depth_head, frame_blocks and so on."
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Weights to begin from, e.g. merged ones. [default: the checkpoint's file]"),
    ] = None,
    checkpoints: Checkpoints = None,
    name: opt.RunName = None,
    objective: Annotated[
        str | None, typer.Option("--objective", "-o", metavar="KEY", help="What best means. [default: score]")
    ] = None,
    force: opt.Force = False,
    format_: How = "table",
    config: opt.Config = None,
) -> opt.Work:
    """Write the configuration of a gentle next training.

    Lower learning rate, smaller alpha, few epochs, chosen branches frozen: made from the training's own YAML, of which
    everything else stays as it is, comments included. A header says what was changed and what is left to do by hand.
    """

    def work() -> int:
        from tui.cli.next_run import Question, write_next

        question = Question(
            checkpoint, training, lr_factor, alpha_factor, epochs, freeze, start, tuple(checkpoints or ()), objective
        )
        return write_next(run, name, question, to, force=force, as_json=format_ == "json", config=config)

    return work


def report(
    paths: Annotated[list[Path], typer.Argument(metavar="RUN", help="Runs, or folders that hold them.")],
    lang: Annotated[
        str | None, typer.Option("--lang", metavar="en|zh", help="The report's language. [default: the environment's]")
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write to a file: .md or .html. [default: Markdown on stdout, as with -]"),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option("--run", metavar="NAME", help="Only this run; repeat it for several.")
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            "-w",
            metavar="EXPR",
            help="The limits for the cheapest checkpoint, e.g. 'delta1 >= 0.42 AND vram_gb <= 24'.",
        ),
    ] = None,
    baseline: opt.Baseline = None,
    format_: Annotated[
        Literal["markdown", "html"] | None,
        typer.Option("--format", "-f", help="The form. [default: by the file's ending]"),
    ] = None,
    force: opt.Force = False,
    config: opt.Config = None,
) -> opt.Work:
    """Write a report: what the runs show, and what they do not.

    Summary, baseline against best checkpoint, runs beside each other, training, stability, cost, trade-offs, advice
    with reasons, comparability, limits of the metrics, and how to reproduce it. An HTML report is one file with its
    plots in it.
    """

    def work() -> int:
        from tui.cli.report import Question, ReportFormat, write_report

        form = None if format_ is None else ReportFormat(format_)
        question = Question(tuple(name or ()), lang, where, baseline, to, form, force)
        return write_report(paths, question, config=config)

    return work
