"""What every screen has: tabs, a body, a status line, keys; and how it follows the session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from engine.i18n import gettext as _
from engine.i18n import mark
from tui.commands import Command
from tui.widgets.bars import KeyBar, StatusLine, TabBar

if TYPE_CHECKING:
    from engine.analysis.evidence import Evidence
    from tui.app import LorascopeApp
    from tui.library import Library, Loaded
    from tui.session import Session
    from tui.state import ViewState

TABS = (
    ("runs", mark("Runs")),
    ("compare", mark("Compare")),
    ("trends", mark("Trends")),
    ("pick", mark("Pick")),
    ("checkpoint", mark("Checkpoint")),
    ("launch", mark("Launch")),
)

# Below these sizes a screen gives up what it can do without.
NARROW_COLUMNS = 80
SHORT_ROWS = 16
TINY_COLUMNS = 36
TINY_ROWS = 8


class LorascopeScreen(Screen[None]):
    """The base of the app's screens.

    A screen draws from the session in :meth:`refresh_view`, which is called when it is shown and whenever runs were
    found or read. It asks for runs with :meth:`need`, which returns them or has them read first.
    """

    NAME: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    ACTIONS: ClassVar[tuple[Command, ...]] = ()
    _composed = False
    # Whether verdicts of what is shown are still to come.
    judging = False

    @property
    def lorascope(self) -> LorascopeApp:
        """The app, by its own type."""
        return cast("LorascopeApp", self.app)

    @property
    def session(self) -> Session:
        """What the app knows."""
        return self.lorascope.session

    @property
    def state(self) -> ViewState:
        """What the user has chosen."""
        return self.session.state

    @property
    def library(self) -> Library | None:
        """The analysis with this user's configuration; None until the first run was read."""
        return self.session.library

    def compose(self) -> ComposeResult:
        """Tabs, body, status, keys."""
        yield TabBar(TABS, self.NAME)
        yield from self.body()
        yield StatusLine()
        yield KeyBar([*self.ACTIONS, *self.lorascope.ACTIONS])

    def body(self) -> Iterator[Widget]:
        """The widgets between tabs and status line."""
        raise NotImplementedError

    def refresh_view(self) -> None:
        """Draw what the session holds now. Must be cheap and may be called at any time."""
        raise NotImplementedError

    def run_or_first(self, chosen: str) -> str | None:
        """The chosen run, else the first of the active ones; None where there is none."""
        if self.session.usable(chosen):
            return chosen
        return next(iter(self.session.active_runs()), None)

    def without_runs(self, said: str) -> str:
        """What stands where nothing can be shown: that runs are looked for, else what is said when there is none."""
        return _("looking for runs …") if self.session.discovering else said

    def need(self, keys: Iterable[str]) -> list[Loaded] | None:
        """The runs of these keys; None if some have to be read first (``refresh_view`` is called again then)."""
        wanted = list(dict.fromkeys(keys))
        missing = self.session.missing(wanted)
        if missing:
            self.lorascope.request(missing)
            return None
        return [loaded for key in wanted if (loaded := self.session.loaded(key)) is not None]

    def evidence(self, loaded: Loaded) -> Evidence | None:
        """What tells a run's changes from chance; None while that is found out, or where it cannot be."""
        done, evidence = self.session.judged(loaded)
        if not done:
            self._judge(loaded, None)
        return evidence

    def need_ties(self, loaded: Loaded, objective: str, checkpoints: Sequence[str]) -> bool:
        """Have the tie group of a ranking found out, unless it is known.

        Args:
            loaded: the run.
            objective: the metric that was ranked by.
            checkpoints: those that stand for choice, best first.

        Returns:
            Whether it is still to come.
        """
        done, evidence = self.session.judged(loaded)
        if done and (evidence is None or evidence.knows_ties(objective, checkpoints)):
            return False
        self._judge(loaded, evidence, objective, checkpoints)
        return True

    def need_parts(self, loaded: Loaded, metrics: Sequence[str]) -> bool:
        """Have some metrics of a run judged in every part of its sample and read on its scale, unless they were.

        Asked for after the verdicts on the whole, which come sooner.

        Args:
            loaded: the run.
            metrics: keys, ``score`` among them.

        Returns:
            Whether that is still to come.
        """
        done, evidence = self.session.judged(loaded)
        if not done:
            return True
        if evidence is None or evidence.statistics is None or evidence.knows_parts(metrics):
            return False
        self._judge(loaded, evidence, parts=metrics)
        return True

    def _judge(
        self,
        loaded: Loaded,
        evidence: Evidence | None,
        objective: str = "",
        checkpoints: Sequence[str] = (),
        parts: Sequence[str] = (),
    ) -> None:
        from tui.loader import Judging

        self.lorascope.judge(Judging(loaded, evidence, objective, tuple(checkpoints), tuple(parts)))

    def show_status(self, text: str, warning: str = "") -> None:
        """Set the status line."""
        self.query_one(StatusLine).show(text, warning)

    def on_mount(self) -> None:
        """Draw once, as far as things are known."""
        self._composed = True
        self.follow()

    def on_screen_resume(self) -> None:
        """Draw again: the session may have changed while another screen was shown."""
        self.follow()

    def follow(self) -> None:
        """Draw the session's present state; nothing before the screen has its widgets."""
        if not self._composed:
            return
        self.query_one(TabBar).show_right(self.session.headline())
        self.refresh_view()

    def follow_jobs(self) -> None:
        """Draw what jobs have changed; most screens show nothing of them."""

    def on_tab_bar_chosen(self, event: TabBar.Chosen) -> None:
        """A tab was clicked."""
        self.lorascope.action_show(event.name)

    def on_resize(self, event: events.Resize) -> None:
        """Give up what does not fit."""
        width, height = event.size
        self.set_class(width < NARROW_COLUMNS, "-narrow")
        self.set_class(height < SHORT_ROWS, "-short")
        self.set_class(width < TINY_COLUMNS or height < TINY_ROWS, "-tiny")
