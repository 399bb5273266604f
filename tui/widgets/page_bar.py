"""The pages of a screen in one line, the current one marked."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from engine.i18n import gettext as _
from tui.format import plain_text


class PageBar(Static):
    """Names of pages; a click chooses one.

    Args:
        pages: name and title of each; titles are shown in the user's language.
    """

    DEFAULT_CSS = """
    PageBar { height: 1; background: $surface; }
    """

    class Chosen(Message):
        """A page was clicked."""

        def __init__(self, bar: PageBar, name: str) -> None:
            super().__init__()
            self.bar = bar
            self.name = name

        @property
        def control(self) -> PageBar:
            """The bar, for the selectors of `textual.on`."""
            return self.bar

    def __init__(self, pages: Sequence[tuple[str, str]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._pages = pages
        self._shown: tuple[str, bool] | None = None

    def show(self, current: str, *, plain: bool) -> None:
        """Mark one.

        Args:
            current: the page that is shown.
            plain: ASCII alone.
        """
        if (current, plain) == self._shown:
            return
        self._shown = (current, plain)
        parts = [
            (
                f" {plain_text(_(title)) if plain else _(title)} ",
                "bold reverse" if name == current else "$foreground 60%",
            )
            for name, title in self._pages
        ]
        self.update(Content.assemble(*parts), layout=False)

    def on_click(self, event: events.Click) -> None:
        """Open the page under the mouse."""
        left = 0
        for name, title in self._pages:
            width = cell_len(_(title)) + 2
            if left <= event.x < left + width:
                self.post_message(self.Chosen(self, name))
            left += width
