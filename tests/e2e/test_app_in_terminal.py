"""The real app in a real terminal: what a person sees after which key."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.legacy import HOSTILE_NAMES, rising_run, score, write_example, write_hostile
from support.native import write_native_run
from support.program import LORASCOPE
from terminal import OpenTerminal, Terminal

pytestmark = pytest.mark.e2e

TABS = ("1 Runs", "2 Compare", "3 Trends", "4 Pick", "5 Checkpoint", "6 Launch")
# What only that tab shows of the example runs.
CONTENT = {
    "1": "score curve",
    "2": "alpha · checkpoint_4",
    "3": "◆ best",
    "4": "6 of 6 remain",
    "5": "against baseline",
    "6": "new evaluation",
}
# The scores of the two best checkpoints: they are there once the runs have been read.
ALPHA = f"{score(rising_run(best=4)['checkpoint_4']):.4f}"
BETA = f"{score(rising_run(best=2, shift=0.02)['checkpoint_2']):.4f}"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with the two example runs."""
    return write_example(tmp_path / "results")


def open_app(terminal: Terminal, path: Path, env: dict[str, str] | None = None) -> str:
    """Start the app on a folder; the screen as soon as its runs have been read."""
    terminal.start([LORASCOPE, path], env=env)
    return terminal.wait_for(ALPHA)


def quit_app(terminal: Terminal) -> None:
    """Quit, and see that the program says it went well."""
    terminal.send("q")
    assert terminal.exit_code() == 0


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_it_opens_on_the_runs_and_quits(open_terminal: OpenTerminal, results: Path, columns: int, rows: int) -> None:
    terminal = open_terminal(columns, rows)
    open_app(terminal, results)
    screen = terminal.wait_for(BETA)
    missing = [shown for shown in (*TABS, "alpha", "beta", "2 runs") if shown not in screen]
    assert not missing, screen
    quit_app(terminal)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_every_tab_opens_by_its_number(open_terminal: OpenTerminal, results: Path, columns: int, rows: int) -> None:
    terminal = open_terminal(columns, rows)
    open_app(terminal, results)
    for key in "2345612":
        terminal.send(key)
        terminal.wait_for(CONTENT[key])
    quit_app(terminal)


def test_the_view_is_restored_per_folder(open_terminal: OpenTerminal, results: Path) -> None:
    first = open_terminal()
    open_app(first, results)
    first.send("5")
    first.wait_for(CONTENT["5"])
    quit_app(first)
    second = open_terminal()
    second.start([LORASCOPE, results])
    second.wait_for(CONTENT["5"])
    quit_app(second)


def test_help_opens_and_closes(open_terminal: OpenTerminal, results: Path) -> None:
    terminal = open_terminal(120, 40)
    open_app(terminal, results)
    terminal.send("?")
    terminal.wait_for("Go to Compare.")
    terminal.send("Escape")
    terminal.wait_until_gone("Go to Compare.")
    quit_app(terminal)


@pytest.mark.parametrize("key", "123456")
def test_any_size_is_survived(open_terminal: OpenTerminal, results: Path, key: str) -> None:
    terminal = open_terminal(120, 40)
    open_app(terminal, results)
    terminal.send(key)
    terminal.wait_for(CONTENT[key])
    for columns, rows in ((40, 10), (20, 5)):
        terminal.resize(columns, rows)
        terminal.wait_for(lambda text: "120" not in text and text.strip() != "")
        assert terminal.running(), terminal.text()
    terminal.resize(120, 40)
    terminal.wait_for(CONTENT[key])
    quit_app(terminal)


def test_hostile_names_are_shown_literally(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    terminal = open_terminal(160, 50)
    open_app(terminal, write_hostile(tmp_path / "results"))
    assert "hostile[red]run" in terminal.text()
    terminal.send("4")
    terminal.wait_for(lambda text: all(name in text for name in HOSTILE_NAMES.values()))
    quit_app(terminal)


@pytest.mark.parametrize(
    "env", [{"TERM": "dumb"}, {"NO_COLOR": "1"}, {"LC_ALL": "C", "LANG": "C"}, {"LORASCOPE_PLAIN": "1"}]
)
def test_poor_terminals_are_enough(open_terminal: OpenTerminal, results: Path, env: dict[str, str]) -> None:
    terminal = open_terminal()
    open_app(terminal, results, env=env)
    plain = "LORASCOPE_PLAIN" in env or env.get("TERM") == "dumb"
    # Without the words that plain text writes in other characters.
    shown = {
        "2": "RMSE m",
        "3": "baseline",
        "4": "6 of 6 remain",
        "5": "against baseline",
        "6": "base weights",
        "1": "curve",
    }
    for key, words in shown.items():
        terminal.send(key)
        screen = terminal.wait_for(words)
        assert not plain or screen.isascii(), screen
    quit_app(terminal)


def test_nothing_found_opens_the_samples(open_terminal: OpenTerminal, tmp_path: Path) -> None:
    terminal = open_terminal(120, 40)
    terminal.start([LORASCOPE], cwd=tmp_path)
    screen = terminal.wait_for(lambda text: "strategy_b_soft_full" in text and "0.3454" in text)
    assert "samples · 5 runs" in screen
    quit_app(terminal)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 40)])
def test_the_worst_frames_and_the_picture_of_one(
    open_terminal: OpenTerminal, tmp_path: Path, columns: int, rows: int
) -> None:
    terminal = open_terminal(columns, rows)
    terminal.start([LORASCOPE, write_native_run(tmp_path / "native")])
    terminal.wait_for("native")
    terminal.send("5")
    terminal.wait_for("rank")
    for words in ("% of frames", "worst first"):
        terminal.send("Tab")
        terminal.wait_for(words)
    terminal.send("End", "Enter")
    terminal.wait_for("inverse depth")
    terminal.send("Escape")
    terminal.wait_until_gone("inverse depth")
    for words in ("scale_shift", "the score uses this", "by stratum", "rank"):
        terminal.send("Tab")
        terminal.wait_for(words)
    quit_app(terminal)
