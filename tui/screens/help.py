"""The help of a screen: what it is for, and every key, from the command definitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.i18n import gettext as _
from tui.commands import Command
from tui.format import plain_text
from tui.text import prose, wrap

if TYPE_CHECKING:
    from tui.screens.base import LorascopeScreen


# Text columns of the dialog.
_WIDTH = 70


class HelpScreen(ModalScreen[None]):
    """Explains a screen and lists the keys that work there."""

    BINDINGS: ClassVar = [Binding("escape,question_mark,f1,q,enter", "dismiss_help", "close", show=False)]

    def __init__(self, screen: LorascopeScreen, everywhere: Sequence[Command]) -> None:
        super().__init__()
        self._title = _(screen.NAME.capitalize())
        self._text = prose(_(" ".join(screen.HELP.split())), _WIDTH)
        self._sections = ((_("Keys here"), screen.ACTIONS), (_("Keys everywhere"), everywhere))
        self._plain = screen.lorascope.plain_mode

    def compose(self) -> ComposeResult:
        """One scrolling box."""
        with VerticalScroll(id="help", classes="dialog"):
            yield Static(self._content(), id="help-text")

    def _content(self) -> Content:
        width = max(cell_len(command.key) for _title, commands in self._sections for command in commands)
        parts: list[Content | str | tuple[str, str]] = [(f"{self._title}\n", "bold $primary"), self._text, "\n"]
        for title, commands in self._sections:
            parts += ["\n", (f"{title}\n", "bold $primary")]
            for command in commands:
                key = plain_text(command.key) if self._plain else command.key
                first, *more = wrap(command.sentence, _WIDTH - width - 3)
                parts += [(f"{key:>{width}}  ", "bold $accent"), f"{first}\n"]
                parts += [f"{'':{width + 2}}{line}\n" for line in more]
        parts += [(f"\n{_('esc closes')}", "$foreground 60%")]
        return Content.assemble(*parts)

    def action_dismiss_help(self) -> None:
        """Back to the screen."""
        self.dismiss()
