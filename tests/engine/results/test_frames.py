"""Per-frame values of a few checkpoints: which rows count, and what is wrong said in a sentence."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from support.native import CHECKPOINTS, FRAMES_PER_WINDOW, WINDOWS, abs_rel, drive_of, frames_of, write_native_run
from support.results import load_one, mean_of, put
from support.store import curves, frame_row, frames, metadata, summary, windows

from engine.errors import DataError, NoFramesError
from engine.results import layout
from engine.results.frames import (
    VALUES,
    Place,
    alignment_of,
    collect,
    place_of,
    read_curves,
    read_values,
    sampled_windows,
    scan_checkpoints,
)
from engine.results.model import Run
from engine.results.writer import write_frames, write_run

ERROR = "depth.building.abs_rel"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return load_one(write_native_run(tmp_path / "run"))


@pytest.mark.parametrize(
    ("key", "place"),
    [
        (ERROR, Place("depth.abs_rel", "building")),
        ("depth.full.pixels", Place("pixels", "full")),
        ("normals.a.b.inlier_30", Place("normals.inlier_30", "a.b")),
        ("pose.ate_trans", Place("pose.ate_trans", "")),
        ("pose.unknown", None),
        ("score", None),
        ("performance.fps", None),
        ("depth.abs_rel", None),
        ("depth..abs_rel", None),
        ("depth.building.own", None),
    ],
)
def test_places(key: str, place: Place | None) -> None:
    assert place_of(key) == place


def test_values_are_those_of_the_runs_own_alignment(run: Run) -> None:
    values, alignment = read_values(run, ["checkpoint_2", "baseline"], ERROR)
    assert values.schema == VALUES
    assert alignment == "median"
    expected = [
        (name, drive_of(window), window, frame, pytest.approx(abs_rel(name, window, frame) + 0.2))
        for name in ("checkpoint_2", "baseline")
        for window in range(WINDOWS)
        for frame in frames_of(window)
    ]
    assert values.rows() == expected


@pytest.mark.parametrize("key", [ERROR, "depth.full.pixels", "pose.ate_trans", "photometric.building.inlier_ratio"])
def test_their_mean_is_that_of_the_summary(run: Run, key: str) -> None:
    values, _ = read_values(run, list(CHECKPOINTS), key)
    for name in CHECKPOINTS:
        assert values.filter(checkpoint=name)["value"].mean() == pytest.approx(mean_of(run, name, key))


def test_a_windows_pose_counts_once_whatever_the_alignments(tmp_path: Path) -> None:
    rows = [frame_row("a", 0, depth__abs_rel=1.0, align=align) for align in ("none", "median")]
    rows += [frame_row("a", None, align=align, pose__ate_trans=v) for align, v in (("none", 7.0), ("median", 5.0))]
    write_run(tmp_path / "run", metadata("a"), frames=frames(rows))
    values, _ = read_values(load_one(tmp_path / "run"), ["a"], "pose.ate_trans")
    assert values.rows() == [("a", "d", 0, None, 5.0)]


def test_null_nan_and_infinity_are_not_measured(tmp_path: Path) -> None:
    rows = [frame_row("a", n, depth__abs_rel=v) for n, v in enumerate([0.5, None, float("nan"), float("inf")])]
    write_run(tmp_path / "run", metadata("a"), frames=frames(rows))
    assert read_values(load_one(tmp_path / "run"), ["a"], ERROR)[0]["frame"].to_list() == [0]


def test_another_alignment_is_taken_where_the_named_one_has_no_rows(tmp_path: Path) -> None:
    rows = [frame_row("a", 0, depth__abs_rel=1.0, align=align) for align in ("none", "scale_shift")]
    write_run(tmp_path / "run", metadata("a", align="median"), frames=frames(rows))
    found = load_one(tmp_path / "run")
    assert alignment_of(found, scan_checkpoints(found, ["a"])) == "scale_shift"
    # As in the summary.
    assert read_values(found, ["a"], ERROR)[0]["value"].to_list() == [mean_of(found, "a", ERROR)]


def test_only_the_folders_that_are_asked_for_are_opened(run: Run) -> None:
    for name in ("baseline", "checkpoint_1"):
        for file in (run.path / layout.FRAMES / name).iterdir():
            file.write_bytes(b"damaged")
    assert read_values(run, ["checkpoint_2"], ERROR)[0].height == WINDOWS * FRAMES_PER_WINDOW


def test_names_that_no_folder_has_and_folders_of_other_names(tmp_path: Path) -> None:
    write_run(tmp_path / "run", metadata("lora/1", "b"), frames=frames([frame_row("lora/1", 0, depth__abs_rel=0.5)]))
    write_frames(tmp_path / "run", "b", frames([frame_row("b", 0, depth__abs_rel=0.25)]))
    (tmp_path / "run" / layout.FRAMES / "b").rename(tmp_path / "run" / layout.FRAMES / "other")
    found = load_one(tmp_path / "run")
    assert read_values(found, ["lora/1"], ERROR)[0]["value"].to_list() == [0.5]
    assert read_values(found, ["b", "lora/1"], ERROR)[0]["value"].to_list() == [0.25, 0.5]


def test_no_frames_at_all(tmp_path: Path) -> None:
    write_run(tmp_path / "run", metadata("a"), summary=summary(("a", ERROR, 1.0, 0.5, 1.0, 0.0, 2.0, 3)))
    with pytest.raises(NoFramesError, match="run has no per-frame rows, only summaries; evaluate"):
        read_values(load_one(tmp_path / "run"), ["a"], ERROR)


def test_a_figure_of_no_frame(run: Run) -> None:
    with pytest.raises(NoFramesError, match=r"performance\.fps is one figure for all frames"):
        read_values(run, ["baseline"], "performance.fps")


def test_a_file_that_is_damaged_later_is_an_error_in_words(run: Run) -> None:
    (file,) = (run.path / layout.FRAMES / "baseline").iterdir()
    rows = scan_checkpoints(run, ["baseline"])
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DataError, match=r"per-frame rows cannot be read .*reload"):
        collect(rows, run)


def test_windows_and_curves(run: Run) -> None:
    assert sampled_windows(run)["stratum"].to_list() == ["rich", "mixed", "rich", "mixed"]
    found = read_curves(run, "photometric_inlier", "building")
    assert found["checkpoint"].unique().sort().to_list() == [
        "baseline",
        "chance",
        "checkpoint_1",
        "checkpoint_2",
        "oracle",
    ]
    assert read_curves(run, "photometric_inlier", "full").is_empty()
    assert read_curves(run, "other", "building").is_empty()


def test_a_run_without_these_tables(tmp_path: Path) -> None:
    write_run(tmp_path / "run", metadata("a"), frames=frames([frame_row("a", 0, depth__abs_rel=1.0)]))
    found = load_one(tmp_path / "run")
    assert sampled_windows(found).is_empty()
    assert read_curves(found, "photometric_inlier", "building").is_empty()


@pytest.mark.parametrize("content", [b"no parquet", pl.DataFrame({"window": ["0"]})])
def test_damaged_tables_are_named(tmp_path: Path, content: bytes | pl.DataFrame) -> None:
    path = tmp_path / "run"
    write_run(
        path,
        metadata("a"),
        frames=frames([frame_row("a", 0, depth__abs_rel=1.0)]),
        windows=windows((0, "d", [0], "rich")),
        curves=curves(("a", "photometric_inlier", "building", float("nan"), 0.5, 1)),
    )
    assert read_curves(load_one(path), "photometric_inlier", "building").is_empty()
    if isinstance(content, bytes):
        put(path / layout.WINDOWS, content)
    else:
        content.write_parquet(path / layout.WINDOWS)
    with pytest.raises(DataError, match=r"run: windows\.parquet"):
        sampled_windows(load_one(path))
