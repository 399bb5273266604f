"""Checkpoint: everything that is known of one checkpoint, page by page."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on

from engine.i18n import gettext as _
from engine.i18n import listing
from engine.remote.url import shown
from tui.commands import Command, bindings
from tui.screens.checkpoint_choices import choose_against, choose_metric, next_order, next_region
from tui.screens.checkpoint_keys import ACTIONS, FRAMES, ONLY_ON, PAGES, TABLE
from tui.screens.checkpoint_view import CheckpointView
from tui.state import BEST, BasketItem
from tui.widgets.grid import Grid
from tui.widgets.page_bar import PageBar


class CheckpointScreen(CheckpointView):
    """One checkpoint."""

    NAME = "checkpoint"
    HELP = """One checkpoint, on six pages. Table: every metric with the run's baseline, the change and its interval,
    its rank among the run's checkpoints (1 is the best), and its spread over frames; ▲ better and ▼ worse were told
    from chance, ≈: no difference is shown. "scale %" is how far the value is from chance (0) to the truth (100), where
    the run was scored by both; ! worse in a part of the sample, ? the metric carries no information there: the status
    line says more. The other pages ask the single frames of the metric under the table's cursor: its distribution; its
    frames, the worst first (▣: there is a picture, enter shows it); the depth metrics under each alignment; the
    photometric inlier curve with the threshold of the score; the metric in every part of the sample, with verdicts.
    They lay the checkpoint beside the baseline, or beside another one chosen with a; △ and ▽ there are better and
    worse by direction alone."""
    ACTIONS: ClassVar[tuple[Command, ...]] = ACTIONS
    BINDINGS = bindings(ACTIONS)

    @on(Grid.Highlighted, "#checkpoint-grid")
    def _moved(self, event: Grid.Highlighted) -> None:
        """The metric under the table's cursor is the one whose frames the other pages show."""
        from tui.frame_reading import frame_keys

        current = self.current()
        if self.page == TABLE and current and event.key in frame_keys(current[0]):
            self.state.checkpoint_metric = event.key
        self._say()

    @on(Grid.Selected)
    def _selected(self) -> None:
        self.action_open()

    @on(PageBar.Chosen)
    def _chosen(self, event: PageBar.Chosen) -> None:
        self.state.checkpoint_page = event.name
        self.refresh_view()

    def action_page(self, by: int) -> None:
        """Another page."""
        names = [name for name, _title in PAGES]
        self.state.checkpoint_page = names[(names.index(self.page) + by) % len(names)]
        self.refresh_view()

    def action_step(self, by: int) -> None:
        """The neighbour in training order."""
        current = self.current()
        if current is None:
            return
        loaded, checkpoint = current
        names = loaded.analysis.names
        at = names.index(checkpoint) + by
        if 0 <= at < len(names):
            self._show(loaded.key, names[at])

    def _show(self, run: str, checkpoint: str) -> None:
        self.state.checkpoint_run, self.state.checkpoint = run, checkpoint
        self.refresh_view()

    def action_checkpoint(self) -> None:
        """Any checkpoint of this run."""
        from tui.screens.choosing import choose_checkpoint

        current = self.current()
        if current:
            key = current[0].key
            choose_checkpoint(self, key, current[1], lambda name: self._show(key, name))

    def action_run(self) -> None:
        """Any run, its best checkpoint first."""
        from tui.screens.choosing import choose_run

        choose_run(self, _("Run"), lambda key: self._show(key, BEST))

    def action_against(self) -> None:
        """Another checkpoint beside this one."""
        current = self.current()
        if current and self._works("against"):
            wish = self.wished()
            choose_against(self, *current, wish.subject.against if wish else None, self._set("checkpoint_against"))

    def action_metric(self) -> None:
        """Another metric."""
        current, wish = self.current(), self.wished()
        if current and wish and self._works("metric"):
            choose_metric(self, current[0], wish.subject.key, self._set("checkpoint_metric"))

    def action_region(self) -> None:
        """Another region."""
        current, wish = self.current(), self.wished()
        if current and wish and self._works("region"):
            self._set("region")(next_region(current[0], wish.region))

    def action_order(self) -> None:
        """Frames in another order."""
        if self._works("order"):
            self._set("frames_order")(next_order(self.state.frames_order))

    def _set(self, name: str) -> Callable[[str], None]:
        def done(value: str) -> None:
            setattr(self.state, name, value)
            self.refresh_view()

        return done

    def _works(self, action: str) -> bool:
        """Whether a command does something on this page; says on which it does otherwise."""
        pages = ONLY_ON[action]
        if self.page not in pages:
            titles = listing(_(title) for name, title in PAGES if name in pages)
            self.notify(_("this key is for the pages {pages}: tab leads to them").format(pages=titles), timeout=2.5)
        return self.page in pages

    def action_apart(self, by: int) -> None:
        """The next frame in which the two checkpoints differ most."""
        if self._works("apart(1)"):
            self.pane.step_apart(by)

    def action_pictured(self) -> None:
        """The next frame that has a picture."""
        if self._works("pictured"):
            self.pane.step_pictured()

    def action_cursor(self, by: int) -> None:
        """Read another position of the plot."""
        if self.page in ONLY_ON["cursor(1)"]:
            self.pane.plot.move_cursor(by)

    def action_open(self) -> None:
        """The picture of a frame; elsewhere the metric over training."""
        if self.page != FRAMES:
            self.action_trend()
        elif self.library is not None:
            self.pane.open_picture(self.make_pages(self.library))

    def action_basket(self) -> None:
        """In or out."""
        current = self.current()
        if current:
            loaded, checkpoint = current
            inside = self.state.toggle_basket(BasketItem(loaded.key, checkpoint, considered=len(loaded.checkpoints)))
            said = _("in the basket ({count})") if inside else _("out of the basket ({count})")
            self.notify(said.format(count=len(self.state.basket)), timeout=1.5)
            self.refresh_view()

    def action_trend(self) -> None:
        """The metric under the cursor, or that of the page, over training."""
        wish = self.wished()
        key = self.grid.cursor_key if self.page == TABLE else wish.subject.key if wish else None
        if self.current() and key and "." in key:
            self.state.trend_metrics = [key]
            self.state.preset = "custom"
            self.lorascope.action_show("trends")

    def action_export(self) -> None:
        """Copy the files."""
        from tui.screens.exporting import export_checkpoints

        current = self.current()
        if current:
            export_checkpoints(self, [BasketItem(current[0].key, current[1], considered=len(current[0].checkpoints))])

    def action_copy(self) -> None:
        """Run and checkpoint as text, and the frame."""
        current = self.current()
        if current:
            place = self.pane.place() if self.page == FRAMES else None
            words = [shown(current[0].run.path), current[1], *(str(part) for part in place or () if part is not None)]
            self.app.copy_to_clipboard(" ".join(words))
            said = _("run, checkpoint and frame copied") if place else _("run and checkpoint copied")
            self.notify(said, timeout=1.5)
