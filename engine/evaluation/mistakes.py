"""What is wrong with a setting, in plain words in the user's language. Imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from engine.i18n import mark

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# Pydantic's kinds of mistakes that settings can have; places are what it tells of them.
_WORDS = {
    "missing": mark("is missing"),
    "extra_forbidden": mark("is no setting"),
    "greater_than": mark("must be more than {gt}"),
    "greater_than_equal": mark("must be at least {ge}"),
    "less_than_equal": mark("must be at most {le}"),
    "int_type": mark("must be a whole number"),
    "int_parsing": mark("must be a whole number"),
    "float_type": mark("must be a number"),
    "float_parsing": mark("must be a number"),
    "finite_number": mark("must be a finite number"),
    "bool_type": mark("must be true or false"),
    "bool_parsing": mark("must be true or false"),
    "string_type": mark("must be text"),
    "path_type": mark("must be a path"),
    "literal_error": mark("must be {expected}"),
}


def place_of(mistake: ErrorDetails) -> str:
    """The field that a mistake is in."""
    return ".".join(str(part) for part in mistake["loc"])


def words_of(mistake: ErrorDetails) -> str:
    """What is wrong with a field's value, without the field's name."""
    known = _WORDS.get(mistake["type"])
    if known is not None:
        return _(known).format(**mistake.get("ctx", {}))
    words = mistake["msg"].removeprefix("Value error, ")
    return f"{words[:1].lower()}{words[1:]}"
