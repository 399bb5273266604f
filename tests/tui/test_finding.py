"""Discovery in a thread: nothing found early is lost, and everybody hears of the rest."""

from __future__ import annotations

import queue
from pathlib import Path

import pytest
from support.legacy import rising_run, write_csv

from engine.remote.url import place_of, shown
from tui import finding
from tui.finding import Finder, find_batches, samples_folder


def everything(finder: Finder) -> list[finding.Found]:
    """All that the finder finds, waiting for its end."""
    heard: queue.Queue[None] = queue.Queue()
    finder.listen(lambda: heard.put(None))
    found = finder.take()
    while not any(part.done for part in found):
        heard.get(timeout=60)
        found += finder.take()
    return found


def test_runs_are_found_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "BATCH", 2)
    for number in range(5):
        write_csv(tmp_path / f"run_{number}", rising_run(1))
    parts = list(find_batches([tmp_path]))
    assert [len(part.refs) for part in parts] == [2, 2, 1]
    assert [part.done for part in parts] == [False, False, True]
    assert [ref.name for part in everything(Finder([tmp_path])) for ref in part.refs] == [f"run_{n}" for n in range(5)]


def test_where_nothing_is_the_samples_are_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (part,) = find_batches([])
    assert part.samples
    assert all(samples_folder() in ref.path.parents for ref in part.refs)
    assert "samples" in part.notices[0]


def test_a_named_folder_without_runs_is_said(tmp_path: Path) -> None:
    (part,) = find_batches([tmp_path])
    assert not part.samples
    assert list(part.refs) == []
    assert f"no runs below {tmp_path}" in part.notices[0]


def test_a_folder_that_went_away_is_said(tmp_path: Path) -> None:
    (part,) = everything(Finder([tmp_path / "gone"]))
    assert "gone" in part.notices[0]
    assert part.done


def test_what_lies_in_a_store_is_brought_first(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="object stores need the extra `s3`")
    write_csv(tmp_path / "store" / "run_a", rising_run(1))
    url = f"file://{tmp_path}/store"
    parts = everything(Finder([place_of(url)]))
    assert parts[0].notices[0].startswith(f"{url}: bringing 1 file, ")
    assert [shown(ref.path) for part in parts for ref in part.refs] == [f"{url}/run_a"]
    write_csv(tmp_path / "store" / "run_b", rising_run(1))
    assert [ref.name for part in everything(Finder([place_of(url)])) for ref in part.refs] == ["run_a", "run_b"]
    (part,) = everything(Finder([place_of(f"file://{tmp_path}/nothing")]))
    assert part.done
    assert f"file://{tmp_path}/nothing: no runs there" in part.notices[0]
