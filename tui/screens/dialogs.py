"""Small dialogs that every screen uses: choose from a list, type a line, confirm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from engine.errors import LorascopeError
from engine.i18n import gettext as _
from engine.text import visible
from tui.text import prose

# What one line of a dialog holds at most; longer outside text is cut in its middle.
_LONGEST = 400
# As the style sheet has it: columns of a dialog at most, and of the terminal's; border and padding.
_WIDTH, _SHARE, _FRAME = 76, 0.96, 4


def _line(text: str) -> str:
    """Outside text made safe on one line: literal, nothing hidden, not thousands of characters."""
    shown = visible(text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST // 2]}…{shown[-_LONGEST // 2 :]}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a list to choose from. Outside text is shown literally.

    Attributes:
        value: what is returned.
        title: what is shown first, and what typing filters by.
        detail: what is shown behind it, muted.
    """

    value: str
    title: str
    detail: str = ""


class ChooseDialog(ModalScreen[str | None]):
    """A list with a filter line. Returns the chosen value, or None."""

    BINDINGS: ClassVar = [
        Binding("escape", "cancel", "cancel", show=False),
        Binding("down", "move(1)", "down", show=False),
        Binding("up", "move(-1)", "up", show=False),
        Binding("pagedown", "move(10)", "page down", show=False),
        Binding("pageup", "move(-10)", "page up", show=False),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], current: str | None = None) -> None:
        super().__init__()
        self._title = title
        self._choices = list(choices)
        self._current = current
        self._shown: list[Choice] = []

    def compose(self) -> ComposeResult:
        """Title, filter, list."""
        with Vertical(classes="dialog", id="choose"):
            yield Static(Content(_line(self._title)), classes="dialog-title")
            yield Input(placeholder=_("type to filter"), id="choose-filter")
            yield OptionList(id="choose-list", markup=False)

    def on_mount(self) -> None:
        """Everything, with the present choice under the cursor."""
        self._fill("")
        self.query_one(Input).focus()

    def _fill(self, text: str) -> None:
        words = text.lower().split()
        self._shown = [
            choice
            for choice in self._choices
            if all(word in f"{choice.title} {choice.value} {choice.detail}".lower() for word in words)
        ]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            [
                Option(
                    Content.assemble(
                        _line(choice.title),
                        (f"  {_line(choice.detail)}" if choice.detail else "", "$foreground 60%"),
                    )
                )
                for choice in self._shown
            ]
        )
        if self._shown:
            values = [choice.value for choice in self._shown]
            options.highlighted = values.index(self._current) if self._current in values else 0

    @on(Input.Changed)
    def _filter(self, event: Input.Changed) -> None:
        self._fill(event.value)

    @on(Input.Submitted)
    def _submit(self) -> None:
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._shown):
            self.dismiss(self._shown[at].value)

    @on(OptionList.OptionSelected)
    def _select(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index].value)

    def action_move(self, by: int) -> None:
        """Move the cursor of the list while the filter keeps the keyboard."""
        options = self.query_one(OptionList)
        if self._shown:
            options.highlighted = max(0, min(len(self._shown) - 1, (options.highlighted or 0) + by))

    def action_cancel(self) -> None:
        """Choose nothing."""
        self.dismiss(None)


class LineDialog(ModalScreen[str | None]):
    """One line of text, checked while it is typed. Returns the text, or None.

    Args:
        title: what is asked.
        value: what stands there at first.
        check: called with the text; what it raises (a :class:`LorascopeError`) is shown below the line.
        hint: one line of help.
    """

    BINDINGS: ClassVar = [Binding("escape", "cancel", "cancel", show=False)]

    def __init__(
        self, title: str, value: str = "", *, check: Callable[[str], object] | None = None, hint: str = ""
    ) -> None:
        super().__init__()
        self._title = title
        self._value = value
        self._check = check
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Title, line, hint or error."""
        with Vertical(classes="dialog", id="line"):
            yield Static(Content(_line(self._title)), classes="dialog-title")
            yield Input(self._value, id="line-input")
            yield Static(Content(_line(self._hint)), id="line-hint")

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()

    def _error(self, text: str) -> str | None:
        if self._check is None:
            return None
        try:
            self._check(text)
        except LorascopeError as error:
            return str(error)
        return None

    @on(Input.Changed)
    def _validate(self, event: Input.Changed) -> None:
        error = self._error(event.value)
        hint = self.query_one("#line-hint", Static)
        hint.set_class(error is not None, "-error")
        hint.update(Content(_line(error or self._hint)))

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        if self._error(event.value) is None:
            self.dismiss(event.value)

    def action_cancel(self) -> None:
        """Leave everything as it was."""
        self.dismiss(None)


class MessageDialog(ModalScreen[bool]):
    """A text to read, with an optional question: Enter is yes, Escape is no."""

    BINDINGS: ClassVar = [
        Binding("escape,q,n", "answer(False)", "no", show=False),
        Binding("enter,y", "answer(True)", "yes", show=False),
    ]

    def __init__(self, title: str, text: str, *, question: str = "") -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._question = question

    def compose(self) -> ComposeResult:
        """Title, text, what the keys do."""
        with Vertical(classes="dialog", id="message"):
            yield Static(Content(_line(self._title)), classes="dialog-title")
            yield Static(Content("\n".join(map(self._paragraph, self._text.split("\n")))), id="message-text")
            keys = f"{self._question}  {_('enter yes · esc no')}" if self._question else _("enter or esc closes")
            yield Static(Content(keys), id="line-hint")

    def _paragraph(self, text: str) -> str:
        return prose(_line(text), min(_WIDTH, int(self.app.size.width * _SHARE)) - _FRAME)

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)

    def on_click(self, event: events.Click) -> None:
        """A click beside the box closes it."""
        if event.widget is self:
            self.dismiss(False)
