"""Options that several commands share: each is declared once, with one help text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tui.cli.output import OutputFormat

# What a command returns: the work to do, which imports what it needs and gives the exit code.
Work = Callable[[], int]

Paths = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATH", help="Folders or files to look for runs in. [default: the current folder]"),
]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run, or a folder that holds one.", show_default=False)]
RunName = Annotated[
    str | None, typer.Option("--run", metavar="NAME", help="Which of several runs at or below the path.")
]
Objective = Annotated[
    str, typer.Option("--objective", "-o", metavar="KEY", help="What decides: score, or any metric with a direction.")
]
Where = Annotated[
    str | None,
    typer.Option(
        "--where",
        "-w",
        metavar="EXPR",
        help="Only checkpoints for which this SQL condition holds, e.g. 'delta1 >= 0.42 AND vram_gb <= 24'.",
    ),
]
Baseline = Annotated[
    str | None, typer.Option(metavar="NAME", help="The checkpoint that changes are against, instead of the run's own.")
]
Format = Annotated[
    OutputFormat | None,
    typer.Option("--format", "-f", help="A table for people (the default), or a form for programs."),
]
ToFile = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="FILE",
        help="Write to a file; its ending says how: .csv .json .md .tex .parquet.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what exists already.")]
Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings; by default the nearest lorascope.toml.")
]
Plain = Annotated[bool, typer.Option("--plain", help="Draw with ASCII characters alone.")]
Seed = Annotated[int | None, typer.Option(metavar="N", help="Of everything that is drawn at random. [default: 0]")]
