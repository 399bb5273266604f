"""The real app in a real terminal: what a person sees after which key."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.legacy import HOSTILE_NAMES, write_example, write_hostile
from support.program import LORASCOPE
from terminal import OpenTerminal, Terminal

pytestmark = pytest.mark.e2e

TABS = ("1 Runs", "2 Compare", "3 Trends", "4 Pick", "5 Checkpoint")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with the two example runs."""
    return write_example(tmp_path / "results")


def open_app(terminal: Terminal, *paths: Path, env: dict[str, str] | None = None) -> None:
    """Start the app and wait until it shows its first run."""
    terminal.start([LORASCOPE, *paths], env=env)


def quit_app(terminal: Terminal) -> None:
    """Quit, and see that the program says it went well."""
    terminal.send("q")
    assert terminal.exit_code() == 0


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_it_opens_on_the_runs_and_quits(open_terminal: OpenTerminal, results: Path, columns: int, rows: int) -> None:
    terminal = open_terminal(columns, rows)
    open_app(terminal, results)
    screen = terminal.wait_for(lambda text: "alpha" in text and "beta" in text and "checkpoint_4" in text)
    for tab in TABS:
        assert tab in screen
    quit_app(terminal)


def test_every_tab_opens_by_its_number(open_terminal: OpenTerminal, results: Path) -> None:
    terminal = open_terminal(120, 40)
    open_app(terminal, results)
    terminal.wait_for("checkpoint_4")
    for key, shown in {"2": "δ<1.25", "3": "⣀", "4": "objective", "5": "median", "1": "sample"}.items():
        terminal.send(key)
        terminal.wait_for(shown)
    quit_app(terminal)


def test_help_opens_and_closes(open_terminal: OpenTerminal, results: Path) -> None:
    terminal = open_terminal()
    open_app(terminal, results)
    terminal.wait_for("alpha")
    terminal.send("?")
    terminal.wait_for("Help")
    terminal.send("Escape")
    terminal.wait_until_gone("Help")
    quit_app(terminal)


def test_any_size_is_survived(open_terminal: OpenTerminal, results: Path) -> None:
    terminal = open_terminal(120, 40)
    open_app(terminal, results)
    terminal.wait_for("checkpoint_4")
    for key in "12345":
        terminal.send(key)
        for columns, rows in ((40, 10), (20, 5), (120, 40)):
            terminal.resize(columns, rows)
            terminal.wait_for(lambda text: text.strip() != "")
            assert terminal.running(), terminal.text()
        terminal.wait_for("5 Checkpoint")
    quit_app(terminal)


def test_hostile_names_are_shown_literally(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    terminal = open_terminal(160, 50)
    open_app(terminal, write_hostile(tmp_path / "results"))
    terminal.wait_for("hostile[red]run")
    terminal.send("4")
    terminal.wait_for(lambda text: all(name in text for name in HOSTILE_NAMES.values()))
    quit_app(terminal)


@pytest.mark.parametrize(
    "env", [{"TERM": "dumb"}, {"NO_COLOR": "1"}, {"LC_ALL": "C", "LANG": "C"}, {"LORASCOPE_PLAIN": "1"}]
)
def test_poor_terminals_are_enough(open_terminal: OpenTerminal, results: Path, env: dict[str, str]) -> None:
    terminal = open_terminal()
    open_app(terminal, results, env=env)
    terminal.wait_for("checkpoint_4")
    for key in "2345":
        terminal.send(key)
    terminal.send("1")
    terminal.wait_for("alpha")
    quit_app(terminal)


def test_nothing_found_opens_the_samples(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    terminal = open_terminal(120, 40)
    (tmp_path / "empty").mkdir()
    terminal.start([LORASCOPE], cwd=tmp_path / "empty")
    terminal.wait_for("published")
    quit_app(terminal)
