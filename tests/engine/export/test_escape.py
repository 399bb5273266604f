"""Outside text in CSV, JSON and Markdown: a reader of the format shows it literally."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from engine.export.escape import code_block, code_span, csv_text, json_text, markdown_line, markdown_text
from engine.text import visible

ANY_TEXT = st.text() | st.text(alphabet="|\\*_`[]()<>&~$!#-+. \nab1")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("＝1+1", "'＝1+1"),
        ("-1.5e-3", "-1.5e-3"),
        ("+30.9 %", "+30.9 %"),
        ("checkpoint_34", "checkpoint_34"),
        ("a\r\nb\x1b[31m", "a␍␊b␛[31m"),
    ],
)
def test_csv_text(text: str, cell: str) -> None:
    assert csv_text(text) == cell


@given(ANY_TEXT)
def test_json_keeps_every_character_and_hides_none(text: str) -> None:
    written = json_text({"text": text, text: 1})
    assert json.loads(written) == json.loads(json.dumps({"text": text, text: 1}))
    assert written == visible(written)


def test_json_refuses_what_it_does_not_have() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text(float("nan"))
    assert json_text("δ ↑ 建\x7f\x9b\U000e0001") == '"δ ↑ 建\\u007f\\u009b\\udb40\\udc01"'


def rendered_cell(cell: str) -> str:
    """What an independent Markdown reader shows for a cell; it must be text alone."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(f"| h | k |\n| --- | --- |\n| {cell} | end |\n")
    inline = [token for token in tokens if token.type == "inline"]
    assert [token.content for token in inline[:2]] == ["h", "k"]
    assert len(inline) == 4 and inline[3].content == "end"
    return "".join(_text_of(child) for child in inline[2].children or [])


def _text_of(token: Token) -> str:
    assert token.type in ("text", "text_special"), token.type
    return token.content


@given(ANY_TEXT)
def test_markdown_shows_the_text_literally(text: str) -> None:
    assert rendered_cell(markdown_text(text)) == visible(text).strip()


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("checkpoint_34", "checkpoint_34"),
        ("_a_ b__c", r"\_a\_ b__c"),
        ("[bold]a|b", r"\[bold\]a\|b"),
        ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
        ("a\nb", "a␊b"),
    ],
)
def test_markdown_text(text: str, cell: str) -> None:
    assert markdown_text(text) == cell


def test_markdown_source_has_no_bare_pipe() -> None:
    assert not re.search(r"(?<!\\)\|", markdown_text("a|b\\|c"))


def inline(text: str) -> list[Token]:
    """The parts of a heading, as an independent Markdown reader sees it."""
    heading, content, _ = MarkdownIt("commonmark").enable("strikethrough").parse(f"# a {text}")
    assert heading.type == "heading_open"
    return content.children or []


@given(ANY_TEXT)
def test_a_line_shows_the_text_literally(text: str) -> None:
    assert "".join(map(_text_of, inline(markdown_line(text)))) == f"a {visible(text)}".rstrip()


@pytest.mark.parametrize("text", ["https://x.org", "see www.x.org", "WWW.x", "me@x.org", "ftp://x"])
def test_addresses_become_no_links(text: str) -> None:
    line = markdown_line(text)
    assert not re.search(r"[a-z]://|www\.|(?<!\\)@", line, re.IGNORECASE)
    assert "".join(map(_text_of, inline(line))) == f"a {text}"


@given(ANY_TEXT | st.text(alphabet="` a", min_size=1))
def test_a_code_span_shows_the_text_literally(text: str) -> None:
    parts = inline(code_span(text))
    assert [part.type for part in parts] == ["text", "code_inline"]
    assert parts[1].content == (visible(text) or " ")


@given(st.lists(ANY_TEXT | st.text(alphabet="`~ a", min_size=1)))
def test_nothing_in_a_code_block_ends_it(lines: list[str]) -> None:
    (block,) = MarkdownIt("commonmark").parse("\n".join(code_block("sh", lines)))
    assert (block.type, block.info) == ("fence", "sh")
    assert block.content == "".join(f"{visible(line)}\n" for line in lines)
