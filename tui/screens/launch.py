"""Launch: a form for an evaluation, and the jobs that it becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on

from engine.i18n import gettext as _
from tui.commands import Command, bindings
from tui.evaluations.fields import FIELDS
from tui.evaluations.job_pages import PAGES as DETAILS
from tui.screens import launching
from tui.screens.launch_form import FormGrid, FormPane
from tui.screens.launch_jobs import JobsPane
from tui.screens.launch_keys import ACTIONS, FORM, JOBS
from tui.screens.launch_view import LaunchView
from tui.widgets.grid import Grid
from tui.widgets.page_bar import PageBar

if TYPE_CHECKING:
    from engine.jobs.snapshot import JobSnapshot


class LaunchScreen(LaunchView):
    """Start evaluations, and look after them."""

    NAME = "launch"
    HELP = """Fill in the form: enter types a field, tab completes paths, arrows go through choices. What is
    wrong is said below its field. p checks everything and shows the plan: windows, checkpoints, about how long it
    takes and how much memory it needs; enter then starts a job. Jobs are processes of their own: they go on when
    lorascope is left, the terminal is closed or the connection lost, and are found again by whoever opens the same
    folder. Their results are partial while they run; Runs and Compare show them so. A job stops after the shards
    under way, and goes on where it was."""
    ACTIONS: ClassVar[tuple[Command, ...]] = ACTIONS
    BINDINGS = bindings(ACTIONS)

    # -- the form ----------------------------------------------------------------------------------------------------

    @on(FormGrid.Turned)
    def _turned(self, event: FormGrid.Turned) -> None:
        self.pane.turn(event.by)

    @on(Grid.Selected, "#form-grid")
    def _selected(self) -> None:
        self.action_edit()

    def action_edit(self) -> None:
        """Type a field, or go on where there is nothing to type."""
        if self._on(FORM):
            if self.pane.is_go():
                self.action_plan()
            elif not self.pane.edit():
                self.pane.turn(1)

    def action_turn(self, by: int) -> None:
        """Another choice."""
        if self._on(FORM):
            self.pane.turn(by)

    def action_clear(self) -> None:
        """The default of the field under the cursor."""
        if self._on(FORM) and self.pane.current in FIELDS:
            self.put(self.pane.current, "")

    def action_more(self) -> None:
        """All settings, or the usual ones."""
        if self._on(FORM):
            self.form.more = not self.form.more
            self._draw_form()

    def action_plan(self) -> None:
        """Check everything, then the plan."""
        if self._on(FORM) and self.begun and not self.missing:
            self.form.asked = True
            self.pane.check(self.lorascope.desk, go=True)

    @on(FormPane.Wanted)
    def _wanted(self, event: FormPane.Wanted) -> None:
        launching.show_plan(self, event.checked)

    def action_which(self) -> None:
        """Which checkpoints."""
        if self._on(FORM):
            launching.choose_checkpoints(self)

    def action_preset(self) -> None:
        """A preset."""
        if self._on(FORM):
            launching.choose_preset(self)

    def put(self, name: str, text: str) -> None:
        """Fill in one field."""
        if self.form.put(name, text):
            self._changed()

    def fill_in(self, texts: dict[str, str]) -> None:
        """Fill in the form anew and show it."""
        self.form.replace(texts)
        self.state.launch_page = FORM
        self.refresh_view()
        self._changed()

    # -- the jobs ----------------------------------------------------------------------------------------------------

    @on(JobsPane.Moved)
    def _job_moved(self) -> None:
        job = self.jobs.current
        if job:
            self.state.launch_job = str(job.run)
        self._say()

    @on(JobsPane.Opened)
    def _opened(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        """The job's results."""
        if job := self._job():
            launching.open_results(self, job)

    def action_stop(self) -> None:
        """Stop the job."""
        if job := self._job():
            launching.stop_job(self, job)

    def action_resume(self) -> None:
        """Go on with the job."""
        if job := self._job():
            launching.resume_job(self, job)

    def action_again(self) -> None:
        """The job's settings in the form."""
        if job := self._job():
            launching.edit_again(self, job)

    def action_detail(self, by: int) -> None:
        """Another page of the job."""
        if self._on(JOBS):
            names = [name for name, _title in DETAILS]
            self.state.launch_detail = names[(names.index(self.detail) + by) % len(names)]
            self.jobs.turn_to(self.detail)

    @on(PageBar.Chosen, "#job-pages")
    def _chosen_detail(self, event: PageBar.Chosen) -> None:
        self.state.launch_detail = event.name
        self.jobs.turn_to(self.detail)

    def action_details(self) -> None:
        """From the list to the page below it and back."""
        if self._on(JOBS):
            self.jobs.switch_focus()

    def _job(self) -> JobSnapshot | None:
        return self.jobs.current if self._on(JOBS) else None

    # -- both --------------------------------------------------------------------------------------------------------

    def action_page(self) -> None:
        """From the form to the jobs and back."""
        self.state.launch_page = JOBS if self.page == FORM else FORM
        self.refresh_view()

    @on(PageBar.Chosen, "#launch-pages")
    def _chosen(self, event: PageBar.Chosen) -> None:
        self.state.launch_page = event.name
        self.refresh_view()

    def action_copy(self) -> None:
        """The shell command."""
        launching.copy_command(self)

    def _on(self, page: str) -> bool:
        """Whether that page is shown; says that the key is for it otherwise."""
        if self.page != page:
            self.notify(_("this key is for the other page: tab leads there"), timeout=2.5)
        return self.page == page
