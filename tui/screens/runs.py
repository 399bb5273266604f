"""Runs: what is here, what state it is in, and which checkpoint leads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from textual import on
from textual.widget import Widget

from tui.commands import Command, bindings
from tui.format import MISSING, number, percent, plain_text, short_path
from tui.plots.sparkline import sparkline
from tui.screens.base import LorascopeScreen
from tui.session import Overview, Session
from tui.text import cell_width
from tui.widgets.grid import Cell, Column, Grid

_SPARK = 11
_STATUS_ROLES = {"ok": "", "partial": "warning", "running": "accent", "broken": "error"}


class RunsSource:
    """The runs as rows of a grid, in the order in which they were found.

    Args:
        session: what the app knows.
        plain: ASCII alone.
    """

    def __init__(self, session: Session, *, plain: bool) -> None:
        self._session = session
        self._keys = list(session.refs)
        self._plain = plain
        names = max((cell_width(session.name(key)) for key in self._keys), default=0)
        folders = max((cell_width(self._folder(session.refs[key].path)) for key in self._keys), default=0)
        self.columns: Sequence[Column] = (
            Column("name", "run", min(max(names, 12), 44), min_width=min(max(names, 12), 22), ellipsis="middle"),
            Column("checkpoints", "ckpts", 5, "right"),
            Column("best", "best", 16, min_width=13, ellipsis="middle"),
            Column("score", "score", 7, "right"),
            Column("delta", "D%" if plain else "Δ%", 6, "right"),
            Column("curve", "score curve", _SPARK),
            Column("status", "status", 7),
            Column("protocol", "protocol", 9, min_width=6),
            Column("provenance", "from", 10, min_width=6),
            Column("folder", "folder", min(max(folders, 6), 40), min_width=6, ellipsis="middle"),
        )

    @property
    def row_count(self) -> int:
        """One row for every run."""
        return len(self._keys)

    def row_key(self, row: int) -> str:
        """The run's path."""
        return self._keys[row]

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        """Runs have no headings."""
        return "row"

    def cells(self, row: int) -> Sequence[Cell]:
        """The run's name and, once it was read, its figures."""
        key = self._keys[row]
        ref = self._session.refs[key]
        folder = self._folder(ref.path)
        overview = self._session.overviews.get(key)
        if overview is None:
            count = "" if ref.checkpoints is None else str(ref.checkpoints)
            waiting = "..." if self._plain else "…"
            blank = Cell("")
            return (
                Cell(ref.name), Cell(count), blank, blank, blank, blank,
                Cell(waiting, "muted"), blank, blank, Cell(folder, "muted"),
            )  # fmt: skip
        delta = _change(overview)
        status = overview.status
        problems = len(overview.problems)
        if status == "ok" and problems:
            status = "ok !"
        curve = sparkline(overview.curve, _SPARK, plain=self._plain) if overview.curve else ""
        role = _STATUS_ROLES.get(overview.status, "")
        missing = plain_text(MISSING) if self._plain else MISSING
        return (
            Cell(overview.name, "error" if overview.status == "broken" else ""),
            Cell(str(overview.checkpoints)),
            Cell(overview.best or missing, "best" if overview.best else "muted"),
            Cell(number(overview.score, 4) if overview.score is not None else missing),
            Cell(percent(delta) if delta is not None else missing, _delta_role(delta)),
            Cell(curve, "accent"),
            Cell(status, role or ("warning" if problems else "muted")),
            Cell(overview.protocol, "muted"),
            Cell(overview.provenance, "muted"),
            Cell(folder, "muted"),
        )

    def _folder(self, path: Path) -> str:
        if self._session.samples:
            return "samples"
        for root in self._session.roots or [Path.cwd()]:
            if path == root:
                return "."
            if root in path.parents:
                return str(path.parent.relative_to(root))
        return str(path.parent)


