"""What Checkpoint shows: which run and checkpoint, the page, and the status line. Its keys are elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual import on
from textual.widget import Widget

from engine.i18n import gettext as _
from engine.i18n import listing
from engine.text import visible
from tui.screens.base import LorascopeScreen
from tui.screens.checkpoint_keys import PAGES, TABLE, commands_on
from tui.screens.frames_pane import FramesPane
from tui.state import BEST
from tui.widgets.bars import KeyBar
from tui.widgets.grid import Grid
from tui.widgets.page_bar import PageBar

if TYPE_CHECKING:
    from tui.checkpoint_pages import Pages, Wish
    from tui.library import Library, Loaded


class CheckpointView(LorascopeScreen):
    """One checkpoint, page by page."""

    def __init__(self) -> None:
        super().__init__()
        self._pages: tuple[Library, Pages] | None = None
        self._page_drawn = ""

    def body(self) -> Iterator[Widget]:
        """The pages' names, the table of all metrics, and what shows the other pages."""
        yield PageBar(PAGES, id="checkpoint-pages")
        yield Grid(frozen=2, empty=_("reading …"), id="checkpoint-grid", classes="body")
        yield FramesPane(self._turn, id="checkpoint-frames", classes="body")

    @property
    def grid(self) -> Grid:
        """The table of all metrics."""
        return self.query_one("#checkpoint-grid", Grid)

    @property
    def pane(self) -> FramesPane:
        """The other pages."""
        return self.query_one(FramesPane)

    @property
    def page(self) -> str:
        """The page that is shown."""
        page = self.state.checkpoint_page
        return page if page in dict(PAGES) else TABLE

    @property
    def is_drawn(self) -> bool:
        """Whether what was asked for is on the screen."""
        return self._page_drawn == self.page and (self.page == TABLE or self.pane.is_drawn)

    def run_key(self) -> str | None:
        """The run that is shown: the chosen one, else the first of the active ones."""
        return self.run_or_first(self.state.checkpoint_run)

    def current(self) -> tuple[Loaded, str] | None:
        """The run and the checkpoint that is shown; None while it is read or where there is none."""
        key = self.run_key()
        library = self.library
        loaded = self.need([key]) if key else None
        if not loaded or library is None:
            return None
        wanted = self.state.checkpoint
        names = loaded[0].analysis.names
        if wanted == BEST or wanted not in names:
            last = (loaded[0].checkpoints or names)[-1:]
            wanted = library.best(loaded[0], self.state.objective) or "".join(last)
        return (loaded[0], wanted) if wanted else None

    def refresh_view(self) -> None:
        """The chosen page of the chosen checkpoint."""
        page = self.page
        self.query_one(PageBar).show(page, plain=self.lorascope.plain_mode)
        if self.run_key() is None:
            self.grid.empty = self.without_runs(_("no run to show: see 1 Runs"))
            return
        current = self.current()
        library = self.library
        if current is None or library is None:
            return
        if page == TABLE:
            self._show_table(library, *current)
            self._turn_to(TABLE)
        else:
            self.judging = False  # nothing on the other pages is
            wish = self.wished()
            if wish is not None:
                self.pane.show(self.make_pages(library), wish)
        self._say()

    def _turn(self) -> None:
        """The page's contents are there; until then what was shown before stays."""
        if self.page != TABLE:
            self._turn_to(self.page)
            self._say()

    def _turn_to(self, page: str) -> None:
        self.grid.display = page == TABLE
        self.pane.display = page != TABLE
        if page != self._page_drawn:
            self._page_drawn = page
            self.query_one(KeyBar).show([*commands_on(page), *self.lorascope.ACTIONS])
        if not self.is_current:
            return
        if page == TABLE:
            self.grid.focus()
        else:
            self.pane.take_focus()

    def _show_table(self, library: Library, loaded: Loaded, checkpoint: str) -> None:
        from engine.analysis.calibration import on_scale
        from engine.analysis.losses import losses
        from tui.checkpoint_table import CheckpointSource

        first = self.grid.source is None
        evidence = self.evidence(loaded)
        # The score stands among the metrics where the run has one; what was judged is at hand.
        metrics = loaded.analysis.metrics
        self.judging = self.need_parts(loaded, metrics)
        known = evidence is not None and evidence.knows_parts(metrics)
        source = CheckpointSource(
            library,
            loaded,
            checkpoint,
            differences=evidence.differences(metrics) if evidence else None,
            scale=on_scale(evidence.scale(metrics), checkpoint, loaded.run.baseline) if evidence and known else None,
            loses=losses(evidence.lost(metrics), checkpoint) if evidence and known else None,
            plain=self.lorascope.plain_mode,
        )
        self.grid.set_source(source)
        if first:
            self.point_at(self.state.checkpoint_metric)

    def point_at(self, key: str) -> None:
        """Put the table's cursor on a metric."""
        source = self.grid.source
        if key and source is not None:
            rows = [row for row in range(source.row_count) if source.row_key(row) == key]
            if rows:
                self.grid.move_cursor(row=rows[0])

    def _remark(self) -> str:
        """What to mind of the metric under the table's cursor."""
        from tui.checkpoint_table import CheckpointSource

        source = self.grid.source
        return source.remark(self.grid.cursor_row) if isinstance(source, CheckpointSource) else ""

    def make_pages(self, library: Library) -> Pages:
        """What makes the contents of the pages, with the settings of the library."""
        if self._pages is None or self._pages[0] is not library:
            from tui.checkpoint_pages import Pages

            self._pages = library, Pages(library)
        return self._pages[1]

    def wished(self) -> Wish | None:
        """What the page shows, or would show of the present checkpoint."""
        from tui.checkpoint_pages import wish_of

        current, library = self.current(), self.library
        if current is None or library is None:
            return None
        return wish_of(self.state, self.page, library, *current, plain=self.lorascope.plain_mode)

    @on(FramesPane.Moved)
    def _say(self) -> None:
        current, wish = self.current(), self.wished()
        if current is None or wish is None:
            return
        loaded, checkpoint = current
        names = loaded.analysis.names
        of = _("({number} of {total})").format(number=names.index(checkpoint) + 1, total=len(names))
        parts = [f"{loaded.run.name} · {checkpoint}  {of}"]
        if self.page == TABLE:
            baseline = loaded.run.baseline
            parts.append(
                _("against {checkpoint}").format(checkpoint=baseline) if baseline else _("no baseline: press 1, then B")
            )
            if self.state.in_basket(loaded.key, checkpoint):
                parts.append(_("in the basket"))
            if self.judging:
                parts.append(_("judging…"))
            missing = listing(loaded.analysis.score_missing)
            warning = _("no score: the run lacks {metrics}").format(metrics=missing) if missing else ""
            self.show_status("  ·  ".join(parts), self._remark() or warning)
            return
        content, place = self.pane.content, self.pane.place()
        against = wish.subject.against
        parts = [f"{checkpoint} {of}" + (f" {_('against {checkpoint}').format(checkpoint=against)}" if against else "")]
        if content is None or self.pane.is_waiting:
            parts.append(_("reading …"))
        else:
            parts += [content.about, place[0] if place else ""]
        parts.append(loaded.run.name)
        self.show_status("  ·  ".join(visible(part) for part in parts if part), content.note if content else "")
