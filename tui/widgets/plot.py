"""The plot on the screen: panels in a grid, a legend, a readout, and a cursor that costs few bytes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual.app import ComposeResult
from textual.events import Click, Resize
from textual.geometry import Size
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import get_current_worker

from tui.plots.drawing import Drawing
from tui.plots.layout import Layout, arrange
from tui.plots.palette import PlotPalette
from tui.plots.readout import readout
from tui.plots.spec import Figure
from tui.widgets.plot_drawings import DrawingCache, Job, Look, draw_missing
from tui.widgets.plot_messages import CursorMoved, DrawingsReady, Drawn
from tui.widgets.plot_page import Cell, Page, Panel
from tui.widgets.plot_paint import Painter, Runs, changed_cells, kept_whole, last_line, legend_rows
from tui.widgets.plot_slice import PlotSlice, slices

LEGEND_FROM, FOOTER_FROM = 8, 6  # rows from which there is room for a legend, and for the readout
_DEBOUNCE_SECONDS = 0.05
_LEGEND_ROWS = 2


class PlotView(Widget):
    """Shows a figure.

    Drawing happens in a thread; what was drawn before is kept and shown at once. It binds no keys: a screen calls
    :meth:`move_cursor`, :meth:`next_panel` and :meth:`previous_panel`.

    Args:
        plain: ASCII alone.
    """

    DEFAULT_CSS = """
    PlotView { layout: horizontal; height: 1fr; width: 1fr; }
    """

    CursorMoved = CursorMoved
    Drawn = Drawn

    def __init__(self, *, plain: bool = False, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._plain = plain
        self._figure = Figure("")
        self._positions: tuple[float, ...] = ()
        self._cursor: int | None = None
        self._overlay: dict[Cell, tuple[str, str]] = {}
        self._palette = PlotPalette.monochrome()
        self._painter: Painter | None = None
        self._layout = Layout(())
        self._laid = Size()
        self._page_index, self._page = 0, Page()
        self._legend: tuple[Runs, ...] = ()
        self._lines: dict[int, Strip] = {}
        self._request, self._pending, self._problem = 0, False, ""
        self._jobs: tuple[Job, ...] = ()
        self._cache = DrawingCache()
        self._timer: Timer | None = None

    @property
    def figure(self) -> Figure:
        """What is shown."""
        return self._figure

    @property
    def plain(self) -> bool:
        """Whether it draws with ASCII alone."""
        return self._plain

    @plain.setter
    def plain(self, plain: bool) -> None:
        if plain != self._plain:
            self._plain = plain
            if self.is_attached:
                self._recolour()
                self._start()

    @property
    def pages(self) -> int:
        """How many pages the panels need at this size."""
        return len(self._layout.pages)

    @property
    def page(self) -> int:
        """The page shown, 0-based."""
        return self._page_index

    @property
    def is_drawn(self) -> bool:
        """Whether what was asked for last is on the screen."""
        return not self._pending

    @property
    def cursor_index(self) -> int | None:
        """Where the cursor stands, as an index into ``figure.positions()``; ``None`` while it is hidden."""
        return self._cursor

    def show(self, figure: Figure, *, keep: bool = True) -> None:
        """Show another figure.

        Args:
            figure: what to show; nothing happens where it is shown already.
            keep: whether the cursor stays at its x, where the new figure has it, the page at its number, and the old
                figure on the screen until the new one is drawn.
        """
        if figure == self._figure:
            return
        x = self._x() if keep else None
        self._figure, self._pending = figure, True
        self._positions = figure.positions()
        self._cursor = self._positions.index(x) if x in self._positions else None
        if not keep:
            self._page_index, self._page, self._overlay = 0, Page(), {}
            self._repaint()
        self._start()

    def next_panel(self) -> None:
        """Turn to the next page of panels; after the last comes the first."""
        self._page_index = (self._page_index + 1) % max(1, self.pages)
        self._start()

    def previous_panel(self) -> None:
        """Turn to the previous page of panels; before the first comes the last."""
        self._page_index = (self._page_index - 1) % max(1, self.pages)
        self._start()

    def move_cursor(self, step: int) -> None:
        """Move the cursor by ``step`` positions; a hidden one appears at the best checkpoint, else at the last."""
        if not self._positions:
            return
        if self._cursor is None:
            best = next((m.x for p in self._figure.panels for m in p.markers if m.x in self._positions), None)
            self.set_cursor(self._positions.index(best) if best is not None else len(self._positions) - 1)
        else:
            self.set_cursor(self._cursor + step)

    def set_cursor(self, index: int | None) -> None:
        """Put the cursor at a position (the nearest one that exists), or hide it."""
        last = len(self._positions) - 1
        index = None if index is None or last < 0 else min(max(index, 0), last)
        if index == self._cursor:
            return
        self._cursor = index
        self._redraw_cursor()
        if index is not None:
            self.post_message(self.CursorMoved(self, index, self._positions[index], self.readout()))

    def readout(self) -> str:
        """What the panels on this page say at the cursor; empty while it is hidden."""
        x = self._x()
        visible = self._page.figure
        positions = visible.positions()
        return readout(visible, positions.index(x)) if x in positions else ""

    def compose(self) -> ComposeResult:
        """Slices side by side."""
        for _ in range(slices()):
            yield PlotSlice(self._line)

    def on_mount(self) -> None:
        """Follow the theme."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self._recolour())
        self._recolour()

    def on_resize(self, _: Resize) -> None:
        """Draw again once the size has settled; nothing where it was only hidden and is shown again."""
        if self.content_size == self._laid and not self._pending:
            return
        if self._timer is not None:
            self._timer.stop()
        self._pending = True
        self._repaint()
        self._timer = self.set_timer(_DEBOUNCE_SECONDS, self._start)

    def on_click(self, event: Click) -> None:
        """Put the cursor at the position nearest to the pointer."""
        at = event.screen_offset - self.content_region.offset
        near = self._page.nearest(self._positions, at.x, at.y)
        if near is not None:
            self.set_cursor(near)

    def _x(self) -> float | None:
        return None if self._cursor is None else self._positions[self._cursor]

    def _recolour(self) -> None:
        before, self._palette = self._palette, PlotPalette.from_theme(self.app.theme_variables)
        self._painter = None
        if before.distinct_lines != self._palette.distinct_lines:
            self._start()
        self._repaint()

    def _start(self) -> None:
        """Lay the page out; show it at once where all its drawings are known, else have a thread draw it."""
        width, height = self.content_size
        if not self.is_attached or width <= 0 or height <= 0:
            return
        self._laid = self.content_size
        look = Look(self._plain, self._palette.distinct_lines)
        self._legend = legend_rows(self._figure, look, width, _LEGEND_ROWS if height >= LEGEND_FROM else 0)
        rows = height - len(self._legend) - (height >= FOOTER_FROM)
        self._layout = arrange(len(self._figure.panels), width, rows)
        self._page_index = min(self._page_index, max(0, self.pages - 1))
        boxes = self._layout.pages[self._page_index] if self.pages else ()
        first = sum(len(page) for page in self._layout.pages[: self._page_index])
        panels = self._figure.panels[first : first + len(boxes)]
        self._request += 1
        self._pending = True
        self._jobs = tuple(Job(spec, box, look) for spec, box in zip(panels, boxes, strict=True))
        known = self._cache.find(self._jobs)
        drawn = tuple(drawing for drawing in known if drawing is not None)
        if len(drawn) == len(known):
            self._take(drawn)
        else:
            job = partial(self._draw, self._request, self._jobs, known)
            self.run_worker(job, group="plot", exclusive=True, thread=True)

    def _draw(self, request: int, jobs: tuple[Job, ...], known: tuple[Drawing | None, ...]) -> None:
        """In a thread."""
        worker = get_current_worker()
        found = draw_missing(jobs, known, lambda: worker.is_cancelled)
        if found is not None:
            self.post_message(DrawingsReady(request, *found))

    def on_plot_view_drawings_ready(self, message: DrawingsReady) -> None:
        """Show what the thread has drawn, unless something else has been asked for since."""
        message.stop()
        if message.request == self._request:
            if not message.problem:
                self._cache.keep(self._jobs, message.drawings)
            self._take(message.drawings, message.problem)

    def _take(self, drawings: tuple[Drawing, ...], problem: str = "") -> None:
        self._problem, self._pending = problem, False
        found = zip(self._jobs, drawings, strict=False)  # none where there was a problem
        self._page = Page(tuple(Panel(job.spec, job.box, drawing) for job, drawing in found))
        self._overlay = self._page.overlay(self._x())
        self._repaint_changes(range(self.content_size.height))
        self.post_message(self.Drawn(self))

    def _redraw_cursor(self) -> None:
        """Only what the cursor covered and covers, and the readout."""
        before, self._overlay = self._overlay, self._page.overlay(self._x())
        self._repaint_changes({row for row, _ in before.keys() | self._overlay.keys()} | {self.content_size.height - 1})

    def _repaint_changes(self, rows: Iterable[int]) -> None:
        """Repaint the cells of these rows that look different from what is on the screen."""
        for y in rows:
            shown = self._lines.pop(y, None)
            if shown is None:
                continue  # it has not been asked for yet: it will be drawn as it is then
            columns = changed_cells(shown, self._line(y))
            for part in self.query_children(PlotSlice):
                # In one piece: two pieces of a line would both be sent from the slice's edge.
                inside = [column for column in columns if part.left <= column < part.left + part.size.width]
                if inside:
                    part.refresh_cells(y, min(inside), max(inside))

    def _repaint(self) -> None:
        self._lines.clear()
        for part in self.query_children(PlotSlice):
            part.refresh()

    def _line(self, y: int) -> Strip:
        """One line of the whole widget."""
        if y not in self._lines:
            self._lines[y] = self._draw_line(y)
        return self._lines[y]

    def _draw_line(self, y: int) -> Strip:
        (width, height), painter = self.content_size, self._paint()
        if self._problem:
            return painter.text(self._problem if y == 0 else "", "note", width)
        legend_top = height - 1 - len(self._legend)
        edges = [part.left for part in self.query_children(PlotSlice)]
        if height >= FOOTER_FROM and y == height - 1:
            return painter.words(self._last_line(width), width, edges)
        if self._legend and y >= legend_top:
            return painter.words(self._legend[y - legend_top], width, edges)
        return painter.cells(kept_whole(self._page.row(y, width, self._overlay), edges))

    def _paint(self) -> Painter:
        """The styles of the moment; the widget's own style is only known once its CSS has been applied."""
        style = self.rich_style
        if self._painter is None or self._painter.base != style:
            self._lines.clear()
            self._painter = Painter(self._palette, style, colourless=self._plain)
        return self._painter

    def _last_line(self, width: int) -> Runs:
        """The readout, or what could not be drawn; and the page at its right end."""
        page = f" {self._page_index + 1}/{self.pages}" if self.pages > 1 else ""
        return last_line(self.readout() or self._figure.note, page, width, plain=self._plain)
