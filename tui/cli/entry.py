"""From the process's arguments to an exit code: which command is meant, and how every failure is told."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import LorascopeError, UnknownNameError, UsageError, suggest
from engine.text import visible

BROKEN_PIPE = 141  # what a shell reports for a program that SIGPIPE ended
INTERRUPTED = 130  # and for one that SIGINT ended


def run(arguments: Sequence[str]) -> int:
    """Run a command, or open the app where no command is named.

    Args:
        arguments: those of the process without the program's name.

    Returns:
        The exit code: 0 ok, 1 failed, 2 wrong usage, 130 interrupted, 141 where the reader of the output went away.
    """
    _never_fail_on_encoding()
    try:
        code = _dispatch(list(arguments))
        sys.stdout.flush()
    except LorascopeError as error:
        return _fail(_sentence(error), error.exit_code)
    except BrokenPipeError:
        _discard_output()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        _discard_output()
        return INTERRUPTED
    except OSError as error:
        # Commands turn their own file errors into sentences; what is left is the output stream, e.g. a full disk.
        _discard_output()
        return _fail(f"the output cannot be written ({error.strerror or type(error).__name__})", 1)
    return code


def _dispatch(arguments: list[str]) -> int:
    from tui.main import COMMAND_WORDS

    first = arguments[0] if arguments else ""
    if first not in COMMAND_WORDS:
        _check_spelling(first, COMMAND_WORDS)
        if not any(argument.startswith("-") for argument in arguments):
            from tui.launch import open_app

            return open_app([Path(argument) for argument in arguments])
    from tui.cli.parsing import parse

    return parse(arguments, is_command=first in COMMAND_WORDS)()


def _check_spelling(word: str, commands: frozenset[str]) -> None:
    """Raises UsageError where ``word`` is nearly a command and is nothing else."""
    near = suggest(word, sorted(commands)) if word.isalpha() else []
    if near and not Path(word).exists():
        raise UsageError(f"{word!r} is neither a command nor a path", f"did you mean lorascope {near[0]}?")


def _sentence(error: LorascopeError) -> str:
    if isinstance(error, UnknownNameError) and error.known and not error.remedy:
        return f"{error}; known are for example {', '.join(error.known[:3])}"
    return str(error)


def _fail(message: str, code: int) -> int:
    with contextlib.suppress(OSError):
        print(f"lorascope: {visible(message)}", file=sys.stderr)
    return code


def _never_fail_on_encoding() -> None:
    """A character that the output's encoding lacks is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # streams that a test put there may have none
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Point stdout at nothing, so that what is still buffered cannot fail again when the interpreter ends."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
