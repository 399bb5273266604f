"""A document: blocks of lines, tables and figures. No markup, no language: writers turn it into either.

Every text in it is literal. What is emphasised or code is said by the span, never by signs in its text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from string import Formatter

from engine.analysis.deltas import Verdict
from engine.report.plot import Plot


class Style(StrEnum):
    """How a piece of text is set."""

    PLAIN = "plain"
    STRONG = "strong"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text in one style."""

    text: str
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sentence says was told from chance, so that a test can look it up in the evidence.

    Attributes:
        run: the run's label; ``None`` for runs joined to one.
        metric: the key; for a weighted objective ``score:`` and its purpose, for a spread over frames ``std:`` and the
            key, for a slice ``drive:`` or ``stratum:``, its name, a colon and the key.
        checkpoint: the one that is said to be better or worse; between runs the label of the one that is ahead.
        against: what it is compared with: empty for the baseline, another checkpoint's name, or another run's label.
        verdict: what is said.
    """

    run: str | None
    metric: str
    checkpoint: str
    against: str
    verdict: Verdict


@dataclass(frozen=True)
class Line:
    """A sentence or a cell.

    Attributes:
        spans: its text.
        claims: the verdicts that it states.
        denies: it says that something is not shown, or cannot be said.
        legend: it explains words or signs and says nothing about any run.
    """

    spans: tuple[Span, ...]
    claims: tuple[Claim, ...] = ()
    denies: bool = False
    legend: bool = False

    @property
    def text(self) -> str:
        """The text without its style."""
        return "".join(span.text for span in self.spans)


Value = str | int | Span | Line


def fill(
    template: str, *, claims: Iterable[Claim] = (), denies: bool = False, legend: bool = False, **values: Value
) -> Line:
    """A line from a template with ``{name}`` places.

    Args:
        template: text, already translated; ``{{`` and ``}}`` are braces.
        claims: the verdicts that it states; those of lines among the values are added.
        denies, legend: as in :class:`Line`; ``denies`` also where a line among the values does.
        **values: what stands in the places; a number is written as it is.

    Raises:
        KeyError: a place has no value.
    """
    spans: list[Span] = []
    stated = list(claims)
    for literal, name, _, _ in Formatter().parse(template):
        if literal:
            spans.append(Span(literal))
        if name is None:
            continue
        value = values[name]
        if isinstance(value, Line):
            spans += value.spans
            stated += value.claims
            denies = denies or value.denies
        else:
            spans.append(value if isinstance(value, Span) else Span(str(value)))
    return Line(_merged(spans), tuple(dict.fromkeys(stated)), denies, legend)


def plain(text: str) -> Line:
    """A line of one plain span."""
    return Line((Span(text),))


def heads(texts: Iterable[str]) -> tuple[Line, ...]:
    """Headings of a table's columns: they say nothing about any run."""
    return tuple(Line((Span(text),) if text else (), legend=True) for text in texts)


def code(text: str) -> Span:
    """A span of code: a key, a command, a file's name."""
    return Span(text, Style.CODE)


def strong(text: str) -> Span:
    """An emphasised span."""
    return Span(text, Style.STRONG)


def joined(parts: Sequence[Line | Span | str], between: str, last: str | None = None) -> Line:
    """Lines one behind the other.

    Args:
        parts: what to join.
        between: what stands between them.
        last: what stands before the last one instead.
    """
    spans: list[Span] = []
    claims: list[Claim] = []
    denies = False
    for index, part in enumerate(parts):
        if index:
            spans.append(Span(last if last is not None and index == len(parts) - 1 else between))
        line = part if isinstance(part, Line) else Line((part if isinstance(part, Span) else Span(part),))
        spans += line.spans
        claims += line.claims
        denies = denies or line.denies
    return Line(_merged(spans), tuple(dict.fromkeys(claims)), denies)


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Neighbours of one style as one span; empty ones go."""
    found: list[Span] = []
    for span in spans:
        if found and found[-1].style is span.style:
            found[-1] = Span(found[-1].text + span.text, span.style)
        elif span.text:
            found.append(span)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Heading:
    """A title. Level 1 is the document's, 2 a section's, 3 a part's of it."""

    level: int
    line: Line


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line of prose."""

    line: Line


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list; each item with those below it."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list."""

    line: Line
    below: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        caption: what it shows, one sentence.
        head: headings.
        rows: cells, as many as headings.
        numbers: columns that hold numbers and are set to the right.
        tones: for a row and column, how a cell is to be tinted: ``better``, ``worse`` or ``tied``.
    """

    caption: Line
    head: tuple[Line, ...]
    rows: tuple[tuple[Line, ...], ...]
    numbers: frozenset[int] = frozenset()
    tones: dict[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to copy.

    Attributes:
        language: what they are in, a word.
        lines: any text each.
    """

    language: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot.

    Attributes:
        plot: the drawing.
        caption: what it shows, one sentence.
        description: the same for those who cannot see it, with the figures that matter.
    """

    plot: Plot
    caption: Line
    description: Line


@dataclass(frozen=True, slots=True)
class Note:
    """A line that must not be overlooked."""

    line: Line


Block = Heading | Paragraph | Bullets | Table | Code | Figure | Note


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes:
        title: plain text.
        language: ``en`` or ``zh``.
        blocks: in order; the first is the heading of level 1.
        contents: what the list of sections is called.
        generator: who wrote it, one line.
    """

    title: str
    language: str
    blocks: tuple[Block, ...]
    contents: str
    generator: Line

    def lines(self) -> Iterable[Line]:
        """Every line in it, those of tables and captions among them."""
        for block in self.blocks:
            match block:
                case Heading() | Paragraph() | Note():
                    yield block.line
                case Bullets():
                    for item in block.items:
                        yield item.line
                        yield from item.below
                case Table():
                    yield block.caption
                    yield from block.head
                    for row in block.rows:
                        yield from row
                case Figure():
                    yield block.caption
                    yield block.description
                case Code():
                    pass
        yield self.generator
