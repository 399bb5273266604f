"""Names that tell runs apart."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tui.cli.gather import some
from tui.format import distinct


def test_only_equal_names_get_longer() -> None:
    runs = [("run", Path("/a/x/run")), ("run", Path("/b/x/run")), ("other", Path("/a/other"))]
    assert distinct(runs) == ["a/x/run", "b/x/run", "other"]
    assert distinct(runs[1:]) == ["run", "other"]


def test_one_run_twice_is_one_run() -> None:
    assert distinct([("run", Path("/a/run")), ("run", Path("/a/run"))]) == ["run", "run"]


def test_a_name_of_its_own_shows_the_folder() -> None:
    assert distinct([("same", Path("/a/one")), ("same", Path("/a/two"))]) == ["same (one)", "same (two)"]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.lists(st.sampled_from("ab"), min_size=1, max_size=4)), max_size=6))
def test_different_runs_have_different_names(entries: list[tuple[str, list[str]]]) -> None:
    runs = list({path: (name, path) for name, parts in entries for path in [Path("/", *parts)]}.values())
    assert len(set(distinct(runs))) == len(runs)


def test_some() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some(list("abcdefghij")) == "a, b, c, d, e, f, g, h and 2 more"
