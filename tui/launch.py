"""From the shell into the app, with the shell's own words where that is not possible."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.errors import DataError, LorascopeError, UsageError
from engine.i18n import gettext as _
from engine.remote.url import opened, origin_of
from engine.state_folder import state_folder
from engine.text import visible


def open_app(
    paths: Sequence[Path],
    *,
    theme: str | None = None,
    plain: bool | None = None,
    config: Path | None = None,
) -> int:
    """Open the app on the runs found below ``paths``.

    Args:
        paths: folders or files; none means the current folder, else the samples.
        theme: a theme's name; by default ``LORASCOPE_THEME``, else what was chosen last.
        plain: text without box drawing; by default ``LORASCOPE_PLAIN``, or a terminal that cannot do better.
        config: a ``lorascope.toml``.

    Returns:
        The exit code.
    """
    try:
        # What a URL names is looked for by the app itself, below the place that it is brought to.
        paths = [opened(path) for path in paths]
        for path in paths:
            if not path.exists() and not origin_of(path):
                raise DataError(_("{path}: no such file or folder").format(path=path), _("check the path"))
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UsageError(_("the app needs a terminal"), _("for text use: lorascope runs PATH"))
        from tui.finding import Finder

        finder = Finder([path.absolute() for path in paths])
        from tui.app import LorascopeApp

        app = LorascopeApp(
            paths,
            theme=theme or os.environ.get("LORASCOPE_THEME") or None,
            plain=wants_plain(plain),
            config=config,
            finder=finder,
        )
        with private_stderr():
            app.run()
    except LorascopeError as error:
        print(f"lorascope: {visible(str(error))}", file=sys.stderr)
        return error.exit_code
    return app.return_code or 0


@contextlib.contextmanager
def private_stderr() -> Iterator[None]:
    """Keep what libraries print to file descriptor 2 off the screen: it goes to ``stderr.log`` in the state folder.

    Textual draws through Python's own ``sys.__stderr__``, which gets a descriptor of its own to the terminal.
    """
    terminal = sys.__stderr__
    try:
        log = state_folder() / "stderr.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError:
        sink = os.open(os.devnull, os.O_WRONLY)
    saved = os.dup(2)
    try:
        with os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace") as screen:
            sys.__stderr__ = screen  # type: ignore[misc]  # Textual offers no other way to choose its output
            os.dup2(sink, 2)
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
        sys.__stderr__ = terminal  # type: ignore[misc]


def wants_plain(plain: bool | None) -> bool:
    """Whether to draw with ASCII alone: asked for, or the terminal's locale or type leaves no choice."""
    if plain is not None:
        return plain
    if os.environ.get("LORASCOPE_PLAIN", "") not in ("", "0"):
        return True
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "")
    return os.environ.get("TERM") in ("dumb", "linux") or not encoding.startswith("utf")
