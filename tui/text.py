"""Text cut and padded to an exact number of terminal cells, whatever it holds.

Everything a column shows goes through here: wide characters, combining marks, control characters and right-to-left
text neither widen a column nor reorder its neighbours.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from rich.cells import cell_len, chop_cells, split_graphemes

from engine.text import visible

Align = Literal["left", "right", "center"]

ELLIPSIS = "…"

_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
# Ends a right-to-left run, so that a terminal with bidirectional text does not pull the next column's number into it.
_LEFT_TO_RIGHT_MARK = "\u200e"
# Emoji and text presentation selectors: terminals disagree on the width that they give to a character.
_SELECTORS = {0xFE0E: None, 0xFE0F: None}


# Blanks, then one wide character (CJK and what belongs to it), or a run of anything else.
_WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6"
_UNIT = re.compile(rf"(\s*)([{_WIDE}]|[^\s{_WIDE}]+)")
# What no line begins and what no line ends with.
_CLOSING = frozenset("，。、；：！？）》〉」』】〕”’…％,.;:!?)]}%")
_OPENING = frozenset("（《〈「『【〔“‘([{")


def cell_width(text: str) -> int:
    """The terminal cells that ``text`` takes when it is shown whole by `fit`."""
    if text.isascii() and text.isprintable():
        return len(text)
    return cell_len(_shown(text))


def fit(text: str, width: int, align: Align = "left") -> str:
    """``text`` on exactly ``width`` terminal cells, cut at the end with an ellipsis where it is too long.

    Args:
        text: any text; control and invisible characters are shown by their visible names.
        width: cells, 0 or more; a negative width counts as 0.
        align: where the padding goes when the text is shorter.

    Returns:
        One line without control characters whose `rich.cells.cell_len` is ``width``.
    """
    if width <= 0:
        return ""
    head = text[: width + 1]
    if head.isascii() and head.isprintable():
        if len(head) > width:
            return head[: width - 1] + ELLIPSIS
        return _pad(head, len(head), width, align)
    return _fit_any(text, width, align, False)


def fit_middle(text: str, width: int, align: Align = "left") -> str:
    """As `fit`, but a name that is too long loses its middle: head and tail stay (``checkpo…t_34``)."""
    if width <= 0:
        return ""
    if text.isascii() and text.isprintable():
        if len(text) > width:
            tail = (width - 1) // 2
            return text[: width - 1 - tail] + ELLIPSIS + text[len(text) - tail :]
        return _pad(text, len(text), width, align)
    return _fit_any(text, width, align, True)


def wrap(text: str, width: int, *, hanging: int = 0) -> list[str]:
    """``text`` in lines of at most ``width`` cells.

    Args:
        text: one paragraph, without control characters.
        width: cells, at least 2.
        hanging: how many fewer the lines after the first may have.

    Returns:
        Lines as `textwrap.wrap` makes them. Text with wide characters, which has no blanks to break at, is broken
        between those, but not before a closing or behind an opening mark.
    """
    if cell_len(text) == len(text) and not hanging:
        return textwrap.wrap(text, width)
    lines: list[str] = []
    line = ""
    for blank, unit in _units(text):
        joined = f"{line}{blank if line else ''}{unit}"
        if cell_len(joined) <= width - (hanging if lines else 0):
            line = joined
            continue
        lines += [line] if line else []
        *whole, line = chop_cells(unit, max(width - (hanging if lines else 0), 2))
        lines += whole
    return [*lines, line] if line else lines


def prose(text: str, width: int) -> str:
    """A line of prose for a widget that breaks lines at blanks: text that has wide characters is broken here."""
    if cell_len(text) == len(text) or cell_len(text) <= width:
        return text
    body = text.lstrip()
    indent = text[: len(text) - len(body)]
    return "\n".join(indent + line for line in wrap(body, max(width - len(indent), 2)))


def _units(text: str) -> Iterator[tuple[str, str]]:
    """What is not parted, each with the blanks before it."""
    blank, unit = "", ""
    for match in _UNIT.finditer(text):
        gap, piece = match.groups()
        if unit and not gap and (piece[0] in _CLOSING or unit[-1] in _OPENING):
            unit += piece
            continue
        if unit:
            yield blank, unit
        blank, unit = gap, piece
    if unit:
        yield blank, unit


def _pad(text: str, cells: int, width: int, align: Align) -> str:
    missing = width - cells
    if not missing:
        return text
    if align == "left":
        return text + " " * missing
    if align == "right":
        return " " * missing + text
    left = missing // 2
    return " " * left + text + " " * (missing - left)


@lru_cache(maxsize=8192)
def _fit_any(text: str, width: int, align: Align, middle: bool) -> str:
    # A few characters per cell are enough to fill the column; a name of megabytes need not be read whole.
    scanned = 8 * width + 64
    whole = len(text) <= 2 * scanned
    head = _shown(text if whole else text[:scanned])
    spans, cells = split_graphemes(head)
    if whole and cells <= width:
        body = head
    else:
        tail = ""
        if middle:
            tail, tail_cells = _last_cells(head if whole else _shown(text[-scanned:]), (width - 1) // 2)
        else:
            tail_cells = 0
        end = cells = 0
        for _, span_end, span_cells in spans:
            if cells + span_cells > width - 1 - tail_cells:
                break
            cells += span_cells
            end = span_end
        body = head[:end] + ELLIPSIS + tail
        cells += 1 + tail_cells
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in body):
        body += _LEFT_TO_RIGHT_MARK
    return _pad(body, cells, width, align)


def _last_cells(text: str, width: int) -> tuple[str, int]:
    """The longest end of ``text`` within ``width`` cells, and its cells."""
    start, cells = len(text), 0
    for span_start, _, span_cells in reversed(split_graphemes(text)[0]):
        if cells + span_cells > width:
            break
        cells += span_cells
        start = span_start
    return text[start:], cells


def _shown(text: str) -> str:
    return visible(text).translate(_SELECTORS)
