"""Text that comes from outside (names, file contents, labels) made safe to show: literal, one line, nothing hidden."""

from __future__ import annotations

import unicodedata

# Categories that a terminal acts on or hides: controls, formats (bidirectional overrides, zero width), surrogates,
# private use, unassigned, line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """``text`` on one line with every control or invisible character made visible.

    C0 controls become their Unicode control pictures (``\\x1b`` -> ``␛``, newline -> ``␊``), every other hidden
    character becomes ``<U+XXXX>``. Printable text is returned unchanged, markup included.

    Args:
        text: any text.

    Returns:
        Text without control, format, surrogate, private-use or unassigned characters.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible_character(character) for character in text)


def _visible_character(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(character) in _HIDDEN:
        return f"<U+{code:04X}>"
    return character