def _change(overview: Overview) -> float | None:
    if overview.score is None or not overview.baseline_score:
        return None
    return 100 * (overview.score - overview.baseline_score) / abs(overview.baseline_score)


def _delta_role(delta: float | None) -> str:
    if delta is None:
        return "muted"
    return "better" if delta > 0 else "worse" if delta < 0 else "tied"


class RunsScreen(LorascopeScreen):
    """What is here."""

    NAME = "runs"
    HELP = """Every run found below the folders you named: its best checkpoint by the composite score, the change
    against the run's own baseline, and its course over training. Mark runs with space to see just those in
    Compare and Trends. A run that could not be read whole says why: press i."""
    ACTIONS: ClassVar[tuple[Command, ...]] = (
        Command("open", "enter", "compare", "Compare the marked runs, or the run under the cursor."),
        Command("mark", "space", "mark", "Mark the run for Compare and Trends, or take the mark away."),
        Command("mark_all", "a", "all", "Mark all runs, or none."),
        Command("baseline", "B", "baseline", "Choose the checkpoint that changes are measured against."),
        Command("info", "i", "details", "Show where the run lies, how it was made, and what was wrong with it."),
        Command("copy", "y", "copy path", "Copy the run's path to the clipboard."),
    )
    BINDINGS = bindings(ACTIONS)

    def body(self) -> Iterator[Widget]:
        """The table alone."""
        yield Grid(frozen=1, empty="looking for runs …", id="runs-grid", classes="body")

    @property
    def grid(self) -> Grid:
        """The table."""
        return self.query_one("#runs-grid", Grid)

    def refresh_view(self) -> None:
        """All runs found so far."""
        session = self.session
        grid = self.grid
        if not session.discovering and not session.refs:
            grid.empty = "no runs here: start lorascope with the folder that holds your evaluations"
        source = RunsSource(session, plain=self.lorascope.plain_mode)
        first = grid.cursor_key is None
        grid.set_source(source)
        grid.set_marked(set(self.state.marked))
        if first and self.state.cursor_run in session.refs:
            grid.move_cursor(row=list(session.refs).index(self.state.cursor_run))
        self._say()

    def _say(self) -> None:
        session = self.session
        waiting = len(session.refs) - len(session.overviews)
        text = ""
        warning = ""
        overview = session.overviews.get(self.grid.cursor_key or "")
        if overview and overview.problems:
            more = f" (+{len(overview.problems) - 1} more, i)" if len(overview.problems) > 1 else ""
            warning = overview.problems[0] + more
        elif overview:
            text = short_path(Path(overview.key))
        if waiting and session.refs:
            text = f"reading {waiting} of {len(session.refs)} runs …"
        self.show_status(text, warning)

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
            self.grid.move_cursor(row=min(self.grid.cursor_row + 1, len(self.session.refs) - 1))

    def action_mark_all(self) -> None:
        """All or none."""
        self.state.marked = [] if self.state.marked else [key for key in self.session.refs if self.session.usable(key)]
        self.state.blocks = []
        self.grid.set_marked(set(self.state.marked))

    def action_copy(self) -> None:
        """The path, through the terminal's own clipboard."""
        key = self.grid.cursor_key
        if key:
            self.app.copy_to_clipboard(key)
            self.notify("path copied", timeout=1.5)

    def action_info(self) -> None:
        """Everything known of the run."""
        from tui.screens.details import run_details
        from tui.screens.dialogs import MessageDialog

        key = self.grid.cursor_key
        if key:
            loaded = self.need([key])
            if loaded is None:
                self.notify("still reading this run: press i again in a moment", timeout=2)
                return
            self.app.push_screen(MessageDialog(self.session.name(key), run_details(loaded[0])))

    def action_baseline(self) -> None:
        """Another checkpoint as the baseline."""
        from tui.screens.choosing import choose_baseline

        key = self.grid.cursor_key
        if key:
            choose_baseline(self, key)
