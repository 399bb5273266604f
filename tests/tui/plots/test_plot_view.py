"""The widget: pages, cursor, themes, and never more than it must repaint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from engine.errors import LorascopeError
from tui.plots import render
from tui.plots.layout import arrange
from tui.plots.spec import Figure, HLine, Marker, PlotSpec, Series
from tui.themes import THEMES
from tui.widgets.plot import PlotView


def panel(title: str, *values: float) -> PlotSpec:
    series = Series("", tuple(float(i) for i in range(len(values))), values, label=title)
    best = max(range(len(values)), key=values.__getitem__)
    return PlotSpec(
        title,
        x_label="checkpoint",
        series=(series,),
        hlines=(HLine(2.0, "baseline 2"),),
        markers=(Marker(float(best), values[best], "top"),),
        x_is_integer=True,
        digits=1,
    )


FIGURE = Figure("f", tuple(panel(f"panel {n}", 1.0, 2.0, 5.0 + n, 3.0) for n in range(4)), note="one thing is missing")
ALONE = Figure("g", (panel("alone", 4.0, 3.0, 2.0, 9.0, 1.0),))


class Demo(App[None]):
    def __init__(self, figure: Figure = FIGURE, *, theme: str = "lorascope-dark", plain: bool = False) -> None:
        super().__init__()
        for entry in THEMES:
            self.register_theme(entry)
        self.theme = theme
        self.figure, self.plain = figure, plain
        self.moves: list[PlotView.CursorMoved] = []

    def compose(self) -> ComposeResult:
        yield PlotView(plain=self.plain)

    def on_mount(self) -> None:
        self.plot.show(self.figure)

    @property
    def plot(self) -> PlotView:
        return self.query_one(PlotView)

    def on_plot_view_cursor_moved(self, event: PlotView.CursorMoved) -> None:
        self.moves.append(event)

    def screen_text(self) -> list[str]:
        return [strip.text for strip in self.screen._compositor.render_strips()]


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            await pilot.pause()
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never happened")


async def drawn(pilot: Pilot[None], app: Demo) -> list[str]:
    await until(pilot, lambda: app.plot.is_drawn and app.plot.pages > 0)
    return app.screen_text()


async def test_one_panel_per_page_at_80x24() -> None:
    app = Demo()
    async with app.run_test(size=(80, 24)) as pilot:
        text = await drawn(pilot, app)
        assert app.plot.pages == 4
        assert text[0].startswith("panel 0")
        assert text[-1].startswith("one thing is missing")
        assert text[-1].rstrip().endswith("1/4")
        assert "◆ best" in text[-2]
        app.plot.next_panel()
        text = await drawn(pilot, app)
        assert text[0].startswith("panel 1")
        app.plot.previous_panel()
        app.plot.previous_panel()
        text = await drawn(pilot, app)
        assert text[0].startswith("panel 3")


async def test_four_panels_at_120x40_and_again_one_after_a_resize() -> None:
    app = Demo()
    async with app.run_test(size=(120, 40)) as pilot:
        text = await drawn(pilot, app)
        assert app.plot.pages == 1
        assert text[0].startswith("panel 0")
        assert "panel 1" in text[0]
        assert sum("panel 3" in row for row in text) == 1
        await pilot.resize_terminal(70, 16)
        await until(pilot, lambda: app.plot.pages == 4 and app.plot.is_drawn)
        assert all(len(row) == 70 for row in app.screen_text())


async def test_the_cursor_reads_values_and_hides_nothing() -> None:
    app = Demo(ALONE)
    async with app.run_test(size=(80, 20)) as pilot:
        before = await drawn(pilot, app)
        app.plot.move_cursor(-1)
        await until(pilot, lambda: len(app.moves) == 1)
        assert app.plot.cursor_index == 3  # it appears at the best
        assert app.moves[0].text == "checkpoint 3: alone 9.0, +350 % on 2"
        text = app.screen_text()
        assert text[-1].startswith("checkpoint 3: alone 9.0, +350 % on 2")
        app.plot.move_cursor(-1)
        await until(pilot, lambda: len(app.moves) == 2)
        text = app.screen_text()
        assert sum(row.count("●") for row in text) == 1
        assert sum(row.count("▲") for row in text) == 1
        for _ in range(9):
            app.plot.move_cursor(-1)
        assert app.plot.cursor_index == 0
        app.plot.set_cursor(None)
        await pilot.pause()
        assert app.screen_text() == before


async def test_what_was_asked_for_last_is_shown() -> None:
    app = Demo()
    async with app.run_test(size=(80, 20)) as pilot:
        for number in range(6):
            app.plot.show(Figure("h", (panel(f"number {number}", 1.0, 2.0, float(number)),)))
        assert not app.plot.is_drawn
        assert (await drawn(pilot, app))[0].startswith("number 5")


async def test_a_click_puts_the_cursor_there() -> None:
    app = Demo(ALONE)
    async with app.run_test(size=(80, 20)) as pilot:
        await drawn(pilot, app)
        await pilot.click(PlotView, offset=(79, 5))
        assert app.plot.cursor_index == 4


def dirty_cells(app: Demo) -> int:
    return sum(region.area for part in app.plot.children for region in part._repaint_regions)


async def test_a_step_and_another_marker_repaint_few_cells() -> None:
    app = Demo()
    async with app.run_test(size=(120, 40)) as pilot:
        await drawn(pilot, app)
        app.plot.move_cursor(1)
        await pilot.pause()
        app.plot.move_cursor(1)
        assert 0 < dirty_cells(app) < 0.05 * 120 * 40
        await pilot.pause()
        # Drawn before, so that it is shown at once.
        first, *rest = FIGURE.panels
        moved = Figure("f", (replace(first, markers=(Marker(0.0, 1.0, "low"),)), *rest))
        for figure in (moved, FIGURE):
            app.plot.show(figure)
            await drawn(pilot, app)
        app.plot.show(moved)
        assert 0 < dirty_cells(app) < 0.05 * 120 * 40
        text = await drawn(pilot, app)
        assert any("low" in row for row in text)


async def test_the_cursor_stays_at_its_checkpoint_in_another_figure() -> None:
    app = Demo(ALONE)
    async with app.run_test(size=(80, 20)) as pilot:
        await drawn(pilot, app)
        app.plot.set_cursor(2)
        app.plot.show(FIGURE)
        await drawn(pilot, app)
        assert app.plot.cursor_index == 2
        app.plot.show(Figure("empty", (), "nothing is there"))
        await until(pilot, lambda: app.plot.is_drawn)
        assert app.plot.cursor_index is None
        assert app.screen_text()[-1].startswith("nothing is there")
        app.plot.move_cursor(1)
        assert app.plot.cursor_index is None


@pytest.mark.parametrize("theme", ["lorascope-dark", "lorascope-light", "lorascope-mono", "ansi-dark", "nord"])
async def test_text_can_be_seen_in_every_theme(theme: str) -> None:
    app = Demo(ALONE, theme=theme)
    async with app.run_test(size=(80, 20)) as pilot:
        await drawn(pilot, app)
        for strip in app.screen._compositor.render_strips():
            for segment in strip:
                style = segment.style
                if segment.text.strip() and style and style.color and style.bgcolor:
                    assert style.color != style.bgcolor or style.color.is_default


async def test_themes_change_colours_without_drawing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Demo(ALONE)
    async with app.run_test(size=(80, 20)) as pilot:
        text = await drawn(pilot, app)

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("drawn again")

        monkeypatch.setattr(render, "draw", refuse)
        app.theme = "lorascope-light"
        await pilot.pause()
        assert app.screen_text() == text


async def test_plain_mode_is_ascii_and_can_be_switched() -> None:
    app = Demo(plain=True)
    async with app.run_test(size=(80, 24)) as pilot:
        text = await drawn(pilot, app)
        app.plot.move_cursor(1)
        await pilot.pause()
        assert all(row.isascii() for row in [*text, *app.screen_text()])
        app.plot.plain = False
        text = await drawn(pilot, app)
        assert any("│" in row for row in text)


async def test_a_plot_that_cannot_be_drawn_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LorascopeError("plots cannot be drawn: no kernel", "reinstall plotext")

    monkeypatch.setattr(render, "draw", fail)
    app = Demo(ALONE)
    async with app.run_test(size=(80, 20)) as pilot:
        text = await drawn(pilot, app)
        assert text[0].startswith("plots cannot be drawn: no kernel; reinstall plotext")


@pytest.mark.parametrize("size", [(20, 6), (10, 3), (30, 1), (3, 40)])
async def test_tiny_sizes_do_not_crash(size: tuple[int, int]) -> None:
    app = Demo()
    async with app.run_test(size=size) as pilot:
        text = await drawn(pilot, app)
        assert len(text) == size[1]
        app.plot.move_cursor(1)
        app.plot.move_cursor(-1)
        await pilot.pause()


@pytest.mark.parametrize(
    ("count", "width", "height", "pages"),
    [
        (4, 80, 18, [1, 1, 1, 1]),
        (4, 80, 40, [3, 1]),
        (4, 120, 36, [4]),
        (4, 120, 20, [2, 2]),
        (3, 160, 20, [3]),
        (0, 80, 9, []),
    ],
)
def test_pages(count: int, width: int, height: int, pages: list[int]) -> None:
    layout = arrange(count, width, height)
    assert [len(boxes) for boxes in layout.pages] == pages
    for boxes in layout.pages:
        cells = [(x, y) for b in boxes for x in range(b.left, b.left + b.width) for y in range(b.top, b.top + b.height)]
        assert len(cells) == len(set(cells))
        assert all(0 <= x < width and 0 <= y < height for x, y in cells)
