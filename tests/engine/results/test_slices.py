"""Depth by distance and class as it is stored, read and reduced to windows; and runs that have none."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from support.killed import states
from support.results import load_one
from support.store import frame_row, frames, metadata, slice_row, slices, summary

from engine.errors import DataError, NoFramesError
from engine.results import layout
from engine.results.joining import join_shards
from engine.results.model import Run
from engine.results.slices import slice_kinds, slice_sums
from engine.results.sums import window_sums
from engine.results.writer import write_metadata, write_run, write_slices
from engine.schema import LEAST_POINTS, WINDOW_SUMS, SliceKind

AR = "depth.building.abs_rel"
NEAR, FAR = "depth.building/2-5 m.abs_rel", "depth.building/40+ m.abs_rel"


def plain(sums: pl.DataFrame) -> pl.DataFrame:
    """Text instead of categories, in a fixed order."""
    text = sums.with_columns(pl.col("checkpoint", "metric", "drive").cast(pl.String))
    return text.sort("checkpoint", "metric", "drive", "window", "frame")


def written(folder: Path, rows: list[dict[str, object]], **more: object) -> Run:
    names = list(dict.fromkeys(str(row["checkpoint"]) for row in rows))
    whole = [frame_row(name, 0, depth__abs_rel=1.0) for name in names]
    write_run(folder, metadata(*names, **more), frames=frames(whole), slices=slices(rows))  # type: ignore[arg-type]
    return load_one(folder)


def test_by_hand(tmp_path: Path) -> None:
    run = written(
        tmp_path / "run",
        [
            slice_row("baseline", 0, "2-5 m", depth__abs_rel=1.0, depth__mae=7.0, pixels=1000),
            # Every frame counts the same, however many points it holds; but a few are too few.
            slice_row("baseline", 1, "2-5 m", depth__abs_rel=3.0, pixels=LEAST_POINTS),
            slice_row("baseline", 2, "2-5 m", depth__abs_rel=9.0, pixels=LEAST_POINTS - 1),
            slice_row("baseline", 1, "40+ m", depth__abs_rel=5.0),
            slice_row("baseline", 8, "2-5 m", window=1, depth__abs_rel=0.5),
            slice_row("baseline", 0, "2-5 m", depth__abs_rel=9.0, align="scale"),
            slice_row("baseline", 0, "2-5 m", depth__abs_rel=float("nan"), region="full"),
            slice_row("baseline", 0, "road", by="class", depth__abs_rel=0.25),
        ],
    )
    assert slice_kinds(run) == (SliceKind.DISTANCE, SliceKind.CLASS)
    sums = slice_sums(run, SliceKind.DISTANCE)
    assert sums.schema == WINDOW_SUMS
    assert plain(sums).filter(metric=NEAR).select("window", "frame", "sum", "m2", "count").rows() == [
        (0, None, 4.0, 2.0, 2),
        (1, None, 0.5, 0.0, 1),
    ]
    assert plain(sums).filter(metric=FAR).select("window", "sum", "count").rows() == [(0, 5.0, 1)]
    others = {"depth.building/2-5 m.mae", *(f"depth.{part}.pixels" for part in ("building/2-5 m", "building/40+ m"))}
    assert set(plain(sums)["metric"]) == {NEAR, FAR, *others, "depth.full/2-5 m.pixels"}
    of_class = plain(slice_sums(run, SliceKind.CLASS))
    assert of_class.select("metric", "sum").rows() == [("depth.road.abs_rel", 0.25), ("depth.road.pixels", 30.0)]


def test_only_what_is_asked_for(tmp_path: Path) -> None:
    rows = [
        slice_row(name, 0, part, region=region, depth__abs_rel=1.0, depth__mae=2.0)
        for name in ("baseline", "c")
        for part in ("2-5 m", "40+ m")
        for region in ("building", "full")
    ]
    rows.append(slice_row("c", 0, "road", by="class", depth__abs_rel=1.0, depth__mae=2.0))
    run = written(tmp_path / "run", rows)
    found = slice_sums(run, SliceKind.DISTANCE, metrics=[AR, "pose.ate_trans", "score"], checkpoints=["c"])
    assert plain(found).select("checkpoint", "metric").rows() == [("c", NEAR), ("c", FAR)]
    # Classes are of all points, whatever region is asked for.
    assert plain(slice_sums(run, SliceKind.CLASS, metrics=[AR]))["metric"].to_list() == ["depth.road.abs_rel"]
    for metrics in (["normals.building.inlier_30"], ["score"], []):
        assert slice_sums(run, SliceKind.DISTANCE, metrics=metrics).is_empty()


def test_they_are_no_rows_of_frames(tmp_path: Path) -> None:
    rows = [slice_row("baseline", 0, "2-5 m", depth__abs_rel=7.0)]
    run = written(tmp_path / "with", rows)
    write_run(tmp_path / "without", metadata("baseline"), frames=frames([frame_row("baseline", 0, depth__abs_rel=1.0)]))
    other = load_one(tmp_path / "without")
    assert run.problems == other.problems == ()
    assert_frame_equal(run.summary, other.summary)
    assert_frame_equal(plain(window_sums(run)), plain(window_sums(other)))


def test_a_run_without_slices_says_so(tmp_path: Path) -> None:
    write_run(tmp_path / "old", metadata("baseline"), frames=frames([frame_row("baseline", 0, depth__abs_rel=1.0)]))
    write_run(tmp_path / "sum", metadata("baseline"), summary=summary(("baseline", AR, 1.0, 0.5, 1.0, 0.0, 2.0, 10)))
    (tmp_path / "legacy").mkdir()
    (tmp_path / "legacy" / "baseline_metrics.json").write_text('{"depth.building.abs_rel": {"mean": 1.0}}', "utf-8")
    for name in ("old", "sum", "legacy"):
        run = load_one(tmp_path / name)
        assert slice_kinds(run) == ()
        with pytest.raises(NoFramesError, match="no depth by distance or class; evaluate it again"):
            slice_sums(run, SliceKind.DISTANCE)


def test_without_labels_there_are_distances_alone(tmp_path: Path) -> None:
    run = written(tmp_path / "run", [slice_row("baseline", 0, "2-5 m", region="full", depth__abs_rel=1.0)])
    assert slice_kinds(run) == (SliceKind.DISTANCE,)
    assert slice_sums(run, SliceKind.CLASS).is_empty()
    assert slice_sums(run, SliceKind.CLASS).schema == WINDOW_SUMS


def test_the_alignment_is_the_runs_own_or_the_only_one(tmp_path: Path) -> None:
    rows = [slice_row("baseline", 0, "2-5 m", align="scale", depth__abs_rel=1.0)]
    for number, align in enumerate((None, "scale", "none")):
        run = written(tmp_path / str(number), rows, align=align)
        assert plain(slice_sums(run, SliceKind.DISTANCE, metrics=[AR]))["sum"].to_list() == [1.0]


def test_damaged_files(tmp_path: Path) -> None:
    run = written(tmp_path / "run", [slice_row("baseline", 0, "2-5 m", depth__abs_rel=1.0)])
    folder = tmp_path / "run" / layout.SLICES / "baseline"
    (folder / "1.parquet").write_bytes(b"PAR1 nothing")
    pl.DataFrame({"other": [1]}).write_parquet(folder / "2.parquet")
    assert plain(slice_sums(run, SliceKind.DISTANCE, metrics=[AR]))["sum"].to_list() == [1.0]
    content = (folder / "0.parquet").read_bytes()
    (folder / "0.parquet").write_bytes(content[:4] + bytes(200) + content[204:])  # the footer is whole
    with pytest.raises(DataError, match=r"run: slices cannot be read \(.*\); load the run again"):
        slice_sums(run, SliceKind.DISTANCE, metrics=[AR])


def test_what_is_no_slice_is_not_written(tmp_path: Path) -> None:
    table = slices([slice_row("baseline", 0, "2-5 m", depth__abs_rel=1.0)])
    with pytest.raises(DataError, match="rows of another checkpoint than 'c'"):
        write_slices(tmp_path, "c", table)
    with pytest.raises(DataError, match="the column slice is missing"):
        write_slices(tmp_path, "baseline", table.drop("slice"))
    with pytest.raises(DataError, match=r"the column depth\.mae holds Float64, not Float32"):
        write_slices(tmp_path, "baseline", table.with_columns(pl.col("depth.mae").cast(pl.Float64)))
    stored = pl.read_parquet(
        write_slices(tmp_path, "baseline", table.with_columns(pl.lit(float("inf"), pl.Float32).alias("depth.mae")))
    )
    assert stored["depth.mae"].to_list() == [None]


def test_joined_at_any_moment_they_are_there_once(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for number in range(3):
        for name in ("baseline", "c"):
            rows = [slice_row(name, 8 * number + f, "2-5 m", window=number, depth__abs_rel=f + 0.5) for f in range(4)]
            write_slices(run, name, slices(rows), f"{number:06d}")
    write_metadata(run, metadata("baseline", "c"))
    expected = plain(slice_sums(load_one(run), SliceKind.DISTANCE))
    assert expected.height == 2 * 2 * 3
    moments = list(states(run, lambda folder: join_shards(folder, layout.SLICES)))
    assert len(moments) > 8
    for moment in moments:
        assert_frame_equal(plain(slice_sums(load_one(moment), SliceKind.DISTANCE)), expected)
        assert join_shards(moment, layout.SLICES) == {}
        assert_frame_equal(plain(slice_sums(load_one(moment), SliceKind.DISTANCE)), expected)
        assert {path.name for path in moment.rglob("*.parquet")} == {"joined-000000-000002.parquet"}
