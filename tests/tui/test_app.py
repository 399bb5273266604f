"""What the app does, key by key, without a terminal."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import polars as pl
import pytest
from support.legacy import rising_run, write_json, write_run
from support.pilot import Started, settled, text_of
from textual.pilot import Pilot
from textual.widgets import Input

from engine.remote.url import place_of
from tui.app import LorascopeApp
from tui.screens.dialogs import ChooseDialog, LineDialog, MessageDialog
from tui.state import load_state

HOSTILE = ("[bold]x[/]", "\x1b[31mred", "two\nlines", "宽字符" * 40, "שלום", "long" * 1250, "over\u202eride")


def lorascope(pilot: Pilot[None]) -> LorascopeApp:
    assert isinstance(pilot.app, LorascopeApp)
    return pilot.app


async def press(pilot: Pilot[None], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()


async def shows(pilot: Pilot[None], text: str) -> None:
    await settled(pilot, lambda: text in text_of(pilot))


async def test_runs_show_their_best_and_its_change(started: Started, example: Path) -> None:
    async with started(example) as pilot:
        await shows(pilot, "checkpoint_4")
        assert "checkpoint_2" in text_of(pilot)


async def test_every_screen_opens_by_its_number(started: Started, example: Path) -> None:
    async with started(example) as pilot:
        for key, text in (("2", "baseline"), ("3", "stability"), ("4", "of 6 remain"), ("5", "rank"), ("1", "curve")):
            await press(pilot, key)
            await shows(pilot, text)


async def test_marks_decide_what_is_compared(started: Started, example: Path) -> None:
    async with started(example) as pilot:
        await press(pilot, "space", "2")
        await shows(pilot, "alpha")
        assert "beta ·" not in text_of(pilot)


async def test_compare_changes_checkpoint_view_filter_and_blocks(started: Started, example: Path) -> None:
    async with started(example) as pilot:
        await press(pilot, "2")
        await shows(pilot, "alpha · checkpoint_4")
        await press(pilot, "v")
        await shows(pilot, "Δ  ")
        await press(pilot, "c")
        await settled(pilot, lambda: isinstance(pilot.app.screen, ChooseDialog))
        await pilot.press(*"checkpoint_1", "enter")
        await shows(pilot, "alpha · checkpoint_1")
        await press(pilot, "slash")
        await settled(pilot, lambda: isinstance(pilot.app.screen, LineDialog))
        await pilot.press(*"planarity", "enter")
        await shows(pilot, "plane inlier")
        await settled(pilot, lambda: "AbsRel" not in text_of(pilot))
        await press(pilot, "x")
        await settled(pilot, lambda: "alpha ·" not in text_of(pilot))
        await press(pilot, "R")
        await shows(pilot, "alpha · checkpoint_4")


async def test_a_filter_that_fits_nothing_is_refused_where_it_is_typed(started: Started, example: Path) -> None:
    async with started(example) as pilot:
        await press(pilot, "2", "slash")
        await settled(pilot, lambda: isinstance(pilot.app.screen, LineDialog))
        await pilot.press(*"zzz", "enter")
        await shows(pilot, "no metric fits")
        assert isinstance(pilot.app.screen, LineDialog)
        await press(pilot, "escape")


async def test_another_baseline(started: Started, tmp_path: Path) -> None:
    values = rising_run()
    del values["baseline"]
    write_run(tmp_path / "run", values)
    async with started(tmp_path) as pilot:
        await shows(pilot, "no baseline")
        await press(pilot, "B")
        await settled(pilot, lambda: isinstance(pilot.app.screen, ChooseDialog))
        await pilot.press(*"checkpoint_0", "enter")
        session = lorascope(pilot).session
        await settled(pilot, lambda: next(iter(session.overviews.values())).baseline_score is not None)
        await shows(pilot, "+")
        assert list(session.state.baselines.values()) == ["checkpoint_0"]


async def test_limits_filter_and_the_basket_is_exported(started: Started, example: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "checkpoint_4.pt").write_bytes(b"weights")
    target = tmp_path / "shipped"
    async with started(example) as pilot:
        await press(pilot, "4")
        await shows(pilot, "6 of 6 remain")
        await press(pilot, "tab", *["right"] * 30)
        await settled(pilot, lambda: "6 of 6 remain" not in text_of(pilot) and "of 6 remain" in text_of(pilot))
        await press(pilot, "tab", "b")
        await shows(pilot, "alpha/checkpoint_4")
        await press(pilot, "e")
        await settled(pilot, lambda: isinstance(pilot.app.screen, LineDialog))
        await shows(pilot, "a model card and selection.json")
        pilot.app.screen.query_one(Input).value = str(target)
        await press(pilot, "enter")
        await shows(pilot, "Folder that holds the checkpoints")
        pilot.app.screen.query_one(Input).value = str(weights)
        await press(pilot, "enter")
        await settled(pilot, lambda: isinstance(pilot.app.screen, MessageDialog))
        await shows(pilot, "Exported and verified")
    chosen = json.loads((target / "alpha" / "checkpoint_4" / "selection.json").read_text("utf-8"))
    assert chosen["objective"] == "score"
    assert chosen["where"].startswith("depth.building.delta1 >= ")
    assert chosen["considered"] == 6
    assert chosen["rejected"] > 0
    assert (target / "alpha" / "checkpoint_4" / "checkpoint_4.pt").read_bytes() == b"weights"
    assert (target / "alpha" / "checkpoint_4" / "README.md").is_file()


async def test_an_export_that_is_there_is_replaced_only_when_asked(
    started: Started, example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    weights = example / "alpha"
    (weights / "checkpoint_4.pt").write_bytes(b"new")
    target = tmp_path / "out"
    async with started(example) as pilot:
        lorascope(pilot).session.state.checkpoint_dirs[str(weights)] = str(weights)
        for answer in ("first", "escape", "enter"):
            await press(pilot, "4", "e")
            await settled(pilot, lambda: isinstance(pilot.app.screen, LineDialog))
            pilot.app.screen.query_one(Input).value = str(target)
            await press(pilot, "enter")
            await settled(pilot, lambda: isinstance(pilot.app.screen, MessageDialog))
            if answer != "first":
                await shows(pilot, "Replace what is there?")
                await press(pilot, answer)
            if answer == "enter":
                await shows(pilot, "Exported and verified")
                await shows(pilot, "no model card was written")
            await press(pilot, "escape")
    assert (target / "alpha" / "checkpoint_4" / "checkpoint_4.pt").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["table.csv", "table.parquet", "table.json", "table.md", "table.tex"])
async def test_compare_writes_its_table(started: Started, example: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    async with started(example) as pilot:
        await press(pilot, "2")
        await shows(pilot, "alpha · checkpoint_4")
        await press(pilot, "e")
        await settled(pilot, lambda: isinstance(pilot.app.screen, LineDialog))
        pilot.app.screen.query_one(Input).value = str(path)
        await press(pilot, "enter")
        await settled(pilot, path.exists)
    if name.endswith("parquet"):
        assert {"run", "checkpoint", "metric", "value"} <= set(pl.read_parquet(path).columns)
    else:
        assert "alpha" in path.read_text("utf-8")


async def test_the_view_is_kept_for_the_next_start(started: Started, example: Path) -> None:
    async with started(example) as pilot:
        await press(pilot, "2")
        await shows(pilot, "alpha · checkpoint_4")
        await press(pilot, "v", "d", "4")
        await shows(pilot, "of 6 remain")
        path = lorascope(pilot).session.state_path
    state = load_state(path)
    assert (state.screen, state.view, state.only_different) == ("pick", "delta", True)
    async with started(example) as pilot:
        await shows(pilot, "of 6 remain")


async def test_a_broken_run_is_a_row_with_its_reason(started: Started, example: Path) -> None:
    broken = example / "broken"
    broken.mkdir()
    (broken / "checkpoint_1_metrics.json").write_text('{"depth.building.abs_rel": {"mean": 0.', "utf-8")
    async with started(example) as pilot:
        await shows(pilot, "broken")
        lorascope(pilot).session.state.cursor_run = str(broken)
        grid = pilot.app.screen.query_one("#runs-grid")
        row = list(lorascope(pilot).session.refs).index(str(broken))
        grid.move_cursor(row=row)  # type: ignore[attr-defined]
        await shows(pilot, "checkpoint_1_metrics.json")
        await press(pilot, "i")
        await shows(pilot, "What was wrong")
        await press(pilot, "escape", "2")
        await shows(pilot, "alpha · checkpoint_4")


async def test_a_wrong_configuration_is_said_and_the_defaults_are_used(
    started: Started, example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example / "lorascope.toml").write_text("[score]\nweights = 3\n", "utf-8")
    monkeypatch.chdir(example)
    async with started(example, notifications=True) as pilot:
        await shows(pilot, "score.weights")
        assert "checkpoint_4" in text_of(pilot)


async def test_hostile_names_are_literal_everywhere(started: Started, tmp_path: Path) -> None:
    values = rising_run(1)
    for name in HOSTILE:
        values[name] = {**values["checkpoint_0"], f"own.{name}": 1.0}
    folder = tmp_path / "[red]run\x1b[0m"
    for index, (name, metrics) in enumerate(values.items()):
        # Names that no file system takes are tested through the table.
        if "/" not in name and len(name.encode()) < 200:
            write_json(folder, name, metrics)
        assert index >= 0
    (tmp_path / "table.csv").write_text(
        "checkpoint,depth.building.abs_rel\n" + "".join(f'"{name}",0.{n}\n' for n, name in enumerate(HOSTILE, 1)),
        "utf-8",
    )
    async with started(tmp_path) as pilot:
        app = lorascope(pilot)
        for keys in (
            ("i", "escape"),
            ("B", "escape"),
            ("down", "i", "escape"),
            ("2", "c", "escape", "o", "escape"),
            ("question_mark", "escape"),
            ("3", "m", "down", "down", "enter"),
            ("4", "b", "down", "b", "r", "escape", "plus", "escape"),
            ("e", "escape"),
            ("5", "right_square_bracket", "c", "escape", "b"),
            ("ctrl+p", "escape"),
        ):
            for key in keys:
                await press(pilot, key)
                text = text_of(pilot)
                hidden = {c for c in text if (c != "\n" and unicodedata.category(c) in ("Cc", "Cs")) or c == "\u202e"}
                assert not hidden, (keys, hidden)
        assert app.is_running


async def test_runs_are_sorted_and_filtered(started: Started, example: Path) -> None:
    async with started(example) as pilot:
        grid = pilot.app.screen.query_one("#runs-grid")
        source = grid.source  # type: ignore[attr-defined]
        assert [source.cells(row)[0].text for row in range(2)] == ["alpha", "beta"]
        await press(pilot, "s")  # by score: beta's ratios are higher throughout
        source = grid.source  # type: ignore[attr-defined]
        assert [source.cells(row)[0].text for row in range(2)] == ["beta", "alpha"]
        assert "score▼" in text_of(pilot).replace(" ", "")
        await press(pilot, "slash")
        await settled(pilot, lambda: isinstance(pilot.app.screen, LineDialog))
        await pilot.press(*"alp", "enter")
        await settled(pilot, lambda: grid.source.row_count == 1)  # type: ignore[attr-defined]
        assert "beta" not in text_of(pilot)


async def test_runs_of_a_store_are_opened_by_their_url(started: Started, example: Path) -> None:
    pytest.importorskip("fsspec", reason="object stores need the extra `s3`")
    url = f"file://{example}"
    async with started(place_of(url)) as pilot:
        assert [overview.name for overview in lorascope(pilot).session.overviews.values()] == ["alpha", "beta"]
        await shows(pilot, f"  {url}"[:24])
        assert "example · 2 runs" in text_of(pilot)
