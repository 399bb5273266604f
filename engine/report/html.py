"""A document as one HTML page that needs nothing but itself: style and drawings are in it, no script, no address."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

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
from engine.report.style import style
from engine.report.svg import svg
from engine.text import visible

_LOCALES = {"en": "en", "zh": "zh-Hans"}


def html(document: Document) -> str:
    """The page, ending in a newline. It is well-formed XML as well, apart from the document type."""
    writer = _Writer()
    body = [line for block in document.blocks for line in writer.block(block)]
    first = next((index for index, line in enumerate(body) if line.startswith("<h2")), len(body))
    contents = _contents(document, writer.sections)
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="{_LOCALES.get(document.language, document.language)}">',
        "<head>",
        '<meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        '<meta name="color-scheme" content="light dark"/>',
        f"<title>{_text(document.title)}</title>",
        f"<style>\n{style()}</style>",
        "</head>",
        "<body>",
        "<main>",
        *body[:first],
        *contents,
        *body[first:],
        "</main>",
        f"<footer><p>{_inline(document.generator)}</p></footer>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _contents(document: Document, sections: list[tuple[str, str]]) -> list[str]:
    if not sections:
        return []
    links = [f'<li><a href="#{identity}">{text}</a></li>' for identity, text in sections]
    name = _text(document.contents)
    return [f'<nav aria-label="{name}">', f"<p>{name}</p>", "<ul>", *links, "</ul>", "</nav>"]


class _Writer:
    """Writes blocks, and counts sections and figures for their identities."""

    def __init__(self) -> None:
        self.sections: list[tuple[str, str]] = []
        self._figures = 0

    def block(self, block: Block) -> Iterator[str]:
        match block:
            case Heading():
                yield self._heading(block)
            case Paragraph():
                yield f"<p>{_inline(block.line)}</p>"
            case Note():
                yield f'<p class="note" role="note">{_inline(block.line)}</p>'
            case Bullets():
                yield "<ul>"
                for item in block.items:
                    below = "".join(f"<li>{_inline(line)}</li>" for line in item.below)
                    yield f"<li>{_inline(item.line)}{f'<ul>{below}</ul>' if below else ''}</li>"
                yield "</ul>"
            case Table():
                yield from _table(block)
            case Code():
                yield f"<pre><code>{_text_lines(block.lines)}</code></pre>"
            case Figure():
                self._figures += 1
                yield "<figure>"
                yield svg(block.plot, block.description.text, f"figure-{self._figures}")
                yield f"<figcaption>{_inline(block.caption)}</figcaption>"
                yield "</figure>"

    def _heading(self, block: Heading) -> str:
        text = _inline(block.line)
        if block.level != 2:
            return f"<h{block.level}>{text}</h{block.level}>"
        identity = f"section-{len(self.sections) + 1}"
        self.sections.append((identity, text))
        return f'<h2 id="{identity}">{text}</h2>'


def _table(block: Table) -> Iterator[str]:
    # A table that is wider than the page is scrolled, with the keyboard, too.
    yield f'<div class="wide" role="region" tabindex="0" aria-label="{escape(visible(block.caption.text))}"><table>'
    yield f"<caption>{_inline(block.caption)}</caption>"
    heads = "".join(
        f'<th scope="col"{_class(index in block.numbers, "")}>{_inline(cell)}</th>'
        for index, cell in enumerate(block.head)
    )
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    for number, row in enumerate(block.rows):
        cells = [
            f"<td{_class(index in block.numbers, block.tones.get((number, index), ''))}>{_inline(cell)}</td>"
            if index
            else f'<th scope="row">{_inline(cell)}</th>'
            for index, cell in enumerate(row)
        ]
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody>"
    yield "</table></div>"


def _class(number: bool, tone: str) -> str:
    names = " ".join(name for name in ("n" if number else "", tone) if name)
    return f' class="{names}"' if names else ""


def _inline(line: Line) -> str:
    parts = []
    for span in line.spans:
        text = _text(span.text)
        match span.style:
            case Style.PLAIN:
                parts.append(text)
            case Style.STRONG:
                parts.append(f"<strong>{text}</strong>")
            case Style.CODE:
                parts.append(f"<code>{text}</code>")
    return "".join(parts)


def _text(text: str) -> str:
    return escape(visible(text))


def _text_lines(lines: tuple[str, ...]) -> str:
    return "\n".join(_text(line) for line in lines)
