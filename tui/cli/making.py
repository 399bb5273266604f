"""The commands that measure, prove and make data, with their options and help. Each returns the work to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tui.cli import options as opt


def cost(
    run: opt.RunPath,
    name: opt.RunName = None,
    base: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The base model's weights. [default: measure nothing, show what is there]"),
    ] = None,
    base_seed: Annotated[
        int | None, typer.Option(metavar="N", help="Random base weights from this seed, as the run's.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run's data: its first readable window is measured on.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WIDTHxHEIGHT", help="Synthetic images of this size instead.")
    ] = None,
    seq_len: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Frames of synthetic images. [default: the run's]")
    ] = None,
    checkpoints: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the checkpoints are. [default: where they were]")
    ] = None,
    training: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The training's YAML with its lora section, for .pt files without one."),
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="vggt or tiny. [default: the run's]")] = None,
    dtype: Annotated[
        Literal["fp32", "bf16"] | None, typer.Option(help="Of the forward pass. [default: the run's]")
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="cpu, cuda, cuda:N, or auto. [default: auto]")
    ] = None,
    repeats: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Timed passes of each model. [default: 20]")
    ] = None,
    warmup: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="Passes before them to warm up. [default: 3]")
    ] = None,
    merged: Annotated[
        bool, typer.Option("--merged/--no-merged", help="Measure checkpoints merged into the base, too.")
    ] = True,
    again: Annotated[bool, typer.Option("--again", help="Measure anew what was measured before.")] = False,
    format_: opt.Format = None,
    to: opt.ToFile = None,
    force: opt.Force = False,
    plain: opt.Plain = False,
) -> opt.Work:
    """What the checkpoints of a run cost: speed, memory, size.

    Each model alone, warm, one window at a time, the device synchronised; with LoRA unmerged and merged. The figures go
    into the run; interrupted, the same command goes on. Run it on an idle device.
    """

    def work() -> int:
        from tui.cli.cost import Question, cost_run
        from tui.cli.output import Destination

        question = Question(
            data=data,
            checkpoints=checkpoints,
            base=base,
            base_seed=base_seed,
            training=training,
            model=model,
            dtype=dtype,
            device=device,
            size=size,
            seq_len=seq_len,
            repeats=repeats,
            warmup=warmup,
            merged=merged,
            again=again,
        )
        return cost_run(run, name, question, Destination(format_, to, force, plain or None))

    return work


def selftest(
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Your own data. [default: a street, written and removed]")
    ] = None,
    max_seqs: Annotated[int, typer.Option(metavar="N", min=1, help="Windows to score.")] = 4,
    size: Annotated[
        int | None,
        typer.Option(metavar="PIXELS", min=14, help="Width of the images. [default: 350 on the street, 518 on data]"),
    ] = None,
    seed: opt.Seed = None,
    format_: Annotated[
        Literal["table", "json"], typer.Option("--format", "-f", help="For people, or a document for programs.")
    ] = "table",
    plain: opt.Plain = False,
) -> opt.Work:
    """Prove the evaluator: what the truth and a constant score.

    Ends with 1 where a metric failed: the truth is not within the metric's limit, a constant is as good, or another
    unit of length changes what it should not.
    """

    def work() -> int:
        from tui.cli.selftest import run_selftest

        return run_selftest(data, max_seqs, size, seed or 0, as_json=format_ == "json", plain=plain or None)

    return work


def synth(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.", show_default=False)],
    seed: opt.Seed = None,
    frames: Annotated[int, typer.Option(metavar="N", min=1, help="Frames of each drive.")] = 32,
    size: Annotated[str, typer.Option(metavar="WxH", help="Of the images, in pixels.")] = "352x94",
    drives: Annotated[
        str,
        typer.Option(metavar="LIST", help="Numbers of the drives with their splits; 8 and 18 are the test drives."),
    ] = "0=train,2=train,3=val,4=val,8=test",
) -> opt.Work:
    """Write a synthetic street in the layout of KITTI-360.

    With calibration, poses, LiDAR scans, images, labels and split lists; the same options give the same street.
    """

    def work() -> int:
        from tui.cli.synth import write

        return write(folder, seed=seed or 0, frames=frames, size=size, drives=drives)

    return work
