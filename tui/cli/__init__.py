"""The commands: options in, tables and documents out. Only :func:`run` is for others; what is heavy comes later."""

from __future__ import annotations

from tui.cli.entry import run

__all__ = ["run"]
