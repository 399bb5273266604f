"""Compare: checkpoints of any runs side by side, every metric against the run's own baseline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widget import Widget

from engine.errors import UsageError
from tui.commands import Command, bindings
from tui.screens.base import NARROW_COLUMNS, LorascopeScreen
from tui.state import BEST, Block
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from tui.compare_table import BlockData, CompareSource
    from tui.library import Library


class CompareScreen(LorascopeScreen):
    """Runs side by side."""

    NAME = "compare"
    HELP = """One row for every metric, one block of columns for every run: the baseline, the checkpoint, and what
    changed. The arrow beside a metric is the direction of better; ▲ better, ▼ worse, ≈ tied say what the change
    means, by direction alone: whether a change is more than noise is not tested yet. Runs on different samples
    or protocols are to be read by their changes, not their values: the warning below says so."""
    ACTIONS: ClassVar[tuple[Command, ...]] = (
        Command("cycle_view", "v", "view", "Show changes in percent, as differences, or values alone."),
        Command("filter", "slash", "filter", "Show only some metrics: words or globs, ! excludes, commas between."),
        Command("different", "d", "differ", "Show only metrics that differ, or all again."),
        Command("checkpoint", "c", "checkpoint", "Choose the checkpoint of the block under the cursor."),
        Command("objective", "o", "objective", "Choose what best means."),
        Command("add", "plus,a", "add", "Add a block: any run, any checkpoint."),
        Command("remove", "x,minus", "remove", "Take the block under the cursor away."),
        Command(
            "reset", "R", "reset", "Forget the arrangement: the best checkpoint of every marked run.", footer=False
        ),
        Command("export", "e", "export", "Write the table to CSV, Parquet, JSON, Markdown or LaTeX."),
        Command("copy", "y", "copy", "Copy the table as Markdown to the clipboard."),
    )
    BINDINGS = bindings(ACTIONS)

    def __init__(self) -> None:
        super().__init__()
        self._source: CompareSource | None = None
        self._blocks: list[BlockData] = []
        self._warning = ""

    def body(self) -> Iterator[Widget]:
        """The table alone."""
        yield Grid(frozen=2, cursor="cell", empty="reading …", id="compare-grid", classes="body")

    @property
    def grid(self) -> Grid:
        """The table."""
        return self.query_one("#compare-grid", Grid)

    def refresh_view(self) -> None:
        """The blocks as they are chosen."""
        blocks = self.session.blocks()
        if not blocks:
            self.grid.empty = "looking for runs …" if self.session.discovering else "no run to compare: see 1 Runs"
            return
        loaded = self.need(block.run for block in blocks)
        library = self.library
        if loaded is None or library is None:
            return
        from tui.compare_table import CompareSource, block_data, shown_metrics

        by_key = {entry.key: entry for entry in loaded}
        keys = [block.run for block in blocks]
        names = dict(zip(keys, self.session.names(keys), strict=True))
        self._blocks = [
            block_data(library, by_key[block.run], block, names[block.run], self.state.objective)
            for block in blocks
            if block.run in by_key
        ]
        try:
            metrics = shown_metrics(library, self._blocks, self.state.metrics, only_different=self.state.only_different)
        except UsageError:
            metrics = []
        self.grid.empty = "no metric fits: change the filter with /" if self.state.metrics else "nothing differs"
        self._source = CompareSource(
            library,
            self._blocks,
            metrics,
            view=self.state.view,
            compact=self.size.width < NARROW_COLUMNS,
            plain=self.lorascope.plain_mode,
        )
        self.grid.set_source(self._source)
        self._warning = self._comparability(library)
        self._say()

    def _comparability(self, library: Library) -> str:
        from engine.analysis.comparability import comparability

        facts = {block.loaded.key: block.loaded.facts for block in self._blocks}
        if len(facts) > 1:
            result = comparability(list(facts.values()))
            if not result.comparable and result.notes:
                return "read changes, not values: " + result.notes[0]
        problems = [problem for block in self._blocks for problem in block.loaded.run.problems]
        return str(problems[0]) if problems else ""

    def _block(self) -> BlockData | None:
        if not self._source or not self._blocks:
            return None
        return self._blocks[self._source.block_of(self.grid.cursor_column)]

    def _say(self) -> None:
        parts = [f"view {self.state.view}", f"objective {self.state.objective}"]
        if self.state.metrics:
            parts.append(f"metrics {self.state.metrics}")
        if self.state.only_different:
            parts.append("only different")
        block = self._block()
        metric = self._source.metric(self.grid.cursor_row) if self._source else None
        if block and metric:
            from tui.compare_table import describe

            parts = [describe(metric, block), *parts]
        self.show_status("  ·  ".join(parts), self._warning)

    def on_resize(self, event: object) -> None:
        """Baselines come and go with the width."""
        super().on_resize(event)  # type: ignore[arg-type]
        if self.is_mounted and self._source:
            self.refresh_view()

    @on(Grid.Highlighted)
    def _moved(self) -> None:
        self._say()

    @on(Grid.Selected)
    def _selected(self) -> None:
        block = self._block()
        if block and block.checkpoint:
            self.state.checkpoint_run = block.loaded.key
            self.state.checkpoint = block.checkpoint
            self.lorascope.action_show("checkpoint")

    def action_cycle_view(self) -> None:
        """Percent, difference, value."""
        self.state.next_view()
        self.refresh_view()

    def action_different(self) -> None:
        """Only what differs, or everything."""
        self.state.only_different = not self.state.only_different
        self.refresh_view()

    def action_filter(self) -> None:
        """Which metrics."""
        from engine.analysis.compare import match_metrics

        from tui.screens.dialogs import LineDialog

        library = self.library
        if library is None:
            return
        keys = library.catalogue.order(key for block in self._blocks for key in block.loaded.analysis.metrics)

        def check(text: str) -> None:
            if text.strip() and not match_metrics(text, keys, library.catalogue):
                raise UsageError(f"no metric fits {text!r}")

        def done(text: str | None) -> None:
            if text is not None:
                self.state.metrics = text.strip()
                self.refresh_view()

        hint = "e.g. building   depth.*.abs_rel   delta1, planarity   !pose   (empty: all)"
        self.app.push_screen(LineDialog("Metrics to show", self.state.metrics, check=check, hint=hint), done)

    def action_checkpoint(self) -> None:
        """Another checkpoint for this block."""
        from tui.screens.choosing import choose_checkpoint

        current = self._block()
        if current is None:
            return
        index = self._blocks.index(current)

        def done(name: str) -> None:
            self._arrange()
            self.state.blocks[index].checkpoint = name
            self.refresh_view()

        choose_checkpoint(self, current.loaded.key, current.block.checkpoint, done)

    def _arrange(self) -> None:
        """From now on the blocks are the user's own."""
        self.state.blocks = [Block(block.block.run, block.block.checkpoint) for block in self._blocks]

    def action_add(self) -> None:
        """One more block."""
        from tui.screens.choosing import choose_run

        def done(key: str) -> None:
            self._arrange()
            self.state.blocks.append(Block(key, BEST))
            self.refresh_view()
            if self._source:
                self.grid.move_cursor(column=len(self._source.columns) - 1)

        choose_run(self, "Add a run (then c chooses its checkpoint)", done)

    def action_remove(self) -> None:
        """One block less."""
        current = self._block()
        if current is None:
            return
        if len(self._blocks) == 1:
            self.notify("the last block stays: add another one first", timeout=2)
            return
        index = self._blocks.index(current)
        self._arrange()
        del self.state.blocks[index]
        self.refresh_view()

    def action_reset(self) -> None:
        """The best of every marked run."""
        self.state.blocks = []
        self.state.metrics = ""
        self.state.only_different = False
        self.refresh_view()

    def action_objective(self) -> None:
        """What best means."""
        from tui.screens.choosing import choose_objective

        def done(key: str) -> None:
            self.state.objective = key
            self.refresh_view()

        choose_objective(self, [block.loaded for block in self._blocks], done)
