"""``lorascope evaluate`` with its options and help. Returns the work to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tui.cli import options as opt


def evaluate(
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="KITTI-360, a street (lorascope synth), or RGB-D clips.")
    ] = None,
    to: Annotated[Path | None, typer.Option(metavar="RUN", help="The run's folder; a started run goes on.")] = None,
    checkpoints: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="LoRA checkpoints, or one of them. [default: the base model alone]"),
    ] = None,
    base: Annotated[Path | None, typer.Option(metavar="FILE", help="The base model's weights.")] = None,
    base_seed: Annotated[
        int | None, typer.Option(metavar="N", help="Random base weights from this seed, for tests and benchmarks.")
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="vggt or tiny. [default: vggt]")] = None,
    training: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The training's YAML with its lora section, for .pt files without one."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A TOML file with any of these options; those given here win.")
    ] = None,
    split: Annotated[
        Literal["train", "val", "test", "all"] | None,
        typer.Option(help="Which frames. [default: val; all of RGB-D clips]"),
    ] = None,
    max_seqs: Annotated[int | None, typer.Option(metavar="N", help="Windows to draw. [default: all]")] = None,
    sampling: Annotated[
        Literal["uniform", "stratified"] | None,
        typer.Option(help="Draw alike, or 50/30/20 over rich, mixed and road windows. [default: uniform]"),
    ] = None,
    seed: opt.Seed = None,
    seq_len: Annotated[int | None, typer.Option(metavar="N", help="Frames in a window. [default: 8]")] = None,
    stride: Annotated[
        int | None, typer.Option(metavar="N", help="Frames from one window to the next. [default: 8]")
    ] = None,
    align: Annotated[
        Literal["none", "scale", "median", "scale_shift"] | None,
        typer.Option(help="The alignment that summaries show; all four are computed. [default: median]"),
    ] = None,
    align_scope: Annotated[
        Literal["window", "frame"] | None, typer.Option(help="One fit for a window or a frame. [default: window]")
    ] = None,
    prepare: Annotated[
        Literal["fit", "crop"] | None,
        typer.Option(help="The whole image, or a square about the principal point. [default: fit]"),
    ] = None,
    size: Annotated[
        int | None, typer.Option(metavar="PIXELS", help="Width of the images. [default: the model's]")
    ] = None,
    dtype: Annotated[
        Literal["fp32", "bf16"] | None, typer.Option(help="Of the forward pass; scoring is fp32. [default: fp32]")
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="cpu, cuda, cuda:N, auto; several with commas. [default: auto]")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Processes that compute side by side here. [default: one per device]"),
    ] = None,
    cluster: Annotated[
        bool | None,
        typer.Option("--cluster/--no-cluster", help="Let workers of other machines join (lorascope worker, workers)."),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Where workers reach this machine, or a network interface's name."),
    ] = None,
    mirror: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Publish the run to s3://bucket/folder; with --cluster, workers without the run's folder join by it. "
            "Who may read that folder may run code as you.",
        ),
    ] = None,
    shard_timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Then a shard counts as failed. [default: 3600]")
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Only checkpoints of these names; commas between, * and ? as in a shell."),
    ] = None,
    limit_checkpoints: Annotated[
        int | None, typer.Option(metavar="N", help="Only the first N checkpoints. [default: all]")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only v1 is evaluated; compat is imported. [default: v1]")
    ] = None,
    shard: Annotated[
        int | None, typer.Option(metavar="N", help="Windows between two writes: what a kill costs. [default: 4]")
    ] = None,
    readers: Annotated[
        int | None, typer.Option(metavar="N", help="Threads that read ahead of the model. [default: 2]")
    ] = None,
    sharing: Annotated[
        bool | None,
        typer.Option(
            "--sharing/--no-sharing",
            help="Compute once per window what the checkpoints have in common; the results are the same.",
            show_default="--sharing",
        ),
    ] = None,
    sharing_memory: Annotated[
        int | None,
        typer.Option(metavar="MB", help="Memory for what is shared. [default: half of what is free]"),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep prepared ground truth here for the next evaluation.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The run's name. [default: its folder's]")] = None,
    cost: Annotated[
        bool, typer.Option("--cost", help="Afterwards measure what each checkpoint costs (lorascope cost).")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="As a job that outlives this terminal (lorascope jobs).")
    ] = False,
    queue: Annotated[
        bool, typer.Option("--queue", help="Detached, after the jobs on the same devices that were started before.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, write nothing.")] = False,
    format_: Annotated[
        Literal["table", "json"],
        typer.Option("--format", "-f", help="For people, or JSON lines of what happens (with --dry-run one document)."),
    ] = "table",
    plain: opt.Plain = False,
) -> opt.Work:
    """Evaluate the checkpoints of a training into a run.

    Every window is scored for the base model, all checkpoints, and two that need no model: oracle (the truth) and
    chance (a constant). Interrupted, the same command goes on where it was.
    """
    given: dict[str, object] = {
        "data": data,
        "to": to,
        "checkpoints": checkpoints,
        "base": base,
        "base_seed": base_seed,
        "model": model,
        "training": training,
        "split": split,
        "max_seqs": max_seqs,
        "sampling": sampling,
        "seed": seed,
        "seq_len": seq_len,
        "stride": stride,
        "align": align,
        "align_scope": align_scope,
        "prepare": prepare,
        "size": size,
        "dtype": dtype,
        "device": device,
        "workers": workers,
        "cluster": cluster,
        "listen": listen,
        "mirror": mirror,
        "shard_timeout": shard_timeout,
        "only": only,
        "limit_checkpoints": limit_checkpoints,
        "protocol": protocol,
        "shard": shard,
        "readers": readers,
        "sharing": sharing,
        "sharing_memory": sharing_memory,
        "cache": cache,
        "name": name,
    }

    def work() -> int:
        from tui.cli.evaluate import evaluate_checkpoints

        values = {key: value for key, value in given.items() if value is not None}
        return evaluate_checkpoints(
            values,
            file=config,
            dry_run=dry_run,
            cost=cost,
            detach=detach or queue,
            queue=queue,
            as_json=format_ == "json",
            plain=plain or None,
        )

    return work
