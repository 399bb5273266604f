"""The panels that are on the screen together: their rows, the cursor over them, and what lies under the pointer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui.plots.cursor import cursor_cells
from tui.plots.drawing import Drawing
from tui.plots.layout import Box
from tui.plots.spec import Figure, PlotSpec

Cell = tuple[int, int]
Overlay = Mapping[Cell, tuple[str, str]]
"""(row, column) -> (character, role)."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A drawing in its place."""

    spec: PlotSpec
    box: Box
    drawing: Drawing


@dataclass(frozen=True, slots=True)
class Page:
    """Panels in one rectangle of cells."""

    panels: tuple[Panel, ...] = ()

    @property
    def figure(self) -> Figure:
        """These panels as a figure of their own."""
        return Figure("", tuple(panel.spec for panel in self.panels))

    def overlay(self, x: float | None) -> dict[Cell, tuple[str, str]]:
        """The cells of a cursor at ``x``; none for ``None``.

        A dotted line through a single panel; several panels get their marks alone, to keep a step small.
        """
        cells: dict[Cell, tuple[str, str]] = {}
        if x is None:
            return cells
        for panel in self.panels:
            found = cursor_cells(panel.drawing, panel.spec, x, line=len(self.panels) == 1)
            for (row, column), cell in found.items():
                cells[panel.box.top + row, panel.box.left + column] = cell
        return cells

    def row(self, y: int, width: int, overlay: Overlay) -> list[tuple[str, str]]:
        """The cells of one row with the cursor on it: ``width`` pairs of character and role."""
        row: list[tuple[str, str]] = [(" ", "")] * width
        for panel in self.panels:
            box, drawing = panel.box, panel.drawing
            if box.top <= y < box.top + drawing.height:
                cells = zip(drawing.chars[y - box.top], drawing.roles[y - box.top], strict=True)
                row[box.left : box.left + box.width] = cells
        for (line, column), cell in overlay.items():
            if line == y and column < width:
                row[column] = cell
        return row[:width]

    def nearest(self, positions: Sequence[float], x: int, y: int) -> int | None:
        """The index of the position drawn nearest to the cell (x, y); ``None`` outside of the panels."""
        for panel in self.panels:
            box = panel.box
            if not (box.left <= x < box.left + box.width and box.top <= y < box.top + box.height):
                continue
            columns = [(panel.drawing.column(position), index) for index, position in enumerate(positions)]
            near = [(abs(box.left + column - x), index) for column, index in columns if column is not None]
            return min(near)[1] if near else None
        return None
