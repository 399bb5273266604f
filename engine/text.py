"""Text that comes from outside (names, file contents, labels) made safe to show: literal, one line, nothing hidden."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable

from engine.i18n import gettext as _
from engine.i18n import listing, ngettext, nmark

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


def columns_of(text: str) -> int:
    """Columns of a terminal: wide East Asian characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


_COUNTED = {
    "window": nmark("{count} window", "{count} windows"),
    "drive": nmark("{count} drive", "{count} drives"),
    "frame": nmark("{count} frame", "{count} frames"),
    "run": nmark("{count} run", "{count} runs"),
    "checkpoint": nmark("{count} checkpoint", "{count} checkpoints"),
    "model": nmark("{count} model", "{count} models"),
    "module": nmark("{count} module", "{count} modules"),
    "shard": nmark("{count} shard", "{count} shards"),
    "thread": nmark("{count} thread", "{count} threads"),
    "file": nmark("{count} file", "{count} files"),
}


def counted(count: object, word: str) -> str:
    """``1 window``, ``2 windows``, in the language that is spoken for the words that programs count most."""
    singular, plural = _COUNTED.get(word) or (f"{{count}} {word}", f"{{count}} {word}s")
    return ngettext(singular, plural, count if isinstance(count, int) else 2).format(count=count)


def listed(names: Iterable[str], limit: int = 3) -> str:
    """The first names, made visible, and how many more: ``a, b and 7 more``."""
    every = [visible(name) for name in names]
    shown = listing(every[:limit])
    if len(every) <= limit:
        return shown
    return _("{names} and {count} more").format(names=shown, count=len(every) - limit)


# A folder name may have 255 bytes on every file system in use; some is left for temporary suffixes.
_NAME_BYTES = 200


def safe_name(text: str) -> str:
    """``text`` as the name of one file or folder: no separators, nothing hidden, no leading dot or dash.

    Letters and digits of any script and ``. _ - + = @`` stay; every other character, and a dot or dash where a shell
    or file system would give it a meaning (leading, or a trailing dot), becomes ``%XX`` of its UTF-8 bytes. Different
    texts get different names; names too long for a file system end in ``~`` and a hash of the whole text instead.

    Args:
        text: any text, the empty one included.

    Returns:
        A name of at most 200 bytes in UTF-8 that is neither empty nor ``.`` or ``..``.
    """
    last = len(text) - 1
    parts = [
        _percent(character)
        if (index == 0 and character in ".-") or (index == last and character == ".") or not _keeps(character)
        else character
        for index, character in enumerate(text)
    ]
    # "%" alone is never made by an escape, so it can stand for the empty text.
    name = "".join(parts) or "%"
    if len(name.encode()) <= _NAME_BYTES:
        return name
    tail = "~" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    kept, size = [], len(tail)
    for part in parts:
        size += len(part.encode())
        if size > _NAME_BYTES:
            break
        kept.append(part)
    return "".join(kept) + tail


def _keeps(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in "._-+=@"
    # Letters with a second form (full-width, superscript) would meet their twin on file systems that normalise.
    return character.isalnum() and unicodedata.is_normalized("NFKC", character)


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
