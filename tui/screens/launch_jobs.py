"""The jobs of Launch: the list, and below it one of them page by page."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from engine.i18n import gettext as _
from engine.jobs.snapshot import JobSnapshot
from tui.evaluations.job_pages import PAGES, page_rows
from tui.evaluations.job_rows import JobRows
from tui.widgets.grid import Grid
from tui.widgets.grid_model import EmptySource
from tui.widgets.page_bar import PageBar

# The list takes at most this share of the height; what is told of the job has the rest.
_LIST_SHARE = 0.4


class JobsPane(Vertical):
    """Two grids: jobs, and what is told of the one under the cursor."""

    class Moved(Message):
        """The cursor is on another job."""

    class Opened(Message):
        """Enter on a job."""

    def __init__(self) -> None:
        super().__init__(id="launch-jobs", classes="body")
        self._jobs: Sequence[JobSnapshot] = ()
        self._page = PAGES[0][0]
        self._plain = False
        self._told = ""

    def compose(self) -> ComposeResult:
        """List, pages, page."""
        yield Grid(frozen=1, id="jobs-grid")
        yield PageBar([(name, _(title)) for name, title in PAGES], id="job-pages")
        yield Grid(frozen=0, id="job-page")

    @property
    def grid(self) -> Grid:
        """The list."""
        return self.query_one("#jobs-grid", Grid)

    @property
    def details(self) -> Grid:
        """What is told of one job."""
        return self.query_one("#job-page", Grid)

    @property
    def current(self) -> JobSnapshot | None:
        """The job under the cursor."""
        key = self.grid.cursor_key
        return next((job for job in self._jobs if str(job.run) == key), None)

    def draw(self, jobs: Sequence[JobSnapshot], page: str, *, empty: str, plain: bool, run: str = "") -> None:
        """Show jobs; only what looks different is sent to the terminal.

        Args:
            jobs: as they are.
            page: what to tell of the one under the cursor.
            empty: what to say where there are none.
            plain: ASCII alone.
            run: where to put the cursor; it stays by default.
        """
        self._jobs, self._page, self._plain = jobs, page, plain
        grid = self.grid
        grid.empty = empty
        grid.set_source(JobRows(jobs, plain=plain) if jobs else EmptySource())
        keys = [str(job.run) for job in jobs]
        if run in keys:
            grid.move_cursor(row=keys.index(run))
        self._arrange()
        self._tell()

    def _arrange(self) -> None:
        there = bool(self._jobs)
        self.query_one(PageBar).display = self.details.display = there
        most = max(3, int(self.size.height * _LIST_SHARE))
        self.grid.styles.height = min(len(self._jobs) + 1, most) if there else "1fr"

    def _tell(self) -> None:
        job = self.current
        self.query_one(PageBar).show(self._page, plain=self._plain)
        if job is None:
            self.details.set_source(EmptySource())
            return
        self.details.empty = _("nothing yet")
        rows = page_rows(job, self._page, width=self.size.width, plain=self._plain)
        grid = self.details
        at_end = grid.cursor_row == (grid.source.row_count if grid.source else 0) - 1
        grid.set_source(rows)
        if self._page == "log" and at_end:
            grid.move_cursor(row=rows.row_count - 1)

    def turn_to(self, page: str) -> None:
        """Another page, from its beginning; the log from its end."""
        self._page = page
        self.details.set_source(EmptySource(), keep_cursor=False)
        self._tell()
        if page == "log" and self.details.source:
            self.details.move_cursor(row=self.details.source.row_count - 1)

    def on_resize(self) -> None:
        """The height decides how much of the list is shown."""
        if self._jobs:
            self._arrange()
            self._tell()

    @on(Grid.Highlighted, "#jobs-grid")
    def _moved(self, event: Grid.Highlighted) -> None:
        event.stop()
        if event.key != self._told:  # not where its job only went to another place in the list
            self._told = event.key
            self.turn_to(self._page)
        self.post_message(self.Moved())

    @on(Grid.Selected)
    def _opened(self, event: Grid.Selected) -> None:
        event.stop()
        self.post_message(self.Opened())

    def switch_focus(self) -> None:
        """From the list to the page and back."""
        (self.grid if self.details.has_focus else self.details).focus()
