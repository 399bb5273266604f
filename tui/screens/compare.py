"""Compare: checkpoints of any runs side by side, every metric against the run's own baseline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widget import Widget

from engine.errors import LorascopeError, UsageError
from engine.i18n import gettext as _
from engine.results.model import UNFINISHED
from engine.text import listed
from tui.commands import Command, bindings
from tui.screens.base import LorascopeScreen
from tui.state import BEST, Block
from tui.widgets.grid import Grid
from tui.widgets.grid_model import EmptySource

if TYPE_CHECKING:
    from engine.analysis.compare import Comparison
    from engine.export.tables import TableFormat
    from tui.cli.output import FlatTable
    from tui.compare_table import CompareSource
    from tui.library import Library, Loaded


# What the metric columns and a whole block need; baselines are left out where that is too much.
_METRIC_WIDTH, _BLOCK_WIDTH = 24, 36


class CompareScreen(LorascopeScreen):
    """Runs side by side."""

    NAME = "compare"
    HELP = """One row for every metric, one block of columns for every run: the baseline, the checkpoint, and what
    changed. The arrow beside a metric is the direction of better; ▲ better and ▼ worse (B and W in plain text) mark a
    change that was told from chance, corrected for all checkpoints of the run; ≈ (=): no difference is shown; no mark:
    it cannot be judged, or is not yet. The status line has the interval, and whether it is paired (per-frame rows) or
    unpaired (means, spreads, counts). Runs on different samples or protocols are to be read by their changes, not their
    values: the warning below says so."""
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
        self._comparison: Comparison | None = None
        self._blocks: list[Block] = []
        self._loaded: dict[str, Loaded] = {}
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
        self._draw(library, blocks, {entry.key: entry for entry in loaded})

    def _draw(self, library: Library, blocks: list[Block], loaded: dict[str, Loaded]) -> None:
        from tui.compare_table import CompareSource, build

        self._blocks = [block for block in blocks if block.run in loaded]
        self._loaded = loaded
        partial = _("{name} (partial)")
        names = [
            partial.format(name=name) if loaded[block.run].run.status in UNFINISHED else name
            for block, name in zip(self._blocks, self.session.names([b.run for b in self._blocks]), strict=True)
        ]
        state = self.state
        evidence = {key: found for key, entry in loaded.items() if (found := self.evidence(entry))}
        self.judging = any(not self.session.judged(entry)[0] for entry in loaded.values())
        try:
            self._comparison = build(
                library,
                self._blocks,
                loaded,
                names,
                objective=state.objective,
                pattern=state.metrics,
                only_different=state.only_different,
                evidence=evidence,
            )
        except LorascopeError as error:
            # Nothing to show, but the keys that lead out of it still work.
            self._source = None
            self.grid.empty = str(error)
            self.grid.set_source(EmptySource())
            self._say()
            return
        self._source = CompareSource(
            self._comparison,
            self._blocks,
            view=state.view,
            compact=_METRIC_WIDTH + len(self._blocks) * _BLOCK_WIDTH > self.size.width,
            plain=self.lorascope.plain_mode,
        )
        self.grid.set_source(self._source)
        self._warning = self._worth_knowing()
        self._say()

    def _worth_knowing(self) -> str:
        comparison = self._comparison
        partial = [self.session.name(key) for key, loaded in self._loaded.items() if loaded.run.status in UNFINISHED]
        if partial:
            return _("partial, not all windows are computed: {names}").format(names=listed(partial))
        if comparison and len(self._loaded) > 1 and comparison.headline:
            return comparison.headline
        problems = [problem for loaded in self._loaded.values() for problem in loaded.run.problems]
        return str(problems[0]) if problems else ""

    def _at(self) -> int | None:
        """The block under the cursor."""
        return self._source.block_of(self.grid.cursor_column) if self._source and self._blocks else None

    def _say(self) -> None:
        parts = [f"view {self.state.view}", f"objective {self.state.objective}"]
        if self.state.metrics:
            parts.append(f"metrics {self.state.metrics}")
        if self.state.only_different:
            parts.append("only different")
        if self.judging:
            parts.append("judging…")
        at = self._at()
        metric = self._source.metric(self.grid.cursor_row) if self._source else None
        if at is not None and metric and self._comparison:
            from tui.compare_table import describe

            parts = [describe(metric, self._comparison.columns[at]), *parts]
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
        at = self._at()
        if at is not None and self._comparison and self._comparison.columns[at].checkpoint:
            self.state.checkpoint_run = self._blocks[at].run
            self.state.checkpoint = self._comparison.columns[at].checkpoint or BEST
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
        keys = library.catalogue.order(key for entry in self._loaded.values() for key in entry.analysis.metrics)

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

        at = self._at()
        if at is None:
            return
        block = self._blocks[at]

        def done(name: str) -> None:
            self._arrange()
            self.state.blocks[at].checkpoint = name
            self.refresh_view()

        choose_checkpoint(self, block.run, block.checkpoint, done)

    def _arrange(self) -> None:
        """From now on the blocks are the user's own."""
        self.state.blocks = [Block(block.run, block.checkpoint) for block in self._blocks]

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
        at = self._at()
        if at is None:
            return
        if len(self._blocks) == 1:
            self.notify("the last block stays: add another one first", timeout=2)
            return
        self._arrange()
        del self.state.blocks[at]
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

        choose_objective(self, list(self._loaded.values()), done)

    def action_export(self) -> None:
        """The table as a file: every value in full for programs, arranged and rounded for reports."""
        from tui.screens.exporting import export_table

        if self._comparison:
            export_table(self, self._table, "comparison.csv")

    def _table(self, fmt: TableFormat) -> FlatTable:
        from engine.export.tables import TableFormat
        from tui.cli.compare_tables import long_table, report_table

        assert self._comparison is not None  # noqa: S101 (asked for only while there is one)
        if fmt in (TableFormat.MARKDOWN, TableFormat.LATEX):
            return report_table(self._comparison, self.state.view)
        return long_table(self._comparison)

    def action_copy(self) -> None:
        """The table as Markdown."""
        from engine.export.tables import TableFormat, render

        if self._comparison:
            flat = self._table(TableFormat.MARKDOWN)
            text = render(flat.frame, TableFormat.MARKDOWN, headers=flat.headers, digits=flat.digits, right=flat.right)
            self.app.copy_to_clipboard(str(text))
            self.notify("table copied as Markdown", timeout=1.5)
