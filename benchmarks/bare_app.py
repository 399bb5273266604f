"""The smallest useful Textual app: one DataTable. The yardstick of ``benchmarks.startup``."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import DataTable

SHOWN = "yardstick"


class BareApp(App[None]):
    """One table, ready to move in."""

    def compose(self) -> ComposeResult:
        yield DataTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns(SHOWN, "checkpoints", "best", "score")
        table.add_rows((f"run {number}", 51, "checkpoint_34", 0.3455) for number in range(20))
        table.focus()


if __name__ == "__main__":
    BareApp().run()
