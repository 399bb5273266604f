"""What is wrong with a setting, in words: pydantic's own in the user's language. Imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.i18n import gettext as _
from engine.i18n import mark

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# Pydantic's kinds of mistakes that settings can have, in its words; places are what it tells of them.
_WORDS = {
    "missing": mark("field required"),
    "extra_forbidden": mark("extra inputs are not permitted"),
    "greater_than": mark("input should be greater than {gt}"),
    "greater_than_equal": mark("input should be greater than or equal to {ge}"),
    "less_than_equal": mark("input should be less than or equal to {le}"),
    "int_type": mark("input should be a valid integer"),
    "int_parsing": mark("input should be a valid integer, unable to parse string as an integer"),
    "float_type": mark("input should be a valid number"),
    "float_parsing": mark("input should be a valid number, unable to parse string as a number"),
    "finite_number": mark("input should be a finite number"),
    "bool_type": mark("input should be a valid boolean"),
    "bool_parsing": mark("input should be a valid boolean, unable to interpret input"),
    "string_type": mark("input should be a valid string"),
    "path_type": mark("input is not a valid path"),
    "literal_error": mark("input should be {expected}"),
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
