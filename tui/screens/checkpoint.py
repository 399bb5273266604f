"""Checkpoint: everything that is known of one checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widget import Widget

from tui.commands import Command, bindings
from tui.screens.base import LorascopeScreen
from tui.state import BEST, BasketItem
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from tui.library import Loaded


class CheckpointScreen(LorascopeScreen):
    """One checkpoint."""

    NAME = "checkpoint"
    HELP = """Every metric of one checkpoint: its value, the run's baseline, the change, its rank among the run's
    checkpoints (1 is the best), and how it spreads over frames where the run says so. Enter draws the metric
    over training."""
    ACTIONS: ClassVar[tuple[Command, ...]] = (
        Command("step(-1)", "left_square_bracket", "previous", "The checkpoint before this one.", label="["),
        Command("step(1)", "right_square_bracket", "next", "The checkpoint after this one.", label="]"),
        Command("checkpoint", "c", "checkpoint", "Choose a checkpoint."),
        Command("run", "r", "run", "Choose a run."),
        Command("basket", "b", "basket", "Put this checkpoint into the basket, or take it out."),
        Command("trend", "enter,t", "trend", "Draw the metric under the cursor over training."),
        Command("export", "e", "export", "Copy this checkpoint's files to a folder, verified and described."),
        Command("copy", "y", "copy", "Copy the run and checkpoint to the clipboard."),
    )
    BINDINGS = bindings(ACTIONS)

    def body(self) -> Iterator[Widget]:
        """The table alone."""
        yield Grid(frozen=2, empty="reading …", id="checkpoint-grid", classes="body")

    @property
    def grid(self) -> Grid:
        """The table."""
        return self.query_one("#checkpoint-grid", Grid)

    def _run(self) -> str | None:
        key = self.state.checkpoint_run
        if self.session.usable(key):
            return key
        active = self.session.active_runs()
        return active[0] if active else None

    def _current(self) -> tuple[Loaded, str] | None:
        """The run and the checkpoint that is shown; None while it is read or where there is none."""
        key = self._run()
        library = self.library
        loaded = self.need([key]) if key else None
        if not loaded or library is None:
            return None
        wanted = self.state.checkpoint
        names = loaded[0].analysis.table["checkpoint"].to_list()
        if wanted == BEST or wanted not in names:
            wanted = library.best(loaded[0], self.state.objective) or (names[-1] if names else "")
        return (loaded[0], wanted) if wanted else None

    def refresh_view(self) -> None:
        """The chosen checkpoint."""
        if self._run() is None:
            self.grid.empty = "looking for runs …" if self.session.discovering else "no run to show: see 1 Runs"
            return
        current = self._current()
        library = self.library
        if current is None or library is None:
            return
        from tui.checkpoint_table import CheckpointSource

        loaded, checkpoint = current
        self.grid.set_source(CheckpointSource(library, loaded, checkpoint, plain=self.lorascope.plain_mode))
        names = loaded.analysis.table["checkpoint"].to_list()
        where = f"{names.index(checkpoint) + 1} of {len(names)}"
        basket = "  ·  in the basket" if self.state.in_basket(loaded.key, checkpoint) else ""
        problems = loaded.analysis.score_missing
        warning = f"no score: the run lacks {', '.join(problems)}" if problems else ""
        base = f"  ·  against {loaded.run.baseline}" if loaded.run.baseline else "  ·  no baseline: press 1, then B"
        self.show_status(f"{loaded.run.name} · {checkpoint}  ({where}){base}{basket}", warning)

    @on(Grid.Selected)
    def _selected(self) -> None:
        self.action_trend()

    def action_step(self, by: int) -> None:
        """The neighbour in training order."""
        current = self._current()
        if current is None:
            return
        loaded, checkpoint = current
        names = loaded.analysis.table["checkpoint"].to_list()
        at = names.index(checkpoint) + by
        if 0 <= at < len(names):
            self._show(loaded.key, names[at])

    def _show(self, run: str, checkpoint: str) -> None:
        self.state.checkpoint_run, self.state.checkpoint = run, checkpoint
        self.refresh_view()

    def action_checkpoint(self) -> None:
        """Any checkpoint of this run."""
        from tui.screens.choosing import choose_checkpoint

        current = self._current()
        if current:
            key = current[0].key
            choose_checkpoint(self, key, current[1], lambda name: self._show(key, name))

    def action_run(self) -> None:
        """Any run, its best checkpoint first."""
        from tui.screens.choosing import choose_run

        choose_run(self, "Run", lambda key: self._show(key, BEST))

    def action_basket(self) -> None:
        """In or out."""
        current = self._current()
        if current:
            loaded, checkpoint = current
            inside = self.state.toggle_basket(BasketItem(loaded.key, checkpoint, considered=len(loaded.checkpoints)))
            self.notify(f"{'in' if inside else 'out of'} the basket ({len(self.state.basket)})", timeout=1.5)
            self.refresh_view()

    def action_trend(self) -> None:
        """The metric under the cursor, over training."""
        current = self._current()
        key = self.grid.cursor_key
        if current and key and "." in key:
            self.state.trend_metrics = [key]
            self.state.preset = "custom"
            self.lorascope.action_show("trends")

    def action_export(self) -> None:
        """Copy the files."""
        from tui.screens.exporting import export_checkpoints

        current = self._current()
        if current:
            export_checkpoints(self, [BasketItem(current[0].key, current[1], considered=len(current[0].checkpoints))])

    def action_copy(self) -> None:
        """Run and checkpoint as text."""
        current = self._current()
        if current:
            self.app.copy_to_clipboard(f"{current[0].run.path} {current[1]}")
            self.notify("run and checkpoint copied", timeout=1.5)
