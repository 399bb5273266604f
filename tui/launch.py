"""From the shell into the app, with the shell's own words where that is not possible."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import DataError, LorascopeError, UsageError


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
        for path in paths:
            if not path.exists():
                raise DataError(f"{path}: no such file or folder", "check the path")
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UsageError("the app needs a terminal", "for text use: lorascope runs PATH")
        from tui.app import LorascopeApp

        app = LorascopeApp(
            paths, theme=theme or os.environ.get("LORASCOPE_THEME") or None, plain=wants_plain(plain), config=config
        )
        app.run()
    except LorascopeError as error:
        print(f"lorascope: {error}", file=sys.stderr)
        return error.exit_code
    return app.return_code or 0


def wants_plain(plain: bool | None) -> bool:
    """Whether to draw with ASCII alone: asked for, or the terminal's locale or type leaves no choice."""
    if plain is not None:
        return plain
    if os.environ.get("LORASCOPE_PLAIN", "") not in ("", "0"):
        return True
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "")
    return os.environ.get("TERM") in ("dumb", "linux") or not encoding.startswith("utf")
