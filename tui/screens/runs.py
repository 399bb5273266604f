"""Runs: what is here, what state it is in, and which checkpoint leads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.widget import Widget

from engine.i18n import gettext as _
from engine.i18n import ngettext
from tui.commands import Command, bindings
from tui.format import short_path
from tui.runs_table import SORTS, RunsSource, visible_runs
from tui.screens.base import LorascopeScreen
from tui.widgets.grid import Grid


class RunsScreen(LorascopeScreen):
    """What is here."""

    NAME = "runs"
    HELP = """Every run found below the folders you named: its best checkpoint by the composite score, the change
    against the run's own baseline, and its course over training. Mark runs with space to see just those in
    Compare and Trends. A run that could not be read whole says why: press i."""
    ACTIONS: ClassVar[tuple[Command, ...]] = (
        Command("open", "enter", "compare", "Compare the marked runs, or the run under the cursor."),
        Command("mark", "space", "mark", "Mark the run for Compare and Trends, or take the mark away."),
        Command("mark_all", "a", "all", "Mark all runs shown, or none."),
        Command("sort", "s", "sort", "Sort by score, change, name, state, or as found."),
        Command("filter", "slash", "filter", "Show only runs whose name or folder holds some words."),
        Command("baseline", "B", "baseline", "Choose the checkpoint that changes are measured against."),
        Command("info", "i", "details", "Show where the run lies, how it was made, and what was wrong with it."),
        Command("copy", "y", "copy path", "Copy the run's path to the clipboard."),
    )
    BINDINGS = bindings(ACTIONS)

    def body(self) -> Iterator[Widget]:
        """The table alone."""
        yield Grid(frozen=1, empty=_("looking for runs …"), id="runs-grid", classes="body")

    @property
    def grid(self) -> Grid:
        """The table."""
        return self.query_one("#runs-grid", Grid)

    def refresh_view(self) -> None:
        """All runs found so far."""
        session = self.session
        grid = self.grid
        if not session.discovering and not session.refs:
            grid.empty = _("no runs here: open the folder that holds your evaluations, or evaluate (6)")
        keys = self._keys()
        if session.refs and not keys:
            grid.empty = _("no run fits the filter: change it with /")
        first = grid.cursor_key is None
        grid.set_source(RunsSource(session, keys, plain=self.lorascope.plain_mode))
        grid.set_sort(self.state.runs_sort or None, dict(SORTS).get(self.state.runs_sort, False))
        grid.set_marked(set(self.state.marked))
        if first and self.state.cursor_run in keys:
            grid.move_cursor(row=keys.index(self.state.cursor_run))
        self._say()

    def follow_jobs(self) -> None:
        """How far runs are that are computed now."""
        if self._composed:
            self.grid.refresh_rows()

    def _keys(self) -> list[str]:
        return visible_runs(self.session, self.state.runs_filter, self.state.runs_sort)

    def _say(self) -> None:
        session = self.session
        waiting = len(session.refs) - len(session.overviews)
        text = ""
        warning = ""
        overview = session.overviews.get(self.grid.cursor_key or "")
        if overview and overview.problems:
            more = len(overview.problems) - 1
            tail = ngettext(" (+{count} more, i)", " (+{count} more, i)", more).format(count=more) if more else ""
            warning = overview.problems[0] + tail
        elif overview:
            text = short_path(Path(overview.key))
        if waiting and session.refs:
            text = _("reading {count} of {total} runs …").format(count=waiting, total=len(session.refs))
        warning = warning or self._guard()
        self.show_status(text, warning)

    def _guard(self) -> str:
        """Why the scores of the runs that are compared (the marked ones, else all of a few) may not be."""
        loaded = [self.session.loaded(key) for key in self.session.active_runs()]
        facts = [entry.facts for entry in loaded if entry is not None]
        if len(facts) < 2:
            return ""
        from engine.analysis.comparability import comparability

        return comparability(facts).headline

    @on(Grid.Highlighted)
    def _moved(self, event: Grid.Highlighted) -> None:
        if event.key:
            self.state.cursor_run = event.key
        self._say()

    @on(Grid.Selected)
    def _selected(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        """Compare the marked runs, or the one under the cursor."""
        key = self.grid.cursor_key
        if key:
            self.state.cursor_run = key
            if not self.state.marked and len(self.session.refs) > 1:
                self.state.blocks = []
                self.state.marked = [key]
                self.grid.set_marked({key})
        self.lorascope.action_show("compare")

    def action_mark(self) -> None:
        """Mark or unmark."""
        key = self.grid.cursor_key
        if key:
            self.state.toggle_mark(key)
            self.state.blocks = []
            self.grid.set_marked(set(self.state.marked))
            self.grid.move_cursor(row=min(self.grid.cursor_row + 1, len(self._keys()) - 1))

    def action_mark_all(self) -> None:
        """All or none."""
        self.state.marked = [] if self.state.marked else [key for key in self._keys() if self.session.usable(key)]
        self.state.blocks = []
        self.grid.set_marked(set(self.state.marked))

    def action_sort(self) -> None:
        """The next order."""
        names = [name for name, _descending in SORTS]
        at = names.index(self.state.runs_sort) if self.state.runs_sort in names else -1
        self._sort_by(names[(at + 1) % len(names)])

    @on(Grid.HeaderSelected)
    def _header(self, event: Grid.HeaderSelected) -> None:
        if event.column_key in dict(SORTS):
            self._sort_by(event.column_key)

    def _sort_by(self, column: str) -> None:
        self.state.runs_sort = column
        self.refresh_view()

    def action_filter(self) -> None:
        """Only some runs."""
        from tui.screens.dialogs import LineDialog

        def done(text: str | None) -> None:
            if text is not None:
                self.state.runs_filter = text.strip()
                self.refresh_view()

        hint = _("words that name or folder hold   (empty: all runs)")
        self.app.push_screen(LineDialog(_("Runs to show"), self.state.runs_filter, hint=hint), done)

    def action_copy(self) -> None:
        """The path, through the terminal's own clipboard."""
        key = self.grid.cursor_key
        if key:
            self.app.copy_to_clipboard(key)
            self.notify(_("path copied"), timeout=1.5)

    def action_info(self) -> None:
        """Everything known of the run."""
        from tui.screens.details import run_details
        from tui.screens.dialogs import MessageDialog

        key = self.grid.cursor_key
        if key:
            loaded = self.need([key])
            overview = self.session.overviews.get(key)
            if loaded is None and overview and overview.status == "broken":
                self.app.push_screen(MessageDialog(overview.name, "\n".join(overview.problems)))
                return
            if loaded is None:
                self.notify(_("still reading this run: press i again in a moment"), timeout=2)
                return
            self.app.push_screen(MessageDialog(self.session.name(key), run_details(loaded[0])))

    def action_baseline(self) -> None:
        """Another checkpoint as the baseline."""
        from tui.screens.choosing import choose_baseline

        key = self.grid.cursor_key
        if key:
            choose_baseline(self, key)
