"""A thin vertical scrollbar that repaints only when its thumb has really moved."""

from __future__ import annotations

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender

_BLACK = Color.parse("black")
_WHITE = Color.parse("white")


class ThinBar(ScrollBarRender):
    """A vertical bar half a cell wide on a blank track."""

    THUMB = "▐"
    TRACK = " "

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        back_color: Color = _BLACK,
        bar_color: Color = _WHITE,
    ) -> Segments:
        """The bar as segments, one per line; mouse actions are those of Textual's own bar."""
        start, length = thumb(size, virtual_size, window_size, position)
        pieces = (
            (start, cls.TRACK, "scroll_up"),
            (length, cls.THUMB, "grab"),
            (size - start - length, cls.TRACK, "scroll_down"),
        )
        segments: list[Segment] = []
        for count, glyph, action in pieces:
            style = Style(color=bar_color, bgcolor=back_color, meta={"@mouse.down": action})
            segments += [Segment(glyph * thickness, style)] * count
        return Segments(segments, new_lines=True)


class PlainBar(ThinBar):
    """The same in ASCII."""

    THUMB = "#"
    TRACK = "|"


def thumb(size: int, virtual_size: float, window_size: float, position: float) -> tuple[int, int]:
    """First cell and length of the thumb on a bar of ``size`` cells; all of the bar when nothing can scroll."""
    hidden = virtual_size - window_size
    if window_size <= 0 or hidden <= 0:
        return 0, size
    length = min(size, max(1, round(size * window_size / virtual_size)))
    return round(min(1.0, max(0.0, position / hidden)) * (size - length)), length


def settled(size: int, virtual_size: float, window_size: float, position: float) -> float:
    """The position, in lines, that stands for all positions that put the thumb on the same cells as ``position``."""
    start, length = thumb(size, virtual_size, window_size, position)
    free = size - length
    return start * (virtual_size - window_size) / free if free else 0.0
