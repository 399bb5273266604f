"""Compare: checkpoints of any runs side by side, every metric against the run's own baseline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widget import Widget

from engine.catalogue import SCORE_KEY, Group
from engine.errors import LorascopeError
from engine.i18n import gettext as _
from engine.i18n import speaking
from tui.commands import Command, bindings
from tui.screens.base import LorascopeScreen
from tui.screens.compare_filter import type_filter
from tui.screens.compare_keys import ACTIONS, HELP
from tui.state import BEST, VIEW_NAMES, Block, View
from tui.unfinished import marked_names, worth_knowing
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
    HELP = HELP
    ACTIONS: ClassVar[tuple[Command, ...]] = ACTIONS
    BINDINGS = bindings(ACTIONS)

    def __init__(self) -> None:
        super().__init__()
        self._source: CompareSource | None = None
        self._comparison: Comparison | None = None
        self._blocks: list[Block] = []
        self._loaded: dict[str, Loaded] = {}
        self._warning = ""
        # The runs for which the guard was overridden; any others are guarded again.
        self._overridden: frozenset[str] = frozenset()

    def body(self) -> Iterator[Widget]:
        """The table alone."""
        yield Grid(frozen=2, cursor="cell", empty=_("reading …"), id="compare-grid", classes="body")

    @property
    def grid(self) -> Grid:
        """The table."""
        return self.query_one("#compare-grid", Grid)

    def refresh_view(self) -> None:
        """The blocks as they are chosen."""
        blocks = self.session.blocks()
        if not blocks:
            self.grid.empty = self.without_runs(_("no run to compare: see 1 Runs"))
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
        if not self._anyway:
            self._overridden = frozenset()  # it was for that view alone
        names = self.session.names([block.run for block in self._blocks])
        names = marked_names(self.session, loaded, [block.run for block in self._blocks])
        state = self.state
        evidence = {key: found for key, entry in loaded.items() if (found := self.evidence(entry))}
        # Every run is asked about, whether or not an earlier one is still to come.
        waiting = [self.need_parts(entry, (SCORE_KEY, *entry.analysis.metrics)) for entry in loaded.values()]
        self.judging = any(waiting)
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
            view=self._view(),
            compact=_METRIC_WIDTH + len(self._blocks) * _BLOCK_WIDTH > self.size.width,
            plain=self.lorascope.plain_mode,
        )
        self.grid.set_source(self._source)
        self._warning = self._worth_knowing()
        self._say()

    def _worth_knowing(self) -> str:
        from tui.guarding import guard_words

        comparison = self._comparison
        if comparison and not comparison.comparable:
            return guard_words(comparison, self.state.view, anyway=self._anyway, remedy="A")
        return worth_knowing(self.session, self._loaded)

    @property
    def _anyway(self) -> bool:
        """Whether the user overrode the guard for these runs."""
        return self._overridden == {block.run for block in self._blocks}

    def _view(self) -> View:
        """The view that is shown: the chosen one where it is allowed."""
        from tui.guarding import shown_view

        if self._comparison is None:
            return self.state.view
        return shown_view(self._comparison, self.state.view, anyway=self._anyway)

    def _at(self) -> int | None:
        """The block under the cursor."""
        return self._source.block_of(self.grid.cursor_column) if self._source and self._blocks else None

    def _say(self) -> None:
        parts = [
            _("view {view}").format(view=_(VIEW_NAMES[self._view()])),
            _("objective {metric}").format(metric=self.state.objective),
        ]
        if self.state.metrics:
            parts.append(_("metrics {pattern}").format(pattern=self.state.metrics))
        if self.state.only_different:
            parts.append(_("only different"))
        if self.judging:
            parts.append(_("judging…"))
        at = self._at()
        metric = self._source.metric(self.grid.cursor_row) if self._source else None
        if at is not None and metric and self._comparison:
            from tui.compare_table import describe, warnings_of

            column = self._comparison.columns[at]
            parts = [*warnings_of(column, metric.key), describe(metric, column), *parts]
        warning = self._warning
        if metric and metric.group is Group.PERFORMANCE and self._comparison and len(self._loaded) > 1:
            warning = self._comparison.cost_note or warning
        self.show_status("  ·  ".join(parts), warning)

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
        """The next view among those that are allowed."""
        from tui.guarding import next_view

        if self._comparison is not None:
            self.state.view = next_view(self._comparison, self._view(), anyway=self._anyway)
            self.refresh_view()

    def action_anyway(self) -> None:
        """Values of runs that may not be compared: side by side for once, or no longer."""
        if self._comparison is None or self._comparison.comparable:
            self.notify(_("these runs may be compared: there is nothing to override"), timeout=2.5)
            return
        self._overridden = frozenset() if self._anyway else frozenset(block.run for block in self._blocks)
        self.refresh_view()

    def action_different(self) -> None:
        """Only what differs, or everything."""
        self.state.only_different = not self.state.only_different
        self.refresh_view()

    def action_filter(self) -> None:
        """Which metrics."""
        library = self.library
        if library is not None:
            keys = library.catalogue.order(key for entry in self._loaded.values() for key in entry.analysis.metrics)
            type_filter(self, keys, library.catalogue)

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

        choose_run(self, _("Add a run (then c chooses its checkpoint)"), done)

    def action_remove(self) -> None:
        """One block less."""
        at = self._at()
        if at is None:
            return
        if len(self._blocks) == 1:
            self.notify(_("the last block stays: add another one first"), timeout=2)
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
            return report_table(self._comparison, self._view(), anyway=self._anyway)
        return long_table(self._comparison)

    def action_copy(self) -> None:
        """The table as Markdown."""
        from engine.export.tables import TableFormat, render

        if self._comparison:
            with speaking("en"):  # as in the files
                flat = self._table(TableFormat.MARKDOWN)
            text = render(flat.frame, TableFormat.MARKDOWN, headers=flat.headers, digits=flat.digits, right=flat.right)
            self.app.copy_to_clipboard(str(text))
            self.notify(_("table copied as Markdown"), timeout=1.5)
