"""The line in which a field of the form is typed: completes paths by tab, suggests how they go on."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from textual import events, on
from textual.binding import Binding
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from tui.evaluations.completing import Completion, complete, suggest
from tui.evaluations.fields import Field, Kind

_CANDIDATES = 24  # that are told at most


class _PathSuggester(Suggester):
    """Shows behind the cursor how a path goes on. Folders are read in a thread."""

    def __init__(self, *, folders: bool) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._folders = folders

    async def get_suggestion(self, value: str) -> str | None:
        """The first path that begins like this."""
        return await asyncio.to_thread(suggest, value, folders=self._folders)


class FieldInput(Input):
    """One line above the value of a field."""

    BINDINGS: ClassVar = [
        Binding("tab", "complete", "complete", show=False),
        Binding("escape", "leave", "leave as it was", show=False),
        Binding("up", "move(-1)", "take it, go up", show=False),
        Binding("down", "move(1)", "take it, go down", show=False),
    ]

    class Done(Message):
        """The line is left.

        Attributes:
            name: the field's name.
            text: what was typed; ``None`` where it is to be left as it was.
            by: whether to go to the field above or below.
        """

        def __init__(self, name: str, text: str | None, by: int = 0) -> None:
            super().__init__()
            self.name = name
            self.text = text
            self.by = by

    class Candidates(Message):
        """How what was typed may go on."""

        def __init__(self, names: tuple[str, ...]) -> None:
            super().__init__()
            self.names = names

    class _Completed(Message):
        def __init__(self, asked: str, found: Completion) -> None:
            super().__init__()
            self.asked = asked
            self.found = found

    def __init__(self) -> None:
        super().__init__(id="field-input", select_on_focus=False)
        self._field: Field | None = None
        self.display = False

    @property
    def field(self) -> Field | None:
        """The field that is typed; None while none is."""
        return self._field if self.display else None

    def open(self, field: Field, text: str) -> None:
        """Type a field, which holds ``text``."""
        self._field = field
        self.suggester = _PathSuggester(folders=field.kind is not Kind.FILE) if field.kind.is_path else None
        self.value = text
        self.cursor_position = len(text)
        self.display = True
        self.focus()

    def close(self) -> None:
        """Type nothing any more."""
        self.display = False

    def _leave(self, text: str | None, by: int = 0) -> None:
        if self._field is not None and self.display:
            self.close()
            self.post_message(self.Done(self._field.name, text, by))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes what was typed."""
        event.stop()
        self._leave(self.value)

    def on_blur(self, _event: events.Blur) -> None:
        """So does going elsewhere."""
        self._leave(self.value)

    def action_leave(self) -> None:
        """Leave the field as it was."""
        self._leave(None)

    def action_move(self, by: int) -> None:
        """Take what was typed, and go to another field."""
        self._leave(self.value, by)

    def action_complete(self) -> None:
        """Complete a path as far as it is clear how it goes on; elsewhere as down."""
        field = self._field
        if field is None or not field.kind.is_path:
            self.action_move(1)
            return
        asked, folders = self.value, field.kind is not Kind.FILE

        def work() -> None:
            self.post_message(self._Completed(asked, complete(asked, folders=folders)))

        self.run_worker(work, thread=True, group="complete", exclusive=True)

    @on(_Completed)
    def _take(self, event: _Completed) -> None:
        """Take it, unless something else was typed meanwhile."""
        event.stop()
        if event.asked != self.value or not self.display:
            return
        self.value = event.found.text
        self.cursor_position = len(event.found.text)
        names = event.found.candidates
        self.post_message(self.Candidates(names[:_CANDIDATES] if len(names) > 1 else ()))
