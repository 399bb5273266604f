"""What threads tell the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui.evaluations.watching import Board
    from tui.loader import Batch


class RunsFound(Message):
    """The finder has something to take."""


class RunsRead(Message):
    """The loader read runs."""

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        self.batch = batch


class JobsSeen(Message):
    """Jobs are other than they were."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self.board = board
