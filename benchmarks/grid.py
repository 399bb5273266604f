"""The grid on a generated comparison, beside Textual's own table on the same cells.

    python -m benchmarks.grid --rows 10000 --columns 60
    python -m benchmarks.grid --rows 10 --columns 60 --table datatable

Shows the table until ctrl+q; measure it from outside, on a pseudo-terminal. ``--headings N`` puts a title before every
N rows, ``--awkward`` fills names with markup, escapes, wide and right-to-left text, ``--svg FILE`` writes a picture
(of ``--size``) and leaves.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.widget import Widget

from tui.driver import lean
from tui.widgets.grid import Cell, Column, Grid

AWKWARD = (
    "[bold]x[/] acc[/]",
    "\x1b[31mred",
    "two\nlines",
    "漢字の名前チェックポイント",
    "שלום 12",
    "e\u0301" * 9,
    "y" * 5000,
)


class Generated:
    """Made-up checkpoints: blocks of baseline, value and change, computed on demand from the row number."""

    def __init__(self, rows: int, columns: int, headings: int, awkward: bool) -> None:
        self.row_count = rows
        self._headings = headings
        self._awkward = awkward
        self.columns = [
            Column("name", "checkpoint", 22, min_width=14, flex=1, ellipsis="middle"),
            *(self._column(index) for index in range(columns - 1)),
        ]

    @staticmethod
    def _column(index: int) -> Column:
        block, place = divmod(index, 3)
        title, width = (("baseline", 8), ("now", 8), ("Δ%", 8))[place]
        group = f"depth.building.metric_{block}"
        return Column(f"c{index}", title, width, "right", group, rule=place == 0)

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        return "heading" if self._headings and row % (self._headings + 1) == 0 else "row"

    def row_key(self, row: int) -> str:
        return f"checkpoint_{row}"

    @lru_cache(maxsize=256)  # noqa: B019  # one source lives as long as the program
    def cells(self, row: int) -> Sequence[Cell]:
        if self.row_kind(row) == "heading":
            return [Cell(f"strategy_b · rows from {row}")]
        name = AWKWARD[row % len(AWKWARD)] if self._awkward else f"checkpoint_{row}"
        cells = [Cell(name)]
        for index in range(len(self.columns) - 1):
            block, place = divmod(index, 3)
            baseline = 0.2 + (block * 37 % 50) / 100
            change = ((row * 7919 + block * 104729) % 2001 - 1000) / 10
            if place == 0:
                cells.append(Cell(f"{baseline:.4f}", "muted"))
            elif place == 1:
                cells.append(Cell(f"{baseline * (1 + change / 100):.4f}"))
            else:
                role, mark = ("better", "▲") if change > 20 else ("worse", "▼") if change < -20 else ("tied", "≈")
                cells.append(Cell(f"{change:+.1f} {mark}", role))
        return cells


class Demo(App[None]):
    """One table and nothing else."""

    def __init__(self, source: Generated, options: argparse.Namespace) -> None:
        self._source = source
        self._options = options
        super().__init__()
        self.plain_mode = bool(options.plain)

    def get_driver_class(self) -> type[Driver]:
        driver = super().get_driver_class()
        return driver if self._options.stock_driver else lean(driver)

    def compose(self) -> ComposeResult:
        yield self._grid() if self._options.table == "grid" else self._datatable()

    def _grid(self) -> Widget:
        grid = Grid(cursor=self._options.cursor, empty="nothing here")
        grid.set_source(self._source)
        grid.set_marked({"checkpoint_3", "checkpoint_5"})
        grid.set_sort("c1", descending=True)
        return grid

    def _datatable(self) -> Widget:
        from rich.text import Text
        from textual.widgets import DataTable

        table: DataTable[Text] = DataTable(cursor_type="row", fixed_columns=1)
        table.add_columns(*(Text(column.title) for column in self._source.columns))
        for row in range(self._source.row_count):
            table.add_row(*(Text(cell.text) for cell in self._source.cells(row)))
        return table

    def on_mount(self) -> None:
        if self._options.theme:
            self.theme = self._options.theme


async def _picture(app: Demo, size: tuple[int, int], keys: Sequence[str], target: Path) -> None:
    async with app.run_test(size=size) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        target.write_text(app.export_screenshot(), "utf-8")


def main() -> None:
    """Parse the command line and run the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--columns", type=int, default=60)
    parser.add_argument("--table", choices=["grid", "datatable"], default="grid")
    parser.add_argument("--cursor", choices=["row", "cell"], default="row")
    parser.add_argument("--headings", type=int, default=0)
    parser.add_argument("--awkward", action="store_true")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--stock-driver", action="store_true", help="without lean output")
    parser.add_argument("--theme", default="")
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--size", default="120x40")
    parser.add_argument("--press", default="", help="keys pressed before the picture is taken")
    options = parser.parse_args()
    app = Demo(Generated(options.rows, options.columns, options.headings, options.awkward), options)
    if options.svg is None:
        app.run()
    else:
        columns, rows = map(int, options.size.split("x"))
        asyncio.run(_picture(app, (columns, rows), options.press.split(), options.svg))


if __name__ == "__main__":
    main()
