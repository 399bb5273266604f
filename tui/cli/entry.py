"""From the process's arguments to an exit code: which command is meant, and how every failure is told."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import LorascopeError, UnknownNameError, UsageError, suggest
from engine.i18n import Language, activate, language_named, language_of, listing, sentences
from engine.i18n import gettext as _
from engine.text import visible

LANG = "--lang"
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
        reason = error.strerror or type(error).__name__
        return _fail(_("the output cannot be written ({reason})").format(reason=reason), 1)
    return code


def _dispatch(arguments: list[str]) -> int:
    from tui.main import COMMAND_WORDS

    activate(language_of())
    arguments, language = _without_language(arguments, COMMAND_WORDS)
    # Before the modules are imported whose texts are made at import: the commands' help.
    activate(language or language_of())
    first = arguments[0] if arguments else ""
    if first not in COMMAND_WORDS:
        _check_spelling(first, COMMAND_WORDS)
        if not any(argument.startswith("-") for argument in arguments):
            from tui.launch import open_app

            return open_app([Path(argument) for argument in arguments])
    from tui.cli.parsing import parse

    return parse(arguments, is_command=first in COMMAND_WORDS)()


def _without_language(arguments: Sequence[str], commands: frozenset[str]) -> tuple[list[str], Language | None]:
    """The arguments without the app's own ``--lang``, and the language that it names, if it is there.

    It may stand anywhere among the app's arguments, and before the name of a command; what follows that is the
    command's.

    Raises:
        UsageError: it names no language, or one that there are no texts in.
    """
    rest: list[str] = []
    language: Language | None = None
    waiting = iter(arguments)
    for argument in waiting:
        name, separator, value = argument.partition("=")
        if name == LANG:
            language = language_named(value if separator else next(waiting, ""))
        elif argument == "--" or (argument in commands and not rest):
            return [*rest, argument, *waiting], language
        else:
            rest.append(argument)
    return rest, language


def _check_spelling(word: str, commands: frozenset[str]) -> None:
    """Raises UsageError where ``word`` is nearly a command and is nothing else."""
    near = suggest(word, sorted(commands)) if word.isalpha() else []
    if near and not Path(word).exists():
        raise UsageError(
            _("{word} is neither a command nor a path").format(word=repr(word)),
            _("did you mean {names}?").format(names=f"lorascope {near[0]}"),
        )


def _sentence(error: LorascopeError) -> str:
    if isinstance(error, UnknownNameError) and error.known and not error.remedy:
        return sentences([str(error), _("known are for example {names}").format(names=listing(error.known[:3]))])
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
