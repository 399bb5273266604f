"""What Launch shows: the form, the jobs, and what is said of them. Its keys are in :mod:`tui.screens.launch`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from textual import on
from textual.message import Message
from textual.widget import Widget

from engine.i18n import gettext as _
from engine.i18n import mark, ngettext
from engine.text import listed, visible
from tui.evaluations.fields import FIELDS
from tui.evaluations.form import Form
from tui.evaluations.guessing import Presets, guess, read_presets
from tui.evaluations.job_pages import PAGES as DETAILS
from tui.format import short_path
from tui.screens.base import LorascopeScreen
from tui.screens.launch_form import FormPane
from tui.screens.launch_jobs import JobsPane
from tui.screens.launch_keys import FORM, JOBS, commands_on
from tui.widgets.bars import KeyBar
from tui.widgets.page_bar import PageBar

PAGES = ((FORM, mark("new evaluation")), (JOBS, mark("jobs")))


class LaunchView(LorascopeScreen):
    """The form and the jobs."""

    class _Begun(Message):
        """What the form begins with was looked up."""

        def __init__(self, missing: list[str], presets: Presets, found: dict[str, str]) -> None:
            super().__init__()
            self.missing = missing
            self.presets = presets
            self.found = found

    def __init__(self) -> None:
        super().__init__()
        self._form: Form | None = None
        self.presets = Presets()
        self.missing: list[str] = []
        self.begun = False
        self._page_drawn = ""
        self._candidates: tuple[str, ...] = ()
        self._checked_texts: dict[str, str] | None = None
        # A job that the cursor goes to as soon as it is there.
        self.wanted_job = ""
        self.stopped_firmly: set[Path] = set()

    @property
    def form(self) -> Form:
        """What is filled in."""
        if self._form is None:
            self._form = Form(self.state.launch)
        return self._form

    def body(self) -> Iterator[Widget]:
        """Pages, form, jobs."""
        yield PageBar([(name, _(title)) for name, title in PAGES], id="launch-pages")
        yield FormPane(self.form)
        yield JobsPane()

    @property
    def pane(self) -> FormPane:
        """The form."""
        return self.query_one(FormPane)

    @property
    def jobs(self) -> JobsPane:
        """The jobs."""
        return self.query_one(JobsPane)

    @property
    def page(self) -> str:
        """The page that is shown; at first that of the jobs where one is at work, else the form."""
        if self.state.launch_page in (FORM, JOBS):
            return self.state.launch_page
        return JOBS if any(job.state.alive for job in (self.session.jobs or {}).values()) else FORM

    def on_mount(self) -> None:
        """Look up what the form begins with."""
        config, here, places = self.session.config_path, Path.cwd(), self.session.roots

        def work() -> None:
            presets = read_presets(config)
            found: dict[str, str] = {}
            if not self.state.launch:
                found = next((each for place in (here, *places) if "data" in (each := guess(place))), guess(here))
            self.post_message(self._Begun(self.lorascope.desk.missing(), presets, found))

        super().on_mount()
        self.run_worker(work, thread=True, group="begin")

    @on(_Begun)
    def _begin(self, event: _Begun) -> None:
        self.begun, self.missing, self.presets = True, event.missing, event.presets
        if not self.state.launch:
            self.form.replace({**event.found, **event.presets.begin})
        for notice in event.presets.notices:
            self.notify(notice, severity="warning", timeout=10)
        self._draw_form()
        self.pane.check(self.lorascope.desk)

    def on_screen_resume(self) -> None:
        """Somebody looks on: look at jobs often."""
        self.lorascope.watch_jobs(closely=True)
        super().on_screen_resume()

    def on_screen_suspend(self) -> None:
        """Nobody does any more."""
        if not self.app.screen.is_modal:
            self.lorascope.watch_jobs(closely=False)

    def refresh_view(self) -> None:
        """The page that is chosen."""
        page = self.page
        self.query_one("#launch-pages", PageBar).show(page, plain=self.lorascope.plain_mode)
        self.pane.display, self.jobs.display = page == FORM, page == JOBS
        if page == JOBS:
            self.follow_jobs()
        elif self.begun:
            self._draw_form()
        if page != self._page_drawn:
            self._page_drawn = page
            self.query_one(KeyBar).show([*commands_on(page), *self.lorascope.ACTIONS])
            if self.is_current:
                (self.pane.grid if page == FORM else self.jobs.grid).focus()
        self._say()

    def follow_jobs(self) -> None:
        """The jobs as they are now."""
        if not self._composed:
            return
        if not self.state.launch_page and self.session.jobs is not None:
            # It is decided once: a page must not be turned under somebody who reads it.
            self.state.launch_page = self.page
            self.refresh_view()
            return
        if self.page != JOBS:
            return
        jobs = self.session.jobs
        wanted = self.wanted_job or (self.state.launch_job if self.jobs.current is None else "")
        if wanted and wanted in (jobs or {}):
            self.wanted_job = ""
        self.jobs.draw(
            list((jobs or {}).values()),
            self.detail,
            empty=_("looking for jobs …") if jobs is None else _("no jobs here: tab leads to the form"),
            plain=self.lorascope.plain_mode,
            run=wanted,
        )
        self._say()

    @property
    def detail(self) -> str:
        """What is told of a job."""
        names = [name for name, _title in DETAILS]
        return self.state.launch_detail if self.state.launch_detail in names else names[0]

    def _draw_form(self) -> None:
        if self.missing:
            names = listed(self.missing, 6)
            self.pane.refuse(
                _(
                    "Evaluating needs {names}, not installed here.\n\npip install 'lorascope[eval]'\n\n"
                    "Jobs on this file system can be watched all the same: tab."
                ).format(names=names)
            )
            return
        self.pane.draw(plain=self.lorascope.plain_mode)

    def _say(self) -> None:
        if self.page == JOBS:
            job = self.jobs.current
            self.show_status(short_path(job.run) if job else "", job.why if job else "")
            return
        if self._candidates:
            self.show_status("  ".join(map(visible, self._candidates)))
            return
        field = FIELDS.get(self.pane.current)
        wrong = self.form.mistakes()
        if field is None:
            self.show_status(_("p or enter: check, show the plan, start"), self._count(len(wrong)))
            return
        self.show_status(_(field.help), self.form.mistake(field.name))

    @staticmethod
    def _count(wrong: int) -> str:
        return (
            ngettext("{count} field is wrong", "{count} fields are wrong", wrong).format(count=wrong) if wrong else ""
        )

    @on(FormPane.Changed)
    def _changed(self) -> None:
        self.state.launch = self.form.texts
        self._draw_form()
        if self._checked_texts != self.form.texts:
            self._checked_texts = self.form.texts
            self.pane.check(self.lorascope.desk)
        self._say()

    @on(FormPane.Moved)
    def _moved(self, event: FormPane.Moved) -> None:
        self._candidates = event.candidates
        self._say()
