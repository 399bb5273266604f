"""Documents, Markdown and HTML: text is literal, markup is only what the document says."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from engine.analysis.deltas import Verdict
from engine.report.document import (
    Block,
    Bullets,
    Claim,
    Code,
    Document,
    Figure,
    Heading,
    Item,
    Line,
    Note,
    Paragraph,
    Span,
    Style,
    Table,
    code,
    fill,
    heads,
    joined,
    plain,
    strong,
)
from engine.report.html import html
from engine.report.markdown import markdown
from engine.report.plot import Bar, Curve, IntervalPlot, LinePlot
from engine.text import visible

READER = MarkdownIt("commonmark").enable("table")
HOSTILE = [
    "<script>alert(1)</script>",
    "a|b`c*d_e_[f](http://g)",
    "# no heading",
    "1. no list",
    "- no list",
    "&amp; https://x.example www.y.example",
    "\x1b[31mred\nline",
    "‮right to left",
    "δ<1.25 > 0 $x$ ~y~",
    "]]> --> </style>",
]


def document(*blocks: Block, language: str = "en") -> Document:
    return Document("A title", language, (Heading(1, plain("A title")), *blocks), "Contents", plain("the end"))


def everything(text: str) -> Document:
    """A document with ``text`` in every place that can hold some."""
    plot = LinePlot(text, text, text, (Curve(text, (0.0, 1.0, 2.0), (0.1, None, 0.3), best=2),), (text,) * 4)
    bars = IntervalPlot(text, text, (text, "b"), (Bar(text, 0, 1.0, 0.5, 1.5, "better", "+1"),))
    return document(
        Heading(2, plain(text)),
        Paragraph(plain(text)),
        Paragraph(Line((strong(text), Span(" and "), code(text)))),
        Note(plain(text)),
        Bullets((Item(plain(text), (plain(text), Line((code(text),)))),)),
        Table(
            plain(text), heads([text, "n"]), ((Line((code(text),)), plain(text)),), frozenset({1}), {(0, 1): "better"}
        ),
        Code("sh", (text, "```")),
        Figure(plot, plain(text), plain(text)),
        Figure(bars, plain(text), plain(text)),
    )


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>\n"))


def test_templates_take_text_spans_and_lines() -> None:
    told = Claim("run", "score", "c_1", "", Verdict.BETTER)
    inner = fill("{a} is {b}", claims=[told], a=strong("x"), b="y")
    line = fill("So {inner}; {n} {{braces}}.", inner=inner, n=3)
    assert line.text == "So x is y; 3 {braces}."
    assert [span.style for span in line.spans] == [Style.PLAIN, Style.STRONG, Style.PLAIN]
    assert line.claims == (told,) and not line.denies
    denying = fill("{a}", a=fill("not shown", denies=True))
    assert denying.denies and joined([plain("a"), denying], ", ").denies
    assert joined(["a", "b", "c"], ", ", " and ").text == "a, b and c"
    with pytest.raises(KeyError):
        fill("{missing}")


@pytest.mark.parametrize("text", HOSTILE)
def test_html_is_well_formed_and_shows_text_literally(text: str) -> None:
    root = parsed(html(everything(text)))
    shown = visible(text)
    for tag in ("h2", "p", "li", "caption", "th", "td", "strong", "code", "title", "desc", "text", "figcaption"):
        found = ["".join(element.itertext()) for element in root.iter() if element.tag.rpartition("}")[2] == tag]
        assert any(shown in one for one in found), tag
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert "script" not in tags and "img" not in tags


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_text_literally(text: str) -> None:
    page = READER.render(markdown(everything(text)))
    assert "<script>" not in page and "<img" not in page and "<a " not in page
    shown = re.sub(r"\s+", " ", visible(text)).strip()
    texts = [
        re.sub(r"\s+", " ", "".join(e.itertext())).strip() for e in ElementTree.fromstring(f"<r>{page}</r>").iter()
    ]
    for tag in ("h2", "p", "li", "td", "th", "strong"):
        found = [
            re.sub(r"\s+", " ", "".join(element.itertext())).strip()
            for element in ElementTree.fromstring(f"<r>{page}</r>").iter(tag)
        ]
        assert any(shown in one for one in found), (tag, text)
    assert texts.count("A title") == 1


@given(st.text(min_size=1, max_size=30).filter(str.strip))  # blanks alone are no paragraph
def test_any_text_stays_text(text: str) -> None:
    made = document(
        Paragraph(plain(text)), Bullets((Item(plain(text)),)), Table(plain("t"), heads(["a"]), ((plain(text),),))
    )
    root = parsed(html(made))
    assert "".join(next(root.iter("td" if False else "caption")).itertext()) == "t"
    page = READER.render(markdown(made))
    body = ElementTree.fromstring(f"<r>{page}</r>")
    assert [element.tag for element in body][:2] == ["h1", "p"]
    assert len(list(body.iter("li"))) == 1 and len(list(body.iter("td"))) == 1


def test_html_needs_nothing_but_itself() -> None:
    text = html(everything("x"))
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", text)
    assert "<script" not in text and "@import" not in text
    assert "prefers-color-scheme:dark" in text


def test_html_is_accessible() -> None:
    root = parsed(html(everything("x")))
    assert root.attrib["lang"] == "en"
    assert parsed(html(document(language="zh"))).attrib["lang"] == "zh-Hans"
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    drawings = [element for element in root.iter() if element.tag.endswith("}svg")]
    assert len(drawings) == 2
    for drawing in drawings:
        assert drawing.attrib["role"] == "img"
        for part in drawing.attrib["aria-labelledby"].split():
            assert part in ids
    links = {element.attrib["href"][1:] for element in root.iter("a")}
    assert links and links <= set(ids)
    assert all(element.attrib["scope"] in ("col", "row") for element in root.iter("th"))


def test_contrast_is_enough_on_both_grounds() -> None:
    """WCAG: 7 : 1 for text, 3 : 1 for lines and points of plots."""
    from engine.report.style import _DARK, _LIGHT

    for colours in (_LIGHT, _DARK):
        for name in ("text", "soft", "better", "worse", "tied"):
            assert contrast(colours[name], colours["ground"]) >= 7.0, name
        assert contrast(colours["text"], colours["panel"]) >= 7.0
        for name in ("better", "worse"):
            assert contrast(colours[name], colours[f"{name}-ground"]) >= 4.5, name
        for name in ("s0", "s1", "s2", "s3", "accent"):
            assert contrast(colours[name], colours["ground"]) >= 3.0, name


def contrast(first: str, second: str) -> float:
    lights = sorted((_luminance(first), _luminance(second)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_markdown_reads_well_as_it_is() -> None:
    table = Table(plain("Two of them."), heads(["metric", "value"]), ((plain("δ<1.25"), plain("0.4")),), frozenset({1}))
    text = markdown(
        document(Heading(2, plain("Part")), table, Bullets((Item(plain("a"), (plain("b"),)),)), Code("sh", ("x",)))
    )
    assert text == (
        "# A title\n\n## Part\n\nTwo of them.\n\n| metric | value |\n| --- | ---: |\n| δ<1.25 | 0.4 |\n\n"
        "- a\n  - b\n\n```sh\nx\n```\n\n---\n\nthe end\n"
    )
