"""Outside text in each format that is written, so that a reader of the format shows it literally."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from engine.text import visible

# What spreadsheets take for the start of a formula, full-width forms included.
_FORMULA_STARTS = tuple("=@+-＝＠＋－")
_SIGNED_NUMBER = re.compile(r"[+-][0-9]*[.,]?[0-9]+(?:[eE][+-]?[0-9]+)?\s*%?")

# Punctuation with a meaning inside a Markdown table cell (CommonMark, GitHub tables, strikethrough and math).
_MARKDOWN = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        **{character: "\\" + character for character in "\\`*[]|~$"},
    }
)
_UNDERSCORES = re.compile(r"_+")
_BACKTICKS = re.compile("`+")
# What GitHub's Markdown makes a link of without being asked.
_ADDRESSES = re.compile(r"[a-z]+://|www\.", re.IGNORECASE)


def csv_text(text: str) -> str:
    """``text`` for a CSV cell, before quoting.

    CSV has no escapes, and CSV files are opened in spreadsheets and printed in terminals. So control characters are
    made visible, and text that a spreadsheet would run as a formula (it starts with ``= @ + -`` and is no plain
    number) gets an apostrophe in front. JSON and Parquet keep every character as it is.

    Args:
        text: any text.

    Returns:
        One line of text.
    """
    shown = visible(text)
    if shown.startswith(_FORMULA_STARTS) and not _SIGNED_NUMBER.fullmatch(shown):
        return "'" + shown
    return shown


def json_text(value: object, *, indent: int | None = None) -> str:
    """``value`` as JSON: letters as they are, hidden and control characters as ``\\uXXXX``, so that nothing acts on a
    terminal and every character comes back when it is read.

    Args:
        value: what :mod:`json` can write.
        indent: as in :func:`json.dumps`.

    Returns:
        JSON without a newline at the end.

    Raises:
        ValueError: a number is NaN or infinite.
        TypeError: a value that JSON does not have.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    if text.isascii() and "\x7f" not in text:
        return text
    # Line feeds inside strings are escaped already: a raw one is layout.
    return "".join(c if c == "\n" or visible(c) == c else json.dumps(c)[1:-1] for c in text.replace("\x7f", "\\u007f"))


def markdown_text(text: str) -> str:
    """``text`` for a Markdown table cell: one line, shown literally.

    Underscores between letters or digits stay bare (they mean nothing there), so that metric and checkpoint names
    remain readable in the source.

    Args:
        text: any text.

    Returns:
        Markdown without unescaped pipes, tags, links, emphasis, code or math.
    """
    escaped = visible(text).translate(_MARKDOWN)
    return _UNDERSCORES.sub(_underscores, escaped)


def markdown_line(text: str) -> str:
    """``text`` inside a line of Markdown prose or a heading, after something else on that line: shown literally.

    Beyond what a table cell needs, addresses do not become links of themselves, and a heading keeps its last ``#``.

    Args:
        text: any text.
    """
    escaped = markdown_text(text).replace("#", "\\#").replace("@", "\\@")
    return _ADDRESSES.sub(lambda match: match.group().replace(":", "\\:").replace(".", "\\."), escaped)


def code_span(text: str) -> str:
    """``text`` as inline code of Markdown, outside tables: in as many backticks as it takes.

    Args:
        text: any text; the empty one, which inline code cannot hold, is shown as a space.
    """
    shown = visible(text) or " "
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(shown)), default=0))
    # A reader takes one space off both ends where both have one and there is something between them.
    padded = shown.startswith("`") or shown.endswith("`") or (shown[0] == shown[-1] == " " and shown.strip(" "))
    return f"{fence} {shown} {fence}" if padded else f"{fence}{shown}{fence}"


def code_block(language: str, lines: Iterable[str]) -> list[str]:
    """Lines as a fenced block of Markdown that nothing in them can end.

    Args:
        language: what the block is called, a word.
        lines: any text each.
    """
    shown = [visible(line) for line in lines]
    longest = max((len(run) for line in shown for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + language, *shown, fence]


def _underscores(match: re.Match[str]) -> str:
    before = match.string[match.start() - 1 : match.start()]
    after = match.string[match.end() : match.end() + 1]
    if before.isalnum() and after.isalnum():
        return match.group()
    return "\\_" * len(match.group())
