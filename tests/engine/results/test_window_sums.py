"""Per-frame rows reduced to windows: they say what the summary says, and keep frames apart where they must."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from support.results import load_one
from support.store import frame_row, frames, metadata, summary, windows

from engine.errors import DataError, NoFramesError
from engine.results.model import Run
from engine.results.native import read_windows
from engine.results.sums import joint_name, joint_window_sums, window_sums
from engine.results.writer import write_frames, write_metadata, write_run
from engine.schema import FRAMES, WINDOW_SUMS, WINDOWS, DatasetInfo

SAMPLES = Path(__file__).resolve().parents[3] / "sample_results"
AR, PHOTO, ATE = "depth.building.abs_rel", "photometric.building.error", "pose.ate_trans"


def plain(sums: pl.DataFrame) -> pl.DataFrame:
    """Text instead of categories, in a fixed order."""
    text = sums.with_columns(pl.col("checkpoint", "metric", "drive").cast(pl.String))
    return text.sort("checkpoint", "metric", "drive", "window", "frame")


def written(folder: Path, rows: list[dict[str, object]], **more: object) -> Run:
    names = list(dict.fromkeys(str(row["checkpoint"]) for row in rows))
    write_run(folder, metadata(*names, **more), frames=frames(rows))  # type: ignore[arg-type]
    return load_one(folder)


@pytest.mark.parametrize("name", ["street_soft", "street_aggressive"])
def test_sums_are_the_summary(name: str) -> None:
    run = load_one(SAMPLES / name)
    sums = plain(window_sums(run))
    totals = sums.group_by("checkpoint", "metric").agg(
        pl.col("sum").sum(),
        pl.col("count").sum(),
        pl.col("m2"),
        pl.col("sum").alias("sums"),
        pl.col("count").alias("n"),
    )
    joined = run.summary.join(totals, on=["checkpoint", "metric"], how="full", suffix="_sums")
    assert joined.height == run.summary.height
    assert joined.select(pl.col("checkpoint_sums").null_count()).item() == 0
    assert joined["count"].to_list() == joined["count_sums"].to_list()
    assert (joined["sum"] / joined["count"]).to_numpy() == pytest.approx(joined["mean"].to_numpy(), rel=1e-9, abs=1e-12)
    for row in joined.iter_rows(named=True):
        within, between = sum(row["m2"]), 0.0
        for total, count in zip(row["sums"], row["n"], strict=True):
            between += count * (total / count - row["mean"]) ** 2
        std = np.sqrt((within + between) / row["count"])
        assert std == pytest.approx(row["std"], rel=1e-6, abs=1e-9)


def test_by_hand(tmp_path: Path) -> None:
    rows = [
        frame_row("baseline", 0, depth__abs_rel=1.0, pixels=10),
        frame_row("baseline", 1, depth__abs_rel=3.0, pixels=20),
        frame_row("baseline", 0, depth__abs_rel=9.0) | {"align": "scale"},
        frame_row("baseline", 8, depth__abs_rel=5.0) | {"window": 1},
        frame_row("baseline", 9, depth__abs_rel=float("nan")) | {"window": 1},
        frame_row("baseline", None, pose__ate_trans=0.5),
    ]
    run = written(tmp_path / "run", rows)
    sums = window_sums(run)
    assert sums.schema == WINDOW_SUMS
    expected = pl.DataFrame(
        [
            ("baseline", AR, "d", 0, None, 4.0, 2.0, 2),
            ("baseline", AR, "d", 1, None, 5.0, 0.0, 1),
            ("baseline", "depth.building.pixels", "d", 0, None, 30.0, 50.0, 2),
            ("baseline", ATE, "d", 0, None, 0.5, 0.0, 1),
        ],
        schema=dict(plain(sums).schema),
        orient="row",
    )
    assert_frame_equal(plain(sums), expected)
    other = plain(window_sums(run, alignment="scale", metrics=[AR]))
    assert other.select("metric", "window", "sum").rows() == [(AR, 0, 9.0)]


def test_windows_are_kept_frame_by_frame_where_checkpoints_differ_in_frames(tmp_path: Path) -> None:
    rows = [
        frame_row("baseline", 0, photometric__error=0.1, depth__abs_rel=1.0),
        frame_row("baseline", 1, photometric__error=0.2, depth__abs_rel=1.0),
        frame_row("c", 0, photometric__error=0.3, depth__abs_rel=2.0),
        frame_row("c", 1, photometric__error=None, depth__abs_rel=2.0),
        # In the second window both lack one frame, but not the same.
        frame_row("baseline", 8, photometric__error=0.4) | {"window": 1},
        frame_row("c", 9, photometric__error=0.5) | {"window": 1},
        # The third is the same in both.
        frame_row("baseline", 16, photometric__error=0.6) | {"window": 2},
        frame_row("c", 16, photometric__error=0.7) | {"window": 2},
        # The fourth is in one alone: nothing to be told apart.
        frame_row("baseline", 24, photometric__error=0.8) | {"window": 3},
    ]
    sums = plain(window_sums(written(tmp_path / "run", rows)))
    photo = sums.filter(metric=PHOTO).select("checkpoint", "window", "frame", "sum", "count").rows()
    assert photo == [
        ("baseline", 0, 0, 0.1, 1),
        ("baseline", 0, 1, 0.2, 1),
        ("baseline", 1, 8, 0.4, 1),
        ("baseline", 2, None, 0.6, 1),
        ("baseline", 3, None, 0.8, 1),
        ("c", 0, 0, 0.3, 1),
        ("c", 1, 9, 0.5, 1),
        ("c", 2, None, 0.7, 1),
    ]
    assert sums.filter(metric=AR)["frame"].null_count() == 2  # whole windows: one row per checkpoint
    only = plain(window_sums(load_one(tmp_path / "run"), checkpoints=["baseline"]))
    assert only["frame"].null_count() == only.height  # nobody to differ from
    assert set(only["checkpoint"]) == {"baseline"}


def test_pose_rows_count_once_and_shards_make_no_difference(tmp_path: Path) -> None:
    rows = [frame_row("baseline", None, pose__ate_trans=1.0) | {"align": align} for align in ("median", "scale")]
    rows += [frame_row("baseline", frame, depth__abs_rel=float(frame)) for frame in range(4)]
    whole = window_sums(written(tmp_path / "whole", rows))
    assert plain(whole).filter(metric=ATE).select("sum", "count").rows() == [(1.0, 1)]
    split = tmp_path / "split"
    write_metadata(split, metadata("baseline"))
    for number, part in enumerate((rows[2:4], rows[4:], rows[:2])):
        write_frames(split, "baseline", frames(part), shard=str(number))
    assert_frame_equal(plain(window_sums(load_one(split))), plain(whole))


def test_only_what_is_asked_for(tmp_path: Path) -> None:
    rows = [
        frame_row("baseline", 0, depth__abs_rel=1.0, depth__mae=2.0),
        frame_row("baseline", 0, depth__abs_rel=1.5) | {"region": "full"},
        frame_row("baseline", None, pose__ate_trans=1.0, pose__rpe_trans=2.0),
    ]
    run = written(tmp_path / "run", rows)
    found = window_sums(run, metrics=[AR, "pose.rpe_trans", "score", "performance.fps", "depth.road.abs_rel"])
    assert plain(found)["metric"].to_list() == [AR, "pose.rpe_trans"]
    assert window_sums(run, metrics=["score"]).schema == WINDOW_SUMS
    assert window_sums(run, metrics=["score"]).is_empty()


def test_regions_may_be_called_anything(tmp_path: Path) -> None:
    rows = [frame_row("baseline", 0, depth__abs_rel=1.0) | {"region": region} for region in ("a.b", "*", "wall")]
    found = plain(window_sums(written(tmp_path / "run", rows)))
    assert found["metric"].to_list() == ["depth.*.abs_rel", "depth.a.b.abs_rel", "depth.wall.abs_rel"]
    chosen = window_sums(load_one(tmp_path / "run"), metrics=["depth.a.b.abs_rel"])
    assert chosen.height == 1


def test_two_runs_of_one_sample_are_paired(tmp_path: Path) -> None:
    runs = {name: load_one(SAMPLES / f"street_{name}") for name in ("soft", "aggressive")}
    joint = plain(joint_window_sums(runs, metrics=[AR, ATE]))
    for label, run in runs.items():
        own = plain(window_sums(run, metrics=[AR, ATE]))
        mine = joint.filter(pl.col("checkpoint").str.starts_with(f"{label}/"))
        assert mine["checkpoint"].to_list() == [joint_name(label, name) for name in own["checkpoint"]]
        assert_frame_equal(mine.drop("checkpoint"), own.drop("checkpoint"))
    # Both evaluated the same base on the same windows.
    bases = [joint.filter(checkpoint=joint_name(label, "baseline")).drop("checkpoint") for label in runs]
    assert_frame_equal(*bases)

    uneven = {"photometric__error": 0.1}, {}
    pair = {}
    for label, more in zip("ab", uneven, strict=True):
        rows = [frame_row("c", 0, photometric__error=0.2), frame_row("c", 1, **more)]
        dataset = DatasetInfo(sample_fingerprint="f")
        write_run(tmp_path / label, metadata("c", dataset=dataset), frames=frames(rows))
        pair[label] = load_one(tmp_path / label)
    photo = plain(joint_window_sums(pair)).select("checkpoint", "frame", "sum").rows()
    assert photo == [("a/c", 0, 0.2), ("a/c", 1, 0.1), ("b/c", 0, 0.2)]


def test_runs_of_other_samples_are_not_paired(tmp_path: Path) -> None:
    rows = [frame_row("c", 0, depth__abs_rel=1.0)]
    runs = {}
    for label, dataset in (("a", "f"), ("b", "g"), ("c", None)):
        info = DatasetInfo(sample_fingerprint=dataset)
        write_run(tmp_path / label, metadata("c", dataset=info), frames=frames(rows))
        runs[label] = load_one(tmp_path / label)
    for labels in ("ab", "ac"):
        with pytest.raises(DataError, match="not known to be of the same sample"):
            joint_window_sums({label: runs[label] for label in labels})
    assert joint_window_sums({"c": runs["c"]}).height == 1


def test_the_first_of_two_folders_counts(tmp_path: Path) -> None:
    run = tmp_path / "run"
    written(run, [frame_row("baseline", 0, depth__abs_rel=1.0)])
    again = run / "frames" / "copy"
    again.mkdir()
    frames([frame_row("baseline", 0, depth__abs_rel=7.0)]).write_parquet(again / "0.parquet")
    loaded = load_one(run)
    assert plain(window_sums(loaded))["sum"].to_list() == [1.0]
    assert loaded.summary["mean"].to_list() == [1.0]


def test_a_damaged_shard_is_left_out(tmp_path: Path) -> None:
    run = tmp_path / "run"
    written(run, [frame_row("baseline", 0, depth__abs_rel=1.0)])
    (run / "frames" / "baseline" / "1.parquet").write_bytes(b"PAR1 nothing")
    assert plain(window_sums(load_one(run)))["sum"].to_list() == [1.0]


def test_a_shard_that_is_damaged_later_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    loaded = written(tmp_path / "run", [frame_row("baseline", 0, depth__abs_rel=1.0)])
    (file,) = (tmp_path / "run" / "frames" / "baseline").iterdir()
    content = file.read_bytes()
    file.write_bytes(content[:4] + bytes(200) + content[204:])  # the footer is whole
    with pytest.raises(DataError, match=r"run: per-frame rows cannot be read: .*; load the run again"):
        window_sums(loaded)


def test_runs_of_summaries_have_no_windows(tmp_path: Path) -> None:
    write_run(tmp_path, metadata("baseline"), summary=summary(("baseline", AR, 1.0, 0.5, 1.0, 0.0, 2.0, 10)))
    run = load_one(tmp_path)
    with pytest.raises(NoFramesError, match="only summaries"):
        window_sums(run)
    assert read_windows(run).is_empty()
    assert read_windows(run).schema == WINDOWS


def test_windows_are_read_with_their_strata(tmp_path: Path) -> None:
    table = windows((0, "d", [1, 2], "rich"), (1, "d", [3, 4], None))
    write_run(tmp_path, metadata("baseline"), frames=pl.DataFrame(schema=FRAMES), windows=table)
    assert_frame_equal(read_windows(load_one(tmp_path)), table)
