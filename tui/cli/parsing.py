"""Arguments to a piece of work. Typer only parses; the work is done outside of it, where errors are told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from engine.errors import UsageError
from engine.i18n import gettext as _
from tui.cli.application import COMMANDS, SETTINGS, command_lines
from tui.cli.options import Work

_OPENING = typer.Typer(**SETTINGS)


def parse(arguments: Sequence[str], *, is_command: bool) -> Work:
    """What to do, as a function that does it and returns the exit code.

    Args:
        arguments: those of the process.
        is_command: whether the first of them is the name of a command.

    Raises:
        UsageError: the arguments are wrong.
    """
    try:
        parsed: Any = (COMMANDS if is_command else _OPENING)(
            args=list(arguments), prog_name="lorascope", standalone_mode=False
        )
    except TyperException as error:
        name = f"lorascope {arguments[0]}" if is_command else "lorascope"
        raise UsageError(
            _sentence(error.format_message()), _("see {command}").format(command=f"{name} --help")
        ) from None
    # Typer returns an exit code where it did the work itself: --help.
    return parsed if callable(parsed) else lambda: int(parsed or 0)


def _sentence(message: str) -> str:
    words = " ".join(message.split()).rstrip(".").replace("Value error, ", "")
    return words[:1].lower() + words[1:]


def _version(wanted: bool) -> None:
    if wanted:
        from engine import __version__

        print(f"lorascope {__version__}")
        raise typer.Exit


@_OPENING.command(
    epilog="\b\nCommands (lorascope COMMAND --help tells more):\n" + "\n".join(command_lines()),
    options_metavar="[OPTIONS]",
)
def lorascope(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH", help="Folders or files to look for runs in. [default: the current folder, else the samples]"
        ),
    ] = None,
    theme: Annotated[str, typer.Option(metavar="NAME", help="The app's theme, e.g. lorascope-light.")] = "",
    plain: Annotated[bool, typer.Option("--plain", help="Draw with ASCII characters alone.")] = False,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings; by default the nearest lorascope.toml.")
    ] = None,
    lang: Annotated[
        str, typer.Option(metavar="en|zh", help="The language; also before a command. [default: that of LANG]")
    ] = "",
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> Work:
    """Evaluations of LoRA checkpoints in the terminal: compare, rank, choose, export.

    PATH alone opens the app on all runs below it. With a command, lorascope prints tables for people, or documents
    for programs.
    """
    # Taken out of the arguments before they come here; declared for the help alone.
    del lang

    def work() -> int:
        _reject_late_command(paths or [])
        from tui.launch import open_app

        return open_app(paths or [], theme=theme or None, plain=plain or None, config=config)

    return work


def _reject_late_command(paths: Sequence[Path]) -> None:
    """Options in front of a command would be taken for the app's, and the command for a path."""
    names = {info.name for info in COMMANDS.registered_commands}
    if paths and str(paths[0]) in names and not paths[0].exists():
        said = _("{text} is no path").format(text=repr(str(paths[0])))
        raise UsageError(
            said, _("put the command before its options: {example}").format(example=f"lorascope {paths[0]}")
        )
