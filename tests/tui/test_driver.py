from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style
from rich.text import Text
from textual.drivers.headless_driver import HeadlessDriver

from tui.driver import lean, lean_sgr

COLOURS = st.sampled_from([None, "red", "bright_blue", "color(200)", "#102030", "#a0b0c0", "default"])
STYLES = st.builds(
    Style,
    color=COLOURS,
    bgcolor=COLOURS,
    bold=st.booleans(),
    dim=st.booleans(),
    italic=st.booleans(),
    underline=st.booleans(),
    reverse=st.booleans(),
    strike=st.booleans(),
)
TEXTS = st.text("ab漢│ ", min_size=1, max_size=5)


def picture(output: str) -> list[tuple[str, Style]]:
    """Every printed character with its style, as Rich's own decoder sees it."""
    text = Text.from_ansi(output)
    styles = [Style.null()] * len(text)
    for span in text.spans:
        for index in range(span.start, span.end):
            style = span.style if isinstance(span.style, Style) else Style.parse(span.style)
            styles[index] = styles[index] + style
    # An attribute that is off looks like one that was never set.
    return [
        (
            character,
            Style(
                color=None if style.color is None or style.color.is_default else style.color,
                bgcolor=None if style.bgcolor is None or style.bgcolor.is_default else style.bgcolor,
                **{
                    name: True
                    for name in ("bold", "dim", "italic", "underline", "reverse", "strike")
                    if getattr(style, name)
                },
            ),
        )
        for character, style in zip(text.plain, styles, strict=True)
    ]


@given(st.lists(st.tuples(TEXTS, STYLES), max_size=12))
def test_lean_output_draws_the_same_picture_in_no_more_bytes(runs):
    output = "".join(style.render(text) for text, style in runs)
    short = lean_sgr(output)
    assert picture(short) == picture(output)
    assert len(short) <= len(output) + len("0;") + len("\x1b[0m")


def test_only_what_changes_is_sent():
    output = "\x1b[1;38;2;1;2;3;48;2;9;9;9mab\x1b[0m\x1b[38;2;4;5;6;48;2;9;9;9mc\x1b[0m"
    assert lean_sgr(output) == "\x1b[0;1;38;2;1;2;3;48;2;9;9;9mab\x1b[22;38;2;4;5;6mc\x1b[0m"


def test_cursor_moves_keep_the_pen_and_other_sequences_get_the_pen_that_they_had():
    output = "\x1b[1;1H\x1b[31ma\x1b[0m\x1b[2;1H\x1b[31mb\x1b[0m\x1b[K"
    assert lean_sgr(output) == "\x1b[1;1H\x1b[0;31ma\x1b[2;1Hb\x1b[0m\x1b[K"


def test_bold_that_ends_does_not_take_faint_with_it():
    assert lean_sgr("\x1b[1;2;3ma\x1b[0m\x1b[2;3mb\x1b[0m") == "\x1b[0;1;2;3ma\x1b[22;2mb\x1b[0m"


@pytest.mark.parametrize(
    "output",
    [
        "plain",
        "\x1b[31mleft open",
        "\x1b[0m\x1b[31mx",
        "\x1b[53moverline\x1b[0m",
        "\x1b[38;7mx\x1b[0m",
        "\x1b[>4;1m",
        "",
    ],
)
def test_output_that_is_not_understood_passes_unchanged(output):
    assert lean_sgr(output) == output


def test_the_driver_writes_lean_output():
    written = []

    class Recording(HeadlessDriver):
        def write(self, data: str) -> None:
            written.append(data)

    driver = object.__new__(lean(Recording))
    driver.write("\x1b[31ma\x1b[0m\x1b[31mb\x1b[0m")
    assert written == ["\x1b[0;31mab\x1b[0m"]
