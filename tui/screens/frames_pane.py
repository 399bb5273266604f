"""The part of Checkpoint that shows single frames: asks a thread for a page's contents, and moves among them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from engine.i18n import gettext as _
from engine.i18n import listing
from engine.text import visible
from tui.format import metric_number, plain_text
from tui.screens.picture import PictureScreen, Shot
from tui.widgets.grid import Grid
from tui.widgets.grid_model import EmptySource
from tui.widgets.plot import PlotView

if TYPE_CHECKING:
    from tui.checkpoint_pages import Content, Pages, Wish
    from tui.frame_tables import FramesSource
    from tui.widgets.grid_model import GridSource

_KEPT = 24


class FramesPane(Vertical):
    """Shows one page of frames: a plot, a table, or a sentence.

    Args:
        turn: called when the contents of a page are there, so that it can be turned to.
    """

    DEFAULT_CSS = """
    FramesPane { display: none; }
    FramesPane > PlotView { display: none; }
    """

    class Ready(Message):
        """A thread has made the contents of a page."""

        def __init__(self, wish: Wish, content: Content) -> None:
            super().__init__()
            self.wish = wish
            self.content = content

    class Moved(Message):
        """The cursor is on another row."""

    def __init__(self, turn: Callable[[], None], *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._turn = turn
        self._wish: Wish | None = None
        self._drawn: Wish | None = None
        self._content: Content | None = None
        self._kept: OrderedDict[Wish, Content] = OrderedDict()
        self._cursors: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """The widgets of which a page shows one; sentences stand in the empty table."""
        yield Grid(frozen=2, id="frames-grid", classes="body")
        yield PlotView(id="frames-plot", classes="body")

    @property
    def grid(self) -> Grid:
        """The table."""
        return self.query_one(Grid)

    @property
    def plot(self) -> PlotView:
        """The plot."""
        return self.query_one(PlotView)

    @property
    def content(self) -> Content | None:
        """What is on the screen, which keys work on, while something else is read, too; ``None`` before the first."""
        return self._content

    @property
    def is_waiting(self) -> bool:
        """Whether something else is being read."""
        return self._wish != self._drawn

    @property
    def is_drawn(self) -> bool:
        """Whether what was asked for last is on the screen."""
        return not self.is_waiting and (not self.plot.display or self.plot.is_drawn)

    def show(self, pages: Pages, wish: Wish) -> None:
        """Show a page; what was shown before stays until a thread has made it."""
        if wish == self._wish:
            if wish == self._drawn:
                self._turn()
            return
        self._wish = wish
        if wish in self._kept:
            self._draw()
        else:
            self.run_worker(partial(self._make, pages, wish), group="frames", exclusive=True, thread=True)

    def _make(self, pages: Pages, wish: Wish) -> None:
        """In a thread."""
        self.post_message(self.Ready(wish, pages.make(wish)))

    @on(Ready)
    def _ready(self, message: Ready) -> None:
        message.stop()
        self._kept[message.wish] = message.content
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        if message.wish == self._wish:
            self._draw()

    def _draw(self) -> None:
        wish = self._wish
        if wish is None:
            return
        content = self._content = self._kept[wish]
        before, self._drawn = self._drawn, wish
        # What is hidden and shown changes once, with the contents: every change of the layout is a whole repaint.
        self.plot.display = content.figure is not None
        self.grid.display = content.figure is None
        if content.figure is not None:
            self.plot.plain = wish.plain
            self.plot.show(content.figure, keep=before is not None and before.page == wish.page)
        elif content.rows is not None:
            self._draw_rows(wish, before, content.rows)
        else:
            text = visible(content.sentence)
            self.grid.empty = plain_text(text) if wish.plain else text
            self.grid.set_source(EmptySource())
            self.grid.refresh()
        self._turn()

    def _draw_rows(self, wish: Wish, before: Wish | None, rows: GridSource) -> None:
        same_page = before is not None and before.page == wish.page
        # Another checkpoint's figures of the same frame are what one wants next; another order begins anew.
        keep = same_page and before is not None and before.order == wish.order
        self.grid.set_source(rows, keep_cursor=keep)
        if not same_page:
            self._go_to(self._cursors.get(wish.page, ""))

    def take_focus(self) -> None:
        """Give the keys to what is shown: the table where there is one."""
        if self.grid.display:
            self.grid.focus()
        else:
            self.screen.set_focus(None)

    def _go_to(self, key: str) -> bool:
        source = self.grid.source
        rows = (row for row in range(source.row_count) if source.row_key(row) == key) if source and key else iter(())
        found = next(rows, None)
        if found is not None:
            self.grid.move_cursor(row=found)
        return found is not None

    @on(Grid.Highlighted)
    def _moved(self, event: Grid.Highlighted) -> None:
        if self._drawn is not None:
            self._cursors[self._drawn.page] = event.key
        self.post_message(self.Moved())

    @property
    def frames(self) -> FramesSource | None:
        """The rows of the page of frames, if it is shown."""
        from tui.frame_tables import FramesSource

        rows = self.content.rows if self.content else None
        return rows if isinstance(rows, FramesSource) else None

    def place(self) -> tuple[str, int, int | None] | None:
        """Drive, window and frame under the cursor of the page of frames."""
        frames, row = self.frames, self.grid.cursor_row
        return frames.place(row) if frames is not None and 0 <= row < frames.row_count else None

    def step_apart(self, by: int) -> None:
        """Go to the next frame in the order of the difference, the largest first."""
        content = self.content
        if content is None or self.frames is None:
            return
        if not content.jumps:
            self.notify(_("there is nothing to differ from: choose another checkpoint with a"), timeout=2.5)
            return
        key = self.grid.cursor_key
        # From where it led to, it leads on; from anywhere else to the largest difference.
        led = key is not None and key in (self._cursors.get("jump"), content.jumps[0])
        at = content.jumps.index(key) + by if led and key in content.jumps else 0
        if not 0 <= at < len(content.jumps):
            self.notify(_("no frame is left in that direction"), timeout=1.5)
            return
        self._go_to(content.jumps[at])
        self._cursors["jump"] = content.jumps[at]

    def step_pictured(self) -> None:
        """Go to the next frame that has a picture; after the last one to the first."""
        frames = self.frames
        if frames is None:
            return
        count, at = frames.row_count, self.grid.cursor_row
        rows = ((at + ahead) % count for ahead in range(1, count + 1))
        found = next((row for row in rows if frames.has_picture(row)), None)
        if found is None:
            self.notify(_("this run keeps no picture of this checkpoint"), timeout=2.5)
        else:
            self.grid.move_cursor(row=found)

    def open_picture(self, pages: Pages) -> None:
        """Show the picture of the frame under the cursor, or say that it has none and which frames have."""
        content, wish, place = self.content, self._drawn, self.place()
        if content is None or wish is None or place is None:
            return
        shots = list(self._shots(pages, content, wish))
        _drive, window, frame = place
        at = next((i for i, shot in enumerate(shots) if (shot.own.window, shot.own.frame) == (window, frame)), None)
        if at is None:
            self.notify(_without(window, frame, shots), timeout=6)
            return
        plain = wish.plain
        self.app.push_screen(PictureScreen(shots, at, wish.subject.names, plain=plain))

    def _shots(self, pages: Pages, content: Content, wish: Wish) -> Iterator[Shot]:
        frames = self.frames
        rows = {frames.place(row)[1:]: row for row in range(frames.row_count)} if frames is not None else {}
        others = {(ref.window, ref.frame): ref for ref in pages.pictures(wish)}
        for ref in content.pictures:
            row = rows.get((ref.window, ref.frame))
            title = _("window {window} · frame {frame}").format(window=ref.window, frame=ref.frame)
            values = ("", "")
            if frames is not None and row is not None:
                own, against = (metric_number(figure, frames.metric) for figure in frames.figures(row))
                title, values = f"{title} · {visible(frames.metric.shown)}", (own, against)
            yield Shot(title, ref, others.get((ref.window, ref.frame)), values)


def _without(window: int, frame: int | None, shots: list[Shot]) -> str:
    what = _("window {window}") if frame is None else _("window {window}, frame {frame}")
    what = what.format(window=window, frame=frame)
    if not shots:
        return _("{frame} has no picture: this run keeps none of this checkpoint").format(frame=what)
    place = _("window {window} frame {frame}")
    there = listing(place.format(window=shot.own.window, frame=shot.own.frame) for shot in shots[:8])
    if len(shots) > 8:
        there = _("{names} and {count} more").format(names=there, count=len(shots) - 8)
    return _("{frame} has no picture; an evaluation keeps a few: {frames}").format(frame=what, frames=there)
