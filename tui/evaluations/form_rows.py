"""The form as rows of a grid: a line for every field, its mistake below it. Textual-free."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Literal

from engine.i18n import gettext as _
from engine.i18n import pgettext
from engine.text import visible
from tui.evaluations.fields import SECTIONS, Field, Kind
from tui.evaluations.form import Form
from tui.format import plain_text
from tui.widgets.grid_model import Cell, Column

LABEL = 14
VALUE = "value"
# The last row: what the form is for.
GO = "@go"
_WIDE = 110  # columns from which the sentences about the fields have room beside the values
_INDENT = LABEL + 2


class FormRows:
    """Rows of the form.

    Args:
        form: what is filled in.
        width: columns that the grid has.
        sections: whether titles stand between the groups of fields.
        plain: ASCII alone.
    """

    def __init__(self, form: Form, *, width: int, sections: bool, plain: bool) -> None:
        self._form = form
        self._plain = plain
        wide = width >= _WIDE
        helps = [Column("help", "", 48, min_width=20)] if wide else []
        self.columns: Sequence[Column] = (
            Column("label", _("setting"), LABEL),
            Column(VALUE, _("value"), 30, flex=1, ellipsis="middle"),
            *helps,
        )
        self._rows: list[tuple[Literal["field", "mistake", "title"], str, Field | None]] = []
        for section in SECTIONS:
            fields = [field for field in section.fields if form.shown(field)]
            if sections and fields:
                self._rows.append(("title", _(section.title), None))
            for field in fields:
                self._rows.append(("field", field.name, field))
                self._rows += [("mistake", line, None) for line in self._lines(form.mistake(field.name), width)]
        self._rows.append(("field", GO, None))

    def _lines(self, mistake: str, width: int) -> list[str]:
        lines = textwrap.wrap(visible(mistake), max(16, width - _INDENT - 5))
        sign = plain_text("✗") if self._plain else "✗"
        return [f"{'':{_INDENT}}{sign if not at else ' '} {line}" for at, line in enumerate(lines)]

    @property
    def row_count(self) -> int:
        """Fields, mistakes, titles."""
        return len(self._rows)

    def row_key(self, row: int) -> str:
        """The field's name."""
        kind, text, _field = self._rows[row]
        return text if kind == "field" else f"@{row}"

    def row_kind(self, row: int) -> Literal["row", "heading"]:
        """The cursor skips titles and mistakes."""
        return "row" if self._rows[row][0] == "field" else "heading"

    def cells(self, row: int) -> Sequence[Cell]:
        """Label, value, sentence."""
        kind, text, field = self._rows[row]
        if kind != "field":
            return (Cell(text, "error" if kind == "mistake" else ""),)
        if field is None:
            # Only a form that was looked through knows how much is missing; the key says the rest.
            return (Cell(_("start"), "accent"), Cell(_("enter: the plan first"), "accent"))
        wrong = bool(self._form.mistake(field.name))
        value, role = self.value(field)
        return (
            Cell(_(field.label), "error" if wrong else "muted"),
            Cell(value, "error" if wrong and role != "muted" else role),
            Cell(_(field.help), "muted"),
        )

    def value(self, field: Field) -> tuple[str, str]:
        """What stands in a field, and its role."""
        text = self._form.text(field.name)
        if field.kind is Kind.NAMES:
            return self._names(text)
        if field.kind is Kind.CHOICE:
            left, right = ("<", ">") if self._plain else ("‹", "›")
            shown = _choice(text or field.default)
            chosen = f"{left} {shown} {right}" if shown else f"{left} {_(field.empty)} {right}"
            return chosen, "" if text else "muted"
        if text:
            return text, ""
        if field.name == "base" and self._form.text("base_seed"):
            return _("none: random ones"), "muted"
        if field.empty:
            return _(field.empty), "muted"
        return _("needed"), "muted"

    def _names(self, text: str) -> tuple[str, str]:
        checked = self._form.checked
        found = checked.found if checked else ()
        if text:
            taken = len(checked.chosen) if checked else 0
            count = _("{taken} of {all}").format(taken=taken, all=len(found))
            return (f"{text}  ({count})" if taken else text), ""
        if not found:
            return _("all of them"), "muted"
        if len(found) == 1:
            return visible(found[0]), "muted"
        names = _("{first} to {last}").format(first=found[0], last=found[-1])
        return visible(_("all {count}: {names}").format(count=len(found), names=names)), "muted"


def _choice(value: str) -> str:
    """A choice as it is shown: names of things as they are, a switch in words."""
    words = {"yes": pgettext("a setting that is on or off", "yes"), "no": pgettext("a setting that is on or off", "no")}
    return words.get(value, value)
