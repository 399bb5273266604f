"""The limits of Pick: one line with a slider for every quantity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from engine.i18n import gettext as _
from tui.format import number, plain_text
from tui.text import cell_width, fit

_SLIDER = 8
_VALUE = 8


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One line.

    Attributes:
        name: identity.
        label: what is limited.
        operator: ``>=`` or ``<=``.
        value: the limit; None is off.
        digits: decimals of the value.
        low: least value of the run.
        high: greatest value of the run.
    """

    name: str
    label: str
    operator: str
    value: float | None
    digits: int
    low: float
    high: float


class Limits(ScrollView, can_focus=True):
    """Lines with sliders; the keys move the knob of the line under the cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"limits--on", "limits--off", "limits--cursor", "limits--knob"}
    DEFAULT_CSS = """
    Limits { background: $surface; scrollbar-size-vertical: 1; overflow-x: hidden; }
    Limits > .limits--on { color: $foreground; }
    Limits > .limits--off { color: $text-muted; }
    Limits > .limits--knob { color: $accent; text-style: bold; }
    Limits > .limits--cursor { background: $panel; }
    Limits:focus > .limits--cursor { background: $primary 35%; text-style: bold; }
    """
    BINDINGS: ClassVar = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("left,h", "slide(-1)", "looser or tighter", show=False),
        Binding("right,l", "slide(1)", "looser or tighter", show=False),
        Binding("shift+left", "slide(-5)", "five steps", show=False),
        Binding("shift+right", "slide(5)", "five steps", show=False),
        Binding("enter", "edit", "type the value", show=False),
        Binding("delete,backspace", "clear", "off", show=False),
    ]

    class Slid(Message):
        """The knob of a line was moved."""

        def __init__(self, name: str, by: int) -> None:
            super().__init__()
            self.name = name
            self.by = by

    class Edit(Message):
        """The value of a line is to be typed."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Cleared(Message):
        """A line is to be switched off."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines: list[LimitLine] = []
        self._cursor = 0

    def show(self, lines: Sequence[LimitLine]) -> None:
        """Replace the lines; the cursor stays where it is."""
        if list(lines) == self._lines:
            return
        self._lines = list(lines)
        self._cursor = max(0, min(self._cursor, len(self._lines) - 1))
        self.virtual_size = Size(self.size.width, len(self._lines))
        self.refresh()

    @property
    def current(self) -> LimitLine | None:
        """The line under the cursor."""
        return self._lines[self._cursor] if self._lines else None

    def render_line(self, y: int) -> Strip:
        """One limit: label, sign, value, slider."""
        index = y + self.scroll_offset.y
        width = self.size.width
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[index]
        plain = bool(getattr(self.app, "plain_mode", False))
        style = self.get_component_rich_style("limits--on" if line.value is not None else "limits--off")
        knob = self.get_component_rich_style("limits--knob")
        if index == self._cursor:
            cursor = self.get_component_rich_style("limits--cursor")
            style, knob = style + cursor, knob + cursor
        sign = "≥" if line.operator == ">=" else "≤"
        text = _("off") if line.value is None else number(line.value, line.digits)
        mark = ">" if plain and index == self._cursor else " "
        label = fit(line.label, max(4, width - _SLIDER - 15))
        head = f"{mark}{label} {sign}{' ' * (_VALUE - cell_width(text))}{text}  "
        slider = self._slider(line)
        if plain:
            head, slider = plain_text(head), plain_text(slider)
        tail = " " * max(0, width - _SLIDER - 15 - max(4, width - _SLIDER - 15) + 2)
        strip = Strip(
            [Segment(head, style), Segment(slider, knob if line.value is not None else style), Segment(tail, style)]
        )
        return strip.adjust_cell_length(width, style)

    @staticmethod
    def _slider(line: LimitLine) -> str:
        if line.value is None or line.high <= line.low:
            return "─" * _SLIDER
        at = round((line.value - line.low) / (line.high - line.low) * (_SLIDER - 1))
        at = max(0, min(_SLIDER - 1, at))
        left, right = ("─", "━") if line.operator == ">=" else ("━", "─")
        return left * at + "●" + right * (_SLIDER - 1 - at)

    def action_move(self, by: int) -> None:
        """The line above or below."""
        if not self._lines:
            return
        self._cursor = max(0, min(len(self._lines) - 1, self._cursor + by))
        self.scroll_to_region(Region(0, self._cursor, 1, 1), animate=False, force=True)
        self.refresh()

    def action_slide(self, by: int) -> None:
        """Move the knob."""
        if self.current:
            self.post_message(self.Slid(self.current.name, by))

    def action_edit(self) -> None:
        """Type the value."""
        if self.current:
            self.post_message(self.Edit(self.current.name))

    def action_clear(self) -> None:
        """Switch the limit off."""
        if self.current:
            self.post_message(self.Cleared(self.current.name))

    def on_click(self, event: events.Click) -> None:
        """The line under the mouse gets the cursor."""
        index = event.y + self.scroll_offset.y
        if index < len(self._lines):
            self._cursor = index
            self.refresh()
