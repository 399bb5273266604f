"""The one-line bars around every screen: tabs above, what is going on and the keys below."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine.i18n import gettext as _
from tui.commands import Command
from tui.format import plain_text
from tui.text import Align, fit


def _plain(widget: Static) -> bool:
    return bool(getattr(widget.app, "plain_mode", False))


def _fitted(widget: Static, text: str, width: int, align: Align = "left") -> str:
    """Text on exactly that width; in plain mode with the app's own signs in ASCII, the ellipsis too."""
    return plain_text(fit(plain_text(text), width, align)) if _plain(widget) else fit(text, width, align)


class TabBar(Static):
    """The screens by number, the current one marked, and what is open on the right.

    Args:
        tabs: name and title of each; titles are shown in the user's language.
        current: the name of the screen that this is.
    """

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, tabs: Sequence[tuple[str, str]], current: str) -> None:
        super().__init__(id="tabs")
        self._tabs = tabs
        self._current = current
        self._right = ""

    def show_right(self, text: str) -> None:
        """What is open, at the right end; outside text is shown literally."""
        if text != self._right:
            self._right = text
            self._redraw()

    def on_resize(self) -> None:
        """The width decides how much fits."""
        self._redraw()

    def _labels(self) -> list[tuple[str, str]]:
        width = self.size.width
        titles = [_(title) for _name, title in self._tabs]
        labels = [f"{index} {title}" for index, title in enumerate(titles, 1)]
        if sum(cell_len(label) + 2 for label in labels) + 12 > width:
            labels = [f"{index} {title[:4]}" for index, title in enumerate(titles, 1)]
        if sum(cell_len(label) + 2 for label in labels) > width:
            labels = [str(index) for index in range(1, len(self._tabs) + 1)]
        return [(name, f" {label} ") for (name, _title), label in zip(self._tabs, labels, strict=True)]

    def _redraw(self) -> None:
        width = self.size.width
        if not width:
            return
        labels = self._labels()
        used = sum(cell_len(label) for _name, label in labels)
        parts: list[Content | str | tuple[str, str]] = []
        brand = " lorascope "
        if used + len(brand) <= width:
            parts.append((brand, "bold $primary"))
            used += len(brand)
        for name, label in labels:
            parts.append((label, "bold $background on $primary" if name == self._current else "$foreground"))
        room = width - used - 1
        # Where not all of it fits, its last part tells the most.
        right = next((text for text in (self._right, self._right.rpartition(" · ")[2]) if cell_len(text) <= room), "")
        if right:
            parts.append((_fitted(self, right, room, "right"), "$foreground 60%"))
        self.update(Content.assemble(*parts), layout=False)

    def on_click(self, event: events.Click) -> None:
        """Open the tab under the mouse."""
        labels = self._labels()
        brand = 11 if sum(cell_len(label) for _name, label in labels) + 11 <= self.size.width else 0
        left = brand
        for name, label in labels:
            if left <= event.x < left + cell_len(label):
                self.post_message(self.Chosen(name))
            left += cell_len(label)


class StatusLine(Static):
    """One line that says what is shown and what to mind; warnings stand first."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self._text = ""
        self._warning = ""

    def show(self, text: str, warning: str = "") -> None:
        """Set the line. Outside text is shown literally.

        Args:
            text: what is shown.
            warning: what to mind, if anything.
        """
        if (text, warning) != (self._text, self._warning):
            self._text, self._warning = text, warning
            self._redraw()

    def on_resize(self) -> None:
        """The width decides how much fits."""
        self._redraw()

    def _redraw(self) -> None:
        width = self.size.width - 2
        if width <= 0:
            return
        parts: list[Content | str | tuple[str, str]] = []
        if self._warning:
            warning = f"⚠ {self._warning}"
            shown = _fitted(self, warning, min(width, cell_len(warning)))
            parts.append((shown, "bold $warning"))
            width -= cell_len(shown) + 2
        if width > 4 and self._text:
            if parts:
                parts.append("  ")
            parts.append((_fitted(self, self._text, width).rstrip(), "$foreground 60%"))
        self.update(Content.assemble(*parts), layout=False)


class KeyBar(Static):
    """The keys of the screen, as many as fit; ``?`` always."""

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__(id="keys")
        self._commands = [command for command in commands if command.footer]

    def show(self, commands: Sequence[Command]) -> None:
        """Show the keys of these commands from now on."""
        wanted = [command for command in commands if command.footer]
        if wanted != self._commands:
            self._commands = wanted
            self.on_resize()

    def on_resize(self) -> None:
        """The width decides how many keys fit."""
        width = self.size.width
        if not width:
            return
        if self.screen.has_class("-tiny"):
            columns, rows = self.app.size
            text = _(" {columns}x{rows} is small: 80x24 shows all  ? help").format(columns=columns, rows=rows)
            self.update(Content(_fitted(self, text, width)), layout=False)
            return
        last = [command for command in self._commands if command.key in ("?", "q")]
        room = width - sum(self._width(command) for command in last)
        shown: list[Command] = []
        for command in self._commands:
            if command in last:
                continue
            if self._width(command) > room:
                break
            room -= self._width(command)
            shown.append(command)
        parts: list[Content | str | tuple[str, str]] = []
        for command in [*shown, *last]:
            key = plain_text(command.key) if _plain(self) else command.key
            parts += [(f" {key}", "bold $accent"), (f" {command.word} ", "$foreground 60%")]
        self.update(Content.assemble(*parts), layout=False)

    @staticmethod
    def _width(command: Command) -> int:
        return cell_len(command.key) + cell_len(command.word) + 3
