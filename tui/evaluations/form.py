"""The form: what is filled in, what it means, what is wrong with it. Textual-free."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tui.evaluations.fields import COST, FIELDS, Field, Kind

if TYPE_CHECKING:
    from engine.evaluation.checks import Checked


class Form:
    """What is filled in.

    Args:
        texts: field -> text, as it was kept; unknown fields are dropped.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = {name: text for name, text in texts.items() if name in FIELDS and text}
        self.checked: Checked | None = None
        # Whether what is missing is a mistake by now: not before somebody wanted to start.
        self.asked = False
        self.more = False

    @property
    def texts(self) -> dict[str, str]:
        """Field -> text of those that are filled in."""
        return dict(self._texts)

    def text(self, name: str) -> str:
        """What is filled in; empty where nothing is."""
        return self._texts.get(name, "")

    def put(self, name: str, text: str) -> bool:
        """Fill in a field; returns whether that changes anything."""
        text = text.strip()
        if text == FIELDS[name].default:
            text = ""
        if text == self.text(name):
            return False
        self._texts.pop(name, None)
        if text:
            self._texts[name] = text
        if name == "checkpoints":
            self._texts.pop("only", None)  # names of another folder
        return True

    def replace(self, texts: Mapping[str, str]) -> None:
        """Fill in the whole form anew."""
        self._texts.clear()
        for name, text in texts.items():
            if name in FIELDS:
                self.put(name, text)
        self.asked = False

    def turn(self, name: str, by: int) -> bool:
        """Go to another choice of a field; returns whether there is one."""
        field = FIELDS[name]
        if field.kind is not Kind.CHOICE:
            return False
        options = field.options
        now = self.text(name) or field.default
        at = options.index(now) if now in options else -1 if by > 0 else 0
        return self.put(name, options[(at + by) % len(options)])

    @property
    def cost(self) -> bool:
        """Whether costs are measured afterwards."""
        return self.text(COST) == "yes"

    def values(self) -> dict[str, object]:
        """What is filled in as fields of the configuration, a home folder's sign resolved."""
        return {
            name: str(Path(text).expanduser()) if FIELDS[name].kind.is_path else text
            for name, text in self._texts.items()
            if name != COST
        }

    def mistake(self, name: str) -> str:
        """What is wrong with a field; empty where nothing is, or nobody wanted to know yet."""
        if self.checked is None or (name in self.checked.missing and not self.asked):
            return ""
        return self.checked.mistakes.get(name, "")

    def mistakes(self) -> list[str]:
        """The fields with mistakes, in the form's order."""
        return [name for name in FIELDS if self.mistake(name)]

    def shown(self, field: Field) -> bool:
        """Whether a field is in view: the rarer ones on request, or where they are filled in or wrong."""
        return not field.more or self.more or bool(self.text(field.name) or self.mistake(field.name))
