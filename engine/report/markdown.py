"""A document as Markdown (CommonMark with tables), every text in it literal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.export.escape import code_block, code_span, markdown_line
from engine.report.document import (
    Block,
    Bullets,
    Code,
    Document,
    Figure,
    Heading,
    Line,
    Note,
    Paragraph,
    Style,
    Table,
)
from engine.report.text_plot import text_plot

# A tag begins with a letter, a slash, `!` or `?`: before anything else `<` is literal, and reads better bare.
_BARE_LESS = re.compile(r"&lt;(?=[\d\s])")
# What would make a list, a quotation or a heading of a line that begins with it.
_STARTS = re.compile(r"(?P<before>\s*\d{0,9})(?P<sign>[-+>=#.)])")


def markdown(document: Document) -> str:
    """The document's text, ending in a newline."""
    lines: list[str] = []
    for block in document.blocks:
        lines += ["", *_block(block)]
    lines += ["", "---", "", _start(document.generator)]
    return "\n".join(lines).strip("\n") + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"{'#' * block.level} {_inline(block.line)}"
        case Paragraph():
            yield _start(block.line)
        case Note():
            yield f"> **{_plain_marks(block.line)}**"
        case Bullets():
            for item in block.items:
                yield f"- {_start(item.line)}"
                yield from (f"  - {_start(line)}" for line in item.below)
        case Table():
            yield from _table(block)
        case Code():
            yield from code_block(block.language, block.lines)
        case Figure():
            yield _start(block.caption)
            yield ""
            yield from code_block("text", text_plot(block.plot))


def _table(block: Table) -> Iterator[str]:
    yield _start(block.caption)
    yield ""
    yield _row(_cell(cell) for cell in block.head)
    yield _row("---:" if index in block.numbers else "---" for index in range(len(block.head)))
    for row in block.rows:
        yield _row(_cell(cell) for cell in row)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(line: Line) -> str:
    # A pipe ends a cell even inside code.
    return _inline(line, in_table=True)


def _inline(line: Line, *, in_table: bool = False) -> str:
    return "".join(_span(span.text, span.style, in_table) for span in line.spans)


def _plain_marks(line: Line) -> str:
    return "".join(_text(span.text) for span in line.spans)


def _span(text: str, style: Style, in_table: bool) -> str:
    match style:
        case Style.PLAIN:
            return _text(text)
        case Style.STRONG:
            return f"**{_text(text)}**" if text.strip() == text and text else _text(text)
        case Style.CODE:
            return code_span(text).replace("|", "\\|") if in_table else code_span(text)


def _text(text: str) -> str:
    return _BARE_LESS.sub("<", markdown_line(text))


def _start(line: Line) -> str:
    """A line that begins a block: what would be read as a mark there is escaped."""
    text = _inline(line)
    found = _STARTS.match(text)
    if found is None or not line.spans or line.spans[0].style is not Style.PLAIN or text.startswith("\\"):
        return text
    at = found.start("sign")
    return text[:at] + "\\" + text[at:]
