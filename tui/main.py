"""The console script. Opening the app takes the short way; everything else goes through Typer."""

from __future__ import annotations

import sys
from pathlib import Path

COMMAND_WORDS = frozenset(
    {
        "runs",
        "compare",
        "rank",
        "trend",
        "frames",
        "export",
        "next",
        "report",
        "evaluate",
        "jobs",
        "worker",
        "workers",
        "cost",
        "selftest",
        "synth",
    }
)


def main(argv: list[str] | None = None) -> int:
    """Run lorascope.

    Args:
        argv: the arguments without the program's name; those of the process by default.

    Returns:
        The exit code: 0 ok, 1 failed, 2 wrong usage.
    """
    arguments = sys.argv[1:] if argv is None else argv
    first = arguments[0] if arguments else ""
    # What is no path may be a misspelt command.
    if first in COMMAND_WORDS or any(argument.startswith("-") for argument in arguments) or not Path(first).exists():
        from tui.cli import run

        return run(arguments)
    from engine.i18n import activate, language_of
    from tui.launch import open_app

    activate(language_of())
    return open_app([Path(argument) for argument in arguments])


if __name__ == "__main__":
    sys.exit(main())
