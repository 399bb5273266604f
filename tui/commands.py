"""One definition of a command: its key, its word in the footer and the palette, and its sentence in the help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding, BindingType

from engine.i18n import gettext as _

_KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "plus": "+",
    "minus": "-",
    "escape": "esc",
    "ctrl+p": "^p",
    "ctrl+q": "^q",
    "ctrl+l": "^l",
    "delete": "del",
}


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a user can do.

    Attributes:
        action: the Textual action, e.g. ``"cycle_view"`` or ``"app.show('compare')"``.
        keys: comma-separated Textual keys; the first one is shown.
        title: one or two words, for the footer and the palette; shown as ``word``.
        help: one sentence; shown as ``sentence``.
        footer: whether the footer has room for it (the help and the palette always list it).
        label: what to show instead of the first key, e.g. ``"1-5"``.
    """

    action: str
    keys: str
    title: str
    help: str
    footer: bool = True
    label: str = ""

    @property
    def word(self) -> str:
        """The title in the user's language."""
        return _(self.title)

    @property
    def sentence(self) -> str:
        """The help in the user's language."""
        return _(self.help)

    @property
    def key(self) -> str:
        """The first key as a person reads it."""
        first = self.keys.split(",", 1)[0].strip()
        return self.label or _KEY_NAMES.get(first, first)


def bindings(commands: Iterable[Command]) -> list[BindingType]:
    """The commands as Textual bindings. They are hidden there: the footer is drawn from the commands themselves."""
    return [
        Binding(key.strip(), command.action, command.title, show=False)
        for command in commands
        for key in command.keys.split(",")
        if key.strip()
    ]
