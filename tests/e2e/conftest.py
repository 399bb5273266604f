"""Terminals for the end-to-end tests; all of them are killed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from terminal import TMUX, OpenTerminal, Terminal


@pytest.fixture
def open_terminal() -> Iterator[OpenTerminal]:
    """Opens terminals: ``open_terminal(columns, rows)``. Skips where there is no tmux."""
    if TMUX is None:
        pytest.skip("tmux is not installed: the program cannot be driven in a terminal")
    with ExitStack() as stack:
        yield lambda columns=80, rows=24: stack.enter_context(Terminal(columns, rows))
