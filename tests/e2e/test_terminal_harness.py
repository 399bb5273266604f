"""The harness itself: what it says of a program must be true before it may judge lorascope."""

from __future__ import annotations

import pytest
from terminal import OpenTerminal

pytestmark = pytest.mark.e2e


def test_keys_reach_the_program_and_its_exit_code_comes_back(open_terminal: OpenTerminal) -> None:
    terminal = open_terminal(40, 5)
    terminal.start(
        ["sh", "-c", 'printf "$GREETING"; read -r line; echo "got $line"; exit 7'], env={"GREETING": "ready>"}
    )
    terminal.wait_for("ready>")
    assert terminal.running()
    terminal.type("$HOME; ls")
    terminal.send("Enter")
    assert terminal.exit_code() == 7
    assert "got $HOME; ls" in terminal.text()


def test_the_program_sees_the_size_and_its_change(open_terminal: OpenTerminal) -> None:
    terminal = open_terminal(61, 9)
    terminal.start(["sh", "-c", "stty size; read -r _; stty size; read -r _"])
    terminal.wait_for("9 61")
    terminal.resize(20, 5)
    terminal.send("Enter")
    terminal.wait_for("5 20")


def test_a_text_that_never_comes_shows_the_screen(open_terminal: OpenTerminal) -> None:
    terminal = open_terminal()
    terminal.start(["echo", "something else"])
    terminal.wait_for("something else")
    with pytest.raises(AssertionError, match=r"(?s)'wanted' is not on the screen.*something else"):
        terminal.wait_for("wanted", timeout=0.1)
