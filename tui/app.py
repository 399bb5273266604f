"""The app: themes, which screen is shown, keys that work everywhere. Everything else lives in the screens."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.driver import Driver
from textual.notifications import SeverityLevel
from textual.screen import Screen

from engine.i18n import gettext as _
from engine.i18n import listing
from engine.results.model import RunRef
from engine.text import visible
from tui.commands import Command, bindings
from tui.driver import lean
from tui.finding import Finder
from tui.loader import Batch, Judging, Loader
from tui.messages import JobsSeen, RunsFound, RunsRead
from tui.palettes import PalettesApp
from tui.screens.base import LorascopeScreen
from tui.screens.runs import RunsScreen
from tui.session import KEEP_LOADED, Session
from tui.state import load_preferences, save_preferences
from tui.themes import DEFAULT_THEME, THEMES

if TYPE_CHECKING:
    from tui.evaluations.desk import Desk
    from tui.evaluations.watching import Board, Watcher

# name -> module and class; imported when first shown.
_SCREENS = {
    "compare": "tui.screens.compare:CompareScreen",
    "trends": "tui.screens.trends:TrendsScreen",
    "pick": "tui.screens.pick:PickScreen",
    "checkpoint": "tui.screens.checkpoint:CheckpointScreen",
    "launch": "tui.screens.launch:LaunchScreen",
}


class LorascopeApp(PalettesApp):
    """lorascope in the terminal.

    Args:
        paths: where to look for runs; empty means the current folder, else the samples.
        theme: a theme's name; by default the one chosen last.
        plain: draw with ASCII alone.
        config: a ``lorascope.toml`` that was named.
        finder: already looking for runs below ``paths``; by default one is started.
        desk: starts evaluations and looks at jobs; by default the one that really does.
    """

    TITLE = "lorascope"
    CSS_PATH = "styles/app.tcss"
    ACTIONS: ClassVar[tuple[Command, ...]] = (
        Command("show('runs')", "1", "runs", "Go to Runs.", footer=False),
        Command("show('compare')", "2", "compare", "Go to Compare.", footer=False),
        Command("show('trends')", "3", "trends", "Go to Trends.", footer=False),
        Command("show('pick')", "4", "pick", "Go to Pick.", footer=False),
        Command("show('checkpoint')", "5", "checkpoint", "Go to Checkpoint.", footer=False),
        Command("show('launch')", "6", "launch", "Go to Launch.", footer=False),
        Command("reload", "ctrl+r", "reload", "Look for runs again and read them anew.", footer=False),
        Command("theme", "T", "theme", "Change to the next of lorascope's themes.", footer=False),
        Command("plain", "P", "plain text", "Draw with ASCII characters alone, or no longer.", footer=False),
        Command("help", "question_mark,f1", "help", "Explain this screen and list its keys."),
        Command("command_palette", "ctrl+p", "palette", "Find a command by its name.", footer=False),
        Command("quit", "q,ctrl+q", "quit", "Leave lorascope; the view is kept for this folder."),
    )
    BINDINGS = bindings(ACTIONS)

    def __init__(
        self,
        paths: Sequence[Path] = (),
        *,
        theme: str | None = None,
        plain: bool = False,
        config: Path | None = None,
        finder: Finder | None = None,
        desk: Desk | None = None,
    ) -> None:
        super().__init__()
        # Every frame of an animation is bytes that a slow line has to carry.
        self.animation_level = "none"
        self.session = Session(paths, config)
        self.plain_mode = plain
        self._loader: Loader | None = None
        self._desk = desk
        self._watcher: Watcher | None = None
        self._finder = finder or Finder(self.session.roots)
        for entry in THEMES:
            self.register_theme(entry)
        wanted = theme or str(load_preferences().get("theme", "")) or DEFAULT_THEME
        self.theme = wanted if wanted in self.available_themes else DEFAULT_THEME
        self._unknown_theme = theme if theme and theme not in self.available_themes else None

    def get_driver_class(self) -> type[Driver]:
        """Textual's driver, with shorter style sequences: over SSH every byte is waited for."""
        return lean(super().get_driver_class())

    def get_default_screen(self) -> Screen[None]:
        """Runs is there from the start, with what was found by now: no empty screen is drawn before it."""
        self._take_found()
        screen = RunsScreen()
        self.install_screen(screen, "runs")
        return screen

    def on_mount(self) -> None:
        """Paint what is known by now, read after that."""
        self.set_class(self.plain_mode, "-plain")
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        # What was imported stays for good: without it in the collector's lists a collection is not felt at the keys.
        gc.freeze()
        if self._unknown_theme:
            known = listing(entry.name for entry in THEMES)
            said = _("unknown theme {name}; known: {names}, …").format(name=repr(self._unknown_theme), names=known)
            self.notify(said, severity="warning")
        self._loader = Loader(self.session.config_path, self._deliver)
        self._read(list(self.session.refs.values()))
        self._listen()
        self.watch_jobs(closely=False)
        if self.session.state.screen != "runs" and not self.session.state_is_fresh:
            self.action_show(self.session.state.screen)

    def _deliver(self, batch: Batch) -> None:
        """In the loader's thread."""
        self.post_message(RunsRead(batch))

    def on_unmount(self) -> None:
        """Keep the view; stop reading."""
        if self._loader:
            self._loader.stop()
        if self._watcher:
            self._watcher.stop()
        self.session.save()

    def on_runs_found(self) -> None:
        """Show them at once, read them in the background."""
        self._take_found()
        self._follow()

    def _take_found(self) -> None:
        for found in self._finder.take():
            self.session.add_refs(found.refs)
            self.session.samples |= found.samples
            self.session.discovering = not found.done
            for notice in found.notices:
                self.notify(notice, severity="warning", timeout=10)
            self._read(found.refs)

    def _read(self, refs: Sequence[RunRef]) -> None:
        if refs and self._loader:
            # A few runs stay in memory: Compare and Trends then open without reading them again.
            keep = len(self.session.refs) <= KEEP_LOADED
            self._loader.request(refs, keep=keep, baselines=self.session.state.baselines)

    def _announce_found(self) -> None:
        """In the finder's thread."""
        self.post_message(RunsFound())

    def _listen(self) -> None:
        self._finder.listen(self._announce_found)

    def request(self, refs: Iterable[RunRef]) -> None:
        """Have runs read before all others; the screens are told when they are there."""
        if self._loader:
            self._loader.request(refs, urgent=True, keep=True, baselines=self.session.state.baselines)

    def judge(self, judging: Judging) -> None:
        """Have a run judged in the background; the screens are told when it is."""
        if self._loader:
            self._loader.judge(judging)

    @property
    def desk(self) -> Desk:
        """Starts evaluations and looks at jobs; to be called in threads."""
        if self._desk is None:
            from tui.evaluations.desk import Desk

            self._desk = Desk(self.session.places)
        return self._desk

    def watch_jobs(self, *, closely: bool, now: bool = False) -> None:
        """Have jobs looked at from now on: often where somebody looks on, and at once where something was done."""
        if self._watcher is None:
            from tui.evaluations.watching import Freshness, Watcher

            self._watcher = Watcher(lambda: self.desk, Freshness(self.session.places), self._announce_jobs)
        self._watcher.watch(closely=closely, now=now)

    def _announce_jobs(self, board: Board) -> None:
        """In the watcher's thread."""
        self.post_message(JobsSeen(board))

    def on_jobs_seen(self, event: JobsSeen) -> None:
        """Show them; read what they have computed since. What was read before is shown until then."""
        for job in self.session.take_jobs(event.board.jobs):
            self.notify(f"{job.name}: {_(job.state.value)}{f' ({job.why})' if job.why else ''}", timeout=6)
        self.session.add_refs(event.board.fresh)
        if self._loader and event.board.fresh:
            self._loader.request(event.board.fresh, urgent=True, keep=True, baselines=self.session.state.baselines)
        for screen in self.screen_stack:
            if isinstance(screen, LorascopeScreen) and screen.is_current:
                screen.follow_jobs()

    def on_runs_read(self, event: RunsRead) -> None:
        """Take over what was read."""
        batch = event.batch
        self.session.library = batch.library
        for overview in batch.overviews:
            self.session.overviews[overview.key] = overview
        for loaded in batch.loaded:
            self.session.add_loaded(loaded)
        for judging, evidence in batch.judged:
            self.session.add_judged(judging.loaded, evidence)
        for error in batch.errors:
            self.notify(error, severity="error", timeout=12)
        self._follow()

    def _follow(self) -> None:
        if isinstance(self.screen, LorascopeScreen):
            self.screen.follow()
        else:  # a dialog is open above the screen
            for screen in self.screen_stack:
                if isinstance(screen, LorascopeScreen):
                    screen.follow()

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Say something in a corner. Messages hold outside text: they are literal, whatever the caller thinks."""
        super().notify(visible(message), title=title, severity=severity, timeout=timeout, markup=False)

    def action_show(self, name: str) -> None:
        """Show a screen by its name. Runs lies at the bottom of the stack, the others one above it."""
        if not isinstance(self.screen, LorascopeScreen) or name == self.screen.NAME:
            return
        self.session.state.screen = name
        if name == "runs":
            self.pop_screen()
            return
        if not self.is_screen_installed(name):
            module, attribute = _SCREENS[name].split(":")
            self.install_screen(getattr(import_module(module), attribute)(), name)
        if self.screen.NAME == "runs":
            self.push_screen(name)
        else:
            self.switch_screen(name)

    def action_reload(self) -> None:
        """Look for runs again."""
        self.session.clear()
        self._follow()
        self._finder = Finder(self.session.roots)
        self._listen()

    def action_theme(self) -> None:
        """The next of the own themes."""
        names = [entry.name for entry in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
        self.notify(self.theme, timeout=1.5)

    def watch_theme(self, theme: str) -> None:
        """A chosen theme holds everywhere and for the next start."""
        if self.is_running:
            save_preferences({**load_preferences(), "theme": theme})

    def action_plain(self) -> None:
        """Plain text on or off."""
        self.plain_mode = not self.plain_mode
        self.set_class(self.plain_mode, "-plain")
        self._follow()
        self.refresh_css()

    def action_help(self) -> None:
        """Explain the screen."""
        from tui.screens.help import HelpScreen

        if isinstance(self.screen, LorascopeScreen):
            self.push_screen(HelpScreen(self.screen, self.ACTIONS))
