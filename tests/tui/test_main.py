"""Which way an invocation takes."""

import pytest

from tui import launch, main


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    ways: list[str] = []

    def app(paths: list[object], **_: object) -> int:
        ways.append(f"app {[str(path) for path in paths]}")
        return 0

    monkeypatch.setattr(launch, "open_app", app)
    return ways


def test_no_argument_and_paths_open_the_app(taken: list[str]) -> None:
    assert main.main([]) == 0
    assert main.main(["a", "b"]) == 0
    assert taken == ["app []", "app ['a', 'b']"]


def test_without_a_terminal_the_app_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "lorascope: the app needs a terminal; for text use: lorascope runs PATH\n"


def test_a_missing_path_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["/nowhere/at/all"]) == 1
    assert "/nowhere/at/all: no such file or folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("term", "variable", "asked", "expected"),
    [("xterm", "", None, False), ("dumb", "", None, True), ("xterm", "1", None, True), ("dumb", "1", False, False)],
)
def test_plain_where_asked_or_where_nothing_else_works(
    monkeypatch: pytest.MonkeyPatch, term: str, variable: str, asked: bool | None, expected: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("LORASCOPE_PLAIN", variable)
    assert launch.wants_plain(asked) is expected
