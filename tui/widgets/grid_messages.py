"""What a grid tells its screen; handlers are named ``on_grid_highlighted`` and so on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui.widgets.grid import Grid


class GridMessage(Message, namespace="grid"):
    """A message of a grid."""

    def __init__(self, grid: Grid) -> None:
        super().__init__()
        self.grid = grid

    @property
    def control(self) -> Grid:
        """The grid, for the selectors of `textual.on`."""
        return self.grid


class RowMessage(GridMessage, namespace="grid"):
    """A message about the row under the cursor: its index and key, and the index of the cursor's column."""

    def __init__(self, grid: Grid, row: int, key: str, column: int) -> None:
        super().__init__(grid)
        self.row = row
        self.key = key
        self.column = column


class Highlighted(RowMessage, namespace="grid"):
    """The cursor stands on another row or column, or its row has another identity."""

    def can_replace(self, message: Message) -> bool:
        """Only the newest place of the cursor matters when keys come faster than they are handled."""
        return isinstance(message, Highlighted) and message.grid is self.grid


class Selected(RowMessage, namespace="grid"):
    """Enter, a click on the cursor's row, or a double click."""


class HeaderSelected(GridMessage, namespace="grid"):
    """A click on the header of a column."""

    def __init__(self, grid: Grid, column_key: str) -> None:
        super().__init__(grid)
        self.column_key = column_key
