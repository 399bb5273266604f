"""``lorascope frames``: the same frames as the app shows, for people and programs."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from support.commands import Command
from support.native import FRAMES_PER_WINDOW, WINDOWS, abs_rel, write_native_run
from support.store import frame_row, frames, metadata

from engine.config import Config
from engine.results.discovery import discover
from engine.results.writer import write_run
from tui.checkpoint_pages import Pages, Wish
from tui.frame_reading import Subject
from tui.frame_tables import FramesSource
from tui.library import Library

ERROR = "depth.building.abs_rel"


@pytest.fixture
def native(tmp_path: Path) -> Path:
    return write_native_run(tmp_path / "native")


def test_the_worst_frames_as_a_table(lorascope: Command, native: Path) -> None:
    done = lorascope("frames", native, "checkpoint_2", "--worst", "2")
    assert done.lines[0] == "native: checkpoint_2"
    assert done.lines[1] == "AbsRel · building ↓  ·  the worst first  ·  alignment median  ·  16 frames"
    value, base = (abs_rel(name, 3, 23) + 0.2 for name in ("checkpoint_2", "baseline"))
    assert done.lines[4].split() == [
        *("1", "3", "2013_05_28_drive_0004_sync", "23", "mixed", f"{value:.4f}", f"{base:.4f}"),
        *(f"{value - base:+.4f}", "▽"),
    ]
    assert done.lines[-1] == "2 of 16 frames: --worst N shows more"
    assert len(done.lines) == 7


def test_json(lorascope: Command, native: Path) -> None:
    found = lorascope("frames", native, "checkpoint_2", "--format", "json").json
    assert (found["run"], found["checkpoint"], found["against"]) == ("native", "checkpoint_2", "baseline")
    assert found["metric"] == {"key": ERROR, "label": "AbsRel", "unit": "", "direction": "lower"}
    assert (found["align"], found["by"], found["frames"], found["notes"]) == ("median", "worst", 16, [])
    assert [row["rank"] for row in found["rows"]] == list(range(1, WINDOWS * FRAMES_PER_WINDOW + 1))
    first = found["rows"][0]
    assert set(first) == {
        *("rank", "drive", "window", "frame", "stratum", "value", "against_value", "difference", "change")
    }
    assert (first["window"], first["frame"], first["change"]) == (3, 23, "worse")


@pytest.mark.parametrize("by", ["worst", "lost", "difference"])
@pytest.mark.parametrize("key", [ERROR, "pose.ate_trans", "depth.full.delta1"])
def test_the_command_and_the_app_agree(lorascope: Command, native: Path, by: str, key: str) -> None:
    options = ("--metric", key, "--against", "checkpoint_1", "--by", by, "--format", "json")
    rows = lorascope("frames", native, "checkpoint_2", *options).json["rows"]
    library = Library(Config())
    loaded = library.load(next(iter(discover([native]))))
    subject = Subject(loaded, "checkpoint_2", "checkpoint_1", key)
    shown = Pages(library).make(Wish("frames", subject, "building", by)).rows  # type: ignore[arg-type]
    assert isinstance(shown, FramesSource)
    places = [shown.place(row) for row in range(shown.row_count)]
    assert places == [(row["drive"], row["window"], row["frame"]) for row in rows]
    assert [shown.figures(row) for row in range(shown.row_count)] == [
        (row["value"], row["against_value"]) for row in rows
    ]


def test_csv_has_every_figure_in_full(lorascope: Command, native: Path) -> None:
    out = lorascope("frames", native, "checkpoint_2", "-m", "abs_rel", "-k", "3", "--format", "csv").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 3
    assert (rows[0]["run"], rows[0]["checkpoint"], rows[0]["against"], rows[0]["metric"]) == (
        *("native", "checkpoint_2", "baseline", ERROR),
    )
    assert float(rows[0]["value"]) == pytest.approx(abs_rel("checkpoint_2", 3, 23) + 0.2)


def test_files(lorascope: Command, native: Path, tmp_path: Path) -> None:
    for ending in ("csv", "json", "md", "tex", "parquet"):
        path = tmp_path / f"frames.{ending}"
        assert lorascope("frames", native, "checkpoint_2", "--to", path).code == 0
        assert path.stat().st_size > 100
    assert pl.read_parquet(tmp_path / "frames.parquet").height == 16


def test_markdown_is_rounded(lorascope: Command, native: Path) -> None:
    lines = lorascope("frames", native, "checkpoint_2", "-k", "1", "--format", "markdown").lines
    assert "checkpoint_2: AbsRel · building" in lines[0]
    assert lines[2].split()[1::2] == [
        "1",
        "2013_05_28_drive_0004_sync",
        "3",
        "23",
        "mixed",
        "0.5400",
        "0.4900",
        "0.0500",
    ]


def test_nothing_beside_the_baseline(lorascope: Command, native: Path) -> None:
    done = lorascope("frames", native, "baseline")
    assert "Δ" not in done.out
    assert lorascope("frames", native, "baseline", "-f", "json").json["against"] is None
    lorascope("frames", native, "baseline", "--by", "lost").failed(2, "--by lost needs", "--against NAME")


def test_plain(lorascope: Command, native: Path) -> None:
    assert lorascope("frames", native, "checkpoint_2", "--plain").out.isascii()


def test_the_best_checkpoint_needs_a_score(lorascope: Command, native: Path, tmp_path: Path) -> None:
    lorascope("frames", native, "best").failed(2, "no score", "name a checkpoint")
    (tmp_path / "lorascope.toml").write_text(f'[score.weights]\n"{ERROR}" = 1.0\n', "utf-8")
    options = ("--config", tmp_path / "lorascope.toml", "--format", "json")
    assert lorascope("frames", native, "best", *options).json["checkpoint"] == "checkpoint_1"


def test_mistakes(lorascope: Command, native: Path, results: Path) -> None:
    lorascope("frames", native, "checkpoint_3").failed(2, "unknown checkpoint 'checkpoint_3'", "checkpoint_2")
    lorascope("frames", native, "checkpoint_2", "--metric", "abs_rell").failed(2, "abs_rell", "abs_rel")
    lorascope("frames", native, "checkpoint_2", "--against", "nobody").failed(2, "nobody", "--against")
    lorascope("frames", native, "checkpoint_2", "--against", "checkpoint_2").failed(2, "the checkpoint itself")
    lorascope("frames", native, "checkpoint_2", "--by", "size").failed(2, "--by")
    lorascope("frames", native, "checkpoint_2", "--worst", "0").failed(2, "--worst")
    lorascope("frames", native).failed(2, "CHECKPOINT")
    lorascope("frames", results / "alpha", "best").failed(1, "alpha has no per-frame rows", "evaluate")
    lorascope("frames", results / "alpha", "best", "-m", "score").failed(1, "score is one figure for all frames")


@pytest.mark.parametrize("fmt", ["table", "csv", "json", "markdown", "latex"])
def test_hostile_names_are_data(lorascope: Command, tmp_path: Path, fmt: str) -> None:
    name = "\x1b[31m[bold]\u202e"
    rows = [frame_row(name, 0, depth__abs_rel=0.5, drive=name), frame_row("baseline", 0, depth__abs_rel=0.4)]
    write_run(tmp_path / "run", metadata("baseline", name), frames=frames(rows))
    done = lorascope("frames", tmp_path, name, "--format", fmt)
    assert done.code == 0, done.err
    assert not set(done.out) & {"\x1b", "\u202e"}


def test_a_narrow_terminal(lorascope: Command, native: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, lorascope("frames", native, "checkpoint_2").lines[3:])) <= 60
